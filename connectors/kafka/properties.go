package kafka

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// properties are the 'properties.*' of a table: the Java client's names with the meaning
// they have here.
type properties struct {
	cluster         *cluster
	groupID         string
	readCommitted   bool
	offsetReset     string // earliest, latest or none
	commitOffsets   bool
	fetchMaxBytes   int32
	fetchPartBytes  int32
	fetchMinBytes   int32
	fetchMaxWait    time.Duration
	rack            string
	compression     []kgo.CompressionCodec
	linger          time.Duration
	batchBytes      int32
	bufferBytes     int
	txnTimeout      time.Duration // 0: the broker's maximum
	autoCreateTopic bool
}

// supported are the Java client properties that work here.
var supported = []string{
	"acks", "allow.auto.create.topics", "auto.offset.reset", "batch.size", "bootstrap.servers", "buffer.memory", "client.id", "client.rack",
	"commit.offsets.on.checkpoint", "compression.type", "connections.max.idle.ms", "enable.idempotence", "fetch.max.bytes", "fetch.max.wait.ms",
	"fetch.min.bytes", "group.id", "isolation.level", "linger.ms", "max.partition.fetch.bytes", "max.request.size", "metadata.max.age.ms",
	"request.timeout.ms", "sasl.jaas.config", "sasl.mechanism", "security.protocol", "ssl.endpoint.identification.algorithm", "ssl.key.password",
	"ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.keystore.location", "ssl.keystore.password", "ssl.keystore.type",
	"ssl.truststore.certificates", "ssl.truststore.location", "ssl.truststore.password", "ssl.truststore.type", "transaction.timeout.ms",
}

// unsupported are other properties of the Java client, with why they are refused.
var unsupported = map[string]string{
	"enable.auto.commit":                    "offsets are committed after checkpoints; use 'properties.commit.offsets.on.checkpoint'",
	"auto.commit.interval.ms":               "offsets are committed after checkpoints; use 'properties.commit.offsets.on.checkpoint'",
	"key.serializer":                        "the key is written by 'key.format'",
	"value.serializer":                      "the value is written by 'format'",
	"key.deserializer":                      "the key is read by 'key.format'",
	"value.deserializer":                    "the value is read by 'format'",
	"transactional.id":                      "use 'sink.transactional-id-prefix'",
	"max.poll.records":                      "rows are batched by the engine",
	"max.poll.interval.ms":                  "partitions are not assigned by a consumer group",
	"session.timeout.ms":                    "partitions are not assigned by a consumer group",
	"heartbeat.interval.ms":                 "partitions are not assigned by a consumer group",
	"partition.assignment.strategy":         "partitions are not assigned by a consumer group",
	"group.instance.id":                     "partitions are not assigned by a consumer group",
	"group.protocol":                        "partitions are not assigned by a consumer group",
	"retries":                               "records are retried until they are acknowledged",
	"retry.backoff.ms":                      "retries back off by themselves",
	"delivery.timeout.ms":                   "records are retried until they are acknowledged; the checkpoint timeout is the limit",
	"max.in.flight.requests.per.connection": "the idempotent producer keeps the order by itself",
	"max.block.ms":                          "a full buffer holds the job back",
	"partitioner.class":                     "use 'sink.partitioner'",
	"interceptor.classes":                   "Java classes cannot be loaded",
	"metric.reporters":                      "Java classes cannot be loaded",
	"sasl.login.class":                      "Java classes cannot be loaded",
	"sasl.client.callback.handler.class":    "Java classes cannot be loaded",
	"sasl.login.callback.handler.class":     "Java classes cannot be loaded",
	"sasl.oauthbearer.token.endpoint.url":   "OAUTHBEARER is not supported; mechanisms are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512",
	"sasl.kerberos.service.name":            "GSSAPI is not supported; mechanisms are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512",
	"ssl.provider":                          "TLS is Go's own",
	"ssl.cipher.suites":                     "TLS is Go's own, version 1.2 or newer",
	"ssl.protocol":                          "TLS is Go's own, version 1.2 or newer",
	"ssl.enabled.protocols":                 "TLS is Go's own, version 1.2 or newer",
	"check.crcs":                            "checksums are always checked",
	"client.dns.lookup":                     "all addresses of a name are tried",
	"send.buffer.bytes":                     "the operating system sizes socket buffers",
	"receive.buffer.bytes":                  "the operating system sizes socket buffers",
	"reconnect.backoff.ms":                  "retries back off by themselves",
	"partition.discovery.interval.ms":       "use 'scan.topic-partition-discovery.interval'",
}

