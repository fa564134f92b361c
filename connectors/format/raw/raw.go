// Package raw owns the format 'raw': the record is the value of the table's only column, as
// in Flink's raw format. It imports connectors/format; only the registry (connectors/all)
// imports it.
package raw

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// New returns the format.
func New() format.Format { return rawFormat{} }

type rawFormat struct{}

func (rawFormat) Name() string { return "raw" }

const (
	optCharset = "charset"
	optEndian  = "endianness"
)

var (
	charsets = []string{"UTF-8", "US-ASCII", "ISO-8859-1", "UTF-16BE", "UTF-16LE"}
	orders   = []string{"big-endian", "little-endian"}
)

func (rawFormat) Options() []connectors.OptionDef {
	return []connectors.OptionDef{
		{Key: optCharset, Type: "Enum", Enum: charsets, Default: "UTF-8", Doc: "Encoding of strings."},
		{Key: optEndian, Type: "Enum", Enum: orders, Default: "big-endian", Doc: "Order of the bytes of numbers."},
	}
}

// codec reads and writes one column.
type codec struct {
	name    string
	typ     types.Type
	width   int // of fixed-width values
	order   binary.ByteOrder
	charset string
	wanted  bool
}

func newCodec(schema types.Schema, o connectors.Options) (*codec, error) {
	if len(schema) != 1 {
		return nil, exec.Userf("format 'raw' needs a table with one physical column, this one has %d: %s", len(schema), schema)
	}
	c := &codec{name: schema[0].Name, typ: schema[0].Type, order: binary.BigEndian}
	switch c.typ.Kind {
	case types.Boolean:
		c.width = 1
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.Float, types.Double:
		c.width = c.typ.Physical().Width()
	case types.Char, types.VarChar, types.Binary, types.VarBinary:
	default:
		return nil, exec.Userf("column %s: format 'raw' cannot hold the type %s", c.name, c.typ)
	}
	order, err := o.Enum(optEndian, orders, orders[0])
	if err != nil {
		return nil, err
	}
	if order == orders[1] {
		c.order = binary.LittleEndian
	}
	c.charset, err = o.Enum(optCharset, charsets, charsets[0])
	return c, err
}

func (rawFormat) NewDecoder(schema types.Schema, projection []int, o connectors.Options, _ connectors.Env) (format.Decoder, error) {
	c, err := newCodec(schema, o)
	if err != nil {
		return nil, err
	}
	c.wanted = len(projection) > 0
	return c, nil
}

func (rawFormat) NewEncoder(schema types.Schema, o connectors.Options, _ connectors.Env) (format.Encoder, error) {
	return newCodec(schema, o)
}

// Decode implements format.Decoder. A nil record is a row with NULL.
func (c *codec) Decode(record []byte, cols []vec.Vec) error {
	if record == nil && c.typ.NotNull {
		return &format.BadRecord{Field: c.name, At: -1, Err: errors.New("is NULL, but its type is NOT NULL")}
	}
	if c.width > 0 && record != nil && len(record) != c.width {
		return &format.BadRecord{Field: c.name, At: -1, Err: fmt.Errorf("found %d bytes, expected %d for %s", len(record), c.width, c.typ.Nullable())}
	}
	if c.typ.IsString() {
		text, err := c.toUTF8(record)
		if err != nil {
			return &format.BadRecord{Field: c.name, At: -1, Err: err}
		}
		if record != nil {
			record = text
		}
	}
	if !c.wanted {
		return nil
	}
	v := &cols[0]
	if record == nil {
		v.AppendNull()
		return nil
	}
	switch c.typ.Kind {
	case types.Boolean:
		v.AppendBool(record[0] != 0)
	case types.TinyInt:
		vec.Append(v, int8(record[0]))
	case types.SmallInt:
		vec.Append(v, int16(c.order.Uint16(record)))
	case types.Int:
		vec.Append(v, int32(c.order.Uint32(record)))
	case types.BigInt:
		vec.Append(v, int64(c.order.Uint64(record)))
	case types.Float:
		vec.Append(v, math.Float32frombits(c.order.Uint32(record)))
	case types.Double:
		vec.Append(v, math.Float64frombits(c.order.Uint64(record)))
	default:
		v.AppendBytes(record)
	}
	return nil
}

// toUTF8 returns the text of the record, non-nil for an empty one.
func (c *codec) toUTF8(b []byte) ([]byte, error) {
	out := []byte{}
	switch c.charset {
	case "UTF-16BE", "UTF-16LE":
		if len(b)%2 != 0 {
			return nil, fmt.Errorf("found %d bytes, expected an even number for %s", len(b), c.charset)
		}
		order := binary.ByteOrder(binary.BigEndian)
		if strings.HasSuffix(c.charset, "LE") {
			order = binary.LittleEndian
		}
		for ; len(b) > 0; b = b[2:] {
			r := rune(order.Uint16(b))
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if len(b) >= 4 {
					pair = utf16.DecodeRune(r, rune(order.Uint16(b[2:])))
				}
				if pair == utf8.RuneError {
					return nil, fmt.Errorf("half of a surrogate pair, %04x, stands alone", r)
				}
				r, b = pair, b[2:]
			}
			out = utf8.AppendRune(out, r)
		}
	case "ISO-8859-1":
		for _, ch := range b {
			out = utf8.AppendRune(out, rune(ch))
		}
	default:
		for i, ch := range b {
			if c.charset == "US-ASCII" && ch >= utf8.RuneSelf {
				return nil, fmt.Errorf("byte %d is %#x, which is not US-ASCII", i, ch)
			}
		}
		if !utf8.Valid(b) {
			return nil, errors.New("the text is not valid UTF-8")
		}
		return b, nil
	}
	return out, nil
}

// Null implements format.Nuller.
func (c *codec) Null(b *vec.Batch, row int) bool { return b.Cols[0].IsNull(row) }

// Encode implements format.Encoder. NULL is an empty record.
func (c *codec) Encode(dst []byte, b *vec.Batch, row int) ([]byte, error) {
	v := &b.Cols[0]
	if v.IsNull(row) {
		return dst, nil
	}
	switch c.typ.Kind {
	case types.Boolean:
		if v.Bool(row) {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case types.Char, types.VarChar:
		return c.fromUTF8(dst, v.Bytes(row))
	case types.Binary, types.VarBinary:
		return append(dst, v.Bytes(row)...), nil
	}
	le := v.Data[row*c.width : (row+1)*c.width] // columns are little endian
	if c.order == binary.LittleEndian {
		return append(dst, le...), nil
	}
	for i := len(le) - 1; i >= 0; i-- {
		dst = append(dst, le[i])
	}
	return dst, nil
}

func (c *codec) fromUTF8(dst, s []byte) ([]byte, error) {
	most := rune(utf8.MaxRune)
	switch c.charset {
	case "UTF-8":
		return append(dst, s...), nil
	case "US-ASCII":
		most = 0x7f
	case "ISO-8859-1":
		most = 0xff
	}
	for _, r := range string(s) {
		switch {
		case r > most:
			return dst, exec.Userf("column %s: the character %q does not exist in 'raw.%s' = '%s'", c.name, r, optCharset, c.charset)
		case most <= 0xff:
			dst = append(dst, byte(r))
		default:
			var order binary.AppendByteOrder = binary.BigEndian
			if strings.HasSuffix(c.charset, "LE") {
				order = binary.LittleEndian
			}
			for _, u := range utf16.AppendRune(nil, r) {
				dst = order.AppendUint16(dst, u)
			}
		}
	}
	return dst, nil
}
