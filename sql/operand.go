package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/types"
)

// operand writes one operand with the subscripts and fields behind it.
func (p *parser) operand() operand {
	p.enter()
	defer p.leave()
	s := p.sk
	f := s.open(p.tok().start)
	x := operand{slot: -1}
	x.node = p.primary(&x.slot)
	for steps := 0; ; steps++ {
		at := p.pos()
		switch {
		case p.peek("["):
			open := p.i
			p.i++
			index := &ast.Index{At: at}
			p.expr(func(e ast.Expr) { index.Index = e })
			p.close(open, "]")
			x.give(s, func(e ast.Expr) { index.Arg = e })
			x.node = index
		case p.peek(".") && !p.ahead(1).is("*"):
			p.i++
			field := &ast.Field{At: at, Name: p.name("a field's name")}
			x.give(s, func(e ast.Expr) { field.Arg = e })
			x.node = field
		case x.node == nil && p.tok().kind == word && reserved[p.tok().upper] && p.unitAhead() != ast.UnitNone:
			x.node = p.difference(x)
		default:
			if x.node == nil { // an expression in brackets stands for itself
				s.unwrap(f)
				return x
			}
			s.refs[f.ref].node = x.node
			s.close(f)
			x.plain = f.args == 0
			return x
		}
		if steps > maxDepth {
			p.fail(p.i, "more than %d subscripts and fields of one value", maxDepth)
		}
	}
}

// primary parses an operand without subscripts. For an expression in brackets that TiDB has to
// order it returns nil and stores the slot.
func (p *parser) primary(slot *int) ast.Expr {
	t, at := p.tok(), p.pos()
	switch t.kind {
	case text:
		lit := p.string("a string")
		return &lit
	case number:
		lit := p.number("a number")
		return &lit
	case binary:
		p.i++
		return &ast.BinaryLit{At: at, Value: []byte(t.value)}
	case operator:
		if t.value == "(" {
			return p.inBrackets(slot)
		}
	case quoted:
		return p.chain()
	case word:
		if e := p.wordOperand(t, at); e != nil {
			return e
		}
		if !reserved[t.upper] {
			return p.chain()
		}
	}
	if p.peekAny("SELECT", "WITH", "VALUES") {
		p.failHint(p.i, "put brackets around the subquery", "expected an expression%s, found %s", p.after(), p.show(p.i))
	}
	p.wantName("an expression")
	return nil
}

// wordOperand parses what begins with a keyword; nil when it is not one of those.
func (p *parser) wordOperand(t token, at ast.At) ast.Expr {
	next := p.ahead(1)
	switch t.upper {
	case "NULL":
		p.i++
		return &ast.NullLit{At: at}
	case "TRUE", "FALSE":
		p.i++
		return &ast.BoolLit{At: at, Value: t.upper == "TRUE"}
	case "DATE", "TIME", "TIMESTAMP":
		if lit := p.typedLiteral(t, at); lit != nil {
			return lit
		}
		if next.is("(") {
			return p.callNamed()
		}
	case "INTERVAL":
		return p.interval()
	case "CASE":
		return p.caseExpr()
	case "CAST", "TRY_CAST":
		return p.cast()
	case "ARRAY", "MAP":
		if next.is("[") {
			return p.collection()
		}
		if next.is("(") && (p.peekAt(2, "SELECT") || p.peekAt(2, "WITH")) {
			p.fail(p.i, "%s of a query is not supported", t.upper)
		}
	case "MULTISET":
		p.failHint(p.i, "COLLECT(x) makes a multiset", "multiset literals are not supported")
	case "ROW":
		p.i++
		row := &ast.RowLit{At: at, Explicit: true}
		p.brackets(maxColumns, func() { p.expr(appendTo(&row.Items)) })
		return row
	case "EXISTS":
		p.i++
		if !p.subqueryAhead() {
			p.unexpected("( and a query")
		}
		return &ast.Exists{At: at, Query: p.subquery()}
	case "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP":
		if !next.is("(") {
			p.i++
			return &ast.Call{At: at, Niladic: true, Name: ast.Path{{At: at, Name: t.value}}}
		}
	case "RUNNING", "FINAL":
		if next.kind == word && p.peekAt(2, "(") {
			p.i++
			call := p.callNamed()
			if call.Match = ast.Running; t.upper == "FINAL" {
				call.Match = ast.Final
			}
			return call
		}
	case "UNKNOWN":
		p.i++
		return &ast.Cast{At: at, Arg: &ast.NullLit{At: at}, Type: ast.TypeRef{At: at, Type: types.BooleanT}}
	}
	if callable[t.upper] && next.is("(") {
		return p.callNamed()
	}
	return nil
}

