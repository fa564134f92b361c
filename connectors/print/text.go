package print

import (
	"bytes"
	"strconv"

	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// column appends the values of one column as Java's toString prints Flink's external values.
type column struct {
	typ   types.Type
	stamp *text.Stamper
	parts []column
}

func newColumn(t types.Type) column {
	c := column{typ: t}
	switch t.Kind {
	case types.Timestamp, types.TimestampLTZ:
		c.stamp = &text.Stamper{Style: text.Style(t, true), Units: t.UnitsPerSecond()}
	case types.Array:
		c.parts = []column{newColumn(*t.Elem)}
	case types.Multiset:
		c.parts = []column{newColumn(*t.Elem), newColumn(types.IntT)}
	case types.Map:
		c.parts = []column{newColumn(*t.Key), newColumn(*t.Elem)}
	case types.Row:
		for _, f := range t.Fields {
			c.parts = append(c.parts, newColumn(f.Type))
		}
	}
	return c
}

func (c *column) append(dst []byte, v *vec.Vec, row int) []byte {
	if v.IsNull(row) {
		return append(dst, "null"...)
	}
	switch c.typ.Physical() {
	case types.PhysBool:
		return strconv.AppendBool(dst, v.Bool(row))
	case types.PhysI8:
		return strconv.AppendInt(dst, int64(vec.Values[int8](v)[row]), 10)
	case types.PhysI16:
		return strconv.AppendInt(dst, int64(vec.Values[int16](v)[row]), 10)
	case types.PhysI32:
		i := vec.Values[int32](v)[row]
		switch c.typ.Kind {
		case types.Date:
			return text.AppendDate(dst, i)
		case types.Time:
			return withoutZeroSeconds(text.AppendTime(dst, i))
		}
		return strconv.AppendInt(dst, int64(i), 10)
	case types.PhysI64:
		i := vec.Values[int64](v)[row]
		switch c.typ.Kind {
		case types.Timestamp:
			return withoutZeroSeconds(c.timestamp(dst, i))
		case types.TimestampLTZ:
			return c.timestamp(dst, i)
		}
		return strconv.AppendInt(dst, i, 10)
	case types.PhysF32:
		return float(dst, float64(vec.Values[float32](v)[row]), 32)
	case types.PhysF64:
		return float(dst, vec.Values[float64](v)[row], 64)
	case types.PhysD128:
		return text.AppendJava(dst, vec.Values[vec.Dec128](v)[row], c.typ.Scale)
	case types.PhysRow:
		dst = append(dst, "+I["...)
		for i := range c.parts {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = c.parts[i].append(dst, &v.Kids[i], row)
		}
		return append(dst, ']')
	case types.PhysList:
		return c.items(dst, '[', ']', v, row)
	case types.PhysMap:
		return c.items(dst, '{', '}', v, row)
	}
	if c.typ.IsBinary() { // a Java byte[]: signed numbers
		dst = append(dst, '[')
		for i, b := range v.Bytes(row) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = strconv.AppendInt(dst, int64(int8(b)), 10)
		}
		return append(dst, ']')
	}
	return append(dst, v.Bytes(row)...)
}

// items appends the elements of an ARRAY, or key=value of a MAP.
func (c *column) items(dst []byte, open, end byte, v *vec.Vec, row int) []byte {
	dst = append(dst, open)
	for i := int(v.Off[row]); i < int(v.Off[row+1]); i++ {
		if i > int(v.Off[row]) {
			dst = append(dst, ", "...)
		}
		dst = c.parts[0].append(dst, &v.Kids[0], i)
		if len(c.parts) > 1 {
			dst = append(dst, '=')
			dst = c.parts[1].append(dst, &v.Kids[1], i)
		}
	}
	return append(dst, end)
}

// timestamp appends a time with its fraction in groups of three digits, as Java does.
func (c *column) timestamp(dst []byte, v int64) []byte {
	start := len(dst)
	dst = c.stamp.Append(dst, v)
	dot := bytes.IndexByte(dst[start:], '.')
	if dot < 0 {
		return dst
	}
	zulu := c.stamp.Style.Zulu
	if zulu {
		dst = dst[:len(dst)-1]
	}
	for (len(dst)-start-dot-1)%3 != 0 {
		dst = append(dst, '0')
	}
	if zulu {
		dst = append(dst, 'Z')
	}
	return dst
}

// withoutZeroSeconds cuts ":00" of a text just appended, as LocalTime.toString does.
func withoutZeroSeconds(dst []byte) []byte {
	n := len(dst)
	if string(dst[n-3:]) == ":00" {
		return dst[:n-3]
	}
	return dst
}

func float(dst []byte, f float64, bits int) []byte {
	if name, ok := text.AppendFloatName(dst, f); ok {
		return name
	}
	return text.AppendFloat(dst, f, bits)
}
