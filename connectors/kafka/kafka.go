// Package kafka owns the connectors 'kafka' and 'upsert-kafka': the source with exact
// positions, the sink, and the Committer that makes one Kafka transaction per checkpoint out
// of all exactly-once writers of a job. It is, beside the embedded development broker, the
// only importer of franz-go. Only connectors/all and tests import it.
//
// # The commit protocol in one page
//
// A job has one Committer per cluster and three transactional ids (slots). The transaction of
// epoch e is opened by the first row after the decision on e-1. When all writers have
// flushed e, Prepare writes the epoch number as a group offset (the ledger) inside the same
// transaction; the token {id, producer id, epoch} goes into the manifest. The manifest is the
// decision. After it the transaction may only be committed, before it only be aborted.
//
// EndTxn is sent raw, by a client that has no transactional id: kgo.EndTransaction never
// decides, because its retry after an unclear answer aborts. A fenced EndTxn means "aborted
// by the broker or committed long ago"; the ledger tells which. A commit counts when the
// ledger reads e with RequireStable and, after any unclear answer or restart, no partition
// shows an open transaction of ours: until then the id is neither aborted nor reused, because
// an abort would destroy a commit whose markers a broker still owes.
package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/suggest"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Lookup finds the format that an option names: 'format' = name. format.Set.Lookup is one.
type Lookup func(option, name string) (format.Format, error)

// New returns the connector 'kafka'.
func New(lookup Lookup) connectors.Connector { return &connector{lookup: lookup} }

// NewUpsert returns the connector 'upsert-kafka': the last record of a key is its row, a
// record without value deletes it.
func NewUpsert(lookup Lookup) connectors.Connector { return &connector{lookup: lookup, upsert: true} }

type connector struct {
	lookup Lookup
	upsert bool
}

func (c *connector) Name() string {
	if c.upsert {
		return "upsert-kafka"
	}
	return "kafka"
}

func (c *connector) Doc() string {
	if c.upsert {
		return "Writes a changelog by PRIMARY KEY to Kafka topics: a record without value deletes its key. Reading such a topic as a changelog is not supported yet."
	}
	return "Reads and writes records in Kafka topics, exactly once with 'sink.delivery-guarantee' = 'exactly-once'."
}

func (c *connector) Options(t connectors.Table) []connectors.OptionDef {
	defs := slices.Clone(commonOptions)
	if c.upsert {
		defs = append(defs, upsertOptions...)
	} else {
		defs = append(defs, kafkaOptions...)
	}
	return append(defs, c.formatOptions(t)...)
}

// formatOptions lists the options of the table's formats under the prefixes that Flink
// accepts: "json.x" and "value.json.x" for 'format', "key.json.x" for 'key.format'.
func (c *connector) formatOptions(t connectors.Table) []connectors.OptionDef {
	var defs []connectors.OptionDef
	add := func(option string, prefixes ...string) {
		name := t.Options[option]
		if name == "" {
			return
		}
		f, err := c.lookup(option, name)
		if err != nil {
			return // reported by SourceInfo or SinkInfo
		}
		for _, p := range prefixes {
			defs = append(defs, format.Options(p, f)...)
		}
	}
	add("format", "", "value.")
	add("value.format", "", "value.")
	add("key.format", "key.")
	return defs
}

func (c *connector) SourceInfo(t connectors.Table) (connectors.SourceInfo, error) {
	if err := connectors.CheckOptions(t, c.Options(t)); err != nil {
		return connectors.SourceInfo{}, err
	}
	cfg, err := c.parse(t)
	if err != nil {
		return connectors.SourceInfo{}, err
	}
	if err := cfg.checkSource(); err != nil {
		return connectors.SourceInfo{}, err
	}
	for _, m := range t.Metadata {
		if err := checkReadable(t.Name, m); err != nil {
			return connectors.SourceInfo{}, err
		}
	}
	changes := connectors.AppendOnly
	if c.upsert {
		changes = connectors.Upsert
	}
	return connectors.SourceInfo{
		Changes:  changes,
		Bounded:  cfg.stop.mode != stopNever,
		Identity: c.Name() + ":" + cfg.topicText(),
		Metadata: readableMetadata,
		FieldsByName: format.FieldsByName(cfg.value.format) &&
			(cfg.key.format == nil || format.FieldsByName(cfg.key.format)),
		Reads: cfg.reads(),
	}, nil
}