const propPrefix = "properties."

// parseProperties reads and checks all properties of a table.
func parseProperties(opts connectors.Options) (*properties, error) {
	if err := checkPropertyNames(opts); err != nil {
		return nil, err
	}
	r := &optionReader{opts: opts}
	p := &properties{
		groupID:         r.text(propPrefix+"group.id", ""),
		readCommitted:   r.enum(propPrefix+"isolation.level", "read_committed", "read_committed", "read_uncommitted") == "read_committed",
		offsetReset:     r.enum(propPrefix+"auto.offset.reset", "none", "earliest", "latest", "none"),
		commitOffsets:   r.boolean(propPrefix+"commit.offsets.on.checkpoint", true),
		fetchMaxBytes:   r.int32(propPrefix+"fetch.max.bytes", 8<<20),
		fetchPartBytes:  r.int32(propPrefix+"max.partition.fetch.bytes", 1<<20),
		fetchMinBytes:   r.int32(propPrefix+"fetch.min.bytes", 1),
		fetchMaxWait:    r.millis("fetch.max.wait.ms", 500*time.Millisecond),
		rack:            r.text(propPrefix+"client.rack", ""),
		linger:          r.millis("linger.ms", 5*time.Millisecond),
		bufferBytes:     int(r.long(propPrefix+"buffer.memory", 64<<20, 1<<20)),
		txnTimeout:      r.millis("transaction.timeout.ms", 0),
		autoCreateTopic: r.boolean(propPrefix+"allow.auto.create.topics", true),
	}
	// Java has two limits: batch.size is a target, max.request.size the largest record.
	p.batchBytes = max(r.int32(propPrefix+"batch.size", 0), r.int32(propPrefix+"max.request.size", 1000012))
	p.compression = r.compression()
	if a := r.text(propPrefix+"acks", "all"); a != "all" && a != "-1" {
		r.fail("option 'properties.acks' = '%s': only 'all' is supported, anything less loses records when a broker fails", a)
	}
	if !r.boolean(propPrefix+"enable.idempotence", true) {
		r.fail("option 'properties.enable.idempotence' = 'false': the idempotent producer cannot be switched off, records would be written twice on retries")
	}
	p.cluster = r.cluster()
	if r.err != nil {
		return nil, r.err
	}
	return p, nil
}

func (r *optionReader) compression() []kgo.CompressionCodec {
	// Snappy costs the producer least of all codecs and halves what the broker does.
	switch r.enum(propPrefix+"compression.type", "snappy", "none", "gzip", "snappy", "lz4", "zstd") {
	case "none":
		return []kgo.CompressionCodec{kgo.NoCompression()}
	case "gzip":
		return []kgo.CompressionCodec{kgo.GzipCompression()}
	case "lz4":
		return []kgo.CompressionCodec{kgo.Lz4Compression()}
	case "zstd":
		// Level 1: the client's default level costs eight times as much.
		return []kgo.CompressionCodec{kgo.ZstdCompression().WithLevel(1)}
	}
	return []kgo.CompressionCodec{kgo.SnappyCompression(), kgo.NoCompression()}
}

func checkPropertyNames(opts connectors.Options) error {
	known := map[string]bool{}
	for _, n := range supported {
		known[n] = true
	}
	for _, k := range opts.Keys() {
		name, ok := strings.CutPrefix(k, propPrefix)
		if !ok || known[name] {
			continue
		}
		if why, ok := unsupported[name]; ok {
			return exec.Userf("option '%s' is not supported: %s; remove it", k, why)
		}
		return exec.Userf("option '%s': unknown property%s; supported are %s", k, suggest.Hint(name, supported), strings.Join(supported, ", "))
	}
	return nil
}
