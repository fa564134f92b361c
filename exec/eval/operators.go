package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

func bindNegate(s *Site) (Kernel, error) {
	switch s.Args[0].Physical() {
	case types.PhysI8:
		return negate[int8], nil
	case types.PhysI16:
		return negate[int16], nil
	case types.PhysI32:
		return negate[int32], nil
	case types.PhysI64:
		return negate[int64], nil
	case types.PhysF32:
		return negate[float32], nil
	case types.PhysF64:
		return negate[float64], nil
	case types.PhysD128:
		return negateDecimal, nil
	}
	return nil, s.errorf("cannot negate %s", s.Args[0])
}

func passThrough(c *compiler, e *expr.Call) (*node, error) { return c.compile(e.Args[0]) }

// bindDistinct binds IS [NOT] DISTINCT FROM over the comparison of the values.
func bindDistinct(not bool) func(c *compiler, e *expr.Call) (*node, error) {
	return func(c *compiler, e *expr.Call) (*node, error) {
		args, err := c.compileAll(e.Args)
		if err != nil {
			return nil, err
		}
		s := &Site{Name: e.Name, Pos: e.Offset, Env: c.env, Result: types.BooleanT}
		eq, err := c.bind(s, Total, false, bindCompare(opEq), args)
		if err != nil || eq.fails != nil {
			return eq, err
		}
		d := &distinctNode{not: not, eq: eq, a: args[0], b: args[1], out: vec.New(e.Typ)}
		return &node{typ: e.Typ, total: eq.total, run: d.run}, nil
	}
}

type distinctNode struct {
	not      bool
	eq, a, b *node
	out      vec.Vec
}

func (d *distinctNode) run(p *pass, r *rows) (*vec.Vec, error) {
	a, err := d.a.operand(p, r)
	if err != nil {
		return nil, err
	}
	b, err := d.b.operand(p, r)
	if err != nil {
		return nil, err
	}
	eq, err := d.eq.operand(p, r)
	if err != nil {
		return nil, err
	}
	prepare(&d.out, r.n)
	out, ew := words(&d.out), words(eq.Vec)
	for i := range out {
		x, valid := bitWord(eq, ew, i)
		same := x&valid | nullWord(a, i)&nullWord(b, i)
		if d.not {
			out[i] = same
		} else {
			out[i] = ^same
		}
	}
	return &d.out, nil
}

// nullWord has a bit for each NULL among rows 64*i to 64*i+63.
func nullWord(o Operand, i int) uint64 {
	switch {
	case o.Valid == nil:
		return 0
	case o.mask == 0:
		return ^(o.Valid[0]&1 - 1) ^ ^uint64(0)
	}
	return ^o.Valid[i]
}

func concatRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(ret(types.StringT), pStr, pStr)(args)
	if err != nil {
		return sig, mismatch("||", args)
	}
	a, b := sig.Args[0], sig.Args[1]
	t := types.VarCharT(min(a.Length+b.Length, types.MaxLength))
	if a.Kind == types.Char && b.Kind == types.Char {
		t.Kind = types.Char
	}
	sig.Result = t.WithNull(!sig.Result.NotNull)
	return sig, nil
}

func bindConcat(*Site) (Kernel, error) {
	return func(f *Frame) error {
		a, b := f.Args[0], f.Args[1]
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			return append(append(dst, a.bytes(i)...), b.bytes(i)...), true
		})
	}, nil
}

func negRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(retArg(0), exactly("a number or an interval", types.IntT, either(types.Type.IsNumeric, types.Type.IsInterval)))(args)
	if err != nil {
		return sig, fmt.Errorf("cannot negate %s", typeList(args))
	}
	return sig, nil
}

