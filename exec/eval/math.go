package eval

import (
	"math"

	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// double1 and double2 bind functions of doubles.
func double1(fn func(float64) float64) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			x, m := vec.Values[float64](f.Args[0].Vec), f.Args[0].mask
			return fill(f, func(i int) (float64, bool) { return fn(x[i&m]), true })
		}, nil
	}
}

func double2(fn func(a, b float64) float64) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			x, m := vec.Values[float64](f.Args[0].Vec), f.Args[0].mask
			y, n := vec.Values[float64](f.Args[1].Vec), f.Args[1].mask
			return fill(f, func(i int) (float64, bool) { return fn(x[i&m], y[i&n]), true })
		}, nil
	}
}

// mathFn is an entry of a function from a double to a double.
func mathFn(name, doc, example, result string, fn func(float64) float64) Function {
	return Function{Name: name, Signature: name + "(x DOUBLE)", Doc: doc, Example: example, Result: result,
		Type: fnRule(pDouble), Bind: double1(fn)}
}

func fnRule(params ...param) Rule { return fn(ret(types.DoubleT), params...) }

func bindAbs(s *Site) (Kernel, error) {
	switch s.Args[0].Physical() {
	case types.PhysI8:
		return absInt[int8], nil
	case types.PhysI16:
		return absInt[int16], nil
	case types.PhysI32:
		return absInt[int32], nil
	case types.PhysI64:
		return absInt[int64], nil
	case types.PhysF32:
		return mapFixed(func(x float32) float32 { return float32(math.Abs(float64(x))) }), nil
	case types.PhysF64:
		return mapFixed(math.Abs), nil
	}
	return mapFixed(decimal.Abs), nil
}

func absInt[T integer](f *Frame) error {
	dst, a := vec.Values[T](f.Out), vec.Values[T](f.Args[0].Vec)
	for i := range dst {
		x := a[i]
		if x < 0 {
			x = -x
		}
		dst[i] = x
	}
	return nil
}

// mapFixed applies a function to each value of a fixed-width column.
func mapFixed[T vec.Fixed](fn func(T) T) Kernel {
	return func(f *Frame) error {
		a, m := vec.Values[T](f.Args[0].Vec), f.Args[0].mask
		return fill(f, func(i int) (T, bool) { return fn(a[i&m]), true })
	}
}

// bindIntegral binds FLOOR and CEIL of numbers.
func bindIntegral(floor bool) func(*Site) (Kernel, error) {
	ff, fd := math.Ceil, decimal.Ceil
	if floor {
		ff, fd = math.Floor, decimal.Floor
	}
	return func(s *Site) (Kernel, error) {
		switch t := s.Args[0]; {
		case len(s.Args) == 2:
			return bindRoundTime(s, floor)
		case t.Kind == types.Float:
			return mapFixed(func(x float32) float32 { return float32(ff(float64(x))) }), nil
		case t.Kind == types.Double:
			return mapFixed(ff), nil
		case t.Kind == types.Decimal:
			return mapFixed(func(x decimal.D) decimal.D { return fd(x, t.Scale) }), nil
		}
		return copyColumn, nil
	}
}

// copyColumn is the identity for fixed-width columns.
func copyColumn(f *Frame) error {
	copy(f.Out.Data, f.Args[0].Data)
	return nil
}

func integralRule(args []expr.Arg) (Sig, error) {
	if len(args) == 2 {
		return roundTimeRule(args)
	}
	sig, err := fn(retArg(0), pNum)(args)
	if err == nil && sig.Result.Kind == types.Decimal {
		sig.Result.Scale = 0
	}
	return sig, err
}

func signRule(args []expr.Arg) (Sig, error) { return fn(retArg(0), pNum)(args) }

func bindSign(s *Site) (Kernel, error) {
	switch t := s.Args[0]; t.Physical() {
	case types.PhysI8, types.PhysI16:
		return nil, s.errorf("is not defined for %s, as in Flink; convert the argument to INT", t.Nullable())
	case types.PhysI32:
		return mapFixed(signInt[int32]), nil
	case types.PhysI64:
		return mapFixed(signInt[int64]), nil
	case types.PhysF32:
		return mapFixed(func(x float32) float32 { return float32(signFloat(float64(x))) }), nil
	case types.PhysF64:
		return mapFixed(signFloat), nil
	default:
		return func(f *Frame) error {
			a, m := vec.Values[vec.Dec128](f.Args[0].Vec), f.Args[0].mask
			return fill(f, func(i int) (vec.Dec128, bool) {
				return decimal.Rescale(decimal.FromInt64(int64(decimal.Sign(a[i&m]))), 0, t.Scale, t.Precision)
			})
		}, nil
	}
}

func signInt[T integer](x T) T {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

func signFloat(x float64) float64 {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return x // zero keeps its sign, NaN stays
}

// javaPow is Math.pow, which differs from Go's for 1 and -1 to an infinite or NaN power.
func javaPow(x, y float64) float64 {
	switch {
	case y == 0:
		return 1
	case math.IsNaN(y), (x == 1 || x == -1) && math.IsInf(y, 0):
		return math.NaN()
	}
	return math.Pow(x, y)
}

// sinh and cosh do not overflow before their result does.
func sinh(x float64) float64 {
	if math.Abs(x) > 700 {
		h := math.Exp(math.Abs(x) / 2)
		return math.Copysign(h/2*h, x)
	}
	return math.Sinh(x)
}

func cosh(x float64) float64 {
	if math.Abs(x) > 700 {
		h := math.Exp(math.Abs(x) / 2)
		return h / 2 * h
	}
	return math.Cosh(x)
}

func logBase(base, x float64) float64 { return math.Log(x) / math.Log(base) }

func bindLog(s *Site) (Kernel, error) {
	if len(s.Args) == 1 {
		return double1(math.Log)(s)
	}
	return double2(logBase)(s)
}

func constant(x float64) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error { return fill(f, func(int) (float64, bool) { return x, true }) }, nil
	}
}

