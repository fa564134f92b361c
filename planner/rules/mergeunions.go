package rules

import "github.com/sqlstream/sqlstream/sql/rel"

// MergeUnions makes one union of nested ones: a UNION ALL b UNION ALL c has three inputs.
func MergeUnions(n rel.Node) rel.Node {
	u, ok := n.(*rel.Union)
	if !ok {
		return n
	}
	var flat []rel.Node
	for _, in := range u.In {
		if v, ok := in.(*rel.Union); ok {
			flat = append(flat, v.In...)
		} else {
			flat = append(flat, in)
		}
	}
	if len(flat) == len(u.In) {
		return n
	}
	return &rel.Union{In: flat, Out: u.Out, Offset: u.Offset}
}
