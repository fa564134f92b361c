package eval

import (
	"strconv"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/eval/javafmt"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// appender writes row i of a column as text.
type appender func(dst []byte, v *vec.Vec, i int) []byte

// textOf returns the writer of CAST(.. AS STRING) for a type.
func textOf(t types.Type, zone *datetime.Zone) appender {
	switch t.Kind {
	case types.Boolean:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			if v.Bool(i) {
				return append(dst, "TRUE"...)
			}
			return append(dst, "FALSE"...)
		}
	case types.TinyInt:
		return intText[int8]
	case types.SmallInt:
		return intText[int16]
	case types.Int:
		return intText[int32]
	case types.BigInt:
		return intText[int64]
	case types.Float:
		return func(dst []byte, v *vec.Vec, i int) []byte { return javafmt.AppendFloat(dst, vec.Values[float32](v)[i]) }
	case types.Double:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			return javafmt.AppendDouble(dst, vec.Values[float64](v)[i])
		}
	case types.Decimal:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			return decimal.Append(dst, vec.Values[vec.Dec128](v)[i], t.Scale)
		}
	case types.Char, types.VarChar, types.Binary, types.VarBinary:
		return func(dst []byte, v *vec.Vec, i int) []byte { return append(dst, v.Bytes(i)...) }
	case types.Array, types.Map, types.Multiset, types.Row:
		return nestedText(t, zone)
	}
	return temporalText(t, zone)
}

func intText[T integer](dst []byte, v *vec.Vec, i int) []byte {
	return strconv.AppendInt(dst, int64(vec.Values[T](v)[i]), 10)
}

func temporalText(t types.Type, zone *datetime.Zone) appender {
	units := t.UnitsPerSecond()
	switch t.Kind {
	case types.Date:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			return datetime.AppendDate(dst, int64(vec.Values[int32](v)[i]))
		}
	case types.Time:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			return datetime.AppendTime(dst, int64(vec.Values[int32](v)[i])*1e6, 0) // as Flink, whatever the precision
		}
	case types.Timestamp:
		w := datetime.NewTimestampWriter(units, t.Precision)
		return func(dst []byte, v *vec.Vec, i int) []byte { return w.Append(dst, vec.Values[int64](v)[i]) }
	case types.TimestampLTZ:
		w := datetime.NewTimestampWriter(units, t.Precision)
		return func(dst []byte, v *vec.Vec, i int) []byte {
			x := vec.Values[int64](v)[i]
			return w.Append(dst, x+zone.Offset(datetime.FloorDiv(x, units))*units)
		}
	case types.IntervalYearMonth:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			return datetime.AppendYearMonth(dst, int64(vec.Values[int32](v)[i]))
		}
	case types.IntervalDayTime:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			return datetime.AppendDayTime(dst, vec.Values[int64](v)[i])
		}
	}
	return func(dst []byte, _ *vec.Vec, _ int) []byte { return append(dst, "NULL"...) }
}

// nestedText writes "[1, NULL]", "{a=1}" and "(1, x)", without quotes.
func nestedText(t types.Type, zone *datetime.Zone) appender {
	shape := vec.New(t)
	kids := make([]appender, len(shape.Kids))
	for k := range kids {
		kids[k] = textOf(shape.Kids[k].Type, zone)
	}
	one := func(dst []byte, v *vec.Vec, k, i int) []byte {
		if v.Kids[k].IsNull(i) {
			return append(dst, "NULL"...)
		}
		return kids[k](dst, &v.Kids[k], i)
	}
	switch t.Kind {
	case types.Row:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			dst = append(dst, '(')
			for k := range kids {
				if k > 0 {
					dst = append(dst, ", "...)
				}
				dst = one(dst, v, k, i)
			}
			return append(dst, ')')
		}
	case types.Array:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			dst = append(dst, '[')
			for e := v.Off[i]; e < v.Off[i+1]; e++ {
				if e > v.Off[i] {
					dst = append(dst, ", "...)
				}
				dst = one(dst, v, 0, int(e))
			}
			return append(dst, ']')
		}
	}
	return func(dst []byte, v *vec.Vec, i int) []byte {
		dst = append(dst, '{')
		for e := v.Off[i]; e < v.Off[i+1]; e++ {
			if e > v.Off[i] {
				dst = append(dst, ", "...)
			}
			dst = append(one(dst, v, 0, int(e)), '=')
			dst = one(dst, v, 1, int(e))
		}
		return append(dst, '}')
	}
}

// castToText writes any type as text, cut to the length of the target and, for CHAR,
// padded to it.
func castToText(s *Site) (Kernel, error) {
	from, to := s.Args[0], s.Result
	write := textOf(from, datetime.NewZone(s.Env.Zone))
	fromBytes := from.IsBinary()
	return func(f *Frame) error {
		a := f.Args[0]
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			start := len(dst)
			dst = write(dst, a.Vec, a.at(i))
			if fromBytes && !utf8.Valid(dst[start:]) {
				dst = append(dst[:start], []byte(string([]rune(string(dst[start:]))))...)
			}
			if to.Length < types.MaxLength {
				dst = fitText(dst, start, to.Length, to.Kind == types.Char)
			}
			return dst, true
		})
	}, nil
}

// fitText cuts dst[start:] to n code points and pads it with blanks.
func fitText(dst []byte, start, n int, pad bool) []byte {
	if len(dst)-start <= n && !pad {
		return dst
	}
	i := start
	for n > 0 && i < len(dst) {
		_, w := utf8.DecodeRune(dst[i:])
		i += w
		n--
	}
	dst = dst[:i]
	for ; pad && n > 0; n-- {
		dst = append(dst, ' ')
	}
	return dst
}

func castToBinary(s *Site) Kernel {
	n, pad := s.Result.Length, s.Result.Kind == types.Binary
	return func(f *Frame) error {
		a := f.Args[0]
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			b := a.bytes(i)
			dst = append(dst, b[:min(len(b), n)]...)
			for k := len(b); pad && k < n; k++ {
				dst = append(dst, 0)
			}
			return dst, true
		})
	}
}
