package eval

import (
	"bytes"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// random is java.util.Random, so that seeded calls give Flink's numbers.
type random struct{ state uint64 }

const (
	randomMultiplier = 0x5DEECE66D
	randomMask       = 1<<48 - 1
)

func newRandom(seed int64) *random { return &random{(uint64(seed) ^ randomMultiplier) & randomMask} }

func (r *random) next(bits uint) int32 {
	r.state = (r.state*randomMultiplier + 0xB) & randomMask
	return int32(r.state >> (48 - bits))
}

func (r *random) double() float64 {
	return float64(int64(r.next(26))<<27+int64(r.next(27))) / (1 << 53)
}

// below is a number from 0 to below n > 0.
func (r *random) below(n int32) int32 {
	if n&-n == n {
		return int32(int64(n) * int64(r.next(31)) >> 31)
	}
	for {
		bits := r.next(31)
		if v := bits % n; bits-v+(n-1) >= 0 {
			return v
		}
	}
}

// randomOf makes the generator of a call: with a constant seed the same sequence for each
// program.
func randomOf(s *Site, seeded bool) *random {
	if !seeded || s.Consts[0] == nil || s.Consts[0].IsNull(0) {
		return newRandom(rand.Int64())
	}
	return newRandom(int64(value[int32](Operand{s.Consts[0], 0}, 0)))
}

func bindRand(s *Site) (Kernel, error) {
	r := randomOf(s, len(s.Args) == 1)
	return func(f *Frame) error { return fill(f, func(int) (float64, bool) { return r.double(), true }) }, nil
}

func bindRandInteger(s *Site) (Kernel, error) {
	r := randomOf(s, len(s.Args) == 2)
	return func(f *Frame) error {
		return fill(f, func(i int) (int32, bool) {
			n := value[int32](f.Args[len(f.Args)-1], i)
			if n <= 0 {
				f.fail(i, "the bound is %d; it must be positive", n)
				return 0, true
			}
			return r.below(n), true
		})
	}, nil
}

func bindUUID(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			var u [16]byte
			if _, err := crand.Read(u[:]); err != nil {
				f.fail(i, "no random numbers: %v", err)
				return dst, true
			}
			u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
			return fmt.Appendf(dst, "%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]), true
		})
	}, nil
}

func typeOfRule(args []expr.Arg) (Sig, error) {
	sig, err := fnNull(ret(types.StringT), exactly("any type", types.NullT, anyType), opt(konst(pBool)))(args)
	if err == nil && args[0].Type.Attr != types.NotTime {
		return Sig{}, fmt.Errorf("the type of a time attribute cannot be told")
	}
	return sig, err
}

func bindTypeOf(s *Site) (Kernel, error) {
	text := s.Args[0].String()
	return func(f *Frame) error {
		return fillBytes(f, func(_ int, dst []byte) ([]byte, bool) { return append(dst, text...), true })
	}, nil
}

func eltRule(args []expr.Arg) (Sig, error) {
	for _, a := range args[min(1, len(args)):] {
		if a.Type.IsBinary() != args[1].Type.IsBinary() {
			return Sig{}, mismatch("ELT", args)
		}
	}
	if len(args) > 1 && args[1].Type.IsBinary() {
		return fnNull(ret(types.BytesT), pBigInt, rest(pBin))(args)
	}
	if len(args) > 0 && args[0].Literal != nil {
		if n, ok := args[0].Literal.Value.(int64); ok && n < 1 {
			return Sig{}, fmt.Errorf("the index counts from 1; %d was given", n)
		}
	}
	return fnNull(ret(types.StringT), pBigInt, rest(pStr))(args)
}

func bindElt(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			if f.Args[0].null(i) {
				return dst, false
			}
			n := value[int64](f.Args[0], i)
			if n < 1 || n >= int64(len(f.Args)) || f.Args[n].null(i) {
				return dst, false
			}
			return append(dst, f.Args[n].bytes(i)...), true
		})
	}, nil
}

func bindPrintf(s *Site) (Kernel, error) {
	write := make([]appender, len(s.Args))
	for i, t := range s.Args {
		write[i] = printfText(t, datetime.NewZone(s.Env.Zone))
	}
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			if f.Args[0].null(i) {
				return dst, false
			}
			return printf(dst, f.Args[0].bytes(i), func(k int) (types.Type, *vec.Vec, int, appender) {
				if k+1 >= len(f.Args) {
					return types.Type{}, nil, 0, nil
				}
				a := f.Args[k+1]
				return s.Args[k+1], a.Vec, a.at(i), write[k+1]
			})
		})
	}, nil
}

// printfText writes an argument of %s as Java prints the value inside: BOOLEAN in lower
// case, dates and times as numbers.
func printfText(t types.Type, zone *datetime.Zone) appender {
	switch t.Kind {
	case types.Boolean:
		return func(dst []byte, v *vec.Vec, i int) []byte { return fmt.Append(dst, v.Bool(i)) }
	case types.Date, types.Time:
		return intText[int32]
	}
	return textOf(t, zone)
}

