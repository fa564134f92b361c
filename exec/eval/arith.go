package eval

import (
	"math"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Arithmetic kernels: one top-level loop per operator and shape, bound by closures; a loop
// written inside the closure is three times slower. Integers wrap as in Java.

type integer interface{ int8 | int16 | int32 | int64 }

type number interface{ integer | float32 | float64 }

type loops[T number] struct {
	cols  func(dst, a, b []T)       // column, column
	right func(dst, a []T, c T)     // column, constant
	left  func(dst []T, c T, b []T) // constant, column
}

func addLoops[T number]() loops[T] {
	return loops[T]{addCols[T], addConst[T], func(dst []T, c T, b []T) { addConst(dst, b, c) }}
}

func subLoops[T number]() loops[T] { return loops[T]{subCols[T], subConst[T], constSub[T]} }

func mulLoops[T number]() loops[T] {
	return loops[T]{mulCols[T], mulConst[T], func(dst []T, c T, b []T) { mulConst(dst, b, c) }}
}

func (l loops[T]) kernel() Kernel {
	return func(f *Frame) error {
		dst, a, b := vec.Values[T](f.Out), vec.Values[T](f.Args[0].Vec), vec.Values[T](f.Args[1].Vec)
		switch {
		case f.Args[1].mask == 0:
			l.right(dst, a, b[0])
		case f.Args[0].mask == 0:
			l.left(dst, a[0], b)
		default:
			l.cols(dst, a, b)
		}
		return nil
	}
}

//go:noinline
func addCols[T number](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

//go:noinline
func addConst[T number](dst, a []T, c T) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + c
	}
}

//go:noinline
func subCols[T number](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

//go:noinline
func subConst[T number](dst, a []T, c T) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - c
	}
}

//go:noinline
func constSub[T number](dst []T, c T, b []T) {
	b = b[:len(dst)]
	for i := range dst {
		dst[i] = c - b[i]
	}
}

//go:noinline
func mulCols[T number](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

//go:noinline
func mulConst[T number](dst, a []T, c T) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * c
	}
}

// divFloats is / of FLOAT and DOUBLE: infinite or NaN, never an error.
func divFloats[T float32 | float64]() loops[T] {
	return loops[T]{divCols[T], func(dst, a []T, c T) {
		for i, x := range a[:len(dst)] {
			dst[i] = x / c
		}
	}, func(dst []T, c T, b []T) {
		for i, x := range b[:len(dst)] {
			dst[i] = c / x
		}
	}}
}

//go:noinline
func divCols[T float32 | float64](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] / b[i]
	}
}

const byZero = "division by zero"

// divInts and modInts truncate towards zero and fail on zero. Go defines the smallest
// integer divided by -1 as itself, like Java.
func divInts[T integer](s *Site) Kernel {
	if c := s.Consts[1]; c != nil && !c.IsNull(0) && vec.Values[T](c)[0] != 0 {
		return func(f *Frame) error {
			divConst(vec.Values[T](f.Out), vec.Values[T](f.Args[0].Vec), vec.Values[T](f.Args[1].Vec)[0])
			return nil
		}
	}
	return func(f *Frame) error { return divRows[T](f) }
}

//go:noinline
func divConst[T integer](dst, a []T, c T) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] / c
	}
}

func divRows[T integer](f *Frame) error {
	a, b := vec.Values[T](f.Args[0].Vec), vec.Values[T](f.Args[1].Vec)
	ma, mb := f.Args[0].mask, f.Args[1].mask
	return fill(f, func(i int) (T, bool) {
		d := b[i&mb]
		if d == 0 {
			f.fail(i, byZero)
			return 0, true
		}
		return a[i&ma] / d, true
	})
}

func modInts[T integer](s *Site) Kernel {
	if c := s.Consts[1]; c != nil && !c.IsNull(0) && vec.Values[T](c)[0] != 0 {
		return func(f *Frame) error {
			modConst(vec.Values[T](f.Out), vec.Values[T](f.Args[0].Vec), vec.Values[T](f.Args[1].Vec)[0])
			return nil
		}
	}
	return func(f *Frame) error {
		a, b := vec.Values[T](f.Args[0].Vec), vec.Values[T](f.Args[1].Vec)
		ma, mb := f.Args[0].mask, f.Args[1].mask
		return fill(f, func(i int) (T, bool) {
			d := b[i&mb]
			if d == 0 {
				f.fail(i, byZero)
				return 0, true
			}
			return a[i&ma] % d, true
		})
	}
}

