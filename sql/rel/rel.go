// Package rel owns the bound relational tree: what a query means, with names and types
// resolved, before it is decided how it runs. Columns are indexes into the input's schema,
// expressions are sql/expr. It is pure data plus a printer for EXPLAIN. The binder makes
// it, the planner rewrites it into a physical plan. It imports sql/catalog, sql/expr and
// sql/types.
//
// Nodes are immutable once made; rewrites build new ones and share the rest.
package rel

import (
	"time"

	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Node is a relation. Implementations: Scan, Values, Project, Filter, Window, Aggregate,
// WindowAggregate, Union.
type Node interface {
	Schema() types.Schema
	Inputs() []Node
	// Pos is the byte offset in the statement's text that the node comes from, -1 when it
	// comes from none.
	Pos() int
}

// Scan reads a table.
type Scan struct {
	Table   *catalog.Table
	Options map[string]string // the table's, hints applied
	Cols    []int             // which of Table.Columns, ascending; the binder reads all
	Filter  expr.Expr         // over Out; a filter the planner gave to the source, nil = all
	Timed   bool              // the planner: an operator above needs the table's watermarks
	Out     types.Schema
	Offset  int
}

// Values is a constant relation.
type Values struct {
	Rows   [][]expr.Expr // without columns
	Out    types.Schema
	Offset int
}

// Project computes columns.
type Project struct {
	Input  Node
	Exprs  []expr.Expr
	Out    types.Schema
	Offset int
}

// Filter keeps the rows for which Cond is TRUE.
type Filter struct {
	Input  Node
	Cond   expr.Expr
	Offset int
}

// WindowKind is the kind of a window function.
type WindowKind uint8

// The window functions that run.
const (
	Tumble WindowKind = iota
	Hop
)

// Window is a window table function: the input's columns, then window_start, window_end
// (TIMESTAMP(3) NOT NULL) and window_time (a time attribute).
type Window struct {
	Input  Node
	Kind   WindowKind
	Time   int // column of the input, a time attribute
	Size   time.Duration
	Slide  time.Duration // Hop
	Shift  time.Duration // the OFFSET argument
	Out    types.Schema
	Offset int
}

// Aggregate is GROUP BY, also DISTINCT (no Aggs) and the global aggregate (no Keys). Its
// columns are the keys, then the aggregates.
type Aggregate struct {
	Input  Node
	Keys   []int // columns of the input
	Aggs   []expr.Aggregate
	TTL    *time.Duration // hint STATE_TTL; nil: the session's
	UID    string         // hint UID; "" none
	Out    types.Schema
	Offset int
}

// Bound is a column made of a window's bounds.
type Bound uint8

// The bounds.
const (
	Start Bound = iota
	End
	Time
)

// WindowAggregate is an Aggregate whose keys hold the start and the end of a window: rows
// come out once, when the window ends. The planner makes it; its columns are the other
// keys, the aggregates, then Bounds.
type WindowAggregate struct {
	Input Node
	// Window is the function to apply to Input, its Time a column of it; nil: Input has the
	// window's bounds as columns Start and End already, and its time as Time or -1.
	Window           *Window
	Start, End, Time int
	Keys             []int
	Aggs             []expr.Aggregate
	Bounds           []Bound
	Spec             string // Property.Spec of the bounds
	Size             time.Duration
	UID              string
	Out              types.Schema
	Offset           int
}

// Union is UNION ALL: inputs of equal column types, the names are the first one's.
type Union struct {
	In     []Node
	Out    types.Schema
	Offset int
}

func (n *Scan) Schema() types.Schema            { return n.Out }
func (n *Values) Schema() types.Schema          { return n.Out }
func (n *Project) Schema() types.Schema         { return n.Out }
func (n *Filter) Schema() types.Schema          { return n.Input.Schema() }
func (n *Window) Schema() types.Schema          { return n.Out }
func (n *Aggregate) Schema() types.Schema       { return n.Out }
func (n *WindowAggregate) Schema() types.Schema { return n.Out }
func (n *Union) Schema() types.Schema           { return n.Out }

func (n *Scan) Inputs() []Node            { return nil }
func (n *Values) Inputs() []Node          { return nil }
func (n *Project) Inputs() []Node         { return []Node{n.Input} }
func (n *Filter) Inputs() []Node          { return []Node{n.Input} }
func (n *Window) Inputs() []Node          { return []Node{n.Input} }
func (n *Aggregate) Inputs() []Node       { return []Node{n.Input} }
func (n *WindowAggregate) Inputs() []Node { return []Node{n.Input} }
func (n *Union) Inputs() []Node           { return n.In }

func (n *Scan) Pos() int            { return n.Offset }
func (n *Values) Pos() int          { return n.Offset }
func (n *Project) Pos() int         { return n.Offset }
func (n *Filter) Pos() int          { return n.Offset }
func (n *Window) Pos() int          { return n.Offset }
func (n *Aggregate) Pos() int       { return n.Offset }
func (n *WindowAggregate) Pos() int { return n.Offset }
func (n *Union) Pos() int           { return n.Offset }

var (
	_ Node = (*Scan)(nil)
	_ Node = (*Values)(nil)
	_ Node = (*Project)(nil)
	_ Node = (*Filter)(nil)
	_ Node = (*Window)(nil)
	_ Node = (*Aggregate)(nil)
	_ Node = (*WindowAggregate)(nil)
	_ Node = (*Union)(nil)
)

// Sink is an INSERT: the query's columns are exactly Table.SinkSchema, already cast.
type Sink struct {
	Query   Node
	Table   *catalog.Table // nil: a SELECT, rows go to the client
	Options map[string]string
	Offset  int
	SQL     string // the statement's text, secrets masked
}

// Walk calls f for n and everything below it, parents first.
func Walk(n Node, f func(Node)) {
	f(n)
	for _, in := range n.Inputs() {
		Walk(in, f)
	}
}

// WithInputs returns n over other inputs of the same schemas.
func WithInputs(n Node, in []Node) Node {
	switch n := n.(type) {
	case *Project:
		c := *n
		c.Input = in[0]
		return &c
	case *Filter:
		c := *n
		c.Input = in[0]
		return &c
	case *Window:
		c := *n
		c.Input = in[0]
		return &c
	case *Aggregate:
		c := *n
		c.Input = in[0]
		return &c
	case *WindowAggregate:
		c := *n
		c.Input = in[0]
		return &c
	case *Union:
		c := *n
		c.In = in
		return &c
	}
	return n
}

// Rewrite applies f bottom up until it reports no change at any node; f returns the node's
// replacement, or the node itself.
func Rewrite(n Node, f func(Node) Node) Node {
	in := n.Inputs()
	if len(in) > 0 {
		mapped, changed := make([]Node, len(in)), false
		for i := range in {
			mapped[i] = Rewrite(in[i], f)
			changed = changed || mapped[i] != in[i]
		}
		if changed {
			n = WithInputs(n, mapped)
		}
	}
	if out := f(n); out != n {
		return Rewrite(out, f)
	}
	return n
}
