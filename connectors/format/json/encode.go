package json

import (
	"encoding/base64"
	"strconv"

	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// encoder writes rows as objects, fields in the order of the schema.
type encoder struct {
	settings
	root node
}

func newEncoder(schema types.Schema, s settings) (*encoder, error) {
	c := compiler{settings: s}
	root, err := c.row("", schema, func(int) bool { return true })
	return &encoder{settings: s, root: root}, err
}

// Encode implements format.Encoder.
func (e *encoder) Encode(dst []byte, b *vec.Batch, row int) ([]byte, error) {
	return e.fields(dst, &e.root, b.Cols, row)
}

func (e *encoder) fields(dst []byte, n *node, cols []vec.Vec, row int) (_ []byte, err error) {
	open := len(dst)
	for i := range n.fields {
		f, v := &n.fields[i], &cols[i]
		if e.noNulls && v.IsNull(row) {
			continue
		}
		dst = append(dst, ',')
		dst = append(dst, f.quoted...)
		if dst, err = e.value(dst, f, v, row); err != nil {
			return dst, err
		}
	}
	if len(dst) == open {
		dst = append(dst, '{')
	} else {
		dst[open] = '{'
	}
	return append(dst, '}'), nil
}

func (e *encoder) value(dst []byte, n *node, v *vec.Vec, row int) (_ []byte, err error) {
	if v.IsNull(row) {
		return append(dst, "null"...), nil
	}
	switch n.op {
	case opBool:
		return strconv.AppendBool(dst, v.Bool(row)), nil
	case opSmall, opInt:
		return strconv.AppendInt(dst, intAt(v, n.phys, row), 10), nil
	case opFloat:
		return e.float(dst, n, v, row), nil
	case opDecimal:
		d := vec.Values[vec.Dec128](v)[row]
		if e.plain {
			return text.AppendDecimal(dst, d, n.typ.Scale), nil
		}
		return text.AppendStripped(dst, d, n.typ.Scale), nil
	case opString:
		return appendString(dst, v.Bytes(row)), nil
	case opRow:
		return e.fields(dst, n, v.Kids, row)
	case opArray:
		dst = append(dst, '[')
		for i := v.Off[row]; i < v.Off[row+1]; i++ {
			if i > v.Off[row] {
				dst = append(dst, ',')
			}
			if dst, err = e.value(dst, n.elem, &v.Kids[0], int(i)); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case opMap:
		return e.mapping(dst, n, v, row)
	}
	dst = append(dst, '"')
	switch n.op {
	case opTimestamp:
		dst = n.stamp.Append(dst, vec.Values[int64](v)[row])
	case opDate:
		dst = text.AppendDate(dst, vec.Values[int32](v)[row])
	case opTime:
		dst = text.AppendTime(dst, vec.Values[int32](v)[row])
	case opBytes:
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes(row))
	}
	return append(dst, '"'), nil
}

func intAt(v *vec.Vec, p types.Physical, row int) int64 {
	switch p {
	case types.PhysI64:
		return vec.Values[int64](v)[row]
	case types.PhysI32:
		return int64(vec.Values[int32](v)[row])
	case types.PhysI16:
		return int64(vec.Values[int16](v)[row])
	}
	return int64(vec.Values[int8](v)[row])
}

// float writes numbers as Java does; JSON has no NaN and no Infinity, they become strings.
func (e *encoder) float(dst []byte, n *node, v *vec.Vec, row int) []byte {
	var f float64
	if n.phys == types.PhysF32 {
		f = float64(vec.Values[float32](v)[row])
	} else {
		f = vec.Values[float64](v)[row]
	}
	if name, ok := text.AppendFloatName(append(dst, '"'), f); ok {
		return append(name, '"')
	}
	return text.AppendFloat(dst, f, n.bits)
}

func (e *encoder) mapping(dst []byte, n *node, v *vec.Vec, row int) (_ []byte, err error) {
	dst = append(dst, '{')
	first := true
	for i := int(v.Off[row]); i < int(v.Off[row+1]); i++ {
		key := []byte(e.keyText)
		if !v.Kids[0].IsNull(i) {
			key = v.Kids[0].Bytes(i)
		} else if e.keyMode == keyDrop {
			continue
		} else if e.keyMode == keyFail {
			return dst, exec.Userf("column %s: a MAP with a NULL key has no JSON form; set 'json.%s' to DROP or LITERAL", n.path, optKeyMode)
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendString(dst, key), ':')
		if dst, err = e.value(dst, n.elem, &v.Kids[1], i); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
