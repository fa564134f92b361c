package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// subqueryAhead reports whether the bracket here opens a query: behind it comes a query's first
// word, or another bracket around a query that no operator follows.
func (p *parser) subqueryAhead() bool {
	for i := p.i; p.toks[i].is("(") && i < p.i+maxDepth; i++ {
		switch t := p.toks[i+1]; {
		case t.is("SELECT"), t.is("WITH"), t.is("VALUES"), t.is("TABLE"):
			for ; i > p.i; i-- { // outward: what follows each inner bracket must go on with the query
				if c := p.match[i]; c == 0 || !queryGoesOn[p.toks[c+1].upper] && !p.toks[c+1].is(")") {
					return false
				}
			}
			return true
		}
	}
	return false
}

var queryGoesOn = map[string]bool{"UNION": true, "INTERSECT": true, "EXCEPT": true, "ORDER": true, "LIMIT": true, "OFFSET": true, "FETCH": true}

// subquery parses ( query ) as an argument of the operand being written.
func (p *parser) subquery() *ast.Query {
	p.sk.arg(p.tok().start)
	return p.bracketed()
}

// bracketed parses ( query ) in place.
func (p *parser) bracketed() *ast.Query {
	p.enter()
	defer p.leave()
	open := p.i
	p.expect("(")
	p.sk.emit(p.toks[open].start, "(")
	q := p.queryExpr()
	p.close(open, ")")
	p.sk.emit(p.toks[p.i-1].start, ")")
	return q
}

// queryExpr parses [WITH ..] body [ORDER BY ..] [LIMIT ..].
func (p *parser) queryExpr() *ast.Query {
	defer p.sk.clause()()
	q := &ast.Query{Span: ast.Span{Start: p.tok().start}}
	if p.peek("WITH") {
		p.with(q)
	}
	q.Body = p.setOps()
	if at := p.tok().start; p.accept("ORDER") {
		p.expect("BY")
		p.sk.emit(at, "ORDER", "BY")
		p.separate(maxColumns, func() { p.orderItem(&q.OrderBy, p.field) })
	}
	p.limit(q)
	if in, ok := q.Body.(*ast.Query); ok && len(q.With) == 0 && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil {
		in.Span = ast.Span{Start: q.Start, End: p.end()}
		return in
	}
	q.End = p.end()
	return q
}

// separate is items for a clause: the commas go to the skeleton too.
func (p *parser) separate(limit int, item func()) {
	p.items(limit, func() {
		if p.toks[p.i-1].is(",") {
			p.sk.emit(p.toks[p.i-1].start, ",")
		}
		item()
	})
}

func (p *parser) with(q *ast.Query) {
	p.sk.emit(p.tok().start, "WITH")
	if p.i++; p.peek("RECURSIVE") {
		p.fail(p.i, "recursive queries are not supported")
	}
	p.separate(maxColumns, func() {
		cte := &ast.CTE{At: p.pos(), Name: p.name("a name")}
		if p.peek("(") {
			cte.Columns = p.names("a column name")
		}
		p.sk.close(p.sk.open(cte.Pos()))
		p.expect("AS")
		p.sk.emit(p.end(), "AS")
		if !p.peek("(") {
			p.unexpected("( and a query")
		}
		cte.Query = p.bracketed()
		q.With = append(q.With, cte)
	})
}

// setOps parses bodies with UNION and EXCEPT between them; INTERSECT binds tighter.
func (p *parser) setOps() ast.QueryBody {
	left := p.intersections()
	for p.peekAny("UNION", "EXCEPT", "MINUS") {
		op := ast.Except
		if p.peek("UNION") {
			op = ast.Union
		} else if p.peek("MINUS") {
			p.failHint(p.i, "write EXCEPT", "unexpected MINUS")
		}
		left = p.setOp(op, left, p.intersections)
	}
	return left
}

func (p *parser) intersections() ast.QueryBody {
	left := p.body()
	for p.peek("INTERSECT") {
		left = p.setOp(ast.Intersect, left, p.body)
	}
	return left
}

func (p *parser) setOp(op ast.SetOperator, left ast.QueryBody, right func() ast.QueryBody) ast.QueryBody {
	if p.setOpCount++; p.setOpCount > maxSetOps {
		p.fail(p.i, "more than %d set operations in one statement", maxSetOps)
	}
	s := &ast.SetOp{At: p.pos(), Op: op, Left: left}
	p.sk.emit(p.tok().start, op.String())
	if p.i++; p.peek("ALL") {
		p.sk.emit(p.tok().start, "ALL")
		s.All = true
		p.i++
	} else {
		p.accept("DISTINCT")
	}
	s.Right = right()
	return s
}

// body parses a SELECT, VALUES, TABLE t, or a query in brackets.
func (p *parser) body() ast.QueryBody {
	at := p.pos()
	switch {
	case p.peek("SELECT"):
		return p.selectBody()
	case p.peek("("):
		q := p.bracketed()
		if len(q.With) == 0 && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil {
			return q.Body
		}
		return q
	case p.peek("VALUES"):
		return p.values()
	case p.peek("TABLE"):
		p.i++
		t := &ast.TableQuery{At: at, Table: p.table("a table name")}
		p.sk.emit(int(at), "SELECT")
		p.sk.close(p.sk.open(int(at)))
		return t
	}
	p.unexpected("SELECT, VALUES, TABLE, WITH or ( and a query")
	return nil
}

// values parses VALUES (1, 2), (3, 4) or VALUES 1, 2. To TiDB it is a SELECT of one operand.
func (p *parser) values() ast.QueryBody {
	v := &ast.Values{At: p.pos()}
	p.i++
	p.sk.emit(v.Pos(), "SELECT")
	f := p.sk.open(v.Pos())
	p.items(maxRows, func() {
		i := len(v.Rows)
		v.Rows = append(v.Rows, nil)
		if p.peek("ROW", "(") {
			p.i++
		} else if !p.peek("(") {
			p.expr(appendTo(&v.Rows[i]))
			return
		}
		p.brackets(maxColumns, func() {
			n := len(v.Rows[i])
			v.Rows[i] = append(v.Rows[i], nil)
			p.argumentFor(func(e ast.Expr) { v.Rows[i][n] = e })
		})
	})
	p.sk.close(f)
	return v
}

func (p *parser) limit(q *ast.Query) {
	at := p.i
	if p.accept("LIMIT") {
		if !p.accept("ALL") {
			n := p.whole("a number of rows")
			q.Limit = &n
		}
		if p.peek(",") {
			p.failHint(p.i, "write LIMIT count OFFSET start", "LIMIT takes one number")
		}
	}
	if p.accept("OFFSET") {
		n := p.whole("a number of rows")
		q.Offset = &n
		if !p.accept("ROWS") {
			p.accept("ROW")
		}
	}
	if p.peek("LIMIT") {
		p.failHint(p.i, "write LIMIT count OFFSET start", "LIMIT stands before OFFSET")
	}
	if p.peek("FETCH") {
		if p.toks[at].is("LIMIT") {
			p.fail(p.i, "a query has LIMIT or FETCH, not both")
		}
		if p.i++; !p.accept("FIRST") {
			p.expect("NEXT")
		}
		n := p.whole("a number of rows")
		q.Limit = &n
		if !p.accept("ROWS") {
			p.expect("ROW")
		}
		p.expect("ONLY")
	}
}
