package csv

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// encoder writes rows. Which strings are quoted follows Jackson: those with a character up to
// the highest special one, or a backslash, or longer than maxUnquoted.
type encoder struct {
	dialect
	highest byte
	columns []column
	buf     []byte
}

// maxUnquoted is the length in UTF-16 units up to which Jackson looks whether quotes are needed.
const maxUnquoted = 24

// column is a column or a part of one.
type column struct {
	typ   types.Type
	stamp *text.Stamper
	parts []column // element of an ARRAY, fields of a ROW
}

func newEncoder(schema types.Schema, d dialect) *encoder {
	e := &encoder{dialect: d, highest: max(d.delimiter, d.quote, '\r')}
	for _, f := range schema {
		e.columns = append(e.columns, newColumn(f.Type))
	}
	return e
}

func newColumn(t types.Type) column {
	c := column{typ: t}
	switch t.Kind {
	case types.Timestamp, types.TimestampLTZ:
		c.stamp = &text.Stamper{Style: text.Style(t, false), Units: t.UnitsPerSecond()}
	case types.Array:
		c.parts = []column{newColumn(*t.Elem)}
	case types.Row:
		for _, f := range t.Fields {
			c.parts = append(c.parts, newColumn(f.Type))
		}
	}
	return c
}

// Encode implements format.Encoder.
func (e *encoder) Encode(dst []byte, b *vec.Batch, row int) ([]byte, error) {
	for i := range e.columns {
		c, v := &e.columns[i], &b.Cols[i]
		if i > 0 {
			dst = append(dst, e.delimiter)
		}
		switch {
		case v.IsNull(row):
			dst = append(dst, e.null...)
		case number(c.typ):
			dst = e.plain(dst, c, v, row)
		default:
			e.buf = e.plain(e.buf[:0], c, v, row)
			dst = e.quoted(dst, e.buf)
		}
	}
	return dst, nil
}

// number reports the types that Jackson never quotes.
func number(t types.Type) bool { return t.IsNumeric() || t.Kind == types.Boolean }

// plain appends the value without quotes.
func (e *encoder) plain(dst []byte, c *column, v *vec.Vec, row int) []byte {
	if v.IsNull(row) {
		return append(dst, e.null...)
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
			return text.AppendTime(dst, i)
		}
		return strconv.AppendInt(dst, int64(i), 10)
	case types.PhysI64:
		if i := vec.Values[int64](v)[row]; c.stamp == nil {
			return strconv.AppendInt(dst, i, 10)
		} else {
			return c.stamp.Append(dst, i)
		}
	case types.PhysF32:
		return float(dst, float64(vec.Values[float32](v)[row]), 32)
	case types.PhysF64:
		return float(dst, vec.Values[float64](v)[row], 64)
	case types.PhysD128:
		if d := vec.Values[vec.Dec128](v)[row]; e.scientific {
			return text.AppendStripped(dst, d, c.typ.Scale)
		} else {
			return text.AppendDecimal(dst, d, c.typ.Scale)
		}
	case types.PhysList:
		for i := v.Off[row]; i < v.Off[row+1]; i++ {
			if i > v.Off[row] {
				dst = append(dst, e.array...)
			}
			dst = e.plain(dst, &c.parts[0], &v.Kids[0], int(i))
		}
		return dst
	case types.PhysRow:
		for i := range c.parts {
			if i > 0 {
				dst = append(dst, e.array...)
			}
			dst = e.plain(dst, &c.parts[i], &v.Kids[i], row)
		}
		return dst
	}
	if c.typ.IsBinary() {
		return base64.StdEncoding.AppendEncode(dst, v.Bytes(row))
	}
	return append(dst, v.Bytes(row)...)
}

func float(dst []byte, f float64, bits int) []byte {
	if name, ok := text.AppendFloatName(dst, f); ok {
		return name
	}
	return text.AppendFloat(dst, f, bits)
}

// quoted appends a string with quotes where it needs them.
func (e *encoder) quoted(dst, s []byte) []byte {
	if e.quote == 0 {
		return append(dst, s...)
	}
	if !e.needsQuotes(s) {
		return append(dst, s...)
	}
	dst = append(dst, e.quote)
	for _, c := range s {
		if c == e.quote || c == e.escape && e.escape != 0 {
			dst = append(dst, c)
		}
		dst = append(dst, c)
	}
	return append(dst, e.quote)
}

func (e *encoder) needsQuotes(s []byte) bool {
	if len(s) > maxUnquoted && utf16Len(s) > maxUnquoted {
		return true
	}
	for _, c := range s {
		if c <= e.highest || c == '\\' || c == e.escape && e.escape != 0 {
			return true
		}
	}
	return false
}

func utf16Len(s []byte) int {
	n := 0
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if n++; r >= 0x10000 {
			n++
		}
		s = s[size:]
	}
	return n
}
