// Package rules owns the rewrites of the bound relational tree, one a file: each takes a
// tree and gives one that returns the same changelog, in a form that runs better. They know
// nothing of operators, parallelism or state. It imports sql/rel, sql/expr and sql/types;
// only package planner imports it.
package rules

import (
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Simplify applies the rules that need no knowledge of other queries, to a fixed point:
// filters move towards the sources, projections merge, columns nobody reads disappear.
func Simplify(n rel.Node) rel.Node {
	n = simplify(n)
	n = rel.Rewrite(n, AggregateByWindow)
	n = simplify(n)
	return n
}

func simplify(n rel.Node) rel.Node {
	n = rel.Rewrite(n, func(n rel.Node) rel.Node {
		for _, rule := range []func(rel.Node) rel.Node{MergeFilters, PushFilter, MergeProjects, MergeUnions} {
			if out := rule(n); out != n {
				return out
			}
		}
		return n
	})
	n = Prune(n)
	return rel.Rewrite(n, MergeProjects)
}

// substitute replaces column i of e by exprs[i].
func substitute(e expr.Expr, exprs []expr.Expr) expr.Expr {
	return expr.Map(e, func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.Column); ok {
			return exprs[c.Index]
		}
		return e
	})
}

// maxSize is how large expressions may become by substitution. Queries that people write
// stay far below; SELECT x + x AS x over itself doubles with every level.
const maxSize = 10_000

// substitutedSize is the number of nodes of e after substitute, without building it.
func substitutedSize(e expr.Expr, sizes []int) int {
	if c, ok := e.(*expr.Column); ok {
		return sizes[c.Index]
	}
	n := 1
	for _, c := range expr.Children(e) {
		n += substitutedSize(c, sizes)
	}
	return n
}

// tooLarge reports whether substituting exprs into es would make them larger than maxSize.
func tooLarge(es, exprs []expr.Expr) bool {
	sizes := make([]int, len(exprs))
	for i, e := range exprs {
		expr.Walk(e, func(expr.Expr) bool { sizes[i]++; return true })
	}
	total := 0
	for _, e := range es {
		if total += substitutedSize(e, sizes); total > maxSize {
			return true
		}
	}
	return false
}

// remap replaces column i of e by column to[i].
func remap(e expr.Expr, to []int) expr.Expr {
	return expr.Map(e, func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.Column); ok {
			d := *c
			d.Index = to[c.Index]
			return &d
		}
		return e
	})
}

// columns marks the columns that e reads.
func columns(e expr.Expr, used []bool) {
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok {
			used[c.Index] = true
		}
		return true
	})
}

// volatile reports whether e gives another value each time.
func volatile(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Call); ok && c.Volatile {
			found = true
		}
		return !found
	})
	return found
}

// Conjuncts splits a condition at its ANDs, left to right.
func Conjuncts(e expr.Expr) []expr.Expr {
	if e == nil {
		return nil
	}
	if c, ok := e.(*expr.Call); ok && c.Name == "AND" {
		var out []expr.Expr
		for _, a := range c.Args {
			out = append(out, Conjuncts(a)...)
		}
		return out
	}
	return []expr.Expr{e}
}

// And joins conditions, nil for none.
func And(es []expr.Expr) expr.Expr {
	var out expr.Expr
	for _, e := range es {
		if out == nil {
			out = e
			continue
		}
		t := types.BooleanT.WithNull(!out.Type().NotNull || !e.Type().NotNull)
		out = &expr.Call{Name: "AND", Args: []expr.Expr{out, e}, Typ: t, Offset: e.Pos()}
	}
	return out
}

// harmless reports whether evaluating e can never fail, whatever the row: then it may be
// moved before other conditions, which might have kept rows from it.
func harmless(e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Column, *expr.Literal, *expr.Field, *expr.Case:
		case *expr.Call:
			switch e.Name {
			case "AND", "OR", "NOT", "=", "<>", "<", "<=", ">", ">=", "IN", "NOT IN", "BETWEEN", "NOT BETWEEN", "LIKE", "IS NULL", "IS NOT NULL",
				"IS TRUE", "IS FALSE", "IS NOT TRUE", "IS NOT FALSE", "IS DISTINCT FROM", "IS NOT DISTINCT FROM":
				// Comparing a text with something else reads it as a number or a date.
				for _, a := range e.Args {
					ok = ok && a.Type().IsString() == e.Args[0].Type().IsString()
				}
			default:
				ok = false
			}
		default:
			ok = false
		}
		return ok
	})
	return ok
}

// movable splits conditions into those that move closer to the source, of the ones that
// may, and those that stay. One that can fail moves only together with all before it.
func movable(conds []expr.Expr, may func(expr.Expr) bool) (move, stay []expr.Expr) {
	for _, c := range conds {
		if may(c) && (len(stay) == 0 || harmless(c)) {
			move = append(move, c)
		} else {
			stay = append(stay, c)
		}
	}
	return move, stay
}

// byName gives columns their names, so that expressions over different column lists of one
// table compare.
func byName(c *expr.Column) string { return types.QuoteIdent(c.Name) }
