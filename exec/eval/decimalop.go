package eval

import (
	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Decimal operators take integers and decimals of any scale as they are. A result with more
// digits than its type is NULL.

// decimalReader returns a reader of an exact operand and its scale. The reader is rebound
// for each batch.
func decimalReader(t types.Type) (read func(o Operand) func(i int) decimal.D, scale int) {
	switch t.Physical() {
	case types.PhysI8:
		return readInts[int8], 0
	case types.PhysI16:
		return readInts[int16], 0
	case types.PhysI32:
		return readInts[int32], 0
	case types.PhysI64:
		return readInts[int64], 0
	}
	return func(o Operand) func(i int) decimal.D {
		x, m := vec.Values[vec.Dec128](o.Vec), o.mask
		return func(i int) decimal.D { return x[i&m] }
	}, t.Scale
}

func readInts[T integer](o Operand) func(i int) decimal.D {
	x, m := vec.Values[T](o.Vec), o.mask
	return func(i int) decimal.D { return decimal.FromInt64(int64(x[i&m])) }
}

func bindDecimalArith(s *Site, op byte) (Kernel, error) {
	ra, s1 := decimalReader(s.Args[0])
	rb, s2 := decimalReader(s.Args[1])
	if s.Result.Kind != types.Decimal { // % of scales 0 has the type of the divisor
		work := types.DecimalT(maxPrecision, 0)
		return thenConvert(s, work, decimalKernel(op, ra, s1, rb, s2, maxPrecision, 0))
	}
	p, sc := s.Result.Precision, s.Result.Scale
	if k := mulByConst(s, op, s1, s2); k != nil {
		return k, nil
	}
	return decimalKernel(op, ra, s1, rb, s2, p, sc), nil
}

func decimalKernel(op byte, ra func(Operand) func(int) decimal.D, s1 int, rb func(Operand) func(int) decimal.D, s2, p, sc int) Kernel {
	return func(f *Frame) error {
		a, b := ra(f.Args[0]), rb(f.Args[1])
		switch op {
		case '+':
			return fill(f, func(i int) (decimal.D, bool) { return decimal.Add(a(i), s1, b(i), s2, p, sc) })
		case '-':
			return fill(f, func(i int) (decimal.D, bool) { return decimal.Sub(a(i), s1, b(i), s2, p, sc) })
		case '*':
			return fill(f, func(i int) (decimal.D, bool) { return decimal.Mul(a(i), b(i), s1+s2, p, sc) })
		}
		return fill(f, func(i int) (decimal.D, bool) {
			d := b(i)
			if decimal.Sign(d) == 0 {
				f.fail(i, byZero)
				return d, true
			}
			if op == '/' {
				return decimal.Div(a(i), s1, d, s2, p, sc)
			}
			return decimal.Mod(a(i), s1, d, s2, p, sc)
		})
	}
}

// mulByConst is the path of "0.908 * price": a 64-bit integer or small decimal column times
// a constant, where neither the scale changes nor the result can overflow its type.
func mulByConst(s *Site, op byte, s1, s2 int) Kernel {
	if op != '*' || s1+s2 != s.Result.Scale {
		return nil
	}
	col, lit := 0, 1
	if s.Consts[0] != nil {
		col, lit = 1, 0
	}
	v := s.Consts[lit]
	if v == nil || v.IsNull(0) || s.Consts[col] != nil || s.Args[col].Physical() != types.PhysI64 {
		return nil
	}
	p1, _ := asDecimal(s.Args[0])
	p2, _ := asDecimal(s.Args[1])
	read, _ := decimalReader(s.Args[lit])
	c := read(Operand{v, 0})(0)
	if p1+p2 >= maxPrecision || !decimal.IsInt64(c) {
		return nil
	}
	return func(f *Frame) error {
		mulWide(vec.Values[vec.Dec128](f.Out), vec.Values[int64](f.Args[col].Vec), int64(c.Lo))
		return nil
	}
}

//go:noinline
func mulWide(dst []vec.Dec128, a []int64, c int64) {
	a = a[:len(dst)]
	for i, x := range a {
		dst[i] = decimal.MulInt64(x, c)
	}
}

func compareDecimal(a, b types.Type, op cmpOp) Kernel {
	ra, s1 := decimalReader(a)
	rb, s2 := decimalReader(b)
	return func(f *Frame) error {
		x, y := ra(f.Args[0]), rb(f.Args[1])
		if f.Args[1].mask == 0 && f.N > 1 {
			if lo, hi, ok := decimalBounds(f.Args[1].Vec, y(0), s1, s2); ok && a.Kind == types.Decimal {
				return compareDecimalConst(f, op, lo, hi)
			}
		}
		return fillBool(f, func(i int) (bool, bool) { return holds(op, decimal.CmpScaled(x(i), s1, y(i), s2)), true })
	}
}

// decimalBounds rescales a constant to the column's scale: lo is the largest value of that
// scale not above it, hi the smallest not below.
func decimalBounds(_ *vec.Vec, c decimal.D, column, scale int) (lo, hi decimal.D, ok bool) {
	if scale <= column {
		lo, ok = decimal.Rescale(c, scale, column, decimal.MaxDigits)
		return lo, lo, ok
	}
	lo, hi = decimal.Floor(c, scale-column), decimal.Ceil(c, scale-column)
	return lo, hi, true
}

func compareDecimalConst(f *Frame, op cmpOp, lo, hi decimal.D) error {
	x := vec.Values[vec.Dec128](f.Args[0].Vec)
	out := words(f.Out)
	switch op {
	case opLt: // x < c: x < hi
		ltDecimal(out, x, hi)
	case opGe:
		ltDecimal(out, x, hi)
		notBits(out)
	case opLe: // x <= c: not lo < x
		gtDecimal(out, x, lo)
		notBits(out)
	case opGt:
		gtDecimal(out, x, lo)
	default:
		if lo != hi {
			clear(out)
		} else {
			eqDecimal(out, x, lo)
		}
		if op == opNe {
			notBits(out)
		}
	}
	return nil
}

//go:noinline
func ltDecimal(out []uint64, x []vec.Dec128, c vec.Dec128) {
	for w := range out {
		var m uint64
		for j, v := range x[w*64 : min(w*64+64, len(x))] {
			m |= b2u(v.Hi < c.Hi || v.Hi == c.Hi && v.Lo < c.Lo) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func gtDecimal(out []uint64, x []vec.Dec128, c vec.Dec128) {
	for w := range out {
		var m uint64
		for j, v := range x[w*64 : min(w*64+64, len(x))] {
			m |= b2u(v.Hi > c.Hi || v.Hi == c.Hi && v.Lo > c.Lo) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func eqDecimal(out []uint64, x []vec.Dec128, c vec.Dec128) {
	for w := range out {
		var m uint64
		for j, v := range x[w*64 : min(w*64+64, len(x))] {
			m |= b2u(v == c) << (uint(j) & 63)
		}
		out[w] = m
	}
}

func negateDecimal(f *Frame) error {
	dst, a := vec.Values[vec.Dec128](f.Out), vec.Values[vec.Dec128](f.Args[0].Vec)
	for i := range dst {
		dst[i] = decimal.Neg(a[i])
	}
	return nil
}

// numberReader reads any number as a double, for interval arithmetic.
func numberReader(t types.Type) func(o Operand) func(i int) float64 {
	switch t.Physical() {
	case types.PhysF32:
		return readFloats[float32]
	case types.PhysF64:
		return readFloats[float64]
	}
	read, scale := decimalReader(t)
	return func(o Operand) func(i int) float64 {
		r := read(o)
		return func(i int) float64 { return decimal.Float64(r(i), scale) }
	}
}

func readFloats[T float32 | float64](o Operand) func(i int) float64 {
	x, m := vec.Values[T](o.Vec), o.mask
	return func(i int) float64 { return float64(x[i&m]) }
}
