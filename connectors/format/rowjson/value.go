package rowjson

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// AppendValue appends row i of v as a JSON value.
func AppendValue(dst []byte, v *vec.Vec, i int) []byte {
	if v.IsNull(i) || v.Type.Kind == types.Null {
		return append(dst, "null"...)
	}
	switch v.Type.Kind {
	case types.Boolean:
		return strconv.AppendBool(dst, v.Bool(i))
	case types.TinyInt:
		return strconv.AppendInt(dst, int64(vec.Values[int8](v)[i]), 10)
	case types.SmallInt:
		return strconv.AppendInt(dst, int64(vec.Values[int16](v)[i]), 10)
	case types.Int:
		return strconv.AppendInt(dst, int64(vec.Values[int32](v)[i]), 10)
	case types.Float:
		return appendFloat(dst, float64(vec.Values[float32](v)[i]), 32)
	case types.Double:
		return appendFloat(dst, vec.Values[float64](v)[i], 64)
	case types.Char, types.VarChar:
		return appendString(dst, v.Bytes(i))
	case types.Array:
		return appendList(dst, v, i)
	case types.Map, types.Multiset:
		return appendPairs(dst, v, i)
	case types.Row:
		dst = append(dst, '[')
		for k := range v.Kids {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = AppendValue(dst, &v.Kids[k], i)
		}
		return append(dst, ']')
	}
	dst = append(dst, '"')
	dst = appendQuoted(dst, v, i)
	return append(dst, '"')
}

// appendQuoted appends the values that stand in quotes and need no escapes.
func appendQuoted(dst []byte, v *vec.Vec, i int) []byte {
	switch v.Type.Kind {
	case types.BigInt, types.IntervalDayTime:
		return strconv.AppendInt(dst, vec.Values[int64](v)[i], 10)
	case types.IntervalYearMonth:
		return strconv.AppendInt(dst, int64(vec.Values[int32](v)[i]), 10)
	case types.Decimal:
		return text.AppendDecimal(dst, vec.Values[vec.Dec128](v)[i], v.Type.Scale)
	case types.Binary, types.VarBinary:
		return hex.AppendEncode(dst, v.Bytes(i))
	case types.Date:
		return text.AppendDate(dst, vec.Values[int32](v)[i])
	case types.Time:
		return AppendTime(dst, vec.Values[int32](v)[i], v.Type.Precision)
	case types.Timestamp:
		return AppendTimestamp(dst, vec.Values[int64](v)[i], v.Type, 'T')
	case types.TimestampLTZ:
		return append(AppendTimestamp(dst, vec.Values[int64](v)[i], v.Type, 'T'), 'Z')
	}
	return dst
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	start := len(dst)
	dst = append(dst, '"')
	if named, ok := text.AppendFloatName(dst, f); ok {
		return append(named, '"')
	}
	return text.AppendFloat(dst[:start], f, bits)
}

func appendList(dst []byte, v *vec.Vec, i int) []byte {
	dst = append(dst, '[')
	for k := v.Off[i]; k < v.Off[i+1]; k++ {
		if k > v.Off[i] {
			dst = append(dst, ',')
		}
		dst = AppendValue(dst, &v.Kids[0], int(k))
	}
	return append(dst, ']')
}

// appendPairs writes a map in the order of its pairs' text: maps have none of their own.
func appendPairs(dst []byte, v *vec.Vec, i int) []byte {
	pairs := make([][]byte, 0, v.Off[i+1]-v.Off[i])
	for k := v.Off[i]; k < v.Off[i+1]; k++ {
		p := AppendValue([]byte{'['}, &v.Kids[0], int(k))
		p = AppendValue(append(p, ','), &v.Kids[1], int(k))
		pairs = append(pairs, append(p, ']'))
	}
	slices.SortFunc(pairs, bytes.Compare)
	dst = append(dst, '[')
	dst = append(dst, bytes.Join(pairs, []byte{','})...)
	return append(dst, ']')
}

const hexDigits = "0123456789ABCDEF"

// appendString appends s as a JSON string; what is no UTF-8 becomes U+FFFD.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= 0x20 && c < utf8.RuneSelf:
			dst = append(dst, c)
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\b':
			dst = append(dst, `\b`...)
		case c == '\f':
			dst = append(dst, `\f`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
	}
	return append(dst, '"')
}
