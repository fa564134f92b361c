package expr

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/sql/types"
)

// Text writes e as SQL for people, with as few parentheses as precedence allows. column
// gives the text of a column; nil prints its Name.
func Text(e Expr, column func(*Column) string) string {
	if column == nil {
		column = func(c *Column) string { return c.Name }
	}
	t := texter{column: column}
	t.write(e, 0)
	return t.b.String()
}

// Text writes the aggregate call as SQL: "COUNT(DISTINCT bidder) FILTER (WHERE p < 1)".
func (a *Aggregate) Text(column func(*Column) string) string {
	var b strings.Builder
	b.WriteString(a.Name + "(")
	if a.Distinct {
		b.WriteString("DISTINCT ")
	}
	for i, arg := range a.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Text(arg, column))
	}
	if len(a.Args) == 0 {
		b.WriteByte('*')
	}
	b.WriteByte(')')
	if a.Filter != nil {
		b.WriteString(" FILTER (WHERE " + Text(a.Filter, column) + ")")
	}
	return b.String()
}

// infix gives the precedence of the operators written between their operands.
var infix = map[string]int{
	"OR": 1, "AND": 2,
	"=": 4, "<>": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "LIKE": 4, "SIMILAR TO": 4, "IS DISTINCT FROM": 4, "IS NOT DISTINCT FROM": 4,
	"||": 5, "+": 6, "-": 6, "*": 7, "/": 7, "%": 7,
}

const (
	notPrec     = 3
	postfixPrec = 4
	unaryPrec   = 8
)

type texter struct {
	b      strings.Builder
	column func(*Column) string
}

func (t *texter) write(e Expr, outer int) {
	switch e := e.(type) {
	case *Column:
		t.b.WriteString(t.column(e))
	case *Literal:
		text := literalSQL(e)
		t.paren(text[0] == '-' && outer > unaryPrec, func() { t.b.WriteString(text) })
	case *Cast:
		if e.Try {
			t.b.WriteString("TRY_")
		}
		t.b.WriteString("CAST(")
		t.write(e.Arg, 0)
		t.b.WriteString(" AS " + e.Typ.Nullable().String() + ")")
	case *Case:
		t.b.WriteString("CASE")
		for i := range e.Whens {
			t.b.WriteString(" WHEN ")
			t.write(e.Whens[i], 0)
			t.b.WriteString(" THEN ")
			t.write(e.Thens[i], 0)
		}
		if l, ok := e.Else.(*Literal); !ok || l.Value != nil {
			t.b.WriteString(" ELSE ")
			t.write(e.Else, 0)
		}
		t.b.WriteString(" END")
	case *Field:
		t.write(e.Arg, unaryPrec+1)
		t.b.WriteString("." + e.Name)
	case *Call:
		t.call(e, outer)
	}
}

func (t *texter) call(e *Call, outer int) {
	prec, isInfix := infix[e.Name]
	switch {
	case isInfix && len(e.Args) >= 2:
		t.paren(prec < outer, func() {
			for i, a := range e.Args {
				if i > 0 {
					t.b.WriteString(" " + e.Name + " ")
				}
				p := prec
				if i > 0 && prec != 1 && prec != 2 {
					p++ // left-associative
				}
				t.write(a, p)
			}
		})
	case e.Name == "NOT" && len(e.Args) == 1:
		t.paren(notPrec < outer, func() { t.b.WriteString("NOT "); t.write(e.Args[0], notPrec) })
	case strings.HasPrefix(e.Name, "IS ") && len(e.Args) == 1:
		t.paren(postfixPrec < outer, func() { t.write(e.Args[0], postfixPrec+1); t.b.WriteString(" " + e.Name) })
	case strings.HasSuffix(e.Name, "BETWEEN") && len(e.Args) == 3:
		t.paren(postfixPrec < outer, func() {
			t.write(e.Args[0], postfixPrec+1)
			t.b.WriteString(" " + e.Name + " ")
			t.write(e.Args[1], postfixPrec+1)
			t.b.WriteString(" AND ")
			t.write(e.Args[2], postfixPrec+1)
		})
	case (e.Name == "IN" || e.Name == "NOT IN") && len(e.Args) >= 2:
		t.paren(postfixPrec < outer, func() {
			t.write(e.Args[0], postfixPrec+1)
			t.b.WriteString(" " + e.Name + " (")
			t.list(e.Args[1:])
			t.b.WriteByte(')')
		})
	case e.Name == "NEG" && len(e.Args) == 1:
		t.paren(unaryPrec < outer, func() { t.b.WriteByte('-'); t.write(e.Args[0], unaryPrec+1) }) // -- begins a comment
	case e.Name == "POS" && len(e.Args) == 1:
		t.write(e.Args[0], outer)
	default:
		t.b.WriteString(e.Name + "(")
		t.list(e.Args)
		t.b.WriteByte(')')
	}
}

func (t *texter) list(es []Expr) {
	for i, e := range es {
		if i > 0 {
			t.b.WriteString(", ")
		}
		t.write(e, 0)
	}
}

func (t *texter) paren(need bool, body func()) {
	if need {
		t.b.WriteByte('(')
	}
	body()
	if need {
		t.b.WriteByte(')')
	}
}

func literalSQL(l *Literal) string {
	switch v := l.Value.(type) {
	case nil:
		return "NULL"
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case []byte:
		return "X'" + hex.EncodeToString(v) + "'"
	case *big.Int:
		return decimalText(v, l.Typ.Scale)
	case float64:
		return strconv.FormatFloat(v, 'E', -1, 64)
	case int64:
		return integral(v, l.Typ)
	}
	return fmt.Sprint(l.Value)
}

func decimalText(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	if scale > 0 {
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s
}

func integral(v int64, t types.Type) string {
	switch t.Kind {
	case types.Date:
		return "DATE '" + time.Unix(v*86400, 0).UTC().Format(time.DateOnly) + "'"
	case types.Time:
		return "TIME '" + time.UnixMilli(v).UTC().Format("15:04:05.999") + "'"
	case types.Timestamp, types.TimestampLTZ:
		per := t.UnitsPerSecond()
		sec := v / per
		if v%per < 0 {
			sec--
		}
		return t.Kind.String() + " '" + time.Unix(sec, (v-sec*per)*(1e9/per)).UTC().Format("2006-01-02 15:04:05.999999999") + "'"
	case types.IntervalDayTime:
		return dayTime(v)
	case types.IntervalYearMonth:
		if v%12 == 0 && v != 0 {
			return "INTERVAL '" + strconv.FormatInt(v/12, 10) + "' YEAR"
		}
		return "INTERVAL '" + strconv.FormatInt(v, 10) + "' MONTH"
	}
	return strconv.FormatInt(v, 10)
}

// dayTime writes an interval of milliseconds in the largest unit that divides it.
func dayTime(ms int64) string {
	for _, u := range []struct {
		ms   int64
		name string
	}{{86_400_000, "DAY"}, {3_600_000, "HOUR"}, {60_000, "MINUTE"}, {1000, "SECOND"}} {
		if ms%u.ms == 0 && ms != 0 {
			return "INTERVAL '" + strconv.FormatInt(ms/u.ms, 10) + "' " + u.name
		}
	}
	return "INTERVAL '" + strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64) + "' SECOND"
}
