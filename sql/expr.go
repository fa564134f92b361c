package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// The ranks of operators that matter to our own walk: what ends an expression.
const (
	rankArithmetic = iota // bounds of BETWEEN, patterns of LIKE
	rankBoolean           // everything
)

// expr parses an expression that is an argument of the operand being written, and hands it
// to set, at once or when TiDB has spoken.
func (p *parser) expr(set func(ast.Expr)) { p.slot(rankBoolean, false, set) }

// exprs appends expressions with commas between them to *list.
func (p *parser) exprs(list *[]ast.Expr, limit int) {
	p.items(limit, func() { p.expr(appendTo(list)) })
}

// appendTo reserves the next place of a list.
func appendTo(list *[]ast.Expr) func(ast.Expr) {
	i := len(*list)
	*list = append(*list, nil)
	return func(e ast.Expr) { (*list)[i] = e }
}

// field parses an expression that stands in a clause of its own, and always leaves a trace in
// the skeleton, where MySQL wants one.
func (p *parser) field(set func(ast.Expr)) {
	done := p.sk.clause()
	p.slot(rankBoolean, true, set)
	done()
}

// slot parses an expression for set. Without keep it leaves no trace in the skeleton if it can.
func (p *parser) slot(rank int, keep bool, set func(ast.Expr)) {
	m := p.sk.mark()
	x := p.open(rank)
	if x.plain && !keep {
		p.sk.undo(m)
	}
	x.give(p.sk, set)
}

// open parses an expression as the next argument, for whoever the result is given to.
func (p *parser) open(rank int) operand {
	s, start := p.sk, p.tok().start
	s.arg(start)
	f := s.open(start)
	n, x := p.operators(rank)
	if n == 0 {
		s.unwrap(f)
		return x
	}
	f.args = 1
	s.close(f)
	s.refs[f.ref].slot = true
	return operand{slot: f.ref}
}

// operand is what stands between two operators, or a whole expression.
type operand struct {
	node  ast.Expr // nil: operators are in it, and the tree comes later through slot
	slot  int
	plain bool // nothing in it waits for TiDB
}

// give hands the operand to set, now or later.
func (x operand) give(s *skeleton, set func(ast.Expr)) {
	if x.node != nil {
		set(x.node)
	} else {
		s.refs[x.slot].set = set
	}
}

// operators writes operands and the operators between them, and returns how many operators
// there were and the last operand.
func (p *parser) operators(rank int) (n int, x operand) {
	for {
		n += p.prefixes(rank, n)
		x = p.operand()
		tested := false
		for p.test(rank, tested) {
			tested = true
			p.count(&n)
		}
		if _, ok := arithmetic[p.tok().value]; ok && tested && p.tok().kind == operator {
			p.failHint(p.i, "put brackets around the predicate", "the operator %s follows a predicate", p.tok().value)
		}
		if !p.infix(rank) {
			return n, x
		}
		p.count(&n)
	}
}

// count counts an operator and holds the limit.
func (p *parser) count(n *int) {
	if *n++; *n > maxOperators {
		p.fail(p.i, "more than %d operators in one expression", maxOperators)
	}
}

// prefixes writes NOT, - and + before an operand.
func (p *parser) prefixes(rank, before int) (n int) {
	for ; ; n++ {
		var op ast.UnaryOp
		switch {
		case p.peek("-"):
			op = ast.OpNegate
		case p.peek("+"):
			op = ast.OpPlus
		case p.peek("NOT") && rank == rankBoolean:
			if last := p.sk.out[len(p.sk.out)-1].text; before+n > 0 && last != "AND" && last != "OR" && last != "NOT" {
				p.failHint(p.i, "put brackets around it", "NOT stands after an operator that binds tighter")
			}
			op = ast.OpNot
		default:
			return n
		}
		if n > maxDepth {
			p.fail(p.i, "more than %d operators before one operand", maxDepth)
		}
		at := p.pos()
		p.sk.out = append(p.sk.out, outToken{text: op.String(), src: int(at), wrap: func(e ast.Expr) ast.Expr { return &ast.Unary{At: at, Op: op, Arg: e} }})
		p.i++
	}
}

var comparisons = map[string]ast.BinaryOp{"=": ast.OpEq, "<>": ast.OpNe, "<": ast.OpLt, "<=": ast.OpLe, ">": ast.OpGt, ">=": ast.OpGe}

var arithmetic = map[string]struct {
	op       ast.BinaryOp
	skeleton string
}{"+": {ast.OpAdd, "+"}, "-": {ast.OpSub, "-"}, "*": {ast.OpMul, "*"}, "/": {ast.OpDiv, "/"}, "%": {ast.OpMod, "*"}, "||": {ast.OpConcat, "*"}}

// infix writes an operator after which an operand must follow.
func (p *parser) infix(rank int) bool {
	t := p.tok()
	join := func(skeleton string, op ast.BinaryOp) bool {
		at := p.pos()
		p.link(skeleton, func(l, r ast.Expr) ast.Expr { return &ast.Binary{At: at, Op: op, Left: l, Right: r} })
		p.i++
		return true
	}
	if t.kind == operator {
		if a, ok := arithmetic[t.value]; ok {
			return join(a.skeleton, a.op)
		}
	}
	if rank < rankBoolean {
		return false
	}
	if t.kind == operator {
		if op, ok := comparisons[t.value]; ok {
			return join("=", op)
		}
	}
	switch {
	case p.peek("OVERLAPS"):
		return join("=", ast.OpOverlaps)
	case p.peek("AND"):
		return join("AND", ast.OpAnd)
	case p.peek("OR"):
		return join("OR", ast.OpOr)
	case p.peek("IS", "DISTINCT", "FROM"), p.peek("IS", "NOT", "DISTINCT", "FROM"):
		at, not := p.pos(), p.peek("IS", "NOT")
		p.link("=", func(l, r ast.Expr) ast.Expr { return &ast.IsDistinct{At: at, Left: l, Right: r, Not: not} })
		if p.i += 3; not {
			p.i++
		}
		return true
	}
	return false
}

// link writes an operator between two operands.
func (p *parser) link(skeleton string, join func(l, r ast.Expr) ast.Expr) {
	p.sk.out = append(p.sk.out, outToken{text: skeleton, src: p.tok().start, join: join})
}
