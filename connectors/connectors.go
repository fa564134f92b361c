// Package connectors owns the contract between tables and the systems outside: a connector
// turns a table's schema and options into a source or a sink. The registry is an explicit
// list (package connectors/all); nothing registers itself. It imports exec, state and
// sql/types.
package connectors

import (
	"context"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Table is a table as a connector sees it: everything the catalog knows, nothing of a query.
type Table struct {
	Name       string       // as the user wrote it, for messages
	Physical   types.Schema // columns that live in the format, declared order
	Metadata   []MetaColumn // METADATA columns, declared order
	PrimaryKey []string     // PRIMARY KEY .. NOT ENFORCED
	Options    Options      // WITH ('key' = 'value')
}

// MetaColumn is a metadata column of a table.
type MetaColumn struct {
	Name    string // the column
	Key     string // the metadata key (FROM 'key', default the name)
	Type    types.Type
	Virtual bool // not written by INSERT
}

// Changes says which row kinds a source may produce or a sink accepts.
type Changes uint8

// The changelog modes.
const (
	AppendOnly Changes = iota // +I
	Upsert                    // +I +U -D by key, no -U
	All                       // +I -U +U -D
)

// Connector makes sources and sinks of one kind of table ('connector' = Name).
type Connector interface {
	Name() string
	Doc() string
	// Options lists every option it knows, including its formats' under their prefixes; the
	// planner refuses others with the nearest names.
	Options(t Table) []OptionDef
	// SourceInfo and SinkInfo check the table at plan time, without touching the network.
	// They fail when the connector cannot read or write at all ("print" is no source).
	SourceInfo(t Table) (SourceInfo, error)
	SinkInfo(t Table) (SinkInfo, error)
	// Source opens the table for reading. projection holds the indexes into the list
	// (Physical columns, then Metadata columns) that the job needs, in the order in which
	// readers fill their batches.
	Source(ctx context.Context, t Table, projection []int, env Env) (exec.Source, error)
	// Sink opens the table for writing. Batches have the Physical columns in order, then the
	// non-virtual Metadata columns.
	Sink(ctx context.Context, t Table, env Env) (exec.Sink, error)
}

// SourceInfo is what the planner needs to know of a source.
type SourceInfo struct {
	Changes  Changes
	Bounded  bool
	Identity string                // what stays the same when the data does: "kafka:topic", for UIDs
	Metadata map[string]types.Type // readable metadata keys
	// FieldsByName: fields of ROW columns are found by name, so that the table a source is
	// opened with may lack those that nobody reads.
	FieldsByName bool
	// Reads reports whether it would also read what a sink with this SinkInfo.Writes writes.
	// nil: it reads nothing that sinks write, or it has an end.
	Reads func(place string) bool
}

// SinkInfo is what the planner needs to know of a sink.
type SinkInfo struct {
	Accepts       Changes
	Identity      string
	Transactional bool                  // takes part in two-phase commit (needs checkpoints)
	Committer     string                // name of the committer it shares, when Transactional
	Writes        string                // the place it writes, for SourceInfo.Reads; "" when nobody reads it
	Metadata      map[string]types.Type // writable metadata keys
}

// Env is the job as connectors see it.
type Env struct {
	exec.ConnEnv
	// Committers returns the job's committer called name, made by mk at the first call.
	Committers func(name string, mk func() (exec.Committer, error)) (exec.Committer, error)
	// TimeZone of the session for TIMESTAMP_LTZ texts.
	TimeZone string
	// CheckpointInterval is 0 when the job makes no checkpoints: transactional sinks check
	// that their timeouts leave room for it.
	CheckpointInterval time.Duration
	// FailPoint, nil outside of tests, is called at the named steps of the commit protocol.
	FailPoint func(name string)
}

// OptionDef describes one option for checks, completion and documentation.
type OptionDef struct {
	Key      string // "scan.startup.mode"; "properties.*" for a family
	Type     string // "String", "Int", "Long", "Boolean", "Duration", "MemorySize", "Enum", "Map", "List"
	Default  string // "" none
	Enum     []string
	Required bool
	Secret   bool
	Doc      string
}

// Options are a table's WITH options.
type Options map[string]string
