package rules

import (
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// AggregateByWindow makes a window aggregate of GROUP BY window_start, window_end: rows come
// out once, when the window ends, instead of as an updating result. Where the window function
// stands directly below it is taken into the aggregate, so that rows are not copied once per
// window; where its bounds are used on the way, they stay columns (attached windows).
func AggregateByWindow(n rel.Node) rel.Node {
	a, ok := n.(*rel.Aggregate)
	if !ok {
		return n
	}
	props := rel.Properties(a.Input)
	if !rel.IsWindowed(a.Keys, props) {
		return n
	}
	out := rel.WindowAggregate{Aggs: a.Aggs, UID: a.UID, Offset: a.Offset, Time: -1}
	spec := windowSpec(a.Keys, props)
	out.Spec = spec
	bound := map[int]int{} // key of a -> index in Bounds
	for i, k := range a.Keys {
		if p, ok := props[k]; ok && p.Spec == spec {
			out.Size = p.Size
			bound[i] = len(out.Bounds)
			out.Bounds = append(out.Bounds, p.Bound)
		} else {
			out.Keys = append(out.Keys, k)
		}
	}
	for i, p := range props {
		if p.Spec != spec {
			continue
		}
		switch p.Bound {
		case rel.Start:
			out.Start = i
		case rel.End:
			out.End = i
		case rel.Time:
			out.Time = i
		}
	}
	out.Input = a.Input
	timeType := types.TimestampT(3)
	if out.Time >= 0 {
		timeType = a.Input.Schema()[out.Time].Type
	}
	if direct := absorb(out, props, spec); direct != nil {
		out = *direct
		timeType = out.Input.Schema()[out.Window.Time].Type
	}
	names := make([]string, len(a.Aggs))
	for i := range names {
		names[i] = a.Out[len(a.Keys)+i].Name
	}
	w := rel.NewWindowAggregate(out, names, timeType)
	// The columns of a, in its order.
	exprs := make([]expr.Expr, len(a.Out))
	other := 0
	for i := range a.Out {
		at := len(out.Keys) + i - len(a.Keys) // an aggregate
		if b, ok := bound[i]; ok {
			at = len(out.Keys) + len(out.Aggs) + b
		} else if i < len(a.Keys) {
			at = other
			other++
		}
		exprs[i] = rel.Ref(w.Out, at)
	}
	return rel.NewProject(w, exprs, a.Out.Names(), a.Offset)
}

// windowSpec is that of the window whose start and end are both among the keys.
func windowSpec(keys []int, props map[int]rel.Property) string {
	for _, k := range keys {
		if p, ok := props[k]; ok && p.Bound == rel.Start && rel.IsWindowed(keys, props) {
			for _, l := range keys {
				if q, ok := props[l]; ok && q.Bound == rel.End && q.Spec == p.Spec {
					return p.Spec
				}
			}
		}
	}
	return ""
}

// absorb takes the window function below the aggregate into it, when between the two there
// is at most a projection, and nothing but the bounds among the keys reads the bounds.
func absorb(a rel.WindowAggregate, props map[int]rel.Property, spec string) *rel.WindowAggregate {
	p, _ := a.Input.(*rel.Project)
	below := a.Input
	if p != nil {
		below = p.Input
	}
	w, ok := below.(*rel.Window)
	if !ok {
		return nil
	}
	width := len(w.Input.Schema())
	exprs, names := make([]expr.Expr, 0, width+1), make([]string, 0, width+1)
	at := make([]int, len(a.Input.Schema()))
	for i, f := range a.Input.Schema() {
		var e expr.Expr = rel.Ref(a.Input.Schema(), i)
		if p != nil {
			e = p.Exprs[i]
		}
		at[i] = -1
		if readsFrom(e, width) {
			if q, ok := props[i]; !ok || q.Spec != spec {
				return nil // an expression over the bounds
			}
			continue
		}
		at[i] = len(exprs)
		exprs, names = append(exprs, e), append(names, f.Name)
	}
	gone := func(e expr.Expr) bool {
		used := make([]bool, len(at))
		columns(e, used)
		for i, u := range used {
			if u && at[i] < 0 {
				return true
			}
		}
		return false
	}
	for _, k := range a.Keys {
		if at[k] < 0 {
			return nil
		}
	}
	for _, g := range a.Aggs {
		for _, arg := range g.Args {
			if gone(arg) {
				return nil
			}
		}
		if g.Filter != nil && gone(g.Filter) {
			return nil
		}
	}
	time := -1
	for i, e := range exprs {
		if c, ok := e.(*expr.Column); ok && c.Index == w.Time {
			time = i
		}
	}
	if time < 0 {
		time = len(exprs)
		exprs, names = append(exprs, rel.Ref(w.Input.Schema(), w.Time)), append(names, w.Input.Schema()[w.Time].Name)
	}
	in := rel.NewProject(w.Input, exprs, names, a.Offset)
	moved := *w
	moved.Input, moved.Time = in, time
	out := a
	out.Input, out.Window, out.Start, out.End, out.Time = in, &moved, -1, -1, -1
	out.Keys, out.Aggs = remapInts(a.Keys, at), remapAggs(a.Aggs, at)
	return &out
}

// readsFrom reports whether e reads a column with an index of at least first.
func readsFrom(e expr.Expr, first int) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && c.Index >= first {
			found = true
		}
		return !found
	})
	return found
}
