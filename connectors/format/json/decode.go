package json

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// state says what a slot holds.
type state uint8

const (
	absent  state = iota
	null          // null, or a bad field that is ignored
	value         // in the slot itself
	escaped       // a string or binary: a range of the arena
	raw           // a range of the record that still has to be converted
	ready         // converted, in the decoder's scratch column of the slot
)

// slot is the value of one node in the record at hand.
type slot struct {
	i      int64 // numbers, times; the low word of a DECIMAL; bits of a float
	hi     int64 // the high word
	lo, to int32 // range of the record or the arena
}

// decoder reads records in two steps: the scan fills slots and leaves what is not plain as
// raw ranges; then, when nothing can fail any more, the columns are appended to.
type decoder struct {
	settings
	scanner
	root    node
	columns []*node // by column of the batch
	strict  bool    // there are fields that must not be NULL or missing
	states  []state // by slot
	slots   []slot
	raws    []*node // nodes in state raw
	scratch []vec.Vec
	arena   []byte
	shapes  shapes
}

func newDecoder(schema types.Schema, projection []int, s settings) (*decoder, error) {
	wanted := map[int]bool{}
	for _, i := range projection {
		wanted[i] = true
	}
	c := compiler{settings: s}
	root, err := c.row("", schema, func(i int) bool { return wanted[i] })
	if err != nil {
		return nil, err
	}
	d := &decoder{settings: s, root: root, states: make([]state, c.slots), slots: make([]slot, c.slots), scratch: make([]vec.Vec, c.slots)}
	d.columns = make([]*node, len(projection))
	for i, p := range projection {
		d.columns[i] = &d.root.fields[p]
	}
	d.strict = s.failOnMissing || mustHave(&d.root)
	return d, nil
}

// mustHave reports whether a field at or below n refuses NULL.
func mustHave(n *node) bool {
	if n.typ.NotNull {
		return true
	}
	for i := range n.fields {
		if mustHave(&n.fields[i]) {
			return true
		}
	}
	return false
}

// fieldError is what a value that does not fit its column makes of the record.
type fieldError struct {
	path string
	at   int
	err  error
}

func (e *fieldError) Error() string { return e.err.Error() }

func (e *fieldError) Unwrap() error { return e.err }

// Decode implements format.Decoder.
func (d *decoder) Decode(record []byte, cols []vec.Vec) error {
	if record == nil {
		return format.ErrNoRow
	}
	if len(record) > math.MaxInt32-1 {
		return &format.BadRecord{At: -1, Err: fmt.Errorf("record of %d bytes, at most 2 GiB can be read", len(record))}
	}
	d.b, d.err, d.depth = record, nil, 0
	d.raws, d.arena = d.raws[:0], d.arena[:0]
	if !d.shapes.match(d, record) {
		if err := d.scan(); err != nil {
			return err
		}
	}
	if len(d.raws) > 0 {
		if err := d.resolve(); err != nil {
			return d.bad(err)
		}
	}
	if d.strict {
		if err := d.check(&d.root); err != nil {
			return d.bad(err)
		}
	}
	for i, n := range d.columns {
		d.appendTo(n, &cols[i])
	}
	return nil
}

// bad is the answer for a value that does not fit.
func (d *decoder) bad(err error) error {
	if d.ignoreErrors {
		return format.ErrIgnored
	}
	bad := &format.BadRecord{At: -1, Err: err}
	if f, ok := errors.AsType[*fieldError](err); ok {
		bad.Field, bad.At, bad.Err = f.path, f.at, f.err
	}
	return bad
}

// scan reads a record of any shape and learns it.
func (d *decoder) scan() error {
	d.reset(0, len(d.states))
	d.shapes.begin()
	p := 0
	if len(d.b) >= 3 && string(d.b[:3]) == "\ufeff" {
		p = 3
	}
	p = d.blanks(p)
	if p == len(d.b) {
		return format.ErrNoRow
	}
	if d.b[p] != '{' {
		d.unexpected(p, "an object: {...}")
	} else if p = d.object(p, &d.root); p >= 0 {
		if p = d.blanks(p); p < len(d.b) {
			d.fail(p, "found %s after the end of the object; write one object a record", clip(d.b[p:]))
		}
	}
	if d.err != nil {
		if d.ignoreErrors {
			return format.ErrIgnored
		}
		return &format.BadRecord{At: d.at, Err: d.err}
	}
	d.shapes.learn(d)
	return nil
}

func (d *decoder) reset(from, to int) { clear(d.states[from:to]) }

// object reads the object at p into n's fields and returns its end.
func (d *decoder) object(p int, n *node) int {
	if d.states[n.slot] != absent {
		d.reset(n.slot, n.slot+n.slots) // the key stands here again: the last one counts
		d.shapes.odd()
	}
	d.states[n.slot] = value
	if d.depth++; d.depth > maxDepth {
		return d.fail(p, "nested deeper than %d levels", maxDepth)
	}
	expect := 0 // the field that mostly comes next
	p = d.blanks(p + 1)
	if p < len(d.b) && d.b[p] == '}' {
		d.depth--
		return p + 1
	}
	for {
		f, q := d.fieldAt(p, n, &expect)
		if q < 0 {
			return q
		}
		if p = d.member(q, f); p < 0 {
			return p
		}
		p = d.blanks(p)
		if p >= len(d.b) || d.b[p] != ',' {
			if p < len(d.b) && d.b[p] == '}' {
				d.depth--
				return p + 1
			}
			return d.unexpected(p, "',' or '}'")
		}
		p = d.blanks(p + 1)
	}
}

