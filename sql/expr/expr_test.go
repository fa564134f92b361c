package expr

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql/types"
)

var (
	a     = &Column{Index: 0, Name: "a", Typ: types.BigIntT}
	b     = &Column{Index: 1, Name: "b", Typ: types.BigIntT.NotNullable()}
	s     = &Column{Index: 2, Name: "s", Typ: types.StringT}
	r     = &Column{Index: 3, Name: "r", Typ: types.RowT(types.Field{Name: "x", Type: types.IntT})}
	five  = lit(int64(5), types.IntT.NotNullable())
	minus = lit(int64(-5), types.IntT.NotNullable())
)

func lit(v any, t types.Type) *Literal { return &Literal{Value: v, Typ: t} }

func call(name string, args ...Expr) *Call {
	return &Call{Name: name, Args: args, Typ: types.BooleanT}
}

// origin is what the planner gives: the column of a table, not its name in the query.
func origin(c *Column) string { return fmt.Sprintf("t#%d", c.Index) }

// Operator UIDs and slots are hashes of these texts. A change here orphans the state of every
// job that runs: it is not a golden to rewrite.
var pinned = []struct {
	e         Expr
	canonical string
	text      string
}{
	{a, "t#0", "a"},
	{lit(nil, types.IntT), "null:INT", "NULL"},
	{lit(true, types.BooleanT.NotNullable()), "true:BOOLEAN", "TRUE"},
	{five, "5:INT", "5"},
	{lit(int64(5), types.BigIntT), "5:BIGINT", "5"},
	{lit(0.1, types.DoubleT), "0.1:DOUBLE", "1E-01"},
	{lit(1e21, types.DoubleT), "1e+21:DOUBLE", "1E+21"},
	{lit(big.NewInt(-1234), types.DecimalT(6, 2)), "-1234:DECIMAL(6, 2)", "-12.34"},
	{lit(big.NewInt(5), types.DecimalT(3, 3)), "5:DECIMAL(3, 3)", "0.005"},
	{lit(big.NewInt(-5), types.DecimalT(1, 0)), "-5:DECIMAL(1, 0)", "-5"},
	{lit("it's\n", types.CharT(5)), `"it's\n":CHAR(5)`, "'it''s\n'"},
	{lit([]byte{0, 255}, types.BytesT), "x00ff:BYTES", "X'00ff'"},
	{lit(int64(-1), types.DateT), "-1:DATE", "DATE '1969-12-31'"},
	{lit(int64(3_723_004), types.TimeT(3)), "3723004:TIME(3)", "TIME '01:02:03.004'"},
	{lit(int64(-1), types.TimestampT(3)), "-1:TIMESTAMP(3)", "TIMESTAMP '1969-12-31 23:59:59.999'"},
	{lit(int64(1_500_000), types.TimestampLTZT(6)), "1500000:TIMESTAMP_LTZ(6)", "TIMESTAMP_LTZ '1970-01-01 00:00:01.5'"},
	{lit(int64(86_400_000), types.DayTimeT), "86400000:INTERVAL SECOND(3)", "INTERVAL '1' DAY"},
	{lit(int64(5_400_000), types.DayTimeT), "5400000:INTERVAL SECOND(3)", "INTERVAL '90' MINUTE"},
	{lit(int64(-1500), types.DayTimeT), "-1500:INTERVAL SECOND(3)", "INTERVAL '-1.5' SECOND"},
	{lit(int64(0), types.DayTimeT), "0:INTERVAL SECOND(3)", "INTERVAL '0' SECOND"},
	{lit(int64(24), types.YearMonthT), "24:INTERVAL MONTH", "INTERVAL '2' YEAR"},
	{lit(int64(0), types.YearMonthT), "0:INTERVAL MONTH", "INTERVAL '0' MONTH"},
	{call("UPPER", s), `"UPPER"(t#2)`, "UPPER(s)"},
	{call("PI"), `"PI"()`, "PI()"},
	{&Cast{Arg: a, Typ: types.StringT.NotNullable()}, "cast(t#0 as STRING)", "CAST(a AS STRING)"},
	{&Cast{Arg: s, Typ: types.IntT, Try: true}, "try_cast(t#2 as INT)", "TRY_CAST(s AS INT)"},
	{&Field{Arg: r, Name: "x", Typ: types.IntT}, `t#3."x"`, "r.x"},
	{&Case{Whens: []Expr{call("IS NULL", a), call("=", a, five)}, Thens: []Expr{five, b}, Else: lit(nil, types.BigIntT), Typ: types.BigIntT},
		`case["IS NULL"(t#0),5:INT]["="(t#0,5:INT),t#1](null:BIGINT)`, "CASE WHEN a IS NULL THEN 5 WHEN a = 5 THEN b END"},
	{&Case{Whens: []Expr{call("NOT", a)}, Thens: []Expr{five}, Else: b, Typ: types.BigIntT}, `case["NOT"(t#0),5:INT](t#1)`, "CASE WHEN NOT a THEN 5 ELSE b END"},
}

func TestCanonicalTextNeverChanges(t *testing.T) {
	for _, p := range pinned {
		if got := Canonical(p.e, origin); got != p.canonical {
			t.Errorf("%s: %s, want %s", p.text, got, p.canonical)
		}
	}
}

func TestTextForPeople(t *testing.T) {
	for _, p := range pinned {
		if got := Text(p.e, nil); got != p.text {
			t.Errorf("%s, want %s", got, p.text)
		}
	}
}