// printf follows java.util.Formatter for %d %x %X %o %s %S %c %b %f %e %n %%; false for a
// format that Java refuses, or an argument that does not fit it.
func printf(dst, format []byte, arg func(k int) (types.Type, *vec.Vec, int, appender)) ([]byte, bool) {
	next := 0
	for len(format) > 0 {
		p := bytes.IndexByte(format, '%')
		if p < 0 {
			return append(dst, format...), true
		}
		dst = append(dst, format[:p]...)
		format = format[p+1:]
		n := bytes.IndexAny(format, "dxXosScbBfeEgn%")
		if n < 0 || bytes.Trim(format[:n], "0123456789.-+ ,#(") != nil && len(bytes.Trim(format[:n], "0123456789.-+ ,#(")) > 0 {
			return dst, false
		}
		flags, verb := string(format[:n]), format[n]
		format = format[n+1:]
		switch verb {
		case '%':
			dst = append(dst, '%')
			continue
		case 'n':
			dst = append(dst, '\n')
			continue
		}
		t, v, row, write := arg(next)
		next++
		if v == nil {
			return dst, false
		}
		var ok bool
		if dst, ok = printArg(dst, flags, verb, t, v, row, write); !ok {
			return dst, false
		}
	}
	return dst, true
}

func printArg(dst []byte, flags string, verb byte, t types.Type, v *vec.Vec, row int, write appender) ([]byte, bool) {
	if v.IsNull(row) {
		return fmt.Appendf(dst, "%"+width(flags)+"s", "null"), true
	}
	switch verb {
	case 'd', 'x', 'X', 'o':
		if !t.IsInteger() {
			return dst, false
		}
		x, err := literalValue(v, row)
		n, ok := x.(int64)
		if err != nil || !ok {
			return dst, false
		}
		if group := bytes.IndexByte([]byte(flags), ',') >= 0; group {
			return fmt.Appendf(dst, "%"+width(flags)+"s", grouped(n)), true
		}
		if verb != 'd' && n < 0 {
			switch t.Kind {
			case types.TinyInt:
				return fmt.Appendf(dst, "%"+flags+string(verb), uint8(n)), true
			case types.SmallInt:
				return fmt.Appendf(dst, "%"+flags+string(verb), uint16(n)), true
			case types.Int:
				return fmt.Appendf(dst, "%"+flags+string(verb), uint32(n)), true
			}
			return fmt.Appendf(dst, "%"+flags+string(verb), uint64(n)), true
		}
		return fmt.Appendf(dst, "%"+flags+string(verb), n), true
	case 'f', 'e', 'E', 'g':
		if !t.IsApprox() {
			return dst, false
		}
		x, _ := literalValue(v, row)
		return printFloat(dst, flags, verb, x.(float64)), true
	case 'b', 'B':
		return fmt.Appendf(dst, "%"+width(flags)+"v", t.Kind != types.Boolean || v.Bool(row)), true
	}
	text := write(nil, v, row)
	if verb == 'S' {
		text = bytes.ToUpper(text)
	}
	return fmt.Appendf(dst, "%"+flags+"s", text), true
}

// printFloat rounds the decimal digits half up, as Java does; Go rounds the binary value.
func printFloat(dst []byte, flags string, verb byte, x float64) []byte {
	if verb == 'f' {
		digits := 6
		if _, p, ok := bytes.Cut([]byte(flags), []byte(".")); ok {
			digits = 0
			for _, c := range p {
				digits = digits*10 + int(c-'0')
			}
		}
		if text, ok := roundHalfUp(x, digits); ok {
			return fmt.Appendf(dst, "%"+width(flags)+"s", text)
		}
	}
	return fmt.Appendf(dst, "%"+flags+string(verb), x)
}

// width keeps the minus and the width of flags.
func width(flags string) string {
	out := ""
	for _, c := range flags {
		if c == '.' {
			break
		}
		if c == '-' || c >= '0' && c <= '9' && !(c == '0' && (out == "" || out == "-")) {
			out += string(c)
		}
	}
	return out
}

func grouped(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

var miscFamily = Family{"Other functions", []Function{
	{Name: "RAND", Signature: "RAND([seed INT])", Doc: "A random DOUBLE from 0 to 1.", Volatile: true,
		Type: fnNotNull(ret(types.DoubleT), opt(pInt)), Bind: bindRand},
	{Name: "RAND_INTEGER", Signature: "RAND_INTEGER([seed INT,] bound INT)", Doc: "A random INT from 0 to below a bound.", Volatile: true,
		Type: fn(ret(types.IntT), pInt, opt(pInt)), Bind: bindRandInteger},
	{Name: "UUID", Signature: "UUID()", Doc: "A random UUID.", Volatile: true,
		Type: fnNotNull(ret(types.CharT(36))), Bind: bindUUID},
	{Name: "TYPEOF", Signature: "TYPEOF(x [, internal BOOLEAN])", Doc: "The type of an expression.",
		Example: "TYPEOF(1)", Result: "INT NOT NULL", Type: typeOfRule, Nulls: Custom, Bind: bindTypeOf},
	{Name: "ELT", Signature: "ELT(n BIGINT, a STRING, b STRING, ...)", Doc: "The n-th of the values, counted from 1.",
		Example: "ELT(2, 'a', 'b')", Result: "b", Type: eltRule, Nulls: Custom, Bind: bindElt},
	{Name: "PRINTF", Signature: "PRINTF(format STRING, a, b, ...)", Doc: "A text by a format of java.util.Formatter; NULL when the format or an argument does not fit.",
		Example: "PRINTF('%s-%d', 'a', 1)", Result: "a-1", Type: fnNull(ret(types.StringT), pStr, opt(rest(pAny))), Nulls: Custom, Bind: bindPrintf},
}}
