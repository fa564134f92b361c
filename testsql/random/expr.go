// Package random makes random queries over random rows and computes their results naively:
// one row at a time, over Go values, with none of the engine's code. Tests run the same
// queries through the engine and compare. Where the two may differ, the reason stands here.
package random

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// kind is the type of a value: NULL is a nil of any kind.
type kind uint8

const (
	kBigint kind = iota // int64
	kInt                // int32
	kString             // string, ASCII
	kBool               // bool
	kTime               // int64, milliseconds: TIMESTAMP(3)
)

// value is nil, int64, int32, string or bool.
type value any

// node is an expression with both its meanings: SQL text and a Go function.
type node struct {
	kind kind
	sql  string
	eval func(row []value) value
}

// columns of the table that all queries read.
var columns = []struct {
	name string
	kind kind
	sql  string
}{
	{"id", kBigint, "BIGINT"},
	{"a", kBigint, "BIGINT"},
	{"b", kInt, "INT"},
	{"s", kString, "STRING"},
	{"f", kBool, "BOOLEAN"},
	{"ts", kTime, "TIMESTAMP(3)"},
}

const timeColumn = 5

func column(i int) node {
	return node{columns[i].kind, "`" + columns[i].name + "`", func(r []value) value { return r[i] }}
}

// gen draws expressions. Depth keeps them small.
type gen struct{ *rand.Rand }

func (g gen) pick(n int) int { return g.IntN(n) }

// expr draws an expression of a kind.
func (g gen) expr(k kind, depth int) node {
	if depth <= 0 || g.pick(4) == 0 {
		return g.leaf(k)
	}
	switch k {
	case kBigint:
		return g.bigint(depth - 1)
	case kInt:
		return g.int(depth - 1)
	case kString:
		return g.string(depth - 1)
	case kBool:
		return g.bool(depth - 1)
	}
	return g.leaf(k)
}

func (g gen) leaf(k kind) node {
	if k == kTime || g.pick(3) > 0 {
		var of []int
		for i, c := range columns {
			if c.kind == k {
				of = append(of, i)
			}
		}
		return column(of[g.pick(len(of))])
	}
	switch k {
	case kBigint:
		v := int64(g.pick(21) - 10)
		return node{k, fmt.Sprintf("CAST(%d AS BIGINT)", v), func([]value) value { return v }}
	case kInt:
		v := int32(g.pick(21) - 10)
		return node{k, fmt.Sprintf("CAST(%d AS INT)", v), func([]value) value { return v }}
	case kString:
		v := words[g.pick(len(words))]
		// A bare literal is CHAR(n) to Flink, which pads in CASE; the column's type does not.
		return node{k, fmt.Sprintf("CAST('%s' AS STRING)", v), func([]value) value { return v }}
	}
	v := g.pick(2) == 0
	return node{kBool, strings.ToUpper(strconv.FormatBool(v)), func([]value) value { return v }}
}

var words = []string{"", "a", "ab", "abc", "Zed", "x y", "100", "%", "_"}

func (g gen) bigint(d int) node {
	x := g.expr(kBigint, d)
	switch g.pick(7) {
	case 0, 1:
		y := g.expr(kBigint, d)
		op := []string{"+", "-", "*"}[g.pick(3)]
		return node{kBigint, "(" + x.sql + " " + op + " " + y.sql + ")", func(r []value) value {
			a, aok := x.eval(r).(int64)
			b, bok := y.eval(r).(int64)
			if !aok || !bok {
				return nil
			}
			switch op { // integers wrap
			case "+":
				return a + b
			case "-":
				return a - b
			}
			return a * b
		}}
	case 2: // a divisor that is never zero
		c := int64(g.pick(9) + 1)
		if g.pick(2) == 0 {
			c = -c
		}
		op := []string{"/", "%"}[g.pick(2)]
		return node{kBigint, fmt.Sprintf("(%s %s CAST(%d AS BIGINT))", x.sql, op, c), func(r []value) value {
			a, ok := x.eval(r).(int64)
			switch {
			case !ok:
				return nil
			case op == "/":
				return a / c
			}
			return a % c
		}}
	case 3:
		y := g.expr(kInt, d) // widened
		return node{kBigint, "(" + x.sql + " + " + y.sql + ")", func(r []value) value {
			a, aok := x.eval(r).(int64)
			b, bok := y.eval(r).(int32)
			if !aok || !bok {
				return nil
			}
			return a + int64(b)
		}}
	case 4:
		return g.caseOf(kBigint, d)
	case 5:
		return g.coalesce(kBigint, d)
	}
	y := g.expr(kInt, d)
	return node{kBigint, "CAST(" + y.sql + " AS BIGINT)", func(r []value) value {
		if b, ok := y.eval(r).(int32); ok {
			return int64(b)
		}
		return nil
	}}
}

