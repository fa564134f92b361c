package ast

import (
	"fmt"
	"strings"
)

// Print writes a node of any kind as Flink SQL: one form for every tree, with just the brackets
// it needs. Parsing the text again gives the same tree. Names stand in backquotes where the user
// wrote them so. Values of options are printed as they are: hide secrets before.
func Print(n Node) string {
	p := &printer{}
	switch n := n.(type) {
	case Statement:
		p.statement(n)
	case Expr:
		p.expr(n)
	case *Query:
		p.query(n)
	case QueryBody:
		p.body(n)
	case TableExpr:
		p.table(n)
	case Pattern:
		p.pattern(n)
	case *Window:
		p.window(n)
	default:
		p.part(n)
	}
	return p.b.String()
}

type printer struct{ b strings.Builder }

// w writes its arguments one after the other: strings as they are, nodes as SQL.
func (p *printer) w(parts ...any) {
	for _, x := range parts {
		switch x := x.(type) {
		case string:
			p.b.WriteString(x)
		case Expr:
			p.expr(x)
		case *Query:
			p.query(x)
		case TableExpr:
			p.table(x)
		case fmt.Stringer:
			p.b.WriteString(x.String())
		default:
			p.unknown(x)
		}
	}
}

// unknown stands for a node of a type that is not this package's.
func (p *printer) unknown(x any) { fmt.Fprintf(&p.b, "<%T>", x) }

// opt writes its arguments if the condition holds.
func (p *printer) opt(cond bool, parts ...any) {
	if cond {
		p.w(parts...)
	}
}

// each writes items with ", " between them.
func each[T any](p *printer, items []T, item func(*T)) {
	for i := range items {
		if i > 0 {
			p.w(", ")
		}
		item(&items[i])
	}
}

func (p *printer) exprs(list []Expr)   { each(p, list, func(e *Expr) { p.expr(*e) }) }
func (p *printer) idents(list []Ident) { each(p, list, func(i *Ident) { p.w(*i) }) }

// names writes (a, b), with a blank before it, if there are any.
func (p *printer) names(list []Ident) {
	if len(list) > 0 {
		p.w(" (")
		p.idents(list)
		p.w(")")
	}
}

// String returns the literal in quotes.
func (s StringLit) String() string { return "'" + strings.ReplaceAll(s.Value, "'", "''") + "'" }

// String returns 'key' = 'value'.
func (o Option) String() string { return o.Key.String() + " = " + o.Value.String() }

// String returns the type as SQL.
func (t TypeRef) String() string { return t.Type.String() }

// part prints the nodes that are only parts of others.
func (p *printer) part(n Node) {
	switch n := n.(type) {
	case *CTE:
		p.cte(n)
	case *GroupBy:
		p.groupBy(n)
	case *Column:
		p.column(n)
	case *Watermark:
		p.watermark(n)
	case *PrimaryKey:
		p.primaryKey(n)
	case *Hint:
		p.hint(n)
	case *Alias:
		p.alias(n)
	case AlterAction:
		p.action(n)
	case fmt.Stringer:
		p.w(n.String())
	default:
		p.unknown(n)
	}
}
