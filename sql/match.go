package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// matchRecognize parses MATCH_RECOGNIZE ( .. ) [alias] behind its input. To TiDB it is one more
// table, cross joined in brackets; before is the place of the opening one.
func (p *parser) matchRecognize(input ast.TableExpr, before int) ast.TableExpr {
	m := &ast.MatchRecognize{At: p.pos(), Input: input}
	p.sk.out[before].text = "("
	p.sk.emit(m.Pos(), "CROSS", "JOIN")
	p.i++
	p.tableOperand(func() {
		open := p.i
		p.expect("(")
		p.matchClauses(m)
		p.close(open, ")")
	})
	p.sk.emit(p.end(), ")")
	m.Alias = p.alias()
	return m
}

func (p *parser) matchClauses(m *ast.MatchRecognize) {
	if p.accept("PARTITION", "BY") {
		p.exprs(&m.PartitionBy, maxColumns)
	}
	if p.accept("ORDER", "BY") {
		p.items(maxColumns, func() { p.orderItem(&m.OrderBy, p.expr) })
	}
	if p.accept("MEASURES") {
		p.items(maxColumns, func() {
			i := len(m.Measures)
			m.Measures = append(m.Measures, ast.SelectItem{At: p.pos()})
			p.expr(func(e ast.Expr) { m.Measures[i].Expr = e })
			p.expect("AS")
			name := p.name("the name of a measure")
			m.Measures[i].Alias = &name
		})
	}
	switch {
	case p.accept("ONE"):
		m.Rows = ast.OneRow
		p.expect("ROW", "PER", "MATCH")
	case p.accept("ALL"):
		m.Rows = ast.AllRows
		p.expect("ROWS", "PER", "MATCH")
	}
	if p.peek("AFTER") {
		m.After = p.afterMatch()
	}
	if !p.peek("PATTERN") {
		p.unexpected("PATTERN")
	}
	p.i++
	open := p.i
	p.expect("(")
	m.Anchored = p.accept("^")
	m.Pattern = p.patternAlt()
	m.AnchoredEnd = p.accept("$")
	p.close(open, ")")
	if p.accept("WITHIN") {
		p.expr(func(e ast.Expr) { m.Within = e })
	}
	if p.accept("SUBSET") {
		p.items(maxColumns, func() {
			s := ast.Subset{At: p.pos(), Name: p.name("a name")}
			p.expect("=")
			s.Variables = p.names("a pattern variable")
			m.Subsets = append(m.Subsets, s)
		})
	}
	p.expect("DEFINE")
	p.items(maxColumns, func() {
		i := len(m.Defines)
		m.Defines = append(m.Defines, ast.Define{At: p.pos(), Variable: p.name("a pattern variable")})
		p.expect("AS")
		p.expr(func(e ast.Expr) { m.Defines[i].Cond = e })
	})
}

func (p *parser) afterMatch() *ast.AfterMatch {
	a := &ast.AfterMatch{At: p.pos()}
	p.expect("AFTER", "MATCH", "SKIP")
	switch {
	case p.accept("PAST", "LAST", "ROW"):
	case p.accept("TO", "NEXT", "ROW"):
		a.Skip = ast.SkipToNextRow
	default:
		if !p.accept("TO") {
			p.unexpected("PAST LAST ROW, TO NEXT ROW or TO and a variable")
		}
		a.Skip = ast.SkipTo
		if n := p.ahead(1); n.kind == word && !reserved[n.upper] && n.upper != "PATTERN" || n.kind == quoted {
			if p.accept("FIRST") {
				a.Skip = ast.SkipToFirst
			} else if p.accept("LAST") {
				a.Skip = ast.SkipToLast
			}
		}
		a.Variable = p.name("a pattern variable")
	}
	return a
}

// patternAlt parses a | b, patternSeq a b, patternFactor a+.
func (p *parser) patternAlt() ast.Pattern {
	p.enter()
	defer p.leave()
	alt := &ast.PatternAlt{At: p.pos()}
	for {
		alt.Items = append(alt.Items, p.patternSeq())
		if !p.accept("|") {
			break
		}
	}
	if len(alt.Items) == 1 {
		return alt.Items[0]
	}
	return alt
}

func (p *parser) patternSeq() ast.Pattern {
	seq := &ast.PatternSeq{At: p.pos()}
	for first := true; first || p.patternStarts(); first = false {
		seq.Items = append(seq.Items, p.patternFactor())
	}
	if len(seq.Items) == 1 {
		return seq.Items[0]
	}
	return seq
}

func (p *parser) patternStarts() bool {
	return p.isName() && !p.peek("$") || p.peekAny("(", "{", "PERMUTE")
}

func (p *parser) patternFactor() ast.Pattern {
	item := p.patternPrimary()
	r := &ast.PatternRepeat{At: p.pos(), Item: item, Max: -1}
	switch {
	case p.accept("*"):
	case p.accept("+"):
		r.Min = 1
	case p.accept("?"):
		r.Max = 1
	case p.peek("{") && !p.peekAt(1, "-"):
		open := p.i
		p.i++
		if !p.peek(",") {
			r.Min = p.small("a number of rows", 0, 1_000_000)
			r.Max = r.Min
		}
		if p.accept(",") {
			if r.Max = -1; !p.peek("}") {
				r.Max = p.small("a number of rows", 0, 1_000_000)
			}
		}
		p.close(open, "}")
		if r.Max >= 0 && r.Max < r.Min || r.Max == 0 {
			p.fail(open, "this range holds no number of rows")
		}
	default:
		return item
	}
	r.Reluctant = p.accept("?")
	return r
}

func (p *parser) patternPrimary() ast.Pattern {
	at, open := p.pos(), p.i
	switch {
	case p.accept("("):
		alt := p.patternAlt()
		p.close(open, ")")
		return alt
	case p.accept("{", "-"):
		x := &ast.PatternExclude{At: at, Item: p.patternAlt()}
		p.expect("-", "}")
		return x
	case p.accept("PERMUTE"):
		x := &ast.PatternPermute{At: at}
		p.brackets(maxDepth, func() { x.Items = append(x.Items, p.patternAlt()) })
		return x
	}
	return &ast.PatternVar{At: at, Name: p.name("a pattern variable")}
}