// operatorFamily are arithmetic, comparison and || .
var operatorFamily = Family{"Operators", []Function{
	{Name: "+", Signature: "a + b", Doc: "Sum of two numbers or intervals, or a date or time moved by an interval. Integers wrap round.",
		Example: "1 + 2", Result: "3", Type: arith("+", addType, plusTemporal), Nulls: Total, Bind: bindArith('+', plusKernels)},
	{Name: "-", Signature: "a - b", Doc: "Difference of two numbers or intervals, or a date or time moved back by an interval.",
		Example: "1 - 2.5", Result: "-1.5", Type: arith("-", addType, minusTemporal), Nulls: Total, Bind: bindArith('-', minusKernels)},
	{Name: "*", Signature: "a * b", Doc: "Product; of a DECIMAL with an integer it is a DECIMAL.",
		Example: "0.908 * 1000", Result: "908.000", Type: arith("*", mulType, timesTemporal), Nulls: Total, Bind: bindArith('*', timesKernels)},
	{Name: "/", Signature: "a / b", Doc: "Quotient; of integers it is an integer, cut towards zero. Division by zero is an error except for FLOAT and DOUBLE.",
		Example: "7 / 2", Result: "3", Type: arith("/", divType, nil), Nulls: Strict, Bind: bindArith('/', divKernels)},
	{Name: "%", Aliases: []string{"MOD"}, Signature: "a % b", Doc: "Remainder of the division with the sign of a; FLOAT and DOUBLE are refused.",
		Example: "-7 % 3", Result: "-1", Type: arith("%", modType, nil), Nulls: Strict, Bind: bindArith('%', modKernels)},
	{Name: "NEG", Aliases: []string{"NEGATE"}, Signature: "-a", Doc: "The opposite number; the smallest integer stays itself.",
		Example: "-(3)", Result: "-3", Type: negRule, Nulls: Total, Bind: bindNegate},
	{Name: "POS", Signature: "+a", Doc: "The number itself.",
		Example: "+(3)", Result: "3", Type: negRule, special: passThrough},
	{Name: "=", Signature: "a = b", Doc: "Equality. NaN equals nothing; CHAR is not padded.",
		Example: "1 = 1.0", Result: "TRUE", Type: compare(true, false), Nulls: Total, Bind: bindCompare(opEq)},
	{Name: "<>", Aliases: []string{"!="}, Signature: "a <> b", Doc: "Inequality.",
		Example: "1 <> 1.0", Result: "FALSE", Type: compare(true, false), Nulls: Total, Bind: bindCompare(opNe)},
	{Name: "<", Signature: "a < b", Doc: "Less; strings by their bytes.",
		Example: "1 < 2", Result: "TRUE", Type: compare(false, false), Nulls: Total, Bind: bindCompare(opLt)},
	{Name: "<=", Signature: "a <= b", Doc: "Less or equal.",
		Example: "1 <= 2", Result: "TRUE", Type: compare(false, false), Nulls: Total, Bind: bindCompare(opLe)},
	{Name: ">", Signature: "a > b", Doc: "Greater.",
		Example: "1 > 2", Result: "FALSE", Type: compare(false, false), Nulls: Total, Bind: bindCompare(opGt)},
	{Name: ">=", Signature: "a >= b", Doc: "Greater or equal.",
		Example: "1 >= 2", Result: "FALSE", Type: compare(false, false), Nulls: Total, Bind: bindCompare(opGe)},
	{Name: "IS DISTINCT FROM", Signature: "a IS DISTINCT FROM b", Doc: "Inequality that treats NULL as a value.",
		Example: "1 IS DISTINCT FROM 2", Result: "TRUE", Type: compare(true, true), special: bindDistinct(false)},
	{Name: "IS NOT DISTINCT FROM", Signature: "a IS NOT DISTINCT FROM b", Doc: "Equality that treats NULL as a value.",
		Example: "1 IS NOT DISTINCT FROM 2", Result: "FALSE", Type: compare(true, true), special: bindDistinct(true)},
	{Name: "||", Signature: "a || b", Doc: "Concatenation of two strings.",
		Example: "'a' || 'b'", Result: "ab", Type: concatRule, Bind: bindConcat},
}}
