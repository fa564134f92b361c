package result

import (
	"encoding/hex"
	"strconv"

	"github.com/sqlstream/sqlstream/connectors/format/rowjson"
	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// null is how NULL looks in a table and inside of other values.
const null = "NULL"

// appendText appends row i of v as CAST(x AS STRING) shows it: what a person reads.
func appendText(dst []byte, v *vec.Vec, i int) []byte {
	if v.IsNull(i) || v.Type.Kind == types.Null {
		return append(dst, null...)
	}
	switch v.Type.Kind {
	case types.Boolean:
		if v.Bool(i) {
			return append(dst, "TRUE"...)
		}
		return append(dst, "FALSE"...)
	case types.TinyInt:
		return strconv.AppendInt(dst, int64(vec.Values[int8](v)[i]), 10)
	case types.SmallInt:
		return strconv.AppendInt(dst, int64(vec.Values[int16](v)[i]), 10)
	case types.Int:
		return strconv.AppendInt(dst, int64(vec.Values[int32](v)[i]), 10)
	case types.BigInt:
		return strconv.AppendInt(dst, vec.Values[int64](v)[i], 10)
	case types.Float:
		return appendFloat(dst, float64(vec.Values[float32](v)[i]), 32)
	case types.Double:
		return appendFloat(dst, vec.Values[float64](v)[i], 64)
	case types.Decimal:
		return text.AppendDecimal(dst, vec.Values[vec.Dec128](v)[i], v.Type.Scale)
	case types.Char, types.VarChar:
		return append(dst, v.Bytes(i)...)
	case types.Binary, types.VarBinary:
		dst = append(dst, "x'"...)
		return append(hex.AppendEncode(dst, v.Bytes(i)), '\'')
	case types.Array, types.Map, types.Multiset, types.Row:
		return appendNested(dst, v, i)
	}
	return appendTime(dst, v, i)
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	if named, ok := text.AppendFloatName(dst, f); ok {
		return named
	}
	return text.AppendFloat(dst, f, bits)
}

func appendTime(dst []byte, v *vec.Vec, i int) []byte {
	switch v.Type.Kind {
	case types.Date:
		return text.AppendDate(dst, vec.Values[int32](v)[i])
	case types.Time:
		return rowjson.AppendTime(dst, vec.Values[int32](v)[i], v.Type.Precision)
	case types.Timestamp:
		return rowjson.AppendTimestamp(dst, vec.Values[int64](v)[i], v.Type, ' ')
	case types.TimestampLTZ:
		return append(rowjson.AppendTimestamp(dst, vec.Values[int64](v)[i], v.Type, ' '), 'Z')
	case types.IntervalYearMonth:
		return appendYearMonth(dst, int64(vec.Values[int32](v)[i]))
	case types.IntervalDayTime:
		return appendDayTime(dst, vec.Values[int64](v)[i])
	}
	return dst
}

func appendSign(dst []byte, n int64) ([]byte, int64) {
	if n < 0 {
		return append(dst, '-'), -n
	}
	return append(dst, '+'), n
}

// appendYearMonth appends +years-months.
func appendYearMonth(dst []byte, months int64) []byte {
	dst, months = appendSign(dst, months)
	dst = strconv.AppendInt(dst, months/12, 10)
	dst = append(dst, '-')
	return appendPadded(dst, months%12, 2)
}

// appendDayTime appends +days HH:mm:ss.SSS.
func appendDayTime(dst []byte, ms int64) []byte {
	dst, ms = appendSign(dst, ms)
	dst = strconv.AppendInt(dst, ms/86_400_000, 10)
	dst = append(dst, ' ')
	dst = appendPadded(dst, ms/3_600_000%24, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, ms/60_000%60, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, ms/1000%60, 2)
	dst = append(dst, '.')
	return appendPadded(dst, ms%1000, 3)
}

func appendPadded(dst []byte, n int64, width int) []byte {
	s := strconv.FormatInt(n, 10)
	for range width - len(s) {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

// appendNested appends [a, b], {k=v, ..} and (a, b).
func appendNested(dst []byte, v *vec.Vec, i int) []byte {
	if v.Type.Kind == types.Row {
		dst = append(dst, '(')
		for k := range v.Kids {
			if k > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendText(dst, &v.Kids[k], i)
		}
		return append(dst, ')')
	}
	isMap := v.Type.Kind != types.Array
	opening, closing := byte('['), byte(']')
	if isMap {
		opening, closing = '{', '}'
	}
	dst = append(dst, opening)
	for k := int(v.Off[i]); k < int(v.Off[i+1]); k++ {
		if k > int(v.Off[i]) {
			dst = append(dst, ", "...)
		}
		dst = appendText(dst, &v.Kids[0], k)
		if isMap {
			dst = append(dst, '=')
			dst = appendText(dst, &v.Kids[1], k)
		}
	}
	return append(dst, closing)
}

// numeric reports whether values of t are put at the right side of their column.
func numeric(t types.Type) bool { return t.IsNumeric() }
