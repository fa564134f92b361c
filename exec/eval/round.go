package eval

import (
	"math"

	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// roundRule is the rule of ROUND and TRUNCATE: of a DECIMAL it needs the constant number of
// digits to know the type.
func roundRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(retArg(0), pNum, opt(pInt))(args)
	if err != nil || sig.Args[0].Kind != types.Decimal {
		return sig, err
	}
	digits := 0
	if len(args) == 2 {
		if args[1].Literal == nil {
			return sig, nil // Flink keeps the type when it cannot know
		}
		n, _ := args[1].Literal.Value.(int64)
		digits = int(n)
	}
	sig.Result = roundType(sig.Args[0], digits).WithNull(!sig.Result.NotNull)
	return sig, nil
}

// bindRound binds ROUND and TRUNCATE (cut).
func bindRound(cut bool) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		t := s.Args[0]
		digits := func(f *Frame, i int) int {
			if len(f.Args) < 2 {
				return 0
			}
			return int(value[int32](f.Args[1], i))
		}
		switch t.Physical() {
		case types.PhysI8, types.PhysI16:
			if cut {
				return nil, s.errorf("is not defined for %s, as in Flink; convert the argument to INT", t.Nullable())
			}
			if t.Kind == types.TinyInt {
				return roundInts[int8](digits, cut), nil
			}
			return roundInts[int16](digits, cut), nil
		case types.PhysI32:
			return roundInts[int32](digits, cut), nil
		case types.PhysI64:
			return roundInts[int64](digits, cut), nil
		case types.PhysF32:
			return roundFloats[float32](s, digits, cut, 32), nil
		case types.PhysF64:
			return roundFloats[float64](s, digits, cut, 64), nil
		}
		return func(f *Frame) error {
			return fill(f, func(i int) (decimal.D, bool) {
				return roundDecimal(value[vec.Dec128](f.Args[0], i), t.Scale, digits(f, i), cut, s.Result)
			})
		}, nil
	}
}

func roundDecimal(x decimal.D, scale, digits int, cut bool, t types.Type) (decimal.D, bool) {
	at := min(digits, scale)
	if cut {
		x = decimal.Truncate(x, scale, at)
	} else {
		var ok bool
		if x, ok = decimal.Rescale(x, scale, at, maxPrecision); !ok {
			return x, false
		}
	}
	return decimal.Rescale(x, at, t.Scale, t.Precision)
}

// roundInts rounds by decimal arithmetic and wraps to the type, as Java does.
func roundInts[T integer](digits func(*Frame, int) int, cut bool) Kernel {
	return func(f *Frame) error {
		x, m := vec.Values[T](f.Args[0].Vec), f.Args[0].mask
		return fill(f, func(i int) (T, bool) {
			n := digits(f, i)
			if n >= 0 {
				return x[i&m], true
			}
			d, ok := roundDecimal(decimal.FromInt64(int64(x[i&m])), 0, n, cut, types.DecimalT(maxPrecision, 0))
			return T(d.Lo), ok
		})
	}
}

// roundFloats rounds the decimal number that the float is printed as.
func roundFloats[T float32 | float64](s *Site, digits func(*Frame, int) int, cut bool, bits int) Kernel {
	return func(f *Frame) error {
		x, m := vec.Values[T](f.Args[0].Vec), f.Args[0].mask
		return fill(f, func(i int) (T, bool) {
			v := float64(x[i&m])
			if math.IsNaN(v) || math.IsInf(v, 0) {
				f.fail(i, "%v cannot be rounded", v)
				return 0, true
			}
			n := digits(f, i)
			scale := min(max(n, 0)+1, 18)
			if math.Abs(v) < 1e17 {
				scale = 20
			}
			d, ok := decimal.FromFloat(v, bits, maxPrecision, scale)
			if !ok {
				if cut {
					f.fail(i, "%v is too large to be cut", v)
				}
				return x[i&m], true
			}
			d, ok = roundDecimal(d, scale, n, cut, types.DecimalT(maxPrecision, min(scale, max(n, 0))))
			if !ok {
				return x[i&m], true
			}
			return T(decimal.Float64(d, min(scale, max(n, 0)))), true
		})
	}
}

// roundHalfUp writes the number that x is printed as, rounded to some digits.
func roundHalfUp(x float64, digits int) (string, bool) {
	if digits > maxPrecision || math.Abs(x) > 1e17 {
		return "", false
	}
	d, ok := decimal.FromFloat(x, 64, maxPrecision, digits)
	return decimal.String(d, digits), ok
}
