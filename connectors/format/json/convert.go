package json

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// errNull is a NULL where the type has none: ignore-parse-errors cannot help, the record is bad.
var errNull = errors.New("is NULL or missing, but its type is NOT NULL")

// resolve converts the raw values into scratch columns, so that appending cannot fail.
func (d *decoder) resolve() error {
	for _, n := range d.raws {
		if d.states[n.slot] != raw {
			continue // replaced by a later value of the same key
		}
		s := &d.slots[n.slot]
		from, to := int(s.lo), int(s.to)
		var err error
		if n.op == opString && d.b[from] == '"' {
			start := len(d.arena)
			if d.arena, err = unescape(d.arena, d.b[from+1:to-1]); err == nil {
				s.lo, s.to = int32(start), int32(len(d.arena))
				d.states[n.slot] = escaped
			} else {
				err = &fieldError{n.path, from, err}
			}
		} else {
			v := &d.scratch[n.slot]
			if v.N == 0 && v.Kids == nil {
				*v = vec.New(n.typ)
			}
			v.Reset()
			err = d.convert(n, from, to, v)
			d.states[n.slot] = ready
		}
		if err == nil {
			continue
		}
		if !d.ignoreErrors || errors.Is(err, errNull) {
			return err
		}
		d.states[n.slot] = null
	}
	return nil
}

