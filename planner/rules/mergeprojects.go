package rules

import (
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
)

// MergeProjects makes one projection of two and drops one that changes nothing. It leaves
// two when the upper one reads a volatile column of the lower one twice, because both reads
// must see one value, and when the result would be too large.
func MergeProjects(n rel.Node) rel.Node {
	p, ok := n.(*rel.Project)
	if !ok {
		return n
	}
	if identity(p) {
		return p.Input
	}
	below, ok := p.Input.(*rel.Project)
	if !ok {
		return n
	}
	reads := make([]int, len(below.Exprs))
	for _, e := range p.Exprs {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok {
				reads[c.Index]++
			}
			return true
		})
	}
	for i, e := range below.Exprs {
		if reads[i] > 1 && volatile(e) {
			return n
		}
	}
	if tooLarge(p.Exprs, below.Exprs) {
		return n
	}
	exprs := make([]expr.Expr, len(p.Exprs))
	for i, e := range p.Exprs {
		exprs[i] = substitute(e, below.Exprs)
	}
	return &rel.Project{Input: below.Input, Exprs: exprs, Out: p.Out, Offset: p.Offset}
}

// identity reports whether p passes its input through under the same names.
func identity(p *rel.Project) bool {
	in := p.Input.Schema()
	if len(in) != len(p.Exprs) {
		return false
	}
	for i, e := range p.Exprs {
		c, ok := e.(*expr.Column)
		if !ok || c.Index != i || in[i].Name != p.Out[i].Name || !in[i].Type.Equal(p.Out[i].Type) || in[i].Type.Attr != p.Out[i].Type.Attr {
			return false
		}
	}
	return true
}
