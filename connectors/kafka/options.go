package kafka

import "github.com/sqlstream/sqlstream/connectors"

// The option names, types and defaults are those of Flink's Kafka SQL connector 4.x; what is
// ours alone says so.

const (
	startEarliest  = "earliest-offset"
	startLatest    = "latest-offset"
	startGroup     = "group-offsets"
	startTimestamp = "timestamp"
	startSpecific  = "specific-offsets"

	stopNever     = "unbounded"
	stopLatest    = "latest-offset"
	stopGroup     = "group-offsets"
	stopTimestamp = "timestamp"
	stopSpecific  = "specific-offsets"

	exactlyOnce = "exactly-once"
	atLeastOnce = "at-least-once"
	noGuarantee = "none"

	badFail = "fail"
	badSkip = "skip"
	badDLQ  = "dlq"
)

var commonOptions = []connectors.OptionDef{
	{Key: "connector", Type: "String", Required: true, Doc: "'kafka' or 'upsert-kafka'."},
	{Key: "topic", Type: "List", Doc: "Topic, or for sources several separated by ';'."},
	{Key: "properties.bootstrap.servers", Type: "String", Required: true, Doc: "Brokers to ask first, host:port separated by commas."},
	{Key: "properties.group.id", Type: "String", Doc: "Consumer group to which offsets are committed after a checkpoint, for lag tools."},
	{Key: "properties.*", Type: "Map", Doc: "Properties of Kafka's Java client; those that have a meaning here are listed in the documentation, others are refused."},
	{Key: "properties.isolation.level", Type: "Enum", Enum: []string{"read_committed", "read_uncommitted"}, Default: "read_committed", Doc: "Whether records of open and aborted transactions are read."},
	{Key: "properties.security.protocol", Type: "Enum", Enum: securityProtocols, Default: "PLAINTEXT", Doc: "How to connect."},
	{Key: "properties.sasl.jaas.config", Type: "String", Secret: true, Doc: "Login module with username and password."},
	{Key: "properties.ssl.key.password", Type: "String", Secret: true, Doc: "Not supported: the key must not be encrypted."},
	{Key: "properties.ssl.keystore.key", Type: "String", Secret: true, Doc: "Private key of the client, PEM text."},
	{Key: "properties.ssl.keystore.password", Type: "String", Secret: true, Doc: "Only for JKS and PKCS12 stores, which are not supported."},
	{Key: "properties.ssl.truststore.password", Type: "String", Secret: true, Doc: "Only for JKS and PKCS12 stores, which are not supported."},
	{Key: "format", Type: "String", Doc: "Encoding of the record's value."},
	{Key: "value.format", Type: "String", Doc: "The same as 'format'."},
	{Key: "key.format", Type: "String", Doc: "Encoding of the record's key."},
	{Key: "key.fields-prefix", Type: "String", Doc: "Prefix of the names of columns that come from the key, to tell them from those of the value."},
	{Key: "value.fields-include", Type: "Enum", Enum: []string{"ALL", "EXCEPT_KEY"}, Default: "ALL", Doc: "Whether the columns of the key are in the value too."},
	{Key: "scan.parallelism", Type: "Int", Doc: "Parallelism of the source."},
	{Key: "scan.bounded.mode", Type: "Enum", Enum: []string{stopNever, stopLatest, stopGroup, stopTimestamp, stopSpecific}, Default: stopNever, Doc: "Where reading ends."},
	{Key: "scan.bounded.specific-offsets", Type: "String", Doc: "'partition:0,offset:42;partition:1,offset:300': first offset not read."},
	{Key: "scan.bounded.timestamp-millis", Type: "Long", Doc: "First record timestamp not read."},
	{Key: "scan.topic-partition-discovery.interval", Type: "Duration", Default: "5 min", Doc: "How often to look for new partitions and topics; 0 for never."},
	{Key: "bad-records", Type: "Enum", Enum: []string{badFail, badSkip, badDLQ}, Default: badFail, Doc: "What to do with records that cannot be decoded (sqlstream only)."},
	{Key: "bad-records.dlq.topic", Type: "String", Doc: "Topic for undecodable records, with the original bytes and headers that say where they came from (sqlstream only)."},
	{Key: "sink.parallelism", Type: "Int", Doc: "Parallelism of the sink."},
	{Key: "sink.delivery-guarantee", Type: "Enum", Enum: []string{exactlyOnce, atLeastOnce, noGuarantee}, Default: atLeastOnce, Doc: "exactly-once: Kafka transactions, one per checkpoint."},
	{Key: "sink.transactional-id-prefix", Type: "String", Default: defaultPrefix, Doc: "First part of the transactional ids, for Kafka's prefixed ACLs."},
	{Key: "sink.transaction-naming-strategy", Type: "Enum", Enum: []string{"DEFAULT", "INCREMENTING", "POOLING"}, Default: "DEFAULT", Doc: "Flink's choice of naming; without effect here: ids are always a fixed pool."},
	{Key: "sink.transaction-buffer.max-size", Type: "MemorySize", Default: "16 mb", Doc: "How much a writer keeps between a barrier and the decision on its checkpoint before it holds the job back (sqlstream only)."},
}

var kafkaOptions = []connectors.OptionDef{
	{Key: "topic-pattern", Type: "String", Doc: "Regular expression (RE2) of topics to read; instead of 'topic'."},
	{Key: "key.fields", Type: "List", Doc: "Columns of the key, separated by ';'."},
	{Key: "scan.startup.mode", Type: "Enum", Enum: []string{startEarliest, startLatest, startGroup, startTimestamp, startSpecific}, Default: startGroup, Doc: "Where a fresh job starts; a restored one starts at its checkpoint."},
	{Key: "scan.startup.specific-offsets", Type: "String", Doc: "'partition:0,offset:42;partition:1,offset:300'."},
	{Key: "scan.startup.timestamp-millis", Type: "Long", Doc: "First record timestamp to read."},
	{Key: "sink.partitioner", Type: "String", Default: "default", Doc: "'default' (Kafka's: murmur2 of the key), 'fixed' (a subtask writes one partition) or 'round-robin'."},
}

var upsertOptions = []connectors.OptionDef{
	{Key: "sink.buffer-flush.max-rows", Type: "Int", Default: "0", Doc: "Flink's buffer to merge changes of a key; without effect here."},
	{Key: "sink.buffer-flush.interval", Type: "Duration", Default: "0 s", Doc: "Flink's buffer to merge changes of a key; without effect here."},
}