func (c *connector) SinkInfo(t connectors.Table) (connectors.SinkInfo, error) {
	if err := connectors.CheckOptions(t, c.Options(t)); err != nil {
		return connectors.SinkInfo{}, err
	}
	cfg, err := c.parse(t)
	if err != nil {
		return connectors.SinkInfo{}, err
	}
	if err := cfg.checkSink(); err != nil {
		return connectors.SinkInfo{}, err
	}
	info := connectors.SinkInfo{
		Accepts:       connectors.AppendOnly,
		Identity:      c.Name() + ":" + cfg.topicText(),
		Transactional: cfg.guarantee == exactlyOnce,
		Metadata:      writableMetadata,
		Writes:        cfg.cluster.place(cfg.topicText()),
	}
	if c.upsert {
		info.Accepts = connectors.Upsert
	}
	if info.Transactional {
		info.Committer = cfg.cluster.committerName()
	}
	return info, nil
}

func (c *connector) Source(ctx context.Context, t connectors.Table, projection []int, env connectors.Env) (exec.Source, error) {
	cfg, err := c.parse(t)
	if err != nil {
		return nil, err
	}
	if err := cfg.checkSource(); err != nil {
		return nil, err
	}
	return newSource(cfg, projection, env)
}

func (c *connector) Sink(ctx context.Context, t connectors.Table, env connectors.Env) (exec.Sink, error) {
	cfg, err := c.parse(t)
	if err != nil {
		return nil, err
	}
	if err := cfg.checkSink(); err != nil {
		return nil, err
	}
	return newSink(ctx, cfg, env)
}

// readableMetadata are the metadata keys of a source and Flink's types of them.
var readableMetadata = map[string]types.Type{
	"topic":          types.StringT.NotNullable(),
	"partition":      types.IntT.NotNullable(),
	"headers":        types.MapT(types.StringT.NotNullable(), types.BytesT.NotNullable()).NotNullable(),
	"leader-epoch":   types.IntT,
	"offset":         types.BigIntT.NotNullable(),
	"timestamp":      types.TimestampLTZT(3).NotNullable(),
	"timestamp-type": types.StringT.NotNullable(),
}

// writableMetadata are those that INSERT may set.
var writableMetadata = map[string]types.Type{
	"headers":   types.MapT(types.StringT.NotNullable(), types.BytesT.NotNullable()),
	"timestamp": types.TimestampLTZT(3),
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// checkReadable verifies that a metadata column exists and its declared type can take it.
func checkReadable(table string, m connectors.MetaColumn) error {
	have, ok := readableMetadata[m.Key]
	if !ok {
		keys := sortedKeys(readableMetadata)
		return exec.Userf("table %s, column %s: kafka has no metadata key '%s'%s; it has %s",
			table, m.Name, m.Key, suggest.Hint(m.Key, keys), strings.Join(keys, ", "))
	}
	if metaSetter(m, nil) == nil {
		return exec.Userf("table %s, column %s: metadata key '%s' is %s and cannot be read as %s", table, m.Name, m.Key, have, m.Type)
	}
	return nil
}

// checkWritable is checkReadable for a column that INSERT writes.
func checkWritable(table string, m connectors.MetaColumn) error {
	have, ok := writableMetadata[m.Key]
	if !ok {
		return exec.Userf("table %s, column %s: kafka cannot write the metadata key '%s'; declare the column VIRTUAL, or use one of %s",
			table, m.Name, m.Key, strings.Join(sortedKeys(writableMetadata), ", "))
	}
	fits := m.Type.Kind == have.Kind
	if have.Kind == types.Map && fits {
		fits = m.Type.Key.IsString() && m.Type.Elem.IsBinary()
	}
	if m.Key == "timestamp" && m.Type.Kind == types.Timestamp {
		fits = true
	}
	if !fits {
		return exec.Userf("table %s, column %s: metadata key '%s' must be %s, not %s", table, m.Name, m.Key, have, m.Type)
	}
	return nil
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
