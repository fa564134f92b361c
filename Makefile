# sqlstream: everything a developer or a curious user runs. `make help` lists it.

GO      ?= go
BIN     := bin/sqlstream
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X github.com/sqlstream/sqlstream/cmd/sqlstream/internal/buildinfo.version=$(VERSION)

# How much the longer targets do.
N          ?= 1000
EVENTS     ?= 1000000
FUZZTIME   ?= 20s
KAFKA_PORT ?= 21092
KAFKA      := testsql/kafka/kafka.sh

.PHONY: help build test race demo bench kill bugs kafka lint fuzz golden clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/sqlstream, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/sqlstream

test: ## run all tests; those that need a real Kafka say so and are left out
	$(GO) test ./...

race: ## run all tests under the race detector
	$(GO) test -race ./...

demo: build ## show everything in less than a minute: broker, generator, job, kill -9, proof
	@$(BIN) demo

bench: ## measure Nexmark (EVENTS=1000000), CPU-seconds per million events
	$(GO) run ./bench -events $(EVENTS)

kill: ## kill -9 the real binary N=1000 times in each mode, and check every result
	$(GO) test ./testsql/kill -count=1 -timeout 0 -run 'TestKillLoop$$' -v -kills $(N)

bugs: ## build one binary per known mistake in the protocol; the kill loop must catch each
	$(GO) test ./testsql/kill -count=1 -timeout 0 -run TestSeededBugsAreCaught -v -bugs all

kafka: ## the tests that need a real Apache Kafka; starts one (Java 17 and Maven)
	$(KAFKA) start --port $(KAFKA_PORT) >/dev/null
	KAFKA_BROKERS=127.0.0.1:$(KAFKA_PORT) $(GO) test -count=1 ./connectors/kafka ./testsql/kill -run 'Kafka'; rc=$$?; \
	  $(KAFKA) stop --port $(KAFKA_PORT); exit $$rc

lint: ## gofmt and go vet
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...

fuzz: ## run every fuzz target for FUZZTIME=20s
	@for pkg in $$($(GO) list ./...); do \
	  dir=$$($(GO) list -f '{{.Dir}}' $$pkg); \
	  for f in $$(grep -ho 'func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go 2>/dev/null | cut -c6-); do \
	    echo "$$pkg $$f"; $(GO) test $$pkg -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) || exit 1; \
	  done; done

golden: ## write what the commands print now into the golden files; look at the diff
	$(GO) test ./cmd/sqlstream/internal/cli -run Golden -rewrite

clean: ## remove what build makes
	rm -rf bin
