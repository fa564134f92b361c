package eval

import (
	"math/big"
	"testing"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// col, lit and apply build bound expressions the way a binder does: apply resolves through
// the registry and inserts the casts it asks for.
func col(i int, t types.Type) expr.Expr { return &expr.Column{Index: i, Name: "c", Typ: t, Offset: -1} }

func lit(v any, t types.Type) expr.Expr {
	return &expr.Literal{Value: v, Typ: t.WithNull(v == nil), Offset: -1}
}

func num(v int64) expr.Expr { return lit(v, types.IntT) }

func str(s string) expr.Expr { return lit(s, types.CharT(len(s))) }

func apply(t testing.TB, name string, args ...expr.Expr) expr.Expr {
	t.Helper()
	e, err := tryCall(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func tryCall(name string, args ...expr.Expr) (expr.Expr, error) {
	known := make([]expr.Arg, len(args))
	for i, a := range args {
		known[i].Type = a.Type()
		if l, ok := a.(*expr.Literal); ok {
			known[i].Literal = l
		}
	}
	o, err := Builtins.Scalar(name, known)
	if err != nil {
		return nil, err
	}
	out := make([]expr.Expr, len(args))
	for i, a := range args {
		if out[i] = a; !a.Type().Same(o.Args[i]) {
			out[i] = &expr.Cast{Arg: a, Typ: o.Args[i], Offset: -1}
		}
	}
	return &expr.Call{Name: o.Name, Args: out, Typ: o.Result, Volatile: o.Volatile, Offset: -1}, nil
}

// batch makes a batch of the given columns; values are Go values or nil.
func batch(cols ...vec.Vec) *vec.Batch {
	return &vec.Batch{N: cols[0].N, Cols: cols}
}

func column(t testing.TB, typ types.Type, values ...any) vec.Vec {
	t.Helper()
	v := vec.New(typ)
	for _, x := range values {
		if err := appendLiteral(&v, &expr.Literal{Value: x, Typ: typ}); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// evalOne evaluates e over b and returns the selected rows as text, NULL as "NULL".
func evalOne(t testing.TB, e expr.Expr, b *vec.Batch) []string {
	t.Helper()
	p, err := Compile([]expr.Expr{e}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Eval(b)
	if err != nil {
		t.Fatal(err)
	}
	write := textOf(e.Type(), nil)
	var rows []string
	for i := range b.Len() {
		r := b.Row(i)
		if out[0].IsNull(r) {
			rows = append(rows, "NULL")
			continue
		}
		rows = append(rows, string(write(nil, out[0], r)))
	}
	return rows
}

func mustBig(s string) *big.Int {
	b, _ := new(big.Int).SetString(s, 10)
	return b
}
