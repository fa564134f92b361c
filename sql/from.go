package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// from parses the items of FROM. A comma is a cross join that binds looser than JOIN.
func (p *parser) from() ast.TableExpr {
	left := p.joins()
	for n := 0; p.peek(","); n++ {
		at := p.pos()
		p.sk.emit(int(at), ",")
		p.i++
		left = &ast.Join{At: at, Left: left, Right: p.joins()}
		if n > maxDepth {
			p.fail(p.i, "more than %d tables in one FROM", maxDepth)
		}
	}
	return left
}

func (p *parser) joins() ast.TableExpr {
	left := p.tableItem()
	for n := 0; ; n++ {
		j := &ast.Join{At: p.pos(), Left: left}
		if !p.joinWords(j) {
			return left
		}
		j.Right = p.tableItem()
		p.joinCondition(j)
		left = j
		if n > maxDepth {
			p.fail(p.i, "more than %d joins in one FROM", maxDepth)
		}
	}
}

// joinWords parses [NATURAL] [INNER|LEFT|RIGHT|FULL [OUTER]|CROSS] JOIN.
func (p *parser) joinWords(j *ast.Join) bool {
	start, words := p.i, []string{"JOIN"}
	if p.accept("CROSS") {
		words = []string{"CROSS", "JOIN"}
		p.expect("JOIN")
		p.sk.emit(j.Pos(), words...)
		return true
	}
	j.Natural = p.accept("NATURAL")
	outer := true
	switch {
	case p.accept("LEFT"):
		j.Kind, words = ast.LeftJoin, []string{"LEFT", "JOIN"}
	case p.accept("RIGHT"):
		j.Kind, words = ast.RightJoin, []string{"RIGHT", "JOIN"}
	case p.accept("FULL"): // TiDB has none; which join it is stands in our tree
		j.Kind = ast.FullJoin
	default:
		p.accept("INNER")
		j.Kind, outer = ast.InnerJoin, false
	}
	if outer {
		p.accept("OUTER")
	}
	if p.i == start && !p.peek("JOIN") {
		return false
	}
	for _, w := range []string{"SEMI", "ANTI"} {
		if p.peek(w, "JOIN") {
			p.failHint(p.i, "write WHERE [NOT] EXISTS (SELECT ..) or [NOT] IN (SELECT ..)", "%s JOIN is not SQL", w)
		}
	}
	p.expect("JOIN")
	if j.Natural {
		words = []string{"NATURAL", "JOIN"}
	}
	p.sk.emit(j.Pos(), words...)
	return true
}

func (p *parser) joinCondition(j *ast.Join) {
	at := p.tok().start
	switch {
	case j.Kind == ast.CrossJoin && p.peekAny("ON", "USING"):
		p.failHint(p.i, "write JOIN", "CROSS JOIN has no condition")
	case j.Kind == ast.CrossJoin || j.Natural:
	case p.accept("ON"):
		p.sk.emit(at, "ON")
		p.field(func(e ast.Expr) { j.On = e })
	case p.accept("USING"):
		j.Using = p.names("a column name")
		p.sk.emit(at, "USING", "(")
		p.sk.close(p.sk.open(at))
		p.sk.emit(at, ")")
	default:
		panic(p.src.Errorf(j.Pos(), "this join has no condition").WithHint("add ON .. or USING (..), or write CROSS JOIN"))
	}
}

// tableItem parses one item of FROM with its alias.
func (p *parser) tableItem() ast.TableExpr {
	at := p.pos()
	before := len(p.sk.out)
	p.sk.emit(int(at), "") // a bracket, if MATCH_RECOGNIZE follows
	lateral := p.accept("LATERAL")
	switch {
	case p.peek("(") && p.subqueryAhead():
		d := &ast.Derived{At: at, Lateral: lateral, Query: p.bracketed()}
		p.sk.emit(p.end(), "AS")
		p.sk.close(p.sk.open(p.end()))
		if d.Alias = p.alias(); p.peek("MATCH_RECOGNIZE") {
			return p.matchRecognize(d, before)
		}
		return d
	case p.peek("TABLE", "("):
		f := &ast.TableFunc{At: at, Lateral: lateral}
		p.i++
		open := p.i
		p.i++
		p.tableOperand(func() { f.Call = p.tableCall() })
		p.close(open, ")")
		f.Alias = p.alias()
		return f
	case p.peek("UNNEST"):
		u := &ast.Unnest{At: at}
		p.i++
		p.tableOperand(func() { p.brackets(maxColumns, func() { p.expr(appendTo(&u.Args)) }) })
		u.Ordinality = p.accept("WITH", "ORDINALITY")
		u.Alias = p.alias()
		return u
	case lateral:
		p.unexpected("TABLE (function), UNNEST or a query in brackets")
	case p.peek("("):
		return p.joinInBrackets()
	case p.peek("TABLE"):
		p.failHint(p.i, "leave TABLE out, or write TABLE(function(..))", "TABLE in FROM is followed by ( and a function")
	}
	return p.namedTable(at, before)
}

