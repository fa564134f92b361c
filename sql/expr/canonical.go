package expr

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// ErrUnknown is wrapped by resolvers when a function does not exist.
var ErrUnknown = errors.New("unknown function")

// Canonical writes e in a form that depends only on its meaning: operator UIDs and slots
// are hashes of it, so it may never change for an expression that exists. column gives the
// text of a column (the planner passes the column's origin, so that projections and
// aliases in between do not matter).
func Canonical(e Expr, column func(*Column) string) string {
	var b strings.Builder
	canonical(&b, e, column)
	return b.String()
}

func canonical(b *strings.Builder, e Expr, column func(*Column) string) {
	switch e := e.(type) {
	case *Column:
		b.WriteString(column(e))
	case *Literal:
		b.WriteString(literalText(e))
	case *Call:
		b.WriteString(strconv.Quote(e.Name))
		list(b, '(', e.Args, ')', column)
	case *Cast:
		if e.Try {
			b.WriteString("try_")
		}
		b.WriteString("cast(")
		canonical(b, e.Arg, column)
		b.WriteString(" as " + e.Typ.Nullable().String() + ")")
	case *Case:
		b.WriteString("case")
		for i := range e.Whens {
			list(b, '[', []Expr{e.Whens[i], e.Thens[i]}, ']', column)
		}
		list(b, '(', []Expr{e.Else}, ')', column)
	case *Field:
		canonical(b, e.Arg, column)
		b.WriteString("." + strconv.Quote(e.Name))
	}
}

func list(b *strings.Builder, open byte, es []Expr, close byte, column func(*Column) string) {
	b.WriteByte(open)
	for i, e := range es {
		if i > 0 {
			b.WriteByte(',')
		}
		canonical(b, e, column)
	}
	b.WriteByte(close)
}

// Canonical writes an aggregate call in a form that depends only on its meaning: the name,
// arguments, DISTINCT, FILTER and the type of the result. Slots are hashes of it.
func (a *Aggregate) Canonical(column func(*Column) string) string {
	var b strings.Builder
	b.WriteString(a.Name)
	if a.Distinct {
		b.WriteString(" distinct")
	}
	list(&b, '(', a.Args, ')', column)
	if a.Filter != nil {
		list(&b, '{', []Expr{a.Filter}, '}', column)
	}
	return b.String() + ":" + a.Typ.Nullable().String()
}

func literalText(l *Literal) string {
	t := l.Typ.Nullable().String()
	switch v := l.Value.(type) {
	case nil:
		return "null:" + t
	case string:
		return strconv.Quote(v) + ":" + t
	case []byte:
		return "x" + hex.EncodeToString(v) + ":" + t
	case *big.Int:
		return v.String() + ":" + t
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64) + ":" + t
	default:
		return fmt.Sprint(v) + ":" + t
	}
}

// Walk calls f for e and everything below it, parents first; f returning false skips the
// children.
func Walk(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, c := range Children(e) {
		Walk(c, f)
	}
}

// Children returns the direct operands of e in evaluation order.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *Cast:
		return []Expr{e.Arg}
	case *Field:
		return []Expr{e.Arg}
	case *Case:
		var out []Expr
		for i := range e.Whens {
			out = append(out, e.Whens[i], e.Thens[i])
		}
		return append(out, e.Else)
	}
	return nil
}

// Map rebuilds e bottom up: f is given each node with its children already mapped.
func Map(e Expr, f func(Expr) Expr) Expr {
	switch n := e.(type) {
	case *Call:
		c := *n
		c.Args = mapAll(n.Args, f)
		return f(&c)
	case *Cast:
		c := *n
		c.Arg = Map(n.Arg, f)
		return f(&c)
	case *Field:
		c := *n
		c.Arg = Map(n.Arg, f)
		return f(&c)
	case *Case:
		c := *n
		c.Whens, c.Thens, c.Else = mapAll(n.Whens, f), mapAll(n.Thens, f), Map(n.Else, f)
		return f(&c)
	}
	return f(e)
}

func mapAll(es []Expr, f func(Expr) Expr) []Expr {
	out := make([]Expr, len(es))
	for i, e := range es {
		out[i] = Map(e, f)
	}
	return out
}