func (g gen) int(d int) node {
	switch g.pick(4) {
	case 0:
		x, y := g.expr(kInt, d), g.expr(kInt, d)
		return node{kInt, "(" + x.sql + " * " + y.sql + ")", func(r []value) value {
			a, aok := x.eval(r).(int32)
			b, bok := y.eval(r).(int32)
			if !aok || !bok {
				return nil
			}
			return a * b
		}}
	case 1:
		s := g.expr(kString, d)
		return node{kInt, "CHAR_LENGTH(" + s.sql + ")", func(r []value) value {
			if t, ok := s.eval(r).(string); ok {
				return int32(len(t))
			}
			return nil
		}}
	case 2:
		return g.caseOf(kInt, d)
	}
	return g.coalesce(kInt, d)
}

func (g gen) string(d int) node {
	s := g.expr(kString, d)
	switch g.pick(6) {
	case 0:
		t := g.expr(kString, d)
		return node{kString, "(" + s.sql + " || " + t.sql + ")", func(r []value) value {
			a, aok := s.eval(r).(string)
			b, bok := t.eval(r).(string)
			if !aok || !bok {
				return nil
			}
			return a + b
		}}
	case 1:
		return unary(kString, "UPPER", s, func(a string) value { return strings.ToUpper(a) })
	case 2:
		return unary(kString, "LOWER", s, func(a string) value { return strings.ToLower(a) })
	case 3:
		from, n := g.pick(3)+1, g.pick(3)
		return node{kString, fmt.Sprintf("SUBSTRING(%s, %d, %d)", s.sql, from, n), func(r []value) value {
			a, ok := s.eval(r).(string)
			if !ok {
				return nil
			}
			lo := min(from-1, len(a))
			return a[lo:min(lo+n, len(a))]
		}}
	case 4:
		return g.caseOf(kString, d)
	}
	return g.coalesce(kString, d)
}

func unary(k kind, name string, s node, f func(string) value) node {
	return node{k, name + "(" + s.sql + ")", func(r []value) value {
		if a, ok := s.eval(r).(string); ok {
			return f(a)
		}
		return nil
	}}
}

func (g gen) caseOf(k kind, d int) node {
	c, x, y := g.expr(kBool, d), g.expr(k, d), g.expr(k, d)
	return node{k, "CASE WHEN " + c.sql + " THEN " + x.sql + " ELSE " + y.sql + " END", func(r []value) value {
		if b, ok := c.eval(r).(bool); ok && b {
			return x.eval(r)
		}
		return y.eval(r)
	}}
}

func (g gen) coalesce(k kind, d int) node {
	x, y := g.expr(k, d), g.expr(k, d)
	return node{k, "COALESCE(" + x.sql + ", " + y.sql + ")", func(r []value) value {
		if v := x.eval(r); v != nil {
			return v
		}
		return y.eval(r)
	}}
}

func (g gen) bool(d int) node {
	switch g.pick(6) {
	case 0, 1:
		return g.comparison(d)
	case 2:
		x, y := g.expr(kBool, d), g.expr(kBool, d)
		if g.pick(2) == 0 {
			return node{kBool, "(" + x.sql + " AND " + y.sql + ")", func(r []value) value { return and(x.eval(r), y.eval(r)) }}
		}
		return node{kBool, "(" + x.sql + " OR " + y.sql + ")", func(r []value) value { return not(and(not(x.eval(r)), not(y.eval(r)))) }}
	case 3:
		x := g.expr(kBool, d)
		return node{kBool, "(NOT " + x.sql + ")", func(r []value) value { return not(x.eval(r)) }}
	case 4:
		x := g.expr(kind(g.pick(3)), d)
		return node{kBool, "(" + x.sql + " IS NULL)", func(r []value) value { return x.eval(r) == nil }}
	}
	x := g.expr(kBigint, d)
	lo := int64(g.pick(10) - 5)
	hi := lo + int64(g.pick(8))
	return node{kBool, fmt.Sprintf("(%s BETWEEN %d AND %d)", x.sql, lo, hi), func(r []value) value {
		a, ok := x.eval(r).(int64)
		if !ok {
			return nil
		}
		return a >= lo && a <= hi
	}}
}

func (g gen) comparison(d int) node {
	k := kind(g.pick(3))
	x, y := g.expr(k, d), g.expr(k, d)
	op := []string{"=", "<>", "<", "<=", ">", ">="}[g.pick(6)]
	return node{kBool, "(" + x.sql + " " + op + " " + y.sql + ")", func(r []value) value {
		a, b := x.eval(r), y.eval(r)
		if a == nil || b == nil {
			return nil
		}
		c := compare(a, b)
		return map[string]bool{"=": c == 0, "<>": c != 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op]
	}}
}

// compare orders two values of the same kind, not NULL.
func compare(a, b value) int {
	switch a := a.(type) {
	case int64:
		return three(a < b.(int64), a > b.(int64))
	case int32:
		return three(a < b.(int32), a > b.(int32))
	case string:
		return strings.Compare(a, b.(string))
	}
	x, y := a.(bool), b.(bool)
	return three(!x && y, x && !y)
}

func three(less, more bool) int {
	switch {
	case less:
		return -1
	case more:
		return 1
	}
	return 0
}

func and(a, b value) value {
	if a == false || b == false {
		return false
	}
	if a == nil || b == nil {
		return nil
	}
	return true
}

func not(a value) value {
	if a == nil {
		return nil
	}
	return !a.(bool)
}