// tableCall parses the function call inside TABLE( ).
func (p *parser) tableCall() *ast.Call {
	t := p.tok()
	if t.kind == word && callable[t.upper] && p.peekAt(1, "(") {
		return queryArgs(p.callNamed())
	}
	path := p.path("a function")
	if !p.peek("(") {
		p.unexpected("( and the function's arguments")
	}
	return queryArgs(p.call(path))
}

// queryArgs makes the queries among a table function's arguments tables.
func queryArgs(c *ast.Call) *ast.Call {
	table := func(e *ast.Expr) {
		if q, ok := (*e).(*ast.Subquery); ok {
			*e = &ast.TableArg{At: q.At, Query: q.Query}
		}
	}
	for i := range c.Args {
		if named, ok := c.Args[i].(*ast.NamedArg); ok {
			table(&named.Value)
		}
		table(&c.Args[i])
	}
	return c
}

// namedTable parses a table, or a table function without TABLE( ).
func (p *parser) namedTable(at ast.At, before int) ast.TableExpr {
	var out ast.TableExpr
	var alias **ast.Alias
	p.tableOperand(func() {
		if t := p.tok(); t.kind == text {
			p.failHint(p.i, "names stand in backquotes", "expected a table name%s, found a string", p.after())
		}
		path := p.path("a table name")
		if p.peek("(") {
			f := &ast.TableFunc{At: at, Call: queryArgs(p.call(path))}
			out, alias = f, &f.Alias
			return
		}
		if len(path) > 3 {
			panic(p.src.Errorf(int(at), "%s has %d parts; a full name is catalog.database.name", path, len(path)))
		}
		t := &ast.TableName{At: at, Path: path}
		if p.tok().kind == hint {
			t.Hints = p.hints()
		}
		if p.accept("FOR") {
			p.expect("SYSTEM_TIME", "AS", "OF")
			p.slot(rankArithmetic, false, func(e ast.Expr) { t.AsOf = e })
		}
		out, alias = t, &t.Alias
	})
	*alias = p.alias()
	switch _, table := out.(*ast.TableName); {
	case table && p.peek("MATCH_RECOGNIZE"):
		return p.matchRecognize(out, before)
	case p.peek("TABLESAMPLE"):
		p.fail(p.i, "TABLESAMPLE is not supported")
	case *alias != nil && p.peek("FOR", "SYSTEM_TIME"):
		p.failHint(p.i, "write t FOR SYSTEM_TIME AS OF time AS alias", "FOR SYSTEM_TIME stands before the alias")
	case p.tok().kind == hint:
		p.failHint(p.i, "write t /*+ HINT(..) */ AS alias", "a hint stands right after the table's name")
	}
	return out
}

// joinInBrackets parses ( a JOIN b ON .. ).
func (p *parser) joinInBrackets() ast.TableExpr {
	p.enter()
	defer p.leave()
	open := p.i
	p.sk.emit(p.tok().start, "(")
	p.i++
	j := p.from()
	p.close(open, ")")
	p.sk.emit(p.end(), ")")
	if _, ok := j.(*ast.Join); !ok {
		p.failHint(open, "leave them out", "brackets in FROM hold a query or a join")
	}
	if p.isName() || p.peek("AS") {
		p.fail(p.i, "a join in brackets has no alias")
	}
	return j
}

// tableOperand writes an item of FROM: a number, or if expressions are in it a derived table
// that selects the operand holding them.
func (p *parser) tableOperand(body func()) {
	s, src := p.sk, p.tok().start
	s.emit(src, "", "")
	f := s.open(src)
	body()
	if s.close(f); f.args > 0 {
		s.out[f.at-2].text, s.out[f.at-1].text = "(", "SELECT"
		s.emit(src, ")", "AS", s.out[f.at].text)
	}
}

// alias parses [AS] name [(columns)].
func (p *parser) alias() *ast.Alias {
	at := p.pos()
	if !p.accept("AS") && !p.isName() {
		return nil
	}
	a := &ast.Alias{At: at, Name: p.name("an alias")}
	if p.peek("(") {
		a.Columns = p.names("a column name")
	}
	return a
}
