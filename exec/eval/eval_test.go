package eval

import (
	"errors"
	"slices"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestExpressions(t *testing.T) {
	i64, f64, text := types.BigIntT, types.DoubleT, types.StringT
	b := batch(
		column(t, i64, int64(10), int64(-7), nil, int64(0)),
		column(t, f64, 1.5, nil, 2.5, 0.0),
		column(t, text, "apple", "pear", nil, ""),
		column(t, types.BooleanT, true, false, nil, nil),
	)
	a, d, s, q := col(0, i64), col(1, f64), col(2, text), col(3, types.BooleanT)
	price := lit(mustBig("908"), types.DecimalT(4, 3))
	for name, c := range map[string]struct {
		e    expr.Expr
		want []string
	}{
		"a + 1":               {apply(t, "+", a, num(1)), []string{"11", "-6", "NULL", "1"}},
		"1 - a":               {apply(t, "-", num(1), a), []string{"-9", "8", "NULL", "1"}},
		"a + d":               {apply(t, "+", a, d), []string{"11.5", "NULL", "NULL", "0.0"}},
		"a / 3":               {apply(t, "/", a, num(3)), []string{"3", "-2", "NULL", "0"}},
		"a % 4":               {apply(t, "%", a, num(4)), []string{"2", "-3", "NULL", "0"}},
		"0.908 * a":           {apply(t, "*", price, a), []string{"9.080", "-6.356", "NULL", "0.000"}},
		"a > 5 AND d < 2":     {apply(t, "AND", apply(t, ">", a, num(5)), apply(t, "<", d, num(2))), []string{"TRUE", "FALSE", "FALSE", "FALSE"}},
		"q OR a = 0":          {apply(t, "OR", q, apply(t, "=", a, num(0))), []string{"TRUE", "FALSE", "NULL", "TRUE"}},
		"NOT q":               {apply(t, "NOT", q), []string{"FALSE", "TRUE", "NULL", "NULL"}},
		"q IS NOT TRUE":       {apply(t, "IS NOT TRUE", q), []string{"FALSE", "TRUE", "TRUE", "TRUE"}},
		"s IS NULL":           {apply(t, "IS NULL", s), []string{"FALSE", "FALSE", "TRUE", "FALSE"}},
		"s = 'pear'":          {apply(t, "=", s, str("pear")), []string{"FALSE", "TRUE", "NULL", "FALSE"}},
		"s < 'b'":             {apply(t, "<", s, str("b")), []string{"TRUE", "FALSE", "NULL", "TRUE"}},
		"a IN (10, 0)":        {apply(t, "IN", a, num(10), num(0)), []string{"TRUE", "FALSE", "NULL", "TRUE"}},
		"a NOT IN (10, NULL)": {apply(t, "NOT IN", a, num(10), lit(nil, types.NullT)), []string{"FALSE", "NULL", "NULL", "NULL"}},
		"a BETWEEN -7 AND 0":  {apply(t, "BETWEEN", a, num(-7), num(0)), []string{"FALSE", "TRUE", "NULL", "TRUE"}},
		"COALESCE(d, a)":      {apply(t, "COALESCE", d, a), []string{"1.5", "-7.0", "2.5", "0.0"}},
		"IF(q, s, 'no')":      {apply(t, "IF", q, s, str("no")), []string{"apple", "no", "no", "no"}},
		"NULLIF(a, 0)":        {apply(t, "NULLIF", a, num(0)), []string{"10", "-7", "NULL", "NULL"}},
		"a IS DISTINCT FROM NULLIF(a, 0)": {apply(t, "IS DISTINCT FROM", a, apply(t, "NULLIF", a, num(0))),
			[]string{"FALSE", "FALSE", "FALSE", "TRUE"}},
		"s || '!'": {apply(t, "||", s, str("!")), []string{"apple!", "pear!", "NULL", "!"}},
	} {
		if got := evalOne(t, c.e, b); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		b.Sel = []int32{1, 3}
		if got := evalOne(t, c.e, b); !slices.Equal(got, []string{c.want[1], c.want[3]}) {
			t.Errorf("%s with a selection: %v, want rows 1 and 3 of %v", name, got, c.want)
		}
		b.Sel = nil
	}
}

func TestErrorsOnlyForRowsThatAreReached(t *testing.T) {
	b := batch(column(t, types.IntT, int64(2), int64(0), nil), column(t, types.StringT, "1", "x", "3"))
	a, s := col(0, types.IntT), col(1, types.StringT)
	div := apply(t, "/", num(6), a)
	failing := func(e expr.Expr, row int) {
		t.Helper()
		p, err := Compile([]expr.Expr{e}, Env{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Eval(b)
		var re *Error
		if !errors.As(err, &re) || re.Row != row || exec.ClassOf(err) != exec.User {
			t.Fatalf("error %v, want one of row %d", err, row)
		}
	}
	failing(div, 1)
	failing(&expr.Cast{Arg: s, Typ: types.IntT}, 1)
	b.Sel = []int32{0, 2}
	if got := evalOne(t, div, b); !slices.Equal(got, []string{"3", "NULL"}) {
		t.Errorf("6 / a = %v", got)
	}
	b.Sel = nil
	guarded := &expr.Case{Whens: []expr.Expr{apply(t, "=", a, num(0))}, Thens: []expr.Expr{num(-1)}, Else: div, Typ: types.IntT}
	if got := evalOne(t, guarded, b); !slices.Equal(got, []string{"3", "-1", "NULL"}) {
		t.Errorf("CASE: %v", got)
	}
	and := apply(t, "AND", apply(t, "<>", a, num(0)), apply(t, ">", div, num(2)))
	if got := evalOne(t, and, b); !slices.Equal(got, []string{"TRUE", "FALSE", "NULL"}) {
		t.Errorf("AND: %v", got)
	}
	if got := evalOne(t, &expr.Cast{Arg: s, Typ: types.IntT, Try: true}, b); !slices.Equal(got, []string{"1", "NULL", "3"}) {
		t.Errorf("TRY_CAST: %v", got)
	}
}

func TestConstantErrorIsReportedUnlessUnreachable(t *testing.T) {
	bad := apply(t, "/", num(1), num(0))
	if _, err := Compile([]expr.Expr{bad}, Env{}); err == nil {
		t.Error("1 / 0 compiled")
	}
	e := &expr.Case{Whens: []expr.Expr{lit(true, types.BooleanT)}, Thens: []expr.Expr{num(1)}, Else: bad, Typ: types.IntT}
	if _, err := Compile([]expr.Expr{e}, Env{}); err != nil {
		t.Error(err)
	}
}

func TestPredicateSelect(t *testing.T) {
	n := 200
	v := vec.New(types.IntT)
	for i := range n {
		if i%10 == 9 {
			v.AppendNull()
		} else {
			vec.Append(&v, int32(i))
		}
	}
	b := batch(v)
	a := col(0, types.IntT)
	e := apply(t, "AND", apply(t, ">=", a, num(5)), apply(t, "OR", apply(t, "<", a, num(8)), apply(t, "=", apply(t, "%", a, num(50)), num(0))))
	p, err := CompilePredicate(e, Env{})
	if err != nil {
		t.Fatal(err)
	}
	var sel []int32
	for range 2 {
		if sel, err = p.Select(b, sel); err != nil {
			t.Fatal(err)
		}
		if want := []int32{5, 6, 7, 50, 100, 150}; !slices.Equal(sel, want) {
			t.Fatalf("selected %v, want %v", sel, want)
		}
	}
	b.Sel = []int32{6, 9, 51, 100}
	if sel, err = p.Select(b, sel); err != nil || !slices.Equal(sel, []int32{6, 100}) {
		t.Fatalf("selected %v %v", sel, err)
	}
}
