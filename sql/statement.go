package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// unsupported are statements of Flink that exist but not here, and what to do instead.
var unsupported = map[string]string{
	"UPDATE": "write the changed rows with INSERT INTO", "DELETE": "", "TRUNCATE": "", "MERGE": "", "ANALYZE": "", "CALL": "", "COMPILE": "",
	"EXECUTE": "write EXECUTE STATEMENT SET BEGIN .. END", "LOAD": "all functions are built in", "UNLOAD": "", "ADD": "", "REMOVE": "", "UPSERT": "write INSERT INTO a table with a PRIMARY KEY",
	"COMMIT": "", "ROLLBACK": "", "GRANT": "", "REVOKE": "", "BEGIN": "write BEGIN STATEMENT SET; .. END;",
}

const statements = "a statement (SELECT, INSERT, CREATE, DROP, ALTER, EXECUTE STATEMENT SET, EXPLAIN, SHOW, DESCRIBE, USE, SET, RESET)"

// statement parses one statement, without its semicolon.
func (p *parser) statement() ast.Statement {
	p.checkSize()
	p.setOpCount = 0
	start := p.tok().start
	span := func() ast.Span { return ast.Span{Start: start, End: p.end()} }
	switch {
	case p.queryAhead():
		q := p.query()
		return &ast.QueryStatement{Span: span(), Query: q}
	case p.peek("INSERT"):
		return p.insert()
	case p.peek("CREATE"):
		return p.create()
	case p.peek("DROP"):
		return p.drop()
	case p.peek("ALTER"):
		return p.alter()
	case p.peek("EXECUTE", "STATEMENT", "SET"), p.peek("BEGIN", "STATEMENT", "SET"):
		return p.statementSet()
	case p.peek("EXECUTE") && (p.peekAt(1, "SELECT") || p.peekAt(1, "INSERT")): // the same without EXECUTE
		p.i++
		return p.statement()
	case p.accept("EXPLAIN"):
		e := &ast.Explain{Details: p.explainDetails()}
		e.Statement = p.explained()
		e.Span = span()
		return e
	case p.accept("SET"):
		s := &ast.Set{}
		if p.tok().kind != eof && !p.peek(";") {
			o := p.setOption()
			s.Option = &o
		}
		s.Span = span()
		return s
	case p.accept("RESET"):
		r := &ast.Reset{}
		if p.tok().kind != eof && !p.peek(";") {
			key := p.string("a key, a string")
			r.Key = &key
		}
		r.Span = span()
		return r
	}
	if s := p.inspect(); s != nil {
		return s
	}
	if t := p.tok(); t.kind == word {
		if hint, ok := unsupported[t.upper]; ok {
			p.failHint(p.i, hint, "%s statements are not supported", t.upper)
		}
		p.failHint(p.i, didYouMean(t.value, suggest.Nearest(t.upper, startWords)), "expected %s, found %s", statements, p.show(p.i))
	}
	p.unexpected(statements)
	return nil
}

// queryAhead reports whether a query begins here.
func (p *parser) queryAhead() bool {
	return p.peekAny("SELECT", "WITH", "VALUES", "TABLE") || p.subqueryAhead()
}

// checkSize refuses a statement that is too long, before it is parsed.
func (p *parser) checkSize() {
	start := p.tok().start
	for i := p.i; ; i++ {
		if t := p.toks[i]; t.kind == eof || t.is(";") {
			return
		} else if t.end-start > maxStatement {
			p.fail(p.i, "this statement is longer than the limit of %d bytes (1 MiB)", maxStatement)
		}
	}
}

// setOption parses 'key' = 'value' of SET; the words before it are already read.
func (p *parser) setOption() ast.Option {
	if t := p.tok(); t.kind == word {
		p.failHint(p.i, "write SET 'key' = 'value'", "expected a key in single quotes after SET, found %s", p.show(p.i))
	}
	return p.option()
}

// explained parses the statement behind EXPLAIN.
func (p *parser) explained() ast.Statement {
	at := p.i
	switch {
	case p.peek("STATEMENT", "SET"):
		return p.statementSet()
	case p.queryAhead(), p.peekAny("INSERT", "EXECUTE", "CREATE"):
		s := p.statement()
		if t, ok := s.(*ast.CreateTable); ok && t.As != nil || !p.toks[at].is("CREATE") {
			return s
		}
		p.fail(at, "EXPLAIN explains a query, INSERT, STATEMENT SET or CREATE TABLE .. AS")
	}
	p.unexpected("a query, INSERT or STATEMENT SET")
	return nil
}

func (p *parser) explainDetails() (out []ast.ExplainDetail) {
	if p.accept("PLAN", "FOR") {
		return nil
	}
	details := []ast.ExplainDetail{ast.EstimatedCost, ast.ChangelogMode, ast.JSONExecutionPlan, ast.PlanAdvice}
	for more := true; more; more = p.accept(",") {
		n := len(out)
		for _, d := range details {
			if p.accept(d.String()) {
				out = append(out, d)
			}
		}
		if len(out) == n {
			if n > 0 {
				p.unexpected("ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN or PLAN_ADVICE")
			}
			return nil
		}
	}
	return out
}

// insert parses INSERT INTO|OVERWRITE table [PARTITION (..)] [(columns)] query.
func (p *parser) insert() *ast.Insert {
	n := &ast.Insert{Span: ast.Span{Start: p.tok().start}}
	p.expect("INSERT")
	if n.Overwrite = p.accept("OVERWRITE"); !n.Overwrite {
		p.expect("INTO")
	}
	at := p.pos()
	n.Table = &ast.TableName{At: at, Path: p.table("a table name")}
	if p.tok().kind == hint {
		n.Table.Hints = p.hints()
	}
	if p.accept("PARTITION") {
		p.brackets(maxColumns, func() { n.Partition = append(n.Partition, p.partitionValue()) })
	}
	if p.peek("(") && !p.subqueryAhead() {
		n.Columns = p.names("a column name")
	}
	if !p.queryAhead() {
		p.unexpected("a query (SELECT, VALUES, WITH)")
	}
	n.Query = p.query()
	n.End = p.end()
	return n
}

func (p *parser) partitionValue() ast.PartitionValue {
	v := ast.PartitionValue{At: p.pos(), Column: p.name("a column name")}
	p.expect("=")
	switch t := p.tok(); t.kind {
	case text:
		lit := p.string("a string")
		v.Value = &lit
	case number:
		lit := p.number("a number")
		v.Value = &lit
	default:
		p.unexpected("a string or a number")
	}
	return v
}

// statementSet parses EXECUTE STATEMENT SET BEGIN inserts END and BEGIN STATEMENT SET; inserts END.
func (p *parser) statementSet() ast.Statement {
	start, open := p.tok().start, p.i
	if p.peek("BEGIN") {
		p.i += 3
		p.expect(";")
	} else {
		p.accept("EXECUTE")
		p.expect("STATEMENT", "SET")
		p.expect("BEGIN")
	}
	s := &ast.StatementSet{}
	for !p.accept("END") {
		switch {
		case p.tok().kind == eof:
			p.fail(open, "this statement set is never closed by END")
		case !p.peek("INSERT"):
			p.unexpected("INSERT or END")
		}
		p.checkSize()
		s.Inserts = append(s.Inserts, p.insert())
		if !p.accept(";") {
			p.unexpected("the next clause or the ; of the INSERT")
		}
	}
	if len(s.Inserts) == 0 {
		p.fail(p.i-1, "expected INSERT, found END: a statement set has at least one INSERT")
	}
	s.Span = ast.Span{Start: start, End: p.end()}
	return s
}
