package eval

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestResolveErrorsNameTheTypes(t *testing.T) {
	s, i := types.StringT, types.IntT
	for _, c := range []struct {
		name string
		args []types.Type
		want string
	}{
		{"UPPER", []types.Type{i}, "UPPER: argument 1 is INT, not STRING; expected UPPER(s STRING)"},
		{"UPPER", nil, "UPPER: 0 arguments given; expected UPPER(s STRING)"},
		{"+", []types.Type{s, i}, "cannot apply + to STRING and INT; convert an operand with CAST"},
		{"=", []types.Type{s, i}, "cannot compare STRING with INT; convert one of them with CAST"},
		{"COALESCE", []types.Type{i, s}, "COALESCE: INT and STRING have no common type; convert one of them with CAST; expected COALESCE(a, b, ...)"},
		{"AND", []types.Type{types.BooleanT, types.NullT}, "AND: argument 2 is a NULL of no type; write CAST(NULL AS type); expected a AND b"},
	} {
		args := make([]expr.Arg, len(c.args))
		for k := range args {
			args[k].Type = c.args[k]
		}
		if _, err := Builtins.Scalar(c.name, args); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := Builtins.Scalar("NOPE", nil); !errors.Is(err, expr.ErrUnknown) {
		t.Errorf("NOPE: %v", err)
	}
}

func TestNoNameStandsTwice(t *testing.T) {
	f := Family{"x", []Function{{Name: "A"}, {Name: "B", Aliases: []string{"A"}}}}
	if _, err := NewRegistry(f); err == nil || !strings.Contains(err.Error(), "A is defined twice") {
		t.Errorf("error %v", err)
	}
}

func TestCommonType(t *testing.T) {
	for _, c := range []struct {
		ts   []types.Type
		want string // "" none
	}{
		{[]types.Type{types.TinyIntT, types.BigIntT}, "BIGINT"},
		{[]types.Type{types.IntT, types.DecimalT(5, 2)}, "DECIMAL(12, 2)"},
		{[]types.Type{types.FloatT, types.DoubleT}, "FLOAT"},
		{[]types.Type{types.DecimalT(5, 2), types.FloatT}, "DOUBLE"},
		{[]types.Type{types.CharT(1).NotNullable(), types.CharT(3).NotNullable()}, "VARCHAR(3) NOT NULL"},
		{[]types.Type{types.NullT, types.IntT.NotNullable()}, "INT"},
		{[]types.Type{types.TimestampT(3), types.TimestampLTZT(0)}, "TIMESTAMP_LTZ(3)"},
		{[]types.Type{types.DecimalT(38, 0), types.DecimalT(38, 38)}, "DECIMAL(38, 0)"},
		{[]types.Type{types.IntT, types.StringT}, ""},
		{[]types.Type{types.DateT, types.TimestampT(3)}, ""},
	} {
		got, err := CommonType(c.ts...)
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("common type of %v is %v %v, want %q", c.ts, got, err, c.want)
		}
	}
}

type fixedClock struct{ now time.Time }

func (c fixedClock) Now() time.Time                       { return c.now }
func (c fixedClock) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }

