package sql

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// call parses the brackets behind a function's name and what may follow them. Its arguments
// become those of the operand being written.
func (p *parser) call(name ast.Path) *ast.Call {
	c := &ast.Call{At: ast.At(name.Pos()), Name: name}
	open := p.i
	p.expect("(")
	fn := ""
	if len(name) == 1 && !name[0].Quoted {
		fn = upper(name[0].Name)
	}
	switch {
	case p.peek(")"):
	case fn == "EXTRACT":
		p.unitArg(c)
		p.expect("FROM")
		p.argument(c)
	case fn == "FLOOR", fn == "CEIL", fn == "CEILING":
		if p.argument(c); p.accept("TO") {
			p.unitArg(c)
		}
	case fn == "TIMESTAMPADD", fn == "TIMESTAMPDIFF":
		p.unitArg(c)
		for p.accept(",") {
			p.argument(c)
		}
	case fn == "TRIM":
		p.trim(c)
	case fn == "SUBSTRING":
		p.substring(c)
	case fn == "OVERLAY":
		p.separated(c, rankBoolean, "PLACING", "FROM", "FOR")
	case fn == "POSITION":
		p.separated(c, rankArithmetic, "IN", "FROM")
	case strings.HasPrefix(fn, "JSON_") && p.jsonCall(fn, c):
	case p.peek("*") && p.peekAt(1, ")"):
		p.i++
		c.Star = true
	default:
		if c.Distinct = p.accept("DISTINCT"); !c.Distinct {
			p.accept("ALL")
		}
		p.items(maxList, func() { p.argument(c) })
	}
	p.close(open, ")")
	p.suffixes(c)
	return c
}

// argument parses one argument: an expression, name => value, TABLE t, DESCRIPTOR(..), DEFAULT.
func (p *parser) argument(c *ast.Call) { p.argumentFor(appendTo(&c.Args)) }

func (p *parser) argumentFor(set func(ast.Expr)) {
	at := p.pos()
	switch {
	case p.isName() && p.peekAt(1, "=>"):
		p.enter()
		defer p.leave()
		arg := &ast.NamedArg{At: at, Name: p.name("a parameter's name")}
		p.i++
		p.argumentFor(func(e ast.Expr) { arg.Value = e })
		set(arg)
	case p.peek("TABLE"):
		set(p.tableArg())
	case p.peek("DESCRIPTOR", "("):
		p.i++
		set(&ast.Descriptor{At: at, Columns: p.names("a column name")})
	case p.accept("DEFAULT"):
		set(&ast.Symbol{At: at, Name: "DEFAULT"})
	default:
		p.expr(set)
	}
}

// tableArg parses TABLE t [PARTITION BY ..] [ORDER BY ..].
func (p *parser) tableArg() *ast.TableArg {
	arg := &ast.TableArg{At: p.pos()}
	p.i++
	if p.subqueryAhead() {
		p.failHint(p.i, "leave TABLE out before a query in brackets", "expected a table name after TABLE, found (")
	}
	at := p.pos()
	arg.Table = &ast.TableName{At: at, Path: p.table("a table name")}
	if p.accept("PARTITION", "BY") {
		if open := p.i; p.accept("(") {
			p.exprs(&arg.PartitionBy, maxColumns)
			p.close(open, ")")
		} else {
			p.expr(appendTo(&arg.PartitionBy))
		}
	}
	if p.accept("ORDER", "BY") {
		if open := p.i; p.accept("(") {
			p.items(maxColumns, func() { p.orderItem(&arg.OrderBy, p.expr) })
			p.close(open, ")")
		} else {
			p.orderItem(&arg.OrderBy, p.expr)
		}
	}
	return arg
}

// unitArg parses a unit of time as an argument.
func (p *parser) unitArg(c *ast.Call) {
	u := ast.UnitOf(p.tok().upper)
	if u == ast.UnitNone {
		p.unexpected("a unit of time (YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, ..)")
	}
	c.Args = append(c.Args, &ast.UnitArg{At: p.pos(), Unit: u})
	p.i++
}

// separated parses arguments with words between them; FOR, and FROM of POSITION, may be missing.
func (p *parser) separated(c *ast.Call, rank int, words ...string) {
	p.slot(rank, false, appendTo(&c.Args))
	for i, w := range words {
		if i > 0 && i == len(words)-1 && !p.peek(w) {
			return
		}
		p.expect(w)
		p.slot(rankBoolean, false, appendTo(&c.Args))
	}
}

// substring parses SUBSTRING(x FROM a FOR b) and SUBSTRING(x, a, b).
func (p *parser) substring(c *ast.Call) {
	p.argument(c)
	for _, word := range []string{"FROM", "FOR"} {
		switch {
		case p.accept(word), p.accept(","):
			p.argument(c)
		case len(c.Args) < 2:
			p.unexpected("FROM or a comma")
		}
	}
}

