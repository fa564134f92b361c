package savepoint

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/state"
)

// decoder turns rows back into entries. Its methods may panic when a record's arrays point
// outside of their buffers; callers recover.
type decoder struct {
	s     *shape
	group *array.Uint16
	cols  []arrow.Array
	stamp *array.Timestamp
	key   *array.Binary
	val   *array.Binary

	keyBuf, valBuf []byte
}

// load begins with the rows of a record of the shape's schema.
func (d *decoder) load(rec arrow.Record) {
	d.group = rec.Column(0).(*array.Uint16)
	d.cols = rec.Columns()[1:][:len(d.s.cols)]
	at := 1 + len(d.s.cols)
	if d.s.wide.stamp {
		d.stamp = rec.Column(at).(*array.Timestamp)
		at++
	}
	if d.s.wide.rawKey {
		d.key = rec.Column(at).(*array.Binary)
		at++
	}
	if d.s.wide.rawValue {
		d.val = rec.Column(at).(*array.Binary)
	}
}

// row returns the entry of row i; key and value live until the next call.
func (d *decoder) row(i int) (g state.KeyGroup, key, value []byte, stamp int64, err error) {
	g = state.KeyGroup(d.group.Value(i))
	if d.stamp != nil && !d.stamp.IsNull(i) {
		stamp = int64(d.stamp.Value(i))
	}
	if d.key != nil && !d.key.IsNull(i) {
		key = d.key.Value(i)
	} else {
		d.keyBuf = d.appendKey(d.keyBuf[:0], g, i)
		key = d.keyBuf
	}
	if d.val != nil && !d.val.IsNull(i) {
		return g, key, d.val.Value(i), stamp, nil
	}
	if d.valBuf, err = d.appendValue(d.valBuf[:0], i); err != nil {
		return 0, nil, nil, 0, err
	}
	return g, key, d.valBuf, stamp, nil
}

func (d *decoder) appendKey(key []byte, g state.KeyGroup, i int) []byte {
	hash, last := -1, 0
	for k := range d.s.parts {
		p := &d.s.parts[k]
		last = len(key)
		switch p.form {
		case formColumn:
			key = keyform.Append(key, &p.typ, d.cols[p.column], i)
		case formOrdered:
			key = binary.BigEndian.AppendUint64(key, uint64(int64At(d.cols[p.column], i))^1<<63)
		case formHash:
			hash = len(key)
			key = append(key, make([]byte, 8)...)
		case formGroup:
			key = binary.BigEndian.AppendUint16(key, uint16(g))
		}
	}
	if hash >= 0 && hash+8 <= last {
		binary.BigEndian.PutUint64(key[hash:], keyform.Hash(key[hash+8:last]))
	}
	return key
}

func int64At(a arrow.Array, i int) int64 {
	switch a := a.(type) {
	case *array.Int64:
		return a.Value(i)
	case *array.Timestamp:
		return int64(a.Value(i))
	}
	return 0
}

func (d *decoder) appendValue(v []byte, i int) ([]byte, error) {
	s := d.s
	v = append(v, make([]byte, s.table.Size)...)
	for k := range s.cols {
		c, a := &s.cols[k], d.cols[k]
		if c.kind == instant {
			t := int64(beginOfTime)
			if !a.IsNull(i) {
				if t = int64At(a, i); t == shownEnd {
					t = endOfTime
				}
			}
			binary.LittleEndian.PutUint64(v[c.off:], uint64(t))
			continue
		}
		if c.kind == keyValue || c.kind == keyOrdered || a.IsNull(i) {
			continue
		}
		if c.present != 0 {
			binary.LittleEndian.PutUint64(v[c.present:], 1)
		}
		switch c.kind {
		case fixed:
			putFixed(v[c.off:], a, i)
		case bit:
			if a.(*array.Boolean).Value(i) {
				v[c.off] |= 1 << c.bit
			}
		case opaque:
			x := a.(*array.Binary).Value(i)
			if len(x) != c.size {
				return nil, fmt.Errorf("%w: row %d has %d bytes in a slot of %d", checkpoint.ErrCorrupt, i, len(x), c.size)
			}
			copy(v[c.off:], x)
		}
	}
	return d.appendVariable(v, i)
}

func (d *decoder) appendVariable(v []byte, i int) ([]byte, error) {
	fresh := true
	for _, k := range d.s.vars {
		fresh = fresh && d.cols[k].IsNull(i)
	}
	if fresh {
		return v, nil
	}
	for _, k := range d.s.vars {
		c, a, at := &d.s.cols[k], d.cols[k], len(v)
		switch x := a.(type) {
		case *array.String:
			if c.kind == variable && !a.IsNull(i) {
				v = append(v, x.Value(i)...)
			}
		case *array.Binary:
			if c.kind == variable && !a.IsNull(i) {
				v = append(v, x.Value(i)...)
			}
		}
		if c.kind == variableKey && !a.IsNull(i) {
			v = keyform.Append(v, &c.typ, a, i)
		}
		if len(v) > math.MaxInt32 {
			return nil, fmt.Errorf("%w: row %d makes a value of more than 2 GiB", checkpoint.ErrCorrupt, i)
		}
		binary.LittleEndian.PutUint32(v[c.off:], uint32(at))
		binary.LittleEndian.PutUint32(v[c.off+4:], uint32(len(v)-at))
	}
	return v, nil
}

// putFixed writes row i of a, little endian.
func putFixed(dst []byte, a arrow.Array, i int) {
	switch a := a.(type) {
	case *array.Boolean:
		if a.Value(i) {
			dst[0] = 1
		}
	case *array.Int8:
		dst[0] = byte(a.Value(i))
	case *array.Int16:
		binary.LittleEndian.PutUint16(dst, uint16(a.Value(i)))
	case *array.Int32:
		binary.LittleEndian.PutUint32(dst, uint32(a.Value(i)))
	case *array.Date32:
		binary.LittleEndian.PutUint32(dst, uint32(a.Value(i)))
	case *array.Time32:
		binary.LittleEndian.PutUint32(dst, uint32(a.Value(i)))
	case *array.Float32:
		binary.LittleEndian.PutUint32(dst, math.Float32bits(a.Value(i)))
	case *array.Float64:
		binary.LittleEndian.PutUint64(dst, math.Float64bits(a.Value(i)))
	case *array.Decimal128:
		x := a.Value(i)
		binary.LittleEndian.PutUint64(dst, x.LowBits())
		binary.LittleEndian.PutUint64(dst[8:], uint64(x.HighBits()))
	default:
		binary.LittleEndian.PutUint64(dst, uint64(int64At(a, i)))
	}
}
