package rules

import (
	"slices"
	"sort"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// ShareScans makes the scans of one table with equal options one and the same node, over all
// queries of a job: it reads every column that one of them needs, and drops the rows that
// none of them wants, when each has a filter and they have conditions in common. Where no
// query has an operator of event time, it makes no watermarks.
func ShareScans(roots []rel.Node) []rel.Node {
	groups := map[string][]occurrence{}
	var order []string
	for _, r := range roots {
		occurrences(r, occurrence{}, func(o occurrence) {
			key := scanKey(o.scan)
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], o)
		})
	}
	shared := map[*rel.Scan]*sharedScan{}
	for _, key := range order {
		s := share(groups[key])
		for _, o := range groups[key] {
			shared[o.scan] = s
		}
	}
	out := make([]rel.Node, len(roots))
	for i, r := range roots {
		out[i] = rel.Rewrite(replaceScans(r, shared), MergeProjects)
	}
	return out
}

// occurrence is a scan in a tree.
type occurrence struct {
	scan  *rel.Scan
	cond  expr.Expr // of the filter directly above it
	timed bool      // something above needs the watermark
}

func occurrences(n rel.Node, above occurrence, f func(occurrence)) {
	above.scan, _ = n.(*rel.Scan)
	if above.scan != nil {
		f(above)
		return
	}
	above.cond = nil
	if flt, ok := n.(*rel.Filter); ok {
		above.cond = flt.Cond
	}
	above.timed = above.timed || needsWatermark(n)
	for _, in := range n.Inputs() {
		occurrences(in, above, f)
	}
}

// needsWatermark reports whether n itself does: a window over event time, or an expression
// that asks for the watermark.
func needsWatermark(n rel.Node) bool {
	asks := func(e expr.Expr) bool {
		found := false
		expr.Walk(e, func(e expr.Expr) bool {
			c, ok := e.(*expr.Call)
			found = found || ok && c.Name == "CURRENT_WATERMARK"
			return !found
		})
		return found
	}
	switch n := n.(type) {
	case *rel.Filter:
		return asks(n.Cond)
	case *rel.Project:
		return slices.ContainsFunc(n.Exprs, asks)
	case *rel.Window:
		return n.Input.Schema()[n.Time].Type.Attr == types.RowTime
	case *rel.WindowAggregate:
		return n.Window != nil && n.Input.Schema()[n.Window.Time].Type.Attr == types.RowTime
	}
	return false
}

// scanKey is equal for scans that may share a source.
func scanKey(s *rel.Scan) string {
	keys := make([]string, 0, len(s.Options))
	for k := range s.Options {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	text := s.Table.Path.String()
	for _, k := range keys {
		text += "\x00" + k + "\x00" + s.Options[k]
	}
	return text
}

type sharedScan struct {
	scan   *rel.Scan
	at     map[int]int     // column of the table -> column of scan
	common map[string]bool // texts of the conditions that scan.Filter has
}

func share(os []occurrence) *sharedScan {
	s := &sharedScan{at: map[int]int{}, common: map[string]bool{}}
	need := make([]bool, len(os[0].scan.Table.Columns))
	timed := slices.ContainsFunc(os, func(o occurrence) bool { return o.timed })
	if w := os[0].scan.Table.Watermark; w != nil && timed {
		for i, c := range os[0].scan.Table.Columns {
			need[i] = c.Name == w.Column
		}
		columns(w.Expr, need) // over the table's schema
	}
	for _, o := range os {
		for _, c := range o.scan.Cols {
			need[c] = true
		}
	}
	s.common = common(os)
	_, cols := pack(need)
	s.scan = rel.NewScan(*os[0].scan, cols)
	s.scan.Timed = timed
	for i, c := range cols {
		s.at[c] = i
	}
	// Those that may fail come last: in another query they may stand behind their guard.
	var first, last []expr.Expr
	for _, c := range Conjuncts(os[0].cond) {
		switch moved := remap(c, s.columnsOf(os[0].scan)); {
		case !s.common[expr.Canonical(c, byName)]:
		case harmless(c):
			first = append(first, moved)
		default:
			last = append(last, moved)
		}
	}
	s.scan.Filter = And(append(first, last...))
	return s
}

// common returns the texts of the conditions that all have and that may be evaluated before
// the others everywhere.
func common(os []occurrence) map[string]bool {
	candidates := map[string]bool{}
	for _, c := range Conjuncts(os[0].cond) {
		candidates[expr.Canonical(c, byName)] = !volatile(c)
	}
	for changed := true; changed; {
		changed = false
		for _, o := range os {
			move, _ := movable(Conjuncts(o.cond), func(c expr.Expr) bool { return candidates[expr.Canonical(c, byName)] })
			here := map[string]bool{}
			for _, c := range move {
				here[expr.Canonical(c, byName)] = true
			}
			for text, ok := range candidates {
				if ok && !here[text] {
					candidates[text], changed = false, true
				}
			}
		}
	}
	return candidates
}

// columnsOf gives where the columns of one of the scans are in the shared one.
func (s *sharedScan) columnsOf(old *rel.Scan) []int {
	out := make([]int, len(old.Cols))
	for i, c := range old.Cols {
		out[i] = s.at[c]
	}
	return out
}

// replaceScans puts the shared scans in the place of those of one tree.
func replaceScans(n rel.Node, shared map[*rel.Scan]*sharedScan) rel.Node {
	switch m := n.(type) {
	case *rel.Scan:
		s := shared[m]
		return rel.Select(s.scan, s.columnsOf(m))
	case *rel.Filter:
		scan, ok := m.Input.(*rel.Scan)
		if !ok {
			break
		}
		s := shared[scan]
		var left []expr.Expr
		for _, c := range Conjuncts(m.Cond) {
			if volatile(c) || !s.common[expr.Canonical(c, byName)] {
				left = append(left, remap(c, s.columnsOf(scan)))
			}
		}
		var out rel.Node = s.scan
		if len(left) > 0 {
			out = &rel.Filter{Input: out, Cond: And(left), Offset: m.Offset}
		}
		return rel.Select(out, s.columnsOf(scan))
	}
	in := n.Inputs()
	if len(in) == 0 {
		return n
	}
	mapped := make([]rel.Node, len(in))
	for i := range in {
		mapped[i] = replaceScans(in[i], shared)
	}
	return rel.WithInputs(n, mapped)
}
