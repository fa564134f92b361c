package inflight

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// ErrCorrupt is wrapped by errors about content that makes no sense.
var ErrCorrupt = errors.New("damaged rows in flight")

// Decode reads a file whose rows must be of schema s.
func Decode(b []byte, s types.Schema) ([]*vec.Batch, error) {
	d := &decoder{b: b}
	if string(d.take(len(magic))) != magic {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrCorrupt, magic)
	}
	cols := make([]types.Type, len(s))
	for i := range s {
		cols[i] = s[i].Type
	}
	if text, want := d.take(int(d.u32())), typesText(cols); d.bad == nil && string(text) != want {
		return nil, fmt.Errorf("the rows in flight have the columns %.400s, expected %.400s: the query has changed; restore a savepoint, which has no rows in flight", text, want)
	}
	var out []*vec.Batch
	for d.bad == nil && len(d.b) > 0 {
		f := &decoder{b: d.take(int(d.u32()))}
		if d.bad != nil {
			break
		}
		batch := f.batch(s)
		if f.bad == nil && len(f.b) > 0 {
			f.fail("%d bytes are left in a frame", len(f.b))
		}
		if f.bad != nil {
			return nil, f.bad
		}
		out = append(out, batch)
	}
	return out, d.bad
}

// decoder reads from b until the first thing that is wrong; then everything is empty.
type decoder struct {
	b   []byte
	bad error
}

func (d *decoder) fail(format string, args ...any) {
	if d.bad == nil {
		d.bad = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
	}
	d.b = nil
}

// take returns the next n bytes, nil when they are not there.
func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail("%d bytes of %d are there", len(d.b), n)
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) u32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// flag reads whether something optional is there.
func (d *decoder) flag() bool {
	b := d.take(1)
	if b != nil && b[0] > 1 {
		d.fail("%d is neither 0 nor 1", b[0])
	}
	return bytes.Equal(b, []byte{1})
}

func (d *decoder) batch(s types.Schema) *vec.Batch {
	n := int(d.u32())
	if n > vec.MaxRows {
		d.fail("a batch of %d rows; at most %d are possible", n, vec.MaxRows)
		return nil
	}
	b := vec.NewBatch(s)
	b.N = n
	if d.flag() {
		for _, k := range d.take(n) {
			if k > byte(vec.Delete) {
				d.fail("%d is no kind of row", k)
				return nil
			}
			b.Kinds = append(b.Kinds, vec.Kind(k))
		}
	}
	for i := range b.Cols {
		d.vec(&b.Cols[i], n)
	}
	return b
}

// vec fills an empty column with n rows.
func (d *decoder) vec(v *vec.Vec, n int) {
	if d.flag() {
		if raw := d.take(words(n) * 8); raw != nil {
			v.Valid = make([]uint64, words(n))
			for i := range v.Valid {
				v.Valid[i] = binary.LittleEndian.Uint64(raw[i*8:])
			}
		}
	}
	if d.bad != nil {
		return
	}
	valid := v.Valid
	switch p := v.Type.Physical(); p {
	case types.PhysBytes:
		if end := d.offsets(v, n); d.bad == nil {
			v.Data = append(v.Data, d.take(end)...)
		}
	case types.PhysList, types.PhysMap:
		end := d.offsets(v, n)
		if end > 8*len(d.b) { // a value has at least a bit
			d.fail("%d values in %d bytes", end, len(d.b))
		}
		d.kids(v, end)
	case types.PhysRow:
		d.kids(v, n)
	case types.PhysBool:
		d.values(v, n, words(n)*8)
	default:
		d.values(v, n, n*p.Width())
	}
	v.N, v.Valid = n, valid
}

// values fills a column of fixed width, on the boundary that its values need.
func (d *decoder) values(v *vec.Vec, n, size int) {
	if raw := d.take(size); raw != nil {
		v.Resize(n)
		copy(v.Data, raw)
	}
}

func (d *decoder) kids(v *vec.Vec, n int) {
	for i := range v.Kids {
		if d.bad == nil {
			d.vec(&v.Kids[i], n)
		}
	}
}

// offsets fills the offsets of n rows and returns the last one.
func (d *decoder) offsets(v *vec.Vec, n int) int {
	raw := d.take((n + 1) * 4)
	if raw == nil {
		return 0
	}
	v.Off = make([]int32, n+1)
	last := int32(0)
	for i := range v.Off {
		o := int32(binary.LittleEndian.Uint32(raw[i*4:]))
		if o < last || i == 0 && o != 0 {
			d.fail("offset %d follows %d", o, last)
			return 0
		}
		v.Off[i], last = o, o
	}
	return int(last)
}
