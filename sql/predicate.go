package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// test writes a predicate behind its operand: IS NULL, IN, LIKE, BETWEEN, = ANY. To TiDB it is
// an operator of the right rank whose right operand holds all the rest. So nothing that binds
// tighter may follow it; tested says that a predicate stands before this one.
func (p *parser) test(rank int, tested bool) (found bool) {
	if rank < rankBoolean {
		return false
	}
	at, start := p.pos(), p.i
	if p.peek("IS") && !p.peek("IS", "DISTINCT", "FROM") && !p.peek("IS", "NOT", "DISTINCT", "FROM") {
		p.i++
		not := p.accept("NOT")
		is := p.isTest()
		p.rightSide("=", int(at), func(l ast.Expr) ast.Expr { return &ast.Is{At: at, Arg: l, Test: is, Not: not} }, nil)
		return true
	}
	if op, ok := comparisons[p.tok().value]; ok && p.tok().kind == operator && (p.ahead(1).is("ANY") || p.ahead(1).is("SOME") || p.ahead(1).is("ALL")) {
		q := &ast.Quantified{At: at, Op: op, All: p.ahead(1).is("ALL")}
		p.i += 2
		p.rightSide("=", int(at), func(l ast.Expr) ast.Expr { q.Left = l; return q }, func() { p.listOrQuery(&q.List, &q.Query) })
		return true
	}
	not := p.peek("NOT") && (p.peekAt(1, "IN") || p.peekAt(1, "LIKE") || p.peekAt(1, "BETWEEN") || p.peekAt(1, "SIMILAR"))
	if not {
		p.i++
	}
	if !p.peekAny("IN", "LIKE", "BETWEEN", "SIMILAR") {
		return false
	}
	if tested {
		p.failHint(start, "put brackets around the first", "two predicates follow each other")
	}
	switch {
	case p.accept("IN"):
		x := &ast.In{At: at, Not: not}
		p.rightSide("|", int(at), func(l ast.Expr) ast.Expr { x.Arg = l; return x }, func() { p.listOrQuery(&x.List, &x.Query) })
	case p.accept("BETWEEN"):
		x := &ast.Between{At: at, Not: not}
		if x.Symmetric = p.accept("SYMMETRIC"); !x.Symmetric {
			p.accept("ASYMMETRIC")
		}
		p.rightSide("|", int(at), func(l ast.Expr) ast.Expr { x.Arg = l; return x }, func() {
			p.slot(rankArithmetic, false, func(e ast.Expr) { x.Low = e })
			p.expect("AND")
			p.slot(rankArithmetic, false, func(e ast.Expr) { x.High = e })
		})
	default:
		x := &ast.Like{At: at, Not: not, Similar: p.peek("SIMILAR")}
		if !p.accept("LIKE") {
			p.expect("SIMILAR", "TO")
		}
		p.rightSide("|", int(at), func(l ast.Expr) ast.Expr { x.Arg = l; return x }, func() {
			p.slot(rankArithmetic, false, func(e ast.Expr) { x.Pattern = e })
			if p.accept("ESCAPE") {
				p.slot(rankArithmetic, false, func(e ast.Expr) { x.Escape = e })
			}
		})
	}
	return true
}

// rightSide writes op and an operand that holds what body parses.
func (p *parser) rightSide(op string, src int, test func(left ast.Expr) ast.Expr, body func()) {
	p.sk.emit(src, op)
	f := p.sk.open(src)
	p.sk.refs[f.ref].test = test
	if body != nil {
		body()
	}
	p.sk.close(f)
}

func (p *parser) isTest() ast.IsTest {
	for _, t := range []ast.IsTest{ast.IsNull, ast.IsTrue, ast.IsFalse, ast.IsUnknown} {
		if p.accept(t.String()) {
			return t
		}
	}
	if !p.accept("JSON") {
		p.unexpected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON")
	}
	switch {
	case p.accept("OBJECT"):
		return ast.IsJSONObject
	case p.accept("ARRAY"):
		return ast.IsJSONArray
	case p.accept("SCALAR"):
		return ast.IsJSONScalar
	}
	p.accept("VALUE")
	return ast.IsJSON
}

// listOrQuery parses ( expr, expr, .. ) or ( query ).
func (p *parser) listOrQuery(list *[]ast.Expr, query **ast.Query) {
	if p.subqueryAhead() {
		*query = p.subquery()
		return
	}
	open := p.i
	p.expect("(")
	if p.peek(")") {
		p.failHint(p.i, "a list has at least one term", "expected an expression after (, found )")
	}
	p.exprs(list, maxList)
	p.close(open, ")")
}
