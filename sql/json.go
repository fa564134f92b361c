package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// jsonCall parses the arguments of the JSON functions that have words among them. It returns
// false for the others.
func (p *parser) jsonCall(fn string, c *ast.Call) bool {
	j := &ast.JSONClauses{At: p.pos()}
	switch fn {
	case "JSON_OBJECT":
		if !p.onNullAhead() {
			p.items(maxList, func() { p.jsonPair(c) })
		}
		p.onNull(j)
	case "JSON_OBJECTAGG":
		p.jsonPair(c)
		p.onNull(j)
	case "JSON_ARRAY":
		p.items(maxList, func() { p.argument(c) })
		p.onNull(j)
	case "JSON_ARRAYAGG":
		p.argument(c)
		if p.accept("ORDER", "BY") {
			p.items(maxColumns, func() { p.orderItem(&c.WithinGroup, p.expr) })
		}
		p.onNull(j)
	case "JSON_EXISTS", "JSON_VALUE", "JSON_QUERY":
		p.items(2, func() { p.argument(c) })
		if p.accept("RETURNING") {
			t := p.dataType()
			j.Returning = &t
		}
		p.wrapper(j)
		for p.peekAny("NULL", "ERROR", "TRUE", "FALSE", "UNKNOWN", "EMPTY", "DEFAULT") {
			p.jsonBehavior(j)
		}
	default:
		return false
	}
	if *j != (ast.JSONClauses{At: j.At}) {
		c.JSON = j
	}
	return true
}

// jsonPair parses [KEY] key VALUE value.
func (p *parser) jsonPair(c *ast.Call) {
	p.accept("KEY")
	p.argument(c)
	p.expect("VALUE")
	p.argument(c)
}

func (p *parser) onNullAhead() bool {
	return p.peek("NULL", "ON", "NULL") || p.peek("ABSENT", "ON", "NULL")
}

func (p *parser) onNull(j *ast.JSONClauses) {
	if p.onNullAhead() {
		j.OnNull = p.tok().upper
		p.i += 3
	}
}

// wrapper parses WITHOUT|WITH [CONDITIONAL|UNCONDITIONAL] [ARRAY] WRAPPER.
func (p *parser) wrapper(j *ast.JSONClauses) {
	switch {
	case p.accept("WITHOUT"):
		j.Wrapper = "WITHOUT ARRAY"
	case p.accept("WITH"):
		if j.Wrapper = "WITH UNCONDITIONAL ARRAY"; p.accept("CONDITIONAL") {
			j.Wrapper = "WITH CONDITIONAL ARRAY"
		} else {
			p.accept("UNCONDITIONAL")
		}
	default:
		return
	}
	p.accept("ARRAY")
	p.expect("WRAPPER")
}

// jsonBehavior parses what to do ON EMPTY or ON ERROR.
func (p *parser) jsonBehavior(j *ast.JSONClauses) {
	b := &ast.JSONBehavior{At: p.pos(), Kind: p.tok().upper}
	switch p.i++; b.Kind {
	case "EMPTY":
		if b.Kind = "EMPTY OBJECT"; !p.accept("OBJECT") {
			p.accept("ARRAY")
			b.Kind = "EMPTY ARRAY"
		}
	case "DEFAULT":
		p.expr(func(e ast.Expr) { b.Default = e })
	}
	switch at := p.i; {
	case p.accept("ON", "EMPTY") && j.OnEmpty == nil:
		j.OnEmpty = b
	case p.accept("ON", "ERROR") && j.OnError == nil:
		j.OnError = b
	case p.i > at:
		p.fail(at, "this clause is written twice")
	default:
		p.unexpected("ON EMPTY or ON ERROR")
	}
}
