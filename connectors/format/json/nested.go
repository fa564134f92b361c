package json

import (
	"errors"
	"math"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// The methods below append ARRAY, MAP and ROW values that are not in slots. The text is known
// to be strict JSON, so positions never fail.

// below appends a value inside of another one: what does not fit becomes NULL when errors
// are ignored.
func (d *decoder) below(n *node, from, to int, v *vec.Vec) error {
	err := d.convert(n, from, to, v)
	if err == nil || !d.ignoreErrors || errors.Is(err, errNull) {
		return err
	}
	if n.typ.NotNull {
		return &fieldError{n.path, from, errNull}
	}
	v.AppendNull()
	return nil
}

func (d *decoder) array(n *node, p int, v *vec.Vec) error {
	for p = d.blanks(p + 1); d.b[p] != ']'; {
		end := d.skip(p)
		if err := d.below(n.elem, p, end, &v.Kids[0]); err != nil {
			return err
		}
		if p = d.blanks(end); d.b[p] == ',' {
			p = d.blanks(p + 1)
		}
	}
	v.AppendOpen()
	return nil
}

// span is a range of the record.
type span struct{ from, to int }

// members calls f with the key (its text, valid until the next one) and value of every
// member of the object at p.
func (d *decoder) members(p int, f func(key []byte, val span) error) error {
	for p = d.blanks(p + 1); d.b[p] != '}'; {
		end, esc := d.stringEnd(p + 1)
		key := d.b[p+1 : end]
		if esc {
			start := len(d.arena)
			text, err := unescape(d.arena, key)
			if err != nil {
				return &fieldError{"", p, err}
			}
			d.arena, key = text, text[start:]
		}
		from := d.colon(end + 1)
		to := d.skip(from)
		if err := f(key, span{from, to}); err != nil {
			return err
		}
		if p = d.blanks(to); d.b[p] == ',' {
			p = d.blanks(p + 1)
		}
	}
	return nil
}

func (d *decoder) mapping(n *node, p int, v *vec.Vec) error {
	var keys []string
	var values []span
	index := map[string]int{}
	err := d.members(p, func(key []byte, val span) error {
		if i, again := index[string(key)]; again {
			values[i] = val
			return nil
		}
		k := string(key)
		index[k] = len(keys)
		keys, values = append(keys, k), append(values, val)
		return nil
	})
	if err != nil {
		return d.inColumn(err, n)
	}
	for _, k := range keys {
		if !utf8.ValidString(k) {
			return &fieldError{n.path, p, errUTF8}
		}
	}
	for i, k := range keys {
		v.Kids[0].AppendString(k)
		if err := d.below(n.elem, values[i].from, values[i].to, &v.Kids[1]); err != nil {
			return err
		}
	}
	v.AppendOpen()
	return nil
}

func (d *decoder) rowIn(n *node, p int, v *vec.Vec) error {
	values := make([]span, len(n.fields))
	err := d.members(p, func(key []byte, val span) error {
		if i, ok := n.index[string(key)]; ok {
			values[i] = val
		}
		return nil
	})
	if err != nil {
		return d.inColumn(err, n)
	}
	for i := range n.fields {
		f := &n.fields[i]
		if values[i].to == 0 {
			if f.typ.NotNull || d.failOnMissing {
				return &fieldError{f.path, p, errNull}
			}
			v.Kids[i].AppendNull()
			continue
		}
		if err := d.below(f, values[i].from, values[i].to, &v.Kids[i]); err != nil {
			return err
		}
	}
	v.AppendOpen()
	return nil
}

// inColumn names the column of a key that cannot be read.
func (d *decoder) inColumn(err error, n *node) error {
	if f, ok := errors.AsType[*fieldError](err); ok && f.path == "" {
		f.path = n.path
	}
	return err
}

// appendFloat appends the bits of a DOUBLE as a value of v's type.
func appendFloat(v *vec.Vec, bits int64) { appendFloat64(v, math.Float64frombits(uint64(bits))) }

func appendFloat64(v *vec.Vec, f float64) {
	if v.Type.Physical() == types.PhysF32 {
		vec.Append(v, float32(f))
		return
	}
	vec.Append(v, f)
}
