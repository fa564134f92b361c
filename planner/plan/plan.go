// Package plan owns the physical plan: pure data that the planner makes, EXPLAIN prints,
// exec/build turns into operators and a checkpoint records. It imports sql/types,
// sql/expr and its own subpackage layout only.
package plan

import (
	"time"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Job is one unit of execution: one INSERT, one statement set, or one SELECT.
type Job struct {
	Name        string
	Nodes       []*Node // topological order: inputs before their consumers; Nodes[i].ID == i
	Parallelism int
	MaxParallel int
	Options     map[string]string // session options in force that the runtime reads
	SQL         string            // the statements' text, secrets masked
	Logical     string            // the logical plan it was made from, for EXPLAIN
}

// Node is one operator of the plan.
type Node struct {
	ID          int
	UID         string // see package planner: what it is derived from
	Name        string // one line for people: "GroupAggregate(groupBy=[auction], select=[auction, COUNT(*) AS n])"
	Op          Op
	Inputs      []Input
	Schema      types.Schema // columns it emits
	Mode        Mode         // row kinds it emits
	UpsertKeys  [][]int      // sets of columns that identify a row of the changelog's result
	Parallelism int
	State       []StateTable // keyed state it declares, in order of StateTable.ID
	Fingerprint string       // hash of what changes the meaning but not the UID (filters below); "" for stateless nodes
	Origin      Origin
	Line, Col   int    // where in the SQL text it comes from; 0 when nowhere
	SQL         string // that line, secrets masked, cut where it is long
}

// Origin is what the UID of a node was made of besides its keys.
type Origin struct {
	Window string   // of an aggregate over windows: function, sizes, origin of the time
	Inputs []string // identities of what it descends from, sorted
	// Conditions is what the Fingerprint is the hash of.
	Conditions string
	Sink       string // identity of the sink that it feeds first; it tells equal texts apart
}

// Input is an edge from another node.
type Input struct {
	Node     int
	Exchange Exchange
	Keys     []int // Hash: the columns whose values choose the key group
}

// Exchange is how rows get from the producer's subtasks to the consumer's.
type Exchange uint8

// The exchanges. Forward connects subtask i with subtask i, and needs equal parallelism.
const (
	Forward Exchange = iota
	Hash
	Rebalance
	Single // all rows to subtask 0
)

// Mode is a set of row kinds.
type Mode uint8

// The kinds as bits, and the modes that occur.
const (
	HasInsert       Mode = 1 << iota
	HasUpdateBefore      // -U
	HasUpdateAfter       // +U
	HasDelete            // -D

	AppendOnly = HasInsert
	UpsertMode = HasInsert | HasUpdateAfter | HasDelete
	AllChanges = HasInsert | HasUpdateBefore | HasUpdateAfter | HasDelete
)

// String prints the mode as Flink's EXPLAIN CHANGELOG_MODE: "I,UB,UA,D".
func (m Mode) String() string {
	s := ""
	for i, n := range [...]string{"I", "UB", "UA", "D"} {
		if m&(1<<i) != 0 {
			if s != "" {
				s += ","
			}
			s += n
		}
	}
	return s
}

// Op is what a node does. Implementations: Source, Calc, Union, WindowAssign,
// GroupAggregate, WindowAggregate, Values, Sink.
type Op interface {
	// Kind is the operator's name in EXPLAIN and in UIDs: "Calc".
	Kind() string
}

// Table is a catalog table as the runtime needs it.
type Table struct {
	Path      string            // catalog.database.name
	Connector string            // 'connector'
	Options   map[string]string // all options, hints applied; holds secrets
	Physical  types.Schema
	Metadata  []MetaColumn
	Key       []string // PRIMARY KEY
	Identity  string   // connectors.SourceInfo.Identity or SinkInfo.Identity
}

// MetaColumn mirrors connectors.MetaColumn.
type MetaColumn struct {
	Name, Key string
	Type      types.Type
	Virtual   bool
}

// Source reads a table.
//
// The reader fills Read: indexes into (Physical, then Metadata) columns. Columns are
// expressions over those; they are the node's schema (physical, metadata and computed
// columns that the job needs).
type Source struct {
	Table     Table
	Read      []int
	Columns   []expr.Expr
	Watermark *Watermark // nil: no event time
	// Filter is over the node's schema, nil = all: a filter every consumer shares. Rows it
	// drops count for the watermark all the same.
	Filter expr.Expr
}

// Watermark is WATERMARK FOR column AS expression.
type Watermark struct {
	Column      int       // of the node's schema
	Expr        expr.Expr // over the node's schema; TIMESTAMP or TIMESTAMP_LTZ(3)
	IdleTimeout time.Duration
	MaxFuture   time.Duration // rows further ahead of the clock are dropped; 0: none
}

// Calc filters, then projects. It passes row kinds through.
type Calc struct {
	Filter expr.Expr // BOOLEAN, nil = all rows
	Exprs  []expr.Expr
}

// Union passes the rows of all inputs (same schema) through.
type Union struct{}

// WindowAssign appends window_start, window_end (TIMESTAMP(3) NOT NULL) and window_time to
// every row, once per window it falls into; late rows are not dropped.
type WindowAssign struct {
	Window Window
}

// WindowKind is the kind of a window.
type WindowKind uint8

// The window kinds this version runs.
const (
	Tumble WindowKind = iota
	Hop
)

// Window describes a time window.
type Window struct {
	Kind       WindowKind
	Time       int // column of the input, a time attribute or (windows of windows) window_time
	Size       time.Duration
	Slide      time.Duration // Hop
	Offset     time.Duration
	Processing bool // processing time
	LTZ        bool // the time column is TIMESTAMP_LTZ: windows are cut in session local time
}

// GroupAggregate is an unbounded GROUP BY. Output: key columns, then one per aggregate.
type GroupAggregate struct {
	Keys    []int // columns of the input; empty: the global aggregate
	Aggs    []expr.Aggregate
	Retract bool // the input has -U or -D: keep what is needed to take rows away, and a row count
	// UpdateBefore: emit -U before +U. False when nobody downstream needs it.
	UpdateBefore bool
	TTL          time.Duration
	MiniBatch    MiniBatch
}

// MiniBatch is how rows are gathered so that each group has one change for all of them. The
// zero value: they are not.
type MiniBatch struct {
	Rows    int           // at most so many together
	Latency time.Duration // how long the first of them may wait
}

// WindowAggregate is GROUP BY window_start, window_end and keys over a window of the input.
// Output: key columns, aggregates, then the window properties of Props in order.
type WindowAggregate struct {
	Window Window
	// Attached: the input already has window_start and window_end columns (a window over a
	// window); Start and End are their indexes and Window.Time its window_time, -1 when the
	// input has none (it is End - 1 ms). Of Window only Time, Size, Processing and LTZ are set.
	Attached   bool
	Start, End int
	Keys       []int
	Aggs       []expr.Aggregate
	Retract    bool
	Props      []WindowProp
}

// WindowProp is a column made of the window's bounds.
type WindowProp uint8

// The window properties.
const (
	WindowStart WindowProp = iota
	WindowEnd
	WindowTime
)

// Values is a constant relation.
type Values struct {
	Rows [][]expr.Expr // literals and other constant expressions
}

// NotNullPolicy is table.exec.sink.not-null-enforcer.
type NotNullPolicy uint8

// The policies: fail the job, or drop the row silently and count it.
const (
	NotNullError NotNullPolicy = iota
	NotNullDrop
)

// Sink writes its input to a table. The input has the physical columns, then the
// non-virtual metadata columns, already cast.
type Sink struct {
	Table   Table
	Accepts Mode // row kinds handed to the connector; others are dropped (-U of an upsert sink)
	Key     []int
	NotNull NotNullPolicy
	// RetractAsDelete: the table takes upserts, but a -U may be the end of the row with its
	// key: a filter below may drop the +U after it, or that has another key. Every -U is
	// then handed on as -D.
	RetractAsDelete bool
	// Collect: there is no table; rows go back to the client (a SELECT).
	Collect bool
}

func (*Source) Kind() string          { return "Source" }
func (*Calc) Kind() string            { return "Calc" }
func (*Union) Kind() string           { return "Union" }
func (*WindowAssign) Kind() string    { return "WindowAssign" }
func (*GroupAggregate) Kind() string  { return "GroupAggregate" }
func (*WindowAggregate) Kind() string { return "WindowAggregate" }
func (*Values) Kind() string          { return "Values" }
func (*Sink) Kind() string            { return "Sink" }
