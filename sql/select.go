package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// selectBody parses SELECT .. [FROM ..] [WHERE ..] [GROUP BY ..] [HAVING ..] [WINDOW ..] [QUALIFY ..].
func (p *parser) selectBody() *ast.Select {
	s := &ast.Select{At: p.pos()}
	p.sk.emit(s.Pos(), "SELECT")
	if p.i++; p.tok().kind == hint {
		s.Hints = p.hints()
	}
	if p.peek("STREAM") {
		p.failHint(p.i, "leave it out: every query here is a stream", "SELECT STREAM is not supported")
	}
	if s.Distinct = p.accept("DISTINCT"); !s.Distinct {
		p.accept("ALL")
	}
	p.separate(maxColumns, func() { p.selectItem(s) })
	if at := p.tok().start; p.accept("FROM") {
		p.sk.emit(at, "FROM")
		s.From = p.from()
	}
	if at := p.tok().start; p.accept("WHERE") {
		p.sk.emit(at, "WHERE")
		p.field(func(e ast.Expr) { s.Where = e })
	}
	if p.peek("GROUP") {
		p.groupBy(s)
	}
	p.afterGroups(s)
	return s
}

func (p *parser) selectItem(s *ast.Select) {
	at, i := p.pos(), len(s.Items)
	s.Items = append(s.Items, ast.SelectItem{At: at})
	if star := p.star(); star != nil {
		p.sk.close(p.sk.open(int(at)))
		s.Items[i].Expr = star
		return
	}
	p.field(func(e ast.Expr) { s.Items[i].Expr = e })
	s.Items[i].Alias = p.itemAlias()
}

// itemAlias parses [AS] name behind an expression.
func (p *parser) itemAlias() *ast.Ident {
	if p.accept("AS") {
		if p.tok().kind == text {
			p.failHint(p.i, "names stand in backquotes", "expected an alias after AS, found a string")
		}
	} else if !p.isName() {
		return nil
	}
	name := p.name("an alias")
	return &name
}

// star parses * and a.b.*, nil if none is here.
func (p *parser) star() ast.Expr {
	n := 0
	for p.ahead(n).kind == word && !reserved[p.ahead(n).upper] || p.ahead(n).kind == quoted {
		if !p.ahead(n + 1).is(".") {
			return nil
		}
		n += 2
	}
	if !p.ahead(n).is("*") {
		return nil
	}
	star := &ast.Star{At: p.pos()}
	for !p.accept("*") {
		star.Qualifier = append(star.Qualifier, p.name("a name"))
		p.expect(".")
	}
	return star
}

func (p *parser) groupBy(s *ast.Select) {
	g := &ast.GroupBy{At: p.pos()}
	s.GroupBy = g
	p.expect("GROUP", "BY")
	p.sk.emit(g.Pos(), "GROUP", "BY")
	if g.Distinct = p.accept("DISTINCT"); !g.Distinct {
		p.accept("ALL")
	}
	p.separate(maxColumns, func() {
		at := p.pos()
		if p.groupWord() || p.peek("(", ")") || p.peek("(") && p.tupleAhead() {
			f := p.sk.open(int(at))
			g.Elements = append(g.Elements, p.groupElement())
			p.sk.close(f)
			return
		}
		i := len(g.Elements)
		g.Elements = append(g.Elements, ast.GroupElement{At: at, Exprs: make([]ast.Expr, 1)})
		p.field(func(e ast.Expr) { g.Elements[i].Exprs[0] = e })
		if p.peekAny("ASC", "DESC") {
			p.failHint(p.i, "sort with ORDER BY", "GROUP BY has no direction")
		}
	})
}

func (p *parser) groupWord() bool {
	return p.peek("GROUPING", "SETS") || p.peek("ROLLUP") || p.peek("CUBE")
}

// tupleAhead tells GROUP BY (a, b) from GROUP BY (a + b) * c.
func (p *parser) tupleAhead() bool {
	c := p.match[p.i]
	if c == 0 || p.subqueryAhead() {
		return false
	}
	t := p.toks[c+1]
	return t.kind != operator || t.is(",") || t.is(")") || t.is(";")
}

// groupElement parses GROUPING SETS (..), ROLLUP (..), CUBE (..), (a, b), () or an expression,
// as arguments of an operand.
func (p *parser) groupElement() ast.GroupElement {
	p.enter()
	defer p.leave()
	g, exprs := ast.GroupElement{At: p.pos()}, new([]ast.Expr)
	switch {
	case p.accept("GROUPING", "SETS"):
		g.Kind = ast.GroupingSets
	case p.accept("ROLLUP"):
		g.Kind = ast.Rollup
	case p.accept("CUBE"):
		g.Kind = ast.Cube
	case p.peek("(") && p.tupleAhead():
		g.Kind = ast.GroupTuple
		if p.peek("(", ")") {
			p.i += 2
			return g
		}
		p.brackets(maxColumns, func() { p.expr(appendTo(exprs)) })
		return ast.GroupElement{At: g.At, Kind: g.Kind, Exprs: *exprs}
	default:
		p.expr(appendTo(exprs))
		return ast.GroupElement{At: g.At, Exprs: *exprs}
	}
	p.brackets(maxColumns, func() { g.Sets = append(g.Sets, p.groupElement()) })
	return g
}

// afterGroups parses HAVING, WINDOW and QUALIFY. To TiDB all is one HAVING.
func (p *parser) afterGroups(s *ast.Select) {
	if !p.peekAny("HAVING", "WINDOW", "QUALIFY") {
		return
	}
	at := p.tok().start
	p.sk.emit(at, "HAVING")
	f := p.sk.open(at)
	if p.accept("HAVING") {
		p.expr(func(e ast.Expr) { s.Having = e })
	}
	if p.accept("WINDOW") {
		p.items(maxColumns, func() {
			w := ast.NamedWindow{At: p.pos(), Name: p.name("a window")}
			p.expect("AS")
			w.Spec = p.windowSpec()
			s.Windows = append(s.Windows, w)
		})
	}
	if p.accept("QUALIFY") {
		p.expr(func(e ast.Expr) { s.Qualify = e })
	}
	p.sk.close(f)
}
