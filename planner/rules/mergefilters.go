package rules

import "github.com/sqlstream/sqlstream/sql/rel"

// MergeFilters makes one filter of two: Filter(Filter(x, a), b) is Filter(x, a AND b).
func MergeFilters(n rel.Node) rel.Node {
	f, ok := n.(*rel.Filter)
	if !ok {
		return n
	}
	below, ok := f.Input.(*rel.Filter)
	if !ok {
		return n
	}
	conds := append(Conjuncts(below.Cond), Conjuncts(f.Cond)...)
	return &rel.Filter{Input: below.Input, Cond: And(conds), Offset: f.Offset}
}