// check finds a field that is NULL or missing and must not be.
func (d *decoder) check(n *node) error {
	for i := range n.fields {
		f := &n.fields[i]
		if f.op == opSkip {
			continue
		}
		switch st := d.states[f.slot]; {
		case st == absent && d.failOnMissing:
			return &fieldError{f.path, -1, errors.New("is missing in the record, and 'json." + optMissing + "' is set")}
		case st <= null && f.typ.NotNull:
			return &fieldError{f.path, -1, errNull}
		case st == value && f.op == opRow:
			if err := d.check(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendTo appends the value of n.
func (d *decoder) appendTo(n *node, v *vec.Vec) {
	s := &d.slots[n.slot]
	switch d.states[n.slot] {
	case absent, null:
		v.AppendNull()
		return
	case ready:
		v.AppendFrom(&d.scratch[n.slot], 0)
		return
	case escaped:
		v.AppendBytes(d.arena[s.lo:s.to])
		return
	}
	switch n.op {
	case opString:
		v.AppendBytes(d.b[s.lo:s.to])
	case opBool:
		v.AppendBool(s.i != 0)
	case opRow:
		for i := range n.fields {
			d.appendTo(&n.fields[i], &v.Kids[i])
		}
		v.AppendOpen()
	case opFloat:
		appendFloat(v, s.i)
	case opDecimal:
		vec.Append(v, vec.Dec128{Lo: uint64(s.i), Hi: s.hi})
	default:
		appendInt(v, n.phys, s.i)
	}
}

func appendInt(v *vec.Vec, p types.Physical, i int64) {
	switch p {
	case types.PhysI64:
		vec.Append(v, i)
	case types.PhysI32:
		vec.Append(v, int32(i))
	case types.PhysI16:
		vec.Append(v, int16(i))
	default:
		vec.Append(v, int8(i))
	}
}

// convert appends the value b[from:to], strict JSON, to v by the exact rules. On an error
// other than that of a NOT NULL it appended nothing.
func (d *decoder) convert(n *node, from, to int, v *vec.Vec) error {
	b := d.b[from:to]
	if b[0] == 'n' {
		if n.typ.NotNull {
			return &fieldError{n.path, from, errNull}
		}
		v.AppendNull()
		return nil
	}
	if !n.takes(b[0]) {
		return &fieldError{n.path, from, fmt.Errorf("found %s, expected %s for %s", kindName(b[0]), n.wants(), n.typ.Nullable())}
	}
	switch n.op {
	case opArray:
		return d.array(n, from, v)
	case opMap:
		return d.mapping(n, from, v)
	case opRow:
		return d.rowIn(n, from, v)
	case opString:
		if b[0] != '"' {
			start := len(d.arena)
			var err error
			if d.arena, err = d.normalize(d.arena, from); err != nil {
				return &fieldError{n.path, from, err}
			}
			v.AppendBytes(d.arena[start:])
			return nil
		}
	}
	quoted := b[0] == '"'
	if quoted {
		start := len(d.arena)
		var err error
		if d.arena, err = unescape(d.arena, b[1:len(b)-1]); err != nil {
			return &fieldError{n.path, from, err}
		}
		b = d.arena[start:]
	}
	if err := d.scalarValue(n, b, quoted, v); err != nil {
		return &fieldError{n.path, from, err}
	}
	return nil
}

// scalarValue appends a scalar; b is the text of the string, number or literal.
func (d *decoder) scalarValue(n *node, b []byte, quoted bool, v *vec.Vec) error {
	literal := !quoted && (b[0] == 't' || b[0] == 'f')
	switch n.op {
	case opString:
		v.AppendBytes(b)
		return nil
	case opBool: // as Java's parseBoolean: all but "true" is false
		v.AppendBool(strings.EqualFold(string(text.Trim(b)), "true"))
		return nil
	case opDate, opTime, opTimestamp, opBytes:
		if !quoted {
			return fmt.Errorf("found %s, expected a string for %s", clip(b), n.typ)
		}
		return d.quotedValue(n, b, v)
	}
	if literal {
		return fmt.Errorf("found %s, expected a number for %s", b, n.typ)
	}
	if quoted {
		b = text.Trim(b)
	}
	switch n.op {
	case opInt, opSmall:
		i, ok := text.Integer(b, n.bits)
		if !ok && !quoted && n.op == opInt {
			i, ok = text.Truncated(b, n.bits)
		}
		if !ok {
			return fmt.Errorf("%s is no %s", clip(b), n.typ.Nullable())
		}
		appendInt(v, n.phys, i)
	case opFloat:
		f, ok := text.Float(b, n.bits)
		if !ok {
			return fmt.Errorf("%s is no %s", clip(b), n.typ.Nullable())
		}
		appendFloat64(v, f)
	case opDecimal:
		dec, st := text.Decimal(b, n.typ.Precision, n.typ.Scale)
		switch {
		case st == text.DecimalBad:
			return fmt.Errorf("%s is no %s", clip(b), n.typ.Nullable())
		case st == text.DecimalOverflow && n.typ.NotNull:
			return fmt.Errorf("%s has too many digits for %s: %w", clip(b), n.typ, errNull)
		case st == text.DecimalOverflow:
			v.AppendNull()
		default:
			vec.Append(v, dec)
		}
	}
	return nil
}

// quotedValue appends a scalar that is a string in JSON.
func (d *decoder) quotedValue(n *node, b []byte, v *vec.Vec) error {
	switch n.op {
	case opDate:
		days, ok := text.Date(b)
		if !ok {
			return fmt.Errorf("%s is no DATE, expected yyyy-MM-dd", clip(b))
		}
		vec.Append(v, days)
	case opTime:
		ms, ok := text.Time(b, true)
		if !ok {
			return fmt.Errorf("%s is no TIME, expected HH:mm:ss[.f]", clip(b))
		}
		vec.Append(v, ms)
	case opTimestamp:
		t, ok := n.clock.Read(b)
		if !ok {
			return fmt.Errorf("%s is no %s, expected %s (see 'json.%s')", clip(b), n.typ.Nullable(), n.clock.Style(), optTimestamp)
		}
		vec.Append(v, t)
	default:
		bin, err := base64.StdEncoding.Strict().AppendDecode(nil, b)
		if err != nil || strings.ContainsAny(string(b), "\r\n") {
			return fmt.Errorf("%s is no base64 text, expected for %s", clip(b), n.typ)
		}
		v.AppendBytes(bin)
	}
	return nil
}

// normalize appends a value other than a string as text: compact JSON, of equal keys the
// last value. Numbers stay as they are written.
func (d *decoder) normalize(dst []byte, p int) ([]byte, error) {
	dst, _, err := d.compact(dst, p)
	return dst, err
}

func (d *decoder) compact(dst []byte, p int) (_ []byte, end int, err error) {
	switch d.b[p] {
	case '{':
		return d.compactObject(dst, p)
	case '[':
		dst = append(dst, '[')
		for p = d.blanks(p + 1); d.b[p] != ']'; {
			if dst, p, err = d.compact(dst, p); err != nil {
				return dst, p, err
			}
			if p = d.blanks(p); d.b[p] == ',' {
				dst = append(dst, ',')
				p = d.blanks(p + 1)
			}
		}
		return append(dst, ']'), p + 1, nil
	case '"':
		end, esc := d.stringEnd(p + 1)
		s := d.b[p+1 : end]
		if esc {
			if s, err = unescape(nil, s); err != nil {
				return dst, p, err
			}
		} else if !utf8.Valid(s) {
			return dst, p, errUTF8
		}
		return appendString(dst, s), end + 1, nil
	}
	end = d.scalar(p)
	return append(dst, d.b[p:end]...), end, nil
}

// compactObject writes members one after another; when keys came again, it puts the object
// together once more with the last value of each key in the place of the first.
func (d *decoder) compactObject(dst []byte, p int) (_ []byte, end int, err error) {
	var members []span // of their texts in dst, in order of the first appearance of their keys
	index := map[string]int{}
	repeated := false
	dst = append(dst, '{')
	open := len(dst)
	for p = d.blanks(p + 1); d.b[p] != '}'; {
		from := len(dst)
		if dst, p, err = d.compact(dst, p); err != nil {
			return dst, p, err
		}
		i, again := index[string(dst[from:])]
		if !again {
			i = len(members)
			index[string(dst[from:])] = i
			members = append(members, span{})
		}
		repeated = repeated || again
		dst = append(dst, ':')
		if dst, p, err = d.compact(dst, d.colon(p)); err != nil {
			return dst, p, err
		}
		dst = append(dst, ',')
		members[i] = span{from, len(dst)}
		if p = d.blanks(p); d.b[p] == ',' {
			p = d.blanks(p + 1)
		}
	}
	if repeated {
		var kept []byte
		for _, m := range members {
			kept = append(kept, dst[m.from:m.to]...)
		}
		dst = append(dst[:open], kept...)
	}
	if len(members) > 0 {
		dst = dst[:len(dst)-1] // the last comma
	}
	return append(dst, '}'), p + 1, nil
}