var mathFamily = Family{"Mathematical functions", []Function{
	{Name: "ABS", Signature: "ABS(x)", Doc: "The absolute value; the smallest integer stays itself.",
		Example: "ABS(-1.5)", Result: "1.5", Type: fn(retArg(0), pNum), Nulls: Total, Bind: bindAbs},
	{Name: "POWER", Aliases: []string{"POW"}, Signature: "POWER(x DOUBLE, y DOUBLE)", Doc: "x to the power y.",
		Example: "POWER(2, 10)", Result: "1024.0", Type: fnRule(pDouble, pDouble), Bind: double2(javaPow)},
	{Name: "SQRT", Signature: "SQRT(x DOUBLE)", Doc: "The square root; NaN for negative numbers.",
		Example: "SQRT(4)", Result: "2.0", Type: fnRule(pDouble), Bind: double1(math.Sqrt)},
	mathFn("LN", "The natural logarithm.", "LN(1)", "0.0", math.Log),
	mathFn("LOG10", "The logarithm to base 10.", "LOG10(100)", "2.0", math.Log10),
	mathFn("LOG2", "The logarithm to base 2.", "LOG2(8)", "3.0", func(x float64) float64 { return math.Log(x) / math.Log(2) }),
	{Name: "LOG", Signature: "LOG([base DOUBLE,] x DOUBLE)", Doc: "The logarithm to a base, e when none is given.",
		Example: "LOG(2, 8)", Result: "3.0", Type: fnRule(pDouble, opt(pDouble)), Bind: bindLog},
	mathFn("EXP", "e to the power x.", "EXP(0)", "1.0", math.Exp),
	{Name: "FLOOR", Signature: "FLOOR(x [TO unit])", Doc: "The largest integer not above x, or a time rounded down to a unit.",
		Example: "FLOOR(1.5)", Result: "1", Type: integralRule, Bind: bindIntegral(true)},
	{Name: "CEIL", Aliases: []string{"CEILING"}, Signature: "CEIL(x [TO unit])", Doc: "The smallest integer not below x, or a time rounded up to a unit.",
		Example: "CEIL(1.5)", Result: "2", Type: integralRule, Bind: bindIntegral(false)},
	{Name: "ROUND", Signature: "ROUND(x [, digits INT])", Doc: "x rounded half up to some digits after the point; negative digits round before it.",
		Example: "ROUND(2.55, 1)", Result: "2.6", Type: roundRule, Bind: bindRound(false)},
	{Name: "TRUNCATE", Signature: "TRUNCATE(x [, digits INT])", Doc: "x cut to some digits after the point.",
		Example: "TRUNCATE(2.59, 1)", Result: "2.5", Type: roundRule, Bind: bindRound(true)},
	{Name: "SIGN", Signature: "SIGN(x)", Doc: "-1, 0 or 1.",
		Example: "SIGN(-5)", Result: "-1", Type: signRule, Bind: bindSign},
	mathFn("SIN", "Sine of an angle in radians.", "SIN(0)", "0.0", math.Sin),
	mathFn("COS", "Cosine of an angle in radians.", "COS(0)", "1.0", math.Cos),
	mathFn("TAN", "Tangent of an angle in radians.", "TAN(0)", "0.0", math.Tan),
	mathFn("COT", "Cotangent of an angle in radians.", "COT(0)", "Infinity", func(x float64) float64 { return 1 / math.Tan(x) }),
	mathFn("SINH", "Hyperbolic sine.", "SINH(0)", "0.0", sinh),
	mathFn("COSH", "Hyperbolic cosine.", "COSH(0)", "1.0", cosh),
	mathFn("TANH", "Hyperbolic tangent.", "TANH(0)", "0.0", math.Tanh),
	mathFn("ASIN", "Arc sine.", "ASIN(0)", "0.0", math.Asin),
	mathFn("ACOS", "Arc cosine.", "ACOS(1)", "0.0", math.Acos),
	mathFn("ATAN", "Arc tangent.", "ATAN(0)", "0.0", math.Atan),
	{Name: "ATAN2", Signature: "ATAN2(y DOUBLE, x DOUBLE)", Doc: "The angle of the point (x, y).",
		Example: "ATAN2(0, 1)", Result: "0.0", Type: fnRule(pDouble, pDouble), Bind: double2(math.Atan2)},
	mathFn("DEGREES", "Radians to degrees.", "DEGREES(0)", "0.0", func(x float64) float64 { return x * (180 / math.Pi) }),
	mathFn("RADIANS", "Degrees to radians.", "RADIANS(0)", "0.0", func(x float64) float64 { return x * (math.Pi / 180) }),
	{Name: "PI", Signature: "PI()", Doc: "The number pi.",
		Example: "PI()", Result: "3.141592653589793", Type: fnNotNull(ret(types.DoubleT)), Bind: constant(math.Pi)},
	{Name: "E", Signature: "E()", Doc: "Euler's number.",
		Example: "E()", Result: "2.718281828459045", Type: fnNotNull(ret(types.DoubleT)), Bind: constant(math.E)},
}}
