package rules

import (
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Prune removes the columns that nobody reads, down to the tables: unread aggregates and
// window bounds are not computed, unread fields not decoded. The columns of n itself stay,
// and those of VALUES, whose identity is their content.
func Prune(n rel.Node) rel.Node {
	all := make([]bool, len(n.Schema()))
	for i := range all {
		all[i] = true
	}
	out, at := prune(n, all)
	return rel.Select(out, at)
}

// prune returns a node that has at least the columns need of n, and where each is in it
// (meaningful where need is true).
func prune(n rel.Node, need []bool) (rel.Node, []int) {
	switch n := n.(type) {
	case *rel.Scan:
		return pruneScan(n, need)
	case *rel.Project:
		return pruneProject(n, need)
	case *rel.Filter:
		below := append([]bool(nil), need...)
		columns(n.Cond, below)
		in, at := prune(n.Input, below)
		return &rel.Filter{Input: in, Cond: remap(n.Cond, at), Offset: n.Offset}, at
	case *rel.Window:
		width := len(n.Input.Schema())
		below := append([]bool(nil), need[:width]...)
		below[n.Time] = true
		in, at := prune(n.Input, below)
		w := *n
		w.Input, w.Time = in, at[n.Time]
		for b := range 3 {
			at = append(at, len(in.Schema())+b)
		}
		return rel.NewWindow(w), at
	case *rel.Aggregate:
		return pruneAggregate(n, need)
	case *rel.WindowAggregate:
		return pruneWindowAggregate(n, need)
	case *rel.Union:
		return pruneUnion(n, need)
	}
	return n, upTo(len(need))
}

func pruneScan(n *rel.Scan, need []bool) (rel.Node, []int) {
	keep := append([]bool(nil), need...)
	columns(n.Filter, keep)
	at, cols := pack(keep)
	table := make([]int, len(cols))
	for i, c := range cols {
		table[i] = n.Cols[c]
	}
	s := rel.NewScan(*n, table)
	if n.Filter != nil {
		s.Filter = remap(n.Filter, at)
	}
	return s, at
}

func pruneProject(n *rel.Project, need []bool) (rel.Node, []int) {
	at, cols := pack(need)
	below := make([]bool, len(n.Input.Schema()))
	for _, c := range cols {
		columns(n.Exprs[c], below)
	}
	in, inAt := prune(n.Input, below)
	p := &rel.Project{Input: in, Offset: n.Offset}
	for _, c := range cols {
		p.Exprs = append(p.Exprs, remap(n.Exprs[c], inAt))
		p.Out = append(p.Out, n.Out[c])
	}
	return p, at
}

func pruneAggregate(n *rel.Aggregate, need []bool) (rel.Node, []int) {
	keys := len(n.Keys)
	below := make([]bool, len(n.Input.Schema()))
	for _, k := range n.Keys {
		below[k] = true
	}
	aggs, names, at := pruneAggs(n.Aggs, n.Out[keys:], need[keys:], keys, below)
	in, inAt := prune(n.Input, below)
	a := *n
	a.Input, a.Keys, a.Aggs = in, remapInts(n.Keys, inAt), remapAggs(aggs, inAt)
	return rel.NewAggregate(a, names), append(upTo(keys), at...)
}

func pruneWindowAggregate(n *rel.WindowAggregate, need []bool) (rel.Node, []int) {
	keys, aggEnd := len(n.Keys), len(n.Keys)+len(n.Aggs)
	below := make([]bool, len(n.Input.Schema()))
	for _, k := range n.Keys {
		below[k] = true
	}
	a := *n
	timeType := types.TimestampT(3) // without a time column no bound has its type
	if n.Window != nil {
		below[n.Window.Time] = true
		timeType = n.Input.Schema()[n.Window.Time].Type
	} else {
		below[n.Start], below[n.End] = true, true
		if n.Time >= 0 {
			below[n.Time] = true
			timeType = n.Input.Schema()[n.Time].Type
		}
	}
	aggs, names, at := pruneAggs(n.Aggs, n.Out[keys:aggEnd], need[keys:aggEnd], keys, below)
	in, inAt := prune(n.Input, below)
	if n.Window != nil {
		w := *n.Window
		w.Time = inAt[w.Time]
		a.Window = &w
	} else {
		a.Start, a.End = inAt[n.Start], inAt[n.End]
		if n.Time >= 0 {
			a.Time = inAt[n.Time]
		}
	}
	a.Input, a.Keys, a.Aggs, a.Bounds = in, remapInts(n.Keys, inAt), remapAggs(aggs, inAt), nil
	at = append(upTo(keys), at...)
	for i, b := range n.Bounds {
		at = append(at, keys+len(aggs)+len(a.Bounds))
		if need[aggEnd+i] {
			a.Bounds = append(a.Bounds, b)
		}
	}
	return rel.NewWindowAggregate(a, names, timeType), at
}

// pruneAggs keeps the aggregates that are needed and marks the columns they read.
func pruneAggs(aggs []expr.Aggregate, out types.Schema, need []bool, first int, below []bool) (kept []expr.Aggregate, names []string, at []int) {
	at = make([]int, len(aggs))
	for i, a := range aggs {
		if !need[i] {
			continue
		}
		at[i] = first + len(kept)
		kept, names = append(kept, a), append(names, out[i].Name)
		for _, arg := range a.Args {
			columns(arg, below)
		}
		if a.Filter != nil {
			columns(a.Filter, below)
		}
	}
	return kept, names, at
}

func pruneUnion(n *rel.Union, need []bool) (rel.Node, []int) {
	at, cols := pack(need)
	u := &rel.Union{Offset: n.Offset}
	for _, in := range n.In {
		p, inAt := prune(in, need)
		u.In = append(u.In, rel.Select(p, remapInts(cols, inAt)))
	}
	for _, c := range cols {
		u.Out = append(u.Out, n.Out[c])
	}
	return u, at
}

// pack numbers the true entries of need: at[i] is the new index of column i, cols the old
// index of each kept one.
func pack(need []bool) (at, cols []int) {
	at, cols = make([]int, len(need)), []int{}
	for i, k := range need {
		at[i] = len(cols)
		if k {
			cols = append(cols, i)
		}
	}
	return at, cols
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func remapInts(cols, at []int) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = at[c]
	}
	return out
}

func remapAggs(aggs []expr.Aggregate, at []int) []expr.Aggregate {
	out := make([]expr.Aggregate, len(aggs))
	for i, a := range aggs {
		args := make([]expr.Expr, len(a.Args))
		for j := range a.Args {
			args[j] = remap(a.Args[j], at)
		}
		a.Args = args
		if a.Filter != nil {
			a.Filter = remap(a.Filter, at)
		}
		out[i] = a
	}
	return out
}