// trim parses TRIM(x), TRIM([BOTH|LEADING|TRAILING] [c] FROM x).
func (p *parser) trim(c *ast.Call) {
	at, where := p.pos(), ""
	for _, w := range []string{"BOTH", "LEADING", "TRAILING"} {
		if where == "" && p.accept(w) {
			where = w
		}
	}
	args := make([]ast.Expr, 3) // where, the characters, the text
	if p.peek("FROM") {
		args[1] = &ast.StringLit{At: at, Value: " "}
	} else {
		p.expr(func(e ast.Expr) { args[1] = e })
	}
	if where == "" && !p.peek("FROM") { // TRIM(x)
		c.Args = args[1:2:2]
		return
	}
	p.expect("FROM")
	p.expr(func(e ast.Expr) { args[2] = e })
	if where == "" {
		where = "BOTH"
	}
	args[0] = &ast.Symbol{At: at, Name: where}
	c.Args = args
}

// suffixes parses what follows the brackets of a call.
func (p *parser) suffixes(c *ast.Call) {
	for {
		open := p.i + 1
		switch {
		case p.accept("WITHIN", "GROUP"):
			open++
			p.expect("(", "ORDER", "BY")
			p.items(maxColumns, func() { p.orderItem(&c.WithinGroup, p.expr) })
			p.close(open, ")")
		case p.accept("FILTER"):
			p.expect("(", "WHERE")
			p.expr(func(e ast.Expr) { c.Filter = e })
			p.close(open, ")")
		case p.accept("IGNORE", "NULLS"):
			c.Nulls = ast.IgnoreNulls
		case p.accept("RESPECT", "NULLS"):
			c.Nulls = ast.RespectNulls
		case p.accept("OVER"):
			c.Over = p.over()
			return
		default:
			return
		}
	}
}

// over parses what follows OVER: a name, or a specification in brackets.
func (p *parser) over() *ast.Window {
	at := p.pos()
	if p.isName() {
		name := p.name("a window")
		return &ast.Window{At: at, Name: &name}
	}
	if !p.peek("(") {
		p.unexpected("( or the name of a window")
	}
	return p.windowSpec()
}

func (p *parser) windowSpec() *ast.Window {
	w, open := &ast.Window{At: p.pos()}, p.i
	p.expect("(")
	if p.isName() {
		base := p.name("a window")
		w.Base = &base
	}
	if p.accept("PARTITION", "BY") {
		p.exprs(&w.PartitionBy, maxColumns)
	}
	if p.accept("ORDER", "BY") {
		p.items(maxColumns, func() { p.orderItem(&w.OrderBy, p.expr) })
	}
	if p.peekAny("ROWS", "RANGE") {
		f := &ast.Frame{At: p.pos(), Rows: p.peek("ROWS")}
		w.Frame = f
		if p.i++; p.accept("BETWEEN") {
			p.bound(&f.Start)
			p.expect("AND")
			p.bound(&f.End)
		} else {
			p.bound(&f.Start)
			f.End = ast.Bound{At: -1, Kind: ast.CurrentRow}
		}
	}
	if !p.peek(")") && w.Frame == nil && len(w.OrderBy) == 0 && len(w.PartitionBy) == 0 {
		p.unexpected("PARTITION BY, ORDER BY, ROWS, RANGE or )")
	}
	p.close(open, ")")
	return w
}

func (p *parser) bound(b *ast.Bound) {
	b.At = p.pos()
	switch {
	case p.accept("CURRENT", "ROW"):
		b.Kind = ast.CurrentRow
	case p.accept("UNBOUNDED", "PRECEDING"):
		b.Kind = ast.UnboundedPreceding
	case p.accept("UNBOUNDED", "FOLLOWING"):
		b.Kind = ast.UnboundedFollowing
	default:
		p.slot(rankArithmetic, false, func(e ast.Expr) { b.Offset = e })
		if b.Kind = ast.Preceding; p.accept("FOLLOWING") {
			b.Kind = ast.Following
		} else if !p.accept("PRECEDING") {
			p.unexpected("PRECEDING or FOLLOWING")
		}
	}
}

// orderItem parses expr [ASC|DESC] [NULLS FIRST|LAST]; by says how the expression is written.
func (p *parser) orderItem(list *[]ast.OrderItem, by func(func(ast.Expr))) {
	i := len(*list)
	*list = append(*list, ast.OrderItem{At: p.pos()})
	by(func(e ast.Expr) { (*list)[i].Expr = e })
	if it := &(*list)[i]; p.accept("DESC") {
		it.Desc = true
	} else {
		p.accept("ASC")
	}
	switch it := &(*list)[i]; {
	case p.accept("NULLS", "FIRST"):
		it.Nulls = ast.NullsFirst
	case p.accept("NULLS", "LAST"):
		it.Nulls = ast.NullsLast
	}
}