// chain parses a.b.c, and the call it may be the name of.
func (p *parser) chain() ast.Expr {
	at := p.pos()
	path := ast.Path{p.name("an expression")}
	for p.peek(".") && !p.ahead(1).is("*") {
		p.i++
		if t := p.tok(); t.kind == word && callable[t.upper] && p.ahead(1).is("(") {
			path = append(path, ast.Ident{At: p.pos(), Name: t.value})
			p.i++
			break
		}
		path = append(path, p.name("a name"))
	}
	if p.peek("(") {
		return p.call(path)
	}
	return &ast.ColumnRef{At: at, Path: path}
}

// callNamed parses a call whose name is a keyword.
func (p *parser) callNamed() *ast.Call {
	name := ast.Ident{At: p.pos(), Name: p.tok().value}
	p.i++
	return p.call(ast.Path{name})
}

// inBrackets parses (query), (a, b) or (expr).
func (p *parser) inBrackets(slot *int) ast.Expr {
	at, open := p.pos(), p.i
	if p.subqueryAhead() {
		return &ast.Subquery{At: at, Query: p.subquery()}
	}
	p.i++
	if p.peek(")") {
		p.fail(p.i, "expected an expression after (, found )")
	}
	s, m := p.sk, p.sk.mark()
	x := p.open(rankBoolean)
	if x.plain {
		s.undo(m)
	}
	if p.peek(",") {
		row := &ast.RowLit{At: at}
		x.give(s, appendTo(&row.Items))
		p.i++
		p.items(maxColumns, func() { p.expr(appendTo(&row.Items)) })
		p.close(open, ")")
		return row
	}
	p.close(open, ")")
	*slot = x.slot
	return x.node
}

// typedLiteral parses DATE '..' and its like, nil if no string follows.
func (p *parser) typedLiteral(t token, at ast.At) ast.Expr {
	kinds := map[string]types.Kind{"DATE": types.Date, "TIME": types.Time, "TIMESTAMP": types.Timestamp}
	kind := kinds[t.upper]
	switch {
	case p.ahead(1).kind == text:
		p.i++
	case t.upper == "TIMESTAMP" && p.peekAt(1, "WITH", "LOCAL", "TIME", "ZONE") && p.ahead(5).kind == text:
		kind = types.TimestampLTZ
		p.i += 5
	default:
		return nil
	}
	return &ast.TypedLit{At: at, Kind: kind, Value: p.string("a string")}
}

func (p *parser) caseExpr() ast.Expr {
	c := &ast.Case{At: p.pos()}
	open := p.i
	if p.i++; !p.peek("WHEN") {
		p.expr(func(e ast.Expr) { c.Operand = e })
	}
	for p.peek("WHEN") {
		i := len(c.Whens)
		c.Whens = append(c.Whens, ast.When{At: p.pos()})
		p.i++
		p.expr(func(e ast.Expr) { c.Whens[i].Cond = e })
		p.expect("THEN")
		p.expr(func(e ast.Expr) { c.Whens[i].Result = e })
	}
	if len(c.Whens) == 0 {
		p.unexpected("WHEN")
	}
	if p.accept("ELSE") {
		p.expr(func(e ast.Expr) { c.Else = e })
	}
	if t := p.tok(); t.kind == eof || t.is(";") {
		p.fail(open, "CASE is never closed by END")
	}
	if !p.accept("END") {
		p.unexpected("WHEN, ELSE or END")
	}
	return c
}

func (p *parser) cast() ast.Expr {
	c := &ast.Cast{At: p.pos(), Try: p.peek("TRY_CAST")}
	p.i++
	open := p.i
	p.expect("(")
	p.expr(func(e ast.Expr) { c.Arg = e })
	p.expect("AS")
	c.Type = p.dataType()
	if c.Type.Type.NotNull {
		p.fail(p.i-2, "the type of a CAST has no NOT NULL: the result is NULL when the value is")
	}
	p.close(open, ")")
	return c
}

// collection parses ARRAY[..] and MAP[..].
func (p *parser) collection() ast.Expr {
	at, isMap := p.pos(), p.peek("MAP")
	open := p.i + 1
	p.i += 2
	var items []ast.Expr
	array, pairs := &ast.ArrayLit{At: at}, &ast.MapLit{At: at}
	if !p.peek("]") {
		p.items(maxList, func() {
			set := appendTo(&items)
			n := len(items) - 1
			switch {
			case !isMap:
				set = appendTo(&array.Items)
			case n%2 == 0:
				set = appendTo(&pairs.Keys)
			default:
				set = appendTo(&pairs.Values)
			}
			p.expr(set)
		})
	}
	p.close(open, "]")
	if !isMap {
		return array
	}
	if len(pairs.Keys) != len(pairs.Values) {
		p.failHint(open, "MAP[key, value, key, value]", "MAP takes pairs, found %d terms", len(items))
	}
	return pairs
}
