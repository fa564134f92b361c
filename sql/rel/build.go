package rel

import (
	"strconv"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// NewScan reads the columns cols of a table; nil reads all.
func NewScan(s Scan, cols []int) *Scan {
	if cols == nil {
		for i := range s.Table.Columns {
			cols = append(cols, i)
		}
	}
	s.Cols, s.Out = cols, make(types.Schema, len(cols))
	all := s.Table.Schema()
	for i, c := range cols {
		s.Out[i] = all[c]
	}
	return &s
}

// NewProject computes exprs, called names, over in.
func NewProject(in Node, exprs []expr.Expr, names []string, pos int) *Project {
	out := make(types.Schema, len(exprs))
	for i, e := range exprs {
		out[i] = types.Field{Name: names[i], Type: e.Type()}
	}
	return &Project{Input: in, Exprs: exprs, Out: out, Offset: pos}
}

// Select keeps the columns cols of in; in itself when that changes nothing.
func Select(in Node, cols []int) Node {
	s := in.Schema()
	same := len(cols) == len(s)
	exprs, names := make([]expr.Expr, len(cols)), make([]string, len(cols))
	for i, c := range cols {
		same = same && c == i
		exprs[i], names[i] = Ref(s, c), s[c].Name
	}
	if same {
		return in
	}
	return NewProject(in, exprs, names, in.Pos())
}

// Ref is a reference to column i of s.
func Ref(s types.Schema, i int) *expr.Column {
	return &expr.Column{Index: i, Name: s[i].Name, Typ: s[i].Type, Offset: -1}
}

// NewAggregate groups in by keys. names are those of the aggregates.
func NewAggregate(a Aggregate, names []string) *Aggregate {
	in := a.Input.Schema()
	a.Out = make(types.Schema, 0, len(a.Keys)+len(a.Aggs))
	props := Properties(a.Input)
	windowed := IsWindowed(a.Keys, props)
	for _, k := range a.Keys {
		f := in[k]
		// A window's time stays a time attribute; any other one is materialised.
		if p, ok := props[k]; !windowed || !ok || p.Bound != Time {
			f.Type = f.Type.WithoutAttr()
		}
		a.Out = append(a.Out, f)
	}
	for i, g := range a.Aggs {
		a.Out = append(a.Out, types.Field{Name: names[i], Type: g.Typ})
	}
	return &a
}

// WindowColumns are the columns a window function appends for a time column of type t: the
// bounds are TIMESTAMP(3) in local time, window_time has the type of the time column.
func WindowColumns(t types.Type) types.Schema {
	bound := types.TimestampT(3).NotNullable()
	wt := t.NotNullable()
	wt.Precision = 3
	return types.Schema{{Name: "window_start", Type: bound}, {Name: "window_end", Type: bound}, {Name: "window_time", Type: wt}}
}

// NewWindow applies the window function w to its input.
func NewWindow(w Window) *Window {
	in := w.Input.Schema()
	w.Out = append(in[:len(in):len(in)], WindowColumns(in[w.Time].Type)...)
	return &w
}

// NewWindowAggregate fills in the schema of a window aggregate. names are those of the
// aggregates, timeType the type of the column that was windowed.
func NewWindowAggregate(a WindowAggregate, names []string, timeType types.Type) *WindowAggregate {
	in := a.Input.Schema()
	a.Out = nil
	for _, k := range a.Keys {
		f := in[k]
		f.Type = f.Type.WithoutAttr()
		a.Out = append(a.Out, f)
	}
	for i, g := range a.Aggs {
		a.Out = append(a.Out, types.Field{Name: names[i], Type: g.Typ})
	}
	cols := WindowColumns(timeType)
	for _, b := range a.Bounds {
		a.Out = append(a.Out, cols[b])
	}
	return &a
}

// DefaultName is what a column without a name is called, as in Flink: EXPR$0.
func DefaultName(i int) string { return "EXPR$" + strconv.Itoa(i) }