//go:noinline
func modConst[T integer](dst, a []T, c T) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = a[i] % c
	}
}

// byType picks the kernel for the physical type the operation is done in.
type byType struct {
	i8, i16, i32, i64, f32, f64 func(*Site) Kernel
}

func of[T number](l func() loops[T]) func(*Site) Kernel {
	return func(*Site) Kernel { return l().kernel() }
}

var (
	plusKernels  = byType{of(addLoops[int8]), of(addLoops[int16]), of(addLoops[int32]), of(addLoops[int64]), of(addLoops[float32]), of(addLoops[float64])}
	minusKernels = byType{of(subLoops[int8]), of(subLoops[int16]), of(subLoops[int32]), of(subLoops[int64]), of(subLoops[float32]), of(subLoops[float64])}
	timesKernels = byType{of(mulLoops[int8]), of(mulLoops[int16]), of(mulLoops[int32]), of(mulLoops[int64]), of(mulLoops[float32]), of(mulLoops[float64])}
	divKernels   = byType{divInts[int8], divInts[int16], divInts[int32], divInts[int64], of(divFloats[float32]), of(divFloats[float64])}
	modKernels   = byType{i8: modInts[int8], i16: modInts[int16], i32: modInts[int32], i64: modInts[int64]}
)

func (k byType) pick(t types.Type) func(*Site) Kernel {
	switch t.Physical() {
	case types.PhysI8:
		return k.i8
	case types.PhysI16:
		return k.i16
	case types.PhysI32:
		return k.i32
	case types.PhysI64:
		return k.i64
	case types.PhysF32:
		return k.f32
	case types.PhysF64:
		return k.f64
	}
	return nil
}

// bindArith binds an arithmetic operator: dates and intervals, decimals, then numbers. A
// result narrower than the operands' type (FLOAT + DOUBLE, BIGINT % INT) is converted.
func bindArith(op byte, kernels byType) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		a, b := s.Args[0], s.Args[1]
		switch {
		case isDateTime(a) || isDateTime(b) || a.IsInterval() || b.IsInterval():
			return bindTemporalArith(s, op)
		case a.Kind == types.Decimal || b.Kind == types.Decimal:
			return bindDecimalArith(s, op)
		}
		pick := kernels.pick(a)
		if pick == nil || a.Kind != b.Kind {
			return nil, s.errorf("cannot apply %c to %s and %s", op, a, b)
		}
		k := pick(s)
		if s.Result.Kind == a.Kind {
			return k, nil
		}
		return thenConvert(s, a, k)
	}
}

// thenConvert computes with k in type work and converts to the result's type.
func thenConvert(s *Site, work types.Type, k Kernel) (Kernel, error) {
	conv, err := bindCast(&Site{Name: s.Name, Pos: s.Pos, Env: s.Env, Args: []types.Type{work}, Consts: []*vec.Vec{nil}, Result: s.Result})
	if err != nil {
		return nil, err
	}
	mid := vec.New(work)
	between := []Operand{{&mid, -1}}
	return func(f *Frame) error {
		prepare(&mid, f.N)
		mid.Valid = f.Out.Valid
		out, args := f.Out, f.Args
		f.Out = &mid
		err := k(f)
		f.Out = out
		if err != nil {
			return err
		}
		out.Valid = mid.Valid
		f.Args = between
		err = conv(f)
		f.Args = args
		return err
	}, nil
}

func negate[T number](f *Frame) error {
	dst, a := vec.Values[T](f.Out), vec.Values[T](f.Args[0].Vec)
	for i := range dst {
		dst[i] = -a[i]
	}
	return nil
}

// narrowFloat is Java's (int) of a double: NaN is 0, out of range saturates.
func narrowFloat(x float64, lo, hi int64) int64 {
	switch {
	case math.IsNaN(x):
		return 0
	case x <= float64(lo):
		return lo
	case x >= float64(hi):
		return hi
	}
	return int64(x)
}