// fieldAt reads the key at p; it returns the field, nil when there is none of the name, and
// the position of the value.
func (d *decoder) fieldAt(p int, n *node, expect *int) (*node, int) {
	if i := *expect; i < len(n.fields) {
		f := &n.fields[i]
		if k := f.quoted; len(d.b)-p >= len(k) && string(d.b[p:p+len(k)]) == k {
			*expect = i + 1
			return f, d.blanks(p + len(k))
		}
	}
	if p >= len(d.b) || d.b[p] != '"' {
		return nil, d.unexpected(p, "a key in quotes")
	}
	end, esc := d.stringEnd(p + 1)
	if end < 0 {
		return nil, end
	}
	key := d.b[p+1 : end]
	if esc {
		start := len(d.arena)
		text, err := unescape(d.arena, key)
		if err != nil {
			return nil, d.fail(p, "key %s: %w", clip(key), err)
		}
		d.arena, key = text, text[start:]
	}
	i, ok := n.index[string(key)]
	q := d.colon(end + 1)
	if !ok {
		return nil, q
	}
	*expect = i + 1
	return &n.fields[i], q
}

// member reads the value at p of field f, nil for one that is not wanted, and returns its end.
func (d *decoder) member(p int, f *node) int {
	if p >= len(d.b) {
		return d.unexpected(p, "a value")
	}
	if f == nil || f.op == opSkip {
		end := d.skip(p)
		if end >= 0 {
			d.shapes.skipped(d, p, end)
		}
		return end
	}
	if f.op == opRow && d.b[p] == '{' {
		return d.object(p, f)
	}
	if d.states[f.slot] != absent {
		d.reset(f.slot, f.slot+f.slots)
		d.shapes.odd()
	}
	end := d.plain(p, f)
	if end < 0 && d.err == nil {
		if end = d.skip(p); end < 0 {
			return end
		}
		d.setRaw(f, p, end)
	}
	if end >= 0 {
		d.shapes.read(d, f, p, end)
	}
	return end
}

func (d *decoder) setRaw(f *node, from, to int) {
	d.states[f.slot] = raw
	d.slots[f.slot].lo, d.slots[f.slot].to = int32(from), int32(to)
	d.raws = append(d.raws, f)
}

// plain reads the value at p the quick way. It returns its end, or -1 with no error set when
// the value is not of the form that mostly stands there: conversion has the exact rules.
func (d *decoder) plain(p int, f *node) int {
	b, s := d.b, &d.slots[f.slot]
	c := b[p]
	if c == 'n' {
		end := d.literal(p)
		if end >= 0 {
			d.states[f.slot] = null
		}
		return end
	}
	switch f.op {
	case opInt, opSmall:
		v, end := shortInt(b, p)
		if end < 0 || end < len(b) && (b[end] == '.' || b[end]|0x20 == 'e') || v != v<<(64-f.bits)>>(64-f.bits) {
			return -1
		}
		s.i = v
		d.states[f.slot] = value
		return end
	case opBool:
		if c != 't' && c != 'f' {
			return -1
		}
		s.i = 0
		if c == 't' {
			s.i = 1
		}
		d.states[f.slot] = value
		return d.literal(p)
	case opString, opDate, opTimestamp, opTime, opBytes:
		if c != '"' {
			return -1
		}
		end, esc := d.stringEnd(p + 1)
		if end < 0 || esc || !d.text(f, p+1, end) {
			return -1
		}
		return end + 1
	case opFloat, opDecimal:
		if c != '-' && (c < '0' || c > '9') {
			return -1
		}
		end := d.number(p)
		if end < 0 || !d.numeric(f, p, end) {
			return -1
		}
		return end
	}
	return -1
}

// text puts the string without escapes b[p:end] into f's slot, false when it needs the exact
// rules.
func (d *decoder) text(f *node, p, end int) bool {
	s, b := &d.slots[f.slot], d.b[p:end]
	switch f.op {
	case opString:
		if !utf8.Valid(b) {
			return false
		}
		s.lo, s.to = int32(p), int32(end)
	case opTimestamp:
		v, ok := f.clock.Read(b)
		if !ok {
			return false
		}
		s.i = v
	case opDate:
		v, ok := text.Date(b)
		if !ok {
			return false
		}
		s.i = int64(v)
	case opTime:
		v, ok := text.Time(b, true)
		if !ok {
			return false
		}
		s.i = int64(v)
	default:
		return false
	}
	d.states[f.slot] = value
	return true
}

// numeric puts the number b[p:end] into f's slot.
func (d *decoder) numeric(f *node, p, end int) bool {
	s, b := &d.slots[f.slot], d.b[p:end]
	d.states[f.slot] = value
	if f.op == opFloat {
		v, ok := text.Float(b, f.bits)
		s.i = int64(math.Float64bits(v))
		return ok
	}
	v, st := text.Decimal(b, f.typ.Precision, f.typ.Scale)
	if st == text.DecimalOverflow {
		d.states[f.slot] = null
	}
	s.i, s.hi = int64(v.Lo), v.Hi
	return true
}
