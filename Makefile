# sqlstream: everything a developer or a curious user runs. `make help` lists it.

GO      ?= go
BIN     := bin/sqlstream
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X github.com/sqlstream/sqlstream/cmd/sqlstream/internal/buildinfo.version=$(VERSION)

# How much the longer targets do.
N          ?= 1000
SEED       ?= 1
EVENTS     ?= 1000000
FUZZTIME   ?= 20s
KAFKA_PORT ?= 21092
KAFKA_KILLS   ?= 70
KAFKA_VERSION ?= 4.4.0
KAFKA      := testsql/kafka/kafka.sh
STORE_KILLS ?= 45
S3_PORT    ?= 21110
HDFS_PORT  ?= 21120
S3         := testsql/services/s3.sh
HDFS       := testsql/services/hdfs.sh

# Under the race detector: all that runs in a job. What imports the SQL parser takes minutes to
# compile with it and has no goroutines; it is compiled once, for the kill loop.
RACE := ./exec/... ./state/... ./checkpoint/... ./connectors/... ./cmd/sqlstream/internal/progress ./cmd/sqlstream/internal/interrupt

# A server that cannot be installed here leaves its tests out, and says so; OPTIONAL= makes it an error.
OPTIONAL ?= yes
cannot = echo 'left out: the tests on a real $(1): it cannot be started here, see above'; test -n '$(OPTIONAL)'; exit $$?

.PHONY: help build test race demo bench kill bugs kafka s3 hdfs lint fuzz golden clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/sqlstream, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/sqlstream

test: ## everything: all tests, the race detector, kill -9, seeded bugs, real S3, HDFS and Kafka
	$(GO) vet ./...
	$(GO) test ./...
	@$(MAKE) --no-print-directory race
	@$(MAKE) --no-print-directory bugs
	@if [ "$(REAL_S3)" = no ]; then echo 'left out: the tests on a real S3 server (REAL_S3=no)'; \
	else $(MAKE) --no-print-directory s3; fi
	@if [ "$(REAL_HDFS)" = no ]; then echo 'left out: the tests on a real HDFS (REAL_HDFS=no)'; \
	elif command -v java >/dev/null && command -v mvn >/dev/null; then $(MAKE) --no-print-directory hdfs; \
	else echo 'left out: the tests on a real HDFS, which need java (17) and mvn in PATH'; fi
	@if [ "$(REAL_KAFKA)" = no ]; then echo 'left out: the tests on a real Kafka (REAL_KAFKA=no)'; \
	elif command -v java >/dev/null && command -v mvn >/dev/null; then $(MAKE) --no-print-directory kafka; \
	else echo 'left out: the tests on a real Kafka, which need java (17) and mvn in PATH'; fi

race: ## the race detector on all that runs in a job, and on the whole program while it is killed
	$(GO) test -race $(RACE)
	$(GO) test ./testsql/kill -count=1 -run 'TestKillLoop$$' -v -kills 8 -racebinary

demo: build ## show everything in less than a minute: broker, generator, job, kill -9, proof
	@$(BIN) demo

bench: ## measure Nexmark (EVENTS=1000000), CPU-seconds per million events
	$(GO) run ./bench -events $(EVENTS)

kill: ## kill -9 the real binary N=1000 times in each mode, from SEED=1, and check every result
	@echo "commit $(VERSION), $$(date -u +%FT%TZ)"
	$(GO) test ./testsql/kill -count=1 -timeout 0 -run 'TestKillLoop$$' -v -kills $(N) -seed $(SEED)

bugs: ## build a binary for each known mistake in the protocol; the tests must catch every one
	$(GO) test ./testsql/kill -count=1 -timeout 30m -run 'BugsAreCaught$$' -v -bugs all

kafka: ## the tests that need a real Apache Kafka; starts one (Java 17 and Maven)
	@$(KAFKA) start --port $(KAFKA_PORT) --version $(KAFKA_VERSION) || { $(call cannot,Kafka); }; \
	KAFKA_BROKERS=127.0.0.1:$(KAFKA_PORT) $(GO) test -count=1 ./connectors/kafka && \
	KAFKA_BROKERS=127.0.0.1:$(KAFKA_PORT) $(GO) test -count=1 ./testsql/kill -run TestKillLoopOnRealKafka -v -kills $(KAFKA_KILLS) -seed $(SEED); rc=$$?; \
	$(KAFKA) clean --port $(KAFKA_PORT); exit $$rc

s3: ## checkpoints on a real S3 server, killed STORE_KILLS=45 times; builds and starts one (versitygw)
	@$(S3) start --port $(S3_PORT) || { $(call cannot,S3 server); }; \
	rc=0; env $$($(S3) env --port $(S3_PORT)) $(GO) test -count=1 ./checkpoint/stores -run '/S3_server' && \
	env $$($(S3) env --port $(S3_PORT)) $(GO) test -count=1 ./testsql/kill -run TestKillLoopOnS3 -v -kills $(STORE_KILLS) -seed $(SEED) || rc=$$?; \
	$(S3) clean --port $(S3_PORT); exit $$rc

hdfs: ## checkpoints on a real HDFS, killed STORE_KILLS=45 times; starts one (Java 17 and Maven)
	@$(HDFS) start --port $(HDFS_PORT) || { $(call cannot,HDFS); }; \
	rc=0; env $$($(HDFS) env --port $(HDFS_PORT)) $(GO) test -count=1 ./checkpoint/stores -run '/HDFS' && \
	env $$($(HDFS) env --port $(HDFS_PORT)) $(GO) test -count=1 ./testsql/kill -run TestKillLoopOnHDFS -v -kills $(STORE_KILLS) -seed $(SEED) || rc=$$?; \
	$(HDFS) clean --port $(HDFS_PORT); exit $$rc

lint: ## gofmt and go vet
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...

fuzz: ## run every fuzz target for FUZZTIME=20s
	@for pkg in $$($(GO) list ./...); do \
	  dir=$$($(GO) list -f '{{.Dir}}' $$pkg); \
	  for f in $$(grep -ho 'func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go 2>/dev/null | cut -c6-); do \
	    echo "$$pkg $$f"; $(GO) test $$pkg -run '^$$' -fuzz "^$$f\$$" -fuzzminimizetime 10x -fuzztime $(FUZZTIME) || exit 1; \
	  done; done

golden: ## write what the commands print now into the golden files; look at the diff
	$(GO) test ./cmd/sqlstream/internal/cli -run Golden -rewrite

clean: ## remove what build makes
	rm -rf bin
