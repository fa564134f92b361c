package rules

import (
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
)

// PushFilter moves a filter below a projection, a union or a window function. A condition
// on a volatile expression stays above the projection that computes it, one on a window's
// bounds above the window. It does not pass aggregates: that would change what their state
// holds, and so their fingerprint, whenever the optimiser learns something.
func PushFilter(n rel.Node) rel.Node {
	f, ok := n.(*rel.Filter)
	if !ok {
		return n
	}
	switch in := f.Input.(type) {
	case *rel.Project:
		for _, e := range in.Exprs {
			if volatile(e) && reads(f.Cond, in.Exprs, volatile) {
				return n
			}
		}
		if tooLarge([]expr.Expr{f.Cond}, in.Exprs) {
			return n
		}
		below := &rel.Filter{Input: in.Input, Cond: substitute(f.Cond, in.Exprs), Offset: f.Offset}
		return rel.WithInputs(in, []rel.Node{below})
	case *rel.Union:
		inputs := make([]rel.Node, len(in.In))
		for i, b := range in.In {
			inputs[i] = &rel.Filter{Input: b, Cond: f.Cond, Offset: f.Offset}
		}
		return rel.WithInputs(in, inputs)
	case *rel.Window:
		width := len(in.Input.Schema())
		below, above := movable(Conjuncts(f.Cond), func(c expr.Expr) bool { return !readsFrom(c, width) })
		if len(below) == 0 {
			return n
		}
		out := rel.WithInputs(in, []rel.Node{&rel.Filter{Input: in.Input, Cond: And(below), Offset: f.Offset}})
		if len(above) > 0 {
			out = &rel.Filter{Input: out, Cond: And(above), Offset: f.Offset}
		}
		return out
	}
	return n
}

// reads reports whether cond reads one of exprs that has the property.
func reads(cond expr.Expr, exprs []expr.Expr, has func(expr.Expr) bool) bool {
	used := make([]bool, len(exprs))
	columns(cond, used)
	for i, u := range used {
		if u && has(exprs[i]) {
			return true
		}
	}
	return false
}
