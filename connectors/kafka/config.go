package kafka

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/suggest"
	"github.com/sqlstream/sqlstream/sql/types"
)

// defaultPrefix is the first part of transactional ids when the table names none.
const defaultPrefix = "sqlstream"

// boundary is where reading starts or ends.
type boundary struct {
	mode      string
	timestamp int64
	offsets   map[int32]int64
}

// part is the key or the value of records: a format and the columns it covers.
type part struct {
	format  format.Format // nil: none
	options connectors.Options
	columns []int        // indexes into Table.Physical
	schema  types.Schema // of those columns, under the names the format sees
}

// tableConfig is a table's options, checked and understood.
type tableConfig struct {
	table      connectors.Table
	upsert     bool
	props      *properties
	cluster    *cluster
	topics     []string
	pattern    *regexp.Regexp
	key, value part

	start, stop boundary
	discovery   time.Duration
	badRecords  string
	dlqTopic    string

	guarantee   string
	prefix      string // "" when the table names none
	partitioner string
	holdBytes   int64
}

// parse reads the options that sources and sinks share; checkSource and checkSink add what
// only one of them needs.
func (c *connector) parse(t connectors.Table) (*tableConfig, error) {
	props, err := parseProperties(t.Options)
	if err != nil {
		return nil, err
	}
	r := &optionReader{opts: t.Options}
	cfg := &tableConfig{table: t, upsert: c.upsert, props: props, cluster: props.cluster}
	cfg.topics = r.opts.List("topic")
	slices.Sort(cfg.topics)
	cfg.topics = slices.Compact(cfg.topics)
	if p, ok := t.Options["topic-pattern"]; ok && !c.upsert {
		// Anchored: the whole name has to match, as in Java.
		if cfg.pattern, err = regexp.Compile("^(?:" + p + ")$"); err != nil {
			r.fail("option 'topic-pattern' = '%s': not a regular expression: %w", p, err)
		}
	}
	switch {
	case len(cfg.topics) == 0 && cfg.pattern == nil:
		r.fail("option 'topic' is missing: name the Kafka topic")
	case len(cfg.topics) > 0 && cfg.pattern != nil:
		r.fail("options 'topic' and 'topic-pattern' are both set; keep one")
	}
	for _, name := range cfg.topics {
		if !validTopic(name) {
			r.fail("option 'topic': '%s' is not a topic name: 1 to 249 letters, digits, '.', '_' and '-'", name)
		}
	}
	cfg.discovery = r.duration("scan.topic-partition-discovery.interval", 5*time.Minute)
	cfg.badRecords = r.enum("bad-records", badFail, badFail, badSkip, badDLQ)
	cfg.dlqTopic = r.text("bad-records.dlq.topic", "")
	if cfg.badRecords == badDLQ && !validTopic(cfg.dlqTopic) {
		r.fail("option 'bad-records.dlq.topic' = '%s': 'bad-records' = 'dlq' needs the name of a topic", cfg.dlqTopic)
	}
	if cfg.badRecords == badDLQ && (slices.Contains(cfg.topics, cfg.dlqTopic) || cfg.pattern != nil && cfg.pattern.MatchString(cfg.dlqTopic)) {
		r.fail("option 'bad-records.dlq.topic' = '%s': the table reads this topic, so it would read its dead letters again and again; write them to another one", cfg.dlqTopic)
	}
	if cfg.badRecords != badDLQ && cfg.dlqTopic != "" {
		r.fail("option 'bad-records.dlq.topic' has no effect without 'bad-records' = 'dlq'")
	}
	cfg.guarantee = r.enum("sink.delivery-guarantee", atLeastOnce, exactlyOnce, atLeastOnce, noGuarantee)
	cfg.prefix = r.text("sink.transactional-id-prefix", "")
	cfg.partitioner = r.text("sink.partitioner", "default")
	cfg.holdBytes = r.size("sink.transaction-buffer.max-size", 16<<20)
	cfg.start = r.startup(c.upsert)
	cfg.stop = r.bounded()
	if r.err != nil {
		return nil, r.err
	}
	if err := c.parseParts(cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

func validTopic(s string) bool {
	if s == "" || len(s) > 249 || s == "." || s == ".." {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

func (r *optionReader) startup(upsert bool) boundary {
	if upsert {
		return boundary{mode: startEarliest} // a changelog is only right from its beginning
	}
	b := boundary{mode: r.enum("scan.startup.mode", startGroup, startEarliest, startLatest, startGroup, startTimestamp, startSpecific)}
	switch b.mode {
	case startTimestamp:
		b.timestamp = r.required("scan.startup.timestamp-millis", "'scan.startup.mode' = 'timestamp'")
	case startSpecific:
		b.offsets = r.partitionOffsets("scan.startup.specific-offsets")
	}
	return b
}

func (r *optionReader) bounded() boundary {
	b := boundary{mode: r.enum("scan.bounded.mode", stopNever, stopNever, stopLatest, stopGroup, stopTimestamp, stopSpecific)}
	switch b.mode {
	case stopTimestamp:
		b.timestamp = r.required("scan.bounded.timestamp-millis", "'scan.bounded.mode' = 'timestamp'")
	case stopSpecific:
		b.offsets = r.partitionOffsets("scan.bounded.specific-offsets")
	}
	return b
}

func (r *optionReader) required(key, by string) int64 {
	if _, ok := r.opts[key]; !ok {
		r.fail("option '%s' is missing: %s needs it", key, by)
	}
	return r.long(key, 0, 0)
}

// parseParts finds the formats of key and value and deals the columns out to them.
func (c *connector) parseParts(cfg *tableConfig) error {
	t := cfg.table
	valueName, option := t.Options["value.format"], "value.format"
	if valueName == "" {
		valueName, option = t.Options["format"], "format"
	} else if t.Options["format"] != "" {
		return exec.Userf("options 'format' and 'value.format' are both set; keep one")
	}
	var err error
	if cfg.value.format, err = c.lookup(option, valueName); err != nil {
		return err
	}
	keyName := t.Options["key.format"]
	if keyName != "" {
		if cfg.key.format, err = c.lookup("key.format", keyName); err != nil {
			return err
		}
	}
	if err := cfg.keyColumns(); err != nil {
		return err
	}
	prefix := t.Options["key.fields-prefix"]
	include := &optionReader{opts: t.Options}
	exceptKey := include.enum("value.fields-include", "ALL", "ALL", "EXCEPT_KEY") == "EXCEPT_KEY"
	if include.err != nil {
		return include.err
	}
	if prefix != "" && !exceptKey {
		return exec.Userf("option 'key.fields-prefix' needs 'value.fields-include' = 'EXCEPT_KEY': otherwise a prefixed column would be in the value too")
	}
	for _, i := range cfg.key.columns {
		f := t.Physical[i]
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok {
			return exec.Userf("option 'key.fields-prefix' = '%s': key column %s does not start with it", prefix, f.Name)
		}
		f.Name = name
		cfg.key.schema = append(cfg.key.schema, f)
	}
	for i, f := range t.Physical {
		if exceptKey && slices.Contains(cfg.key.columns, i) {
			continue
		}
		cfg.value.columns = append(cfg.value.columns, i)
		cfg.value.schema = append(cfg.value.schema, f)
	}
	cfg.value.options = t.Options.Under(valueName + ".")
	maps.Copy(cfg.value.options, t.Options.Under("value."+valueName+"."))
	if cfg.key.format != nil {
		cfg.key.options = t.Options.Under("key." + keyName + ".")
	}
	return nil
}

// keyColumns finds the columns of the key: 'key.fields', or the PRIMARY KEY of an upsert table.
func (cfg *tableConfig) keyColumns() error {
	t := cfg.table
	names := t.Options.List("key.fields")
	if cfg.upsert {
		if len(t.PrimaryKey) == 0 {
			return exec.Userf("table %s: 'upsert-kafka' needs a PRIMARY KEY (...) NOT ENFORCED: it is the key of the records", t.Name)
		}
		if cfg.key.format == nil {
			return exec.Userf("table %s: option 'key.format' is missing: 'upsert-kafka' writes the PRIMARY KEY as the record's key", t.Name)
		}
		names = t.PrimaryKey
	} else if len(t.PrimaryKey) > 0 {
		return exec.Userf("table %s: 'kafka' with format '%s' is append-only and cannot keep a PRIMARY KEY; use 'connector' = 'upsert-kafka' or remove the constraint", t.Name, cfg.value.format.Name())
	}
	switch {
	case cfg.key.format == nil && len(names) > 0:
		return exec.Userf("option 'key.fields' needs 'key.format': the encoding of the key")
	case cfg.key.format != nil && len(names) == 0:
		return exec.Userf("option 'key.format' needs 'key.fields': the columns of the key")
	}
	for _, n := range names {
		i := t.Physical.Index(n)
		if i < 0 {
			return exec.Userf("option 'key.fields': table %s has no physical column %s%s", t.Name, n, suggest.Hint(n, t.Physical.Names()))
		}
		if slices.Contains(cfg.key.columns, i) {
			return exec.Userf("option 'key.fields' names column %s twice", n)
		}
		cfg.key.columns = append(cfg.key.columns, i)
	}
	return nil
}

func (cfg *tableConfig) checkSource() error {
	if cfg.start.mode == startGroup || cfg.stop.mode == stopGroup {
		if cfg.props.groupID == "" {
			return exec.Userf("table %s: %s needs 'properties.group.id'; set it, or 'scan.startup.mode' to earliest-offset or latest-offset",
				cfg.table.Name, groupModeText(cfg))
		}
	}
	if len(cfg.topics) > 1 || cfg.pattern != nil {
		for _, b := range []boundary{cfg.start, cfg.stop} {
			if b.offsets != nil {
				return exec.Userf("table %s: specific offsets name partitions only and need exactly one topic in 'topic'", cfg.table.Name)
			}
		}
	}
	return nil
}

func groupModeText(cfg *tableConfig) string {
	if cfg.start.mode != startGroup {
		return "'scan.bounded.mode' = 'group-offsets'"
	}
	if _, set := cfg.table.Options["scan.startup.mode"]; set {
		return "'scan.startup.mode' = 'group-offsets'"
	}
	return "'scan.startup.mode', which is 'group-offsets' unless set,"
}

func (cfg *tableConfig) checkSink() error {
	if cfg.pattern != nil || len(cfg.topics) != 1 {
		return exec.Userf("table %s: a sink writes exactly one topic; it has %s", cfg.table.Name, cfg.topicText())
	}
	switch cfg.partitioner {
	case "default", "fixed":
	case "round-robin":
		if cfg.key.format != nil {
			return exec.Userf("option 'sink.partitioner' = 'round-robin' cannot be combined with 'key.fields': records of one key would be spread over partitions")
		}
	default:
		return exec.Userf("option 'sink.partitioner' = '%s': expected default, fixed or round-robin (Java classes cannot be loaded)", cfg.partitioner)
	}
	for _, m := range cfg.table.Metadata {
		if m.Virtual {
			continue
		}
		if err := checkWritable(cfg.table.Name, m); err != nil {
			return err
		}
	}
	if cfg.guarantee == exactlyOnce && !cfg.props.readCommitted {
		return exec.Userf("table %s: 'properties.isolation.level' = 'read_uncommitted' contradicts 'sink.delivery-guarantee' = 'exactly-once'", cfg.table.Name)
	}
	return nil
}

// reads returns SourceInfo.Reads: a source without end reads what is written to its topics.
func (cfg *tableConfig) reads() func(place string) bool {
	if cfg.stop.mode != stopNever {
		return nil
	}
	return func(place string) bool {
		topic, ok := strings.CutPrefix(place, cfg.cluster.place(""))
		return ok && (slices.Contains(cfg.topics, topic) || cfg.pattern != nil && cfg.pattern.MatchString(topic))
	}
}

// topicText names the table's topics for messages and identities.
func (cfg *tableConfig) topicText() string {
	if cfg.pattern != nil {
		return "/" + cfg.table.Options["topic-pattern"] + "/"
	}
	return strings.Join(cfg.topics, ";")
}