// Parentheses stand where the tree is another one without them.
func TestPrecedence(t *testing.T) {
	not := func(e Expr) Expr { return call("NOT", e) }
	for _, c := range []struct {
		e    Expr
		want string
	}{
		{call("*", call("+", a, b), five), "(a + b) * 5"},
		{call("+", a, call("*", b, five)), "a + b * 5"},
		{call("-", call("-", a, b), five), "a - b - 5"},
		{call("-", a, call("-", b, five)), "a - (b - 5)"},
		{call("/", a, call("*", b, five)), "a / (b * 5)"},
		{call("AND", call("OR", a, b), call("AND", a, b)), "(a OR b) AND a AND b"},
		{call("OR", call("AND", a, b), not(a), b), "a AND b OR NOT a OR b"},
		{not(call("AND", a, b)), "NOT (a AND b)"},
		{not(not(call("=", a, b))), "NOT NOT a = b"},
		{call("=", not(a), b), "(NOT a) = b"},
		{call("=", a, call("=", a, b)), "a = (a = b)"},
		{call("IS NOT NULL", call("+", a, b)), "a + b IS NOT NULL"},
		{call("IS TRUE", call("IS NULL", a)), "(a IS NULL) IS TRUE"},
		{call("BETWEEN", a, call("+", b, five), call("OR", a, b)), "a BETWEEN b + 5 AND (a OR b)"},
		{call("NOT BETWEEN", a, b, five), "a NOT BETWEEN b AND 5"},
		{call("IN", call("||", s, s), five, b), "s || s IN (5, b)"},
		{call("NOT IN", a, five), "a NOT IN (5)"},
		{call("NEG", call("+", a, b)), "-(a + b)"},
		{call("NEG", call("NEG", a)), "-(-a)"},
		{call("NEG", minus), "-(-5)"},
		{call("NEG", lit(-0.5, types.DoubleT)), "-(-5E-01)"},
		{call("NEG", lit(big.NewInt(-5), types.DecimalT(2, 1))), "-(-0.5)"},
		{call("-", a, minus), "a - -5"},
		{call("POS", call("+", a, b)), "a + b"},
		{&Field{Arg: call("+", a, b), Name: "x"}, "(a + b).x"},
		{&Field{Arg: call("NEG", a), Name: "x"}, "(-a).x"},
		{call("LIKE", s, lit("a%", types.CharT(2))), "s LIKE 'a%'"},
	} {
		if got := Text(c.e, nil); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestAggregates(t *testing.T) {
	for _, c := range []struct {
		a               Aggregate
		canonical, text string
	}{
		{Aggregate{Name: "COUNT", Typ: types.BigIntT.NotNullable()}, "COUNT():BIGINT", "COUNT(*)"},
		{Aggregate{Name: "COUNT", Args: []Expr{a, s}, Distinct: true, Filter: call("<", a, five), Typ: types.BigIntT},
			`COUNT distinct(t#0,t#2){"<"(t#0,5:INT)}:BIGINT`, "COUNT(DISTINCT a, s) FILTER (WHERE a < 5)"},
		{Aggregate{Name: "SUM", Args: []Expr{a}, Typ: types.BigIntT}, "SUM(t#0):BIGINT", "SUM(a)"},
	} {
		if got := c.a.Canonical(origin); got != c.canonical {
			t.Errorf("%s, want %s", got, c.canonical)
		}
		if got := c.a.Text(nil); got != c.text {
			t.Errorf("%s, want %s", got, c.text)
		}
	}
}

// tree has every kind of node.
func tree() Expr {
	return &Case{
		Whens: []Expr{call("=", &Field{Arg: r, Name: "x", Typ: types.IntT}, five)}, Thens: []Expr{&Cast{Arg: s, Typ: types.BigIntT}}, Else: a, Typ: types.BigIntT,
	}
}

func TestWalkGoesParentsFirst(t *testing.T) {
	var seen []string
	note := func(e Expr) { seen = append(seen, strings.TrimPrefix(fmt.Sprintf("%T", e), "*expr.")) }
	Walk(tree(), func(e Expr) bool { note(e); return true })
	if got := strings.Join(seen, " "); got != "Case Call Field Column Literal Cast Column Column" {
		t.Errorf("order %s", got)
	}
	seen = nil
	Walk(tree(), func(e Expr) bool { _, isCall := e.(*Call); note(e); return !isCall })
	if got := strings.Join(seen, " "); got != "Case Call Cast Column Column" {
		t.Errorf("children of a call that were to be left out: %s", got)
	}
	Walk(nil, func(Expr) bool { t.Error("called for nothing"); return true })
}

func TestMapRebuildsBottomUpAndLeavesTheTreeAlone(t *testing.T) {
	e := tree()
	shifted := Map(e, func(e Expr) Expr {
		if c, ok := e.(*Column); ok {
			moved := *c
			moved.Index += 10
			return &moved
		}
		return e
	})
	if got, want := Canonical(shifted, origin), `case["="(t#13."x",5:INT),cast(t#12 as BIGINT)](t#10)`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !reflect.DeepEqual(e, tree()) {
		t.Error("the tree was changed")
	}
	var order []string
	Map(e, func(e Expr) Expr { order = append(order, Text(e, nil)); return e })
	if last := order[len(order)-1]; last != Text(e, nil) || order[0] != "r" {
		t.Errorf("from %s to %s", order[0], last)
	}
}