func TestClockFunctionsUseTheClockAndTheSessionZone(t *testing.T) {
	env := Env{Zone: time.FixedZone("", 2*3600), Clock: fixedClock{time.UnixMilli(1_582_930_799_123)}, // 2020-02-28 22:59:59.123Z
		Watermark: func() (int64, bool) { return 5000, true }}
	b := &vec.Batch{N: 3, Cols: []vec.Vec{column(t, types.TimestampT(3), int64(1), nil, int64(3))}}
	for name, want := range map[string]string{
		"CURRENT_TIMESTAMP": "2020-02-29 00:59:59.123", "PROCTIME": "2020-02-29 00:59:59.123", "LOCALTIMESTAMP": "2020-02-29 00:59:59.123",
		"CURRENT_DATE": "2020-02-29", "CURRENT_TIME": "00:59:59", "UNIX_TIMESTAMP": "1582930799", "CURRENT_WATERMARK": "1970-01-01 00:00:05.000",
	} {
		var args []expr.Expr
		if name == "CURRENT_WATERMARK" {
			args = append(args, col(0, types.TimestampT(3)))
		}
		e := apply(t, name, args...)
		text := &expr.Cast{Arg: e, Typ: types.StringT}
		p, err := Compile([]expr.Expr{text}, env)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Eval(b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			if got := string(out[0].Bytes(i)); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
}

// A shared subexpression is computed once for a set of rows and all sets narrowed from it,
// in whatever order its users come.
func TestSharedExpressionsUnderBranches(t *testing.T) {
	b := batch(column(t, types.StringT, "A", "B", nil, "D", "E"), column(t, types.BooleanT, true, false, true, nil, false))
	lower := apply(t, "LOWER", col(0, types.StringT))
	branch := &expr.Case{Whens: []expr.Expr{col(1, types.BooleanT)}, Thens: []expr.Expr{apply(t, "||", lower, str("!"))},
		Else: apply(t, "||", str("?"), lower), Typ: types.StringT}
	mixed := apply(t, "||", branch, lower)
	want := map[expr.Expr][]string{
		lower:  {"a", "b", "NULL", "d", "e"},
		branch: {"a!", "?b", "NULL", "?d", "?e"},
		mixed:  {"a!a", "?bb", "NULL", "?dd", "?ee"},
	}
	for _, order := range [][]expr.Expr{{lower, branch, mixed}, {mixed, branch, lower}, {branch, lower, mixed}} {
		p, err := Compile(order, Env{})
		if err != nil {
			t.Fatal(err)
		}
		for _, sel := range [][]int32{nil, {1, 4}, nil, {0}, {0, 1, 2, 3, 4}} {
			b.Sel = sel
			out, err := p.Eval(b)
			if err != nil {
				t.Fatal(err)
			}
			for k, e := range order {
				var got, exp []string
				for i := range b.Len() {
					r := b.Row(i)
					exp = append(exp, want[e][r])
					if out[k].IsNull(r) {
						got = append(got, "NULL")
					} else {
						got = append(got, string(out[k].Bytes(r)))
					}
				}
				if !slices.Equal(got, exp) {
					t.Errorf("output %d with selection %v is %v, want %v", k, sel, got, exp)
				}
			}
		}
	}
}

func TestEvalAllocatesNothingPerRow(t *testing.T) {
	b := benchBatch()
	e := apply(t, "||", apply(t, "LOWER", benchColumn(b, cText)), apply(t, "SPLIT_INDEX", benchColumn(b, cURL), str("/"), num(3)))
	p, err := Compile([]expr.Expr{e, apply(t, "+", benchColumn(b, cNull), num(1))}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	run := func() {
		if _, err := p.Eval(b); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n > 20 {
		t.Errorf("%.0f allocations for a batch of %d rows", n, b.N)
	}
}

func TestPlainColumnsAreNotCopied(t *testing.T) {
	b := benchBatch()
	p, err := Compile([]expr.Expr{benchColumn(b, cText)}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Eval(b)
	if err != nil || out[0] != &b.Cols[cText] {
		t.Errorf("a plain column is copied (%v)", err)
	}
}

func TestFold(t *testing.T) {
	l, ok, err := Fold(apply(t, "*", num(6), num(7)), Env{})
	if err != nil || !ok || l.Value != int64(42) {
		t.Errorf("6 * 7 folds to %v %v %v", l, ok, err)
	}
	if _, ok, err := Fold(apply(t, "+", col(0, types.IntT), num(1)), Env{}); ok || err != nil {
		t.Errorf("a column folds: %v %v", ok, err)
	}
	if _, _, err := Fold(apply(t, "/", num(1), num(0)), Env{}); err == nil {
		t.Error("1 / 0 folds")
	}
	if _, ok, _ := Fold(apply(t, "RAND"), Env{}); ok {
		t.Error("RAND() folds")
	}
}
