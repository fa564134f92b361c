package eval

import (
	"math"

	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// castNumber converts between numbers as Java does: integers wrap, floating point to INT
// and BIGINT saturates (and goes by way of INT to the smaller ones), DECIMAL rounds half up
// and is NULL when it has too many digits.
func castNumber(s *Site) (Kernel, error) {
	from, to := s.Args[0], s.Result
	switch {
	case to.Kind == types.Decimal:
		return castToDecimal(s), nil
	case from.Kind == types.Decimal:
		return castFromDecimal(s), nil
	}
	switch from.Physical() {
	case types.PhysI8:
		return fromInt[int8](to), nil
	case types.PhysI16:
		return fromInt[int16](to), nil
	case types.PhysI32:
		return fromInt[int32](to), nil
	case types.PhysI64:
		return fromInt[int64](to), nil
	case types.PhysF32:
		return fromFloat[float32](to), nil
	}
	return fromFloat[float64](to), nil
}

func fromInt[F integer](to types.Type) Kernel {
	switch to.Physical() {
	case types.PhysI8:
		return convertLoop[F, int8]
	case types.PhysI16:
		return convertLoop[F, int16]
	case types.PhysI32:
		return convertLoop[F, int32]
	case types.PhysI64:
		return convertLoop[F, int64]
	case types.PhysF32:
		return convertLoop[F, float32]
	}
	return convertLoop[F, float64]
}

func fromFloat[F float32 | float64](to types.Type) Kernel {
	switch to.Physical() {
	case types.PhysI8:
		return saturate[F, int8](math.MinInt32, math.MaxInt32)
	case types.PhysI16:
		return saturate[F, int16](math.MinInt32, math.MaxInt32)
	case types.PhysI32:
		return saturate[F, int32](math.MinInt32, math.MaxInt32)
	case types.PhysI64:
		return saturate[F, int64](math.MinInt64, math.MaxInt64)
	case types.PhysF32:
		return convertLoop[F, float32]
	}
	return convertLoop[F, float64]
}

func convertLoop[F, T number](f *Frame) error {
	convertCols(vec.Values[T](f.Out), vec.Values[F](f.Args[0].Vec))
	return nil
}

//go:noinline
func convertCols[F, T number](dst []T, src []F) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = T(src[i])
	}
}

func saturate[F float32 | float64, T integer](lo, hi int64) Kernel {
	return func(f *Frame) error {
		src := vec.Values[F](f.Args[0].Vec)
		dst := vec.Values[T](f.Out)
		for i := range dst {
			dst[i] = T(narrowFloat(float64(src[i]), lo, hi))
		}
		return nil
	}
}

func castToDecimal(s *Site) Kernel {
	p, sc := s.Result.Precision, s.Result.Scale
	if from := s.Args[0]; from.IsApprox() {
		return func(f *Frame) error {
			read := numberReader(from)(f.Args[0])
			return fill(f, func(i int) (decimal.D, bool) {
				x := read(i)
				if math.IsNaN(x) || math.IsInf(x, 0) {
					s.reject(f, i, "%v has no DECIMAL value", x)
					return decimal.D{}, false
				}
				return decimal.FromFloat(x, 64, p, sc)
			})
		}
	}
	read, scale := decimalReader(s.Args[0])
	return func(f *Frame) error {
		a := read(f.Args[0])
		return fill(f, func(i int) (decimal.D, bool) { return decimal.Rescale(a(i), scale, sc, p) })
	}
}

func castFromDecimal(s *Site) Kernel {
	scale := s.Args[0].Scale
	switch s.Result.Physical() {
	case types.PhysI8:
		return decimalTo(func(d decimal.D) int8 { return int8(decimal.Int64(d, scale)) })
	case types.PhysI16:
		return decimalTo(func(d decimal.D) int16 { return int16(decimal.Int64(d, scale)) })
	case types.PhysI32:
		return decimalTo(func(d decimal.D) int32 { return int32(decimal.Int64(d, scale)) })
	case types.PhysI64:
		return decimalTo(func(d decimal.D) int64 { return decimal.Int64(d, scale) })
	case types.PhysF32:
		return decimalTo(func(d decimal.D) float32 { return float32(decimal.Float64(d, scale)) })
	}
	return decimalTo(func(d decimal.D) float64 { return decimal.Float64(d, scale) })
}

func decimalTo[T number](conv func(decimal.D) T) Kernel {
	return func(f *Frame) error {
		x, m := vec.Values[vec.Dec128](f.Args[0].Vec), f.Args[0].mask
		return fill(f, func(i int) (T, bool) { return conv(x[i&m]), true })
	}
}

func castToBool(s *Site) (Kernel, error) {
	switch from := s.Args[0]; {
	case from.IsApprox():
		read := numberReader(from)
		return func(f *Frame) error {
			a := read(f.Args[0])
			return fillBool(f, func(i int) (bool, bool) { return a(i) != 0, true })
		}, nil
	case from.IsExact():
		read, _ := decimalReader(from)
		return func(f *Frame) error {
			a := read(f.Args[0])
			return fillBool(f, func(i int) (bool, bool) { return decimal.Sign(a(i)) != 0, true })
		}, nil
	}
	return nil, s.errorf("%v", CastAllowed(s.Args[0], s.Result))
}

func castFromBool(s *Site) (Kernel, error) {
	switch s.Result.Physical() {
	case types.PhysI8:
		return boolTo[int8](1), nil
	case types.PhysI16:
		return boolTo[int16](1), nil
	case types.PhysI32:
		return boolTo[int32](1), nil
	case types.PhysI64:
		return boolTo[int64](1), nil
	case types.PhysF32:
		return boolTo[float32](1), nil
	case types.PhysF64:
		return boolTo[float64](1), nil
	case types.PhysD128:
		p, sc := s.Result.Precision, s.Result.Scale
		return func(f *Frame) error {
			return fill(f, func(i int) (decimal.D, bool) {
				return decimal.Rescale(decimal.FromInt64(int64(b2u(f.Args[0].bool(i)))), 0, sc, p)
			})
		}, nil
	}
	return nil, s.errorf("%v", CastAllowed(s.Args[0], s.Result))
}

func boolTo[T number](one T) Kernel {
	return func(f *Frame) error {
		return fill(f, func(i int) (T, bool) {
			if f.Args[0].bool(i) {
				return one, true
			}
			return 0, true
		})
	}
}
