package nexmark

import "github.com/sqlstream/sqlstream/exec/vec"

// what a column holds.
type what uint8

const (
	eventType what = iota
	eventTime
	rowOfKind
)

type column struct {
	what  what
	scale int64 // units of a time per millisecond
	kind  Kind
	parts []part
}

// part is a field of a ROW column.
type part struct {
	field *field
	scale int64
}

// filler fills whole columns, and of a ROW only the rows of its kind.
type filler struct {
	gen     *Generator
	columns []column

	// Of the batch at hand, per kind: the rows, their events, and the validity bitmap that
	// the ROW column and all its fields share.
	rows   [3][]int32
	events [3][]int64
	valid  [3][]uint64
}

// Fill implements counted.Filler.
func (f *filler) Fill(b *vec.Batch, first, step int64, n int) error {
	words := (n + 63) / 64
	for k := range f.rows {
		f.rows[k], f.events[k] = f.rows[k][:0], f.events[k][:0]
		if cap(f.valid[k]) < words {
			f.valid[k] = make([]uint64, words)
		}
		f.valid[k] = f.valid[k][:words]
		clear(f.valid[k])
	}
	for i := range n {
		e := first + int64(i)*step
		k := KindOf(e)
		f.rows[k] = append(f.rows[k], int32(i))
		f.events[k] = append(f.events[k], e)
		f.valid[k][i>>6] |= 1 << (uint(i) & 63)
	}
	for i := range f.columns {
		c, v := &f.columns[i], &b.Cols[i]
		switch c.what {
		case eventType:
			v.Resize(n)
			out := vec.Values[int32](v)
			for k, rows := range f.rows {
				for _, r := range rows {
					out[r] = int32(k)
				}
			}
		case eventTime:
			v.Resize(n)
			out := vec.Values[int64](v)
			for r := range out {
				out[r] = f.gen.Time(first+int64(r)*step) * c.scale
			}
		case rowOfKind:
			v.N, v.Valid = n, f.valid[c.kind]
			for p := range c.parts {
				f.fillPart(&c.parts[p], c.kind, &v.Kids[p], n)
			}
		}
	}
	b.N = n
	return nil
}

func (f *filler) fillPart(p *part, k Kind, v *vec.Vec, n int) {
	rows, events := f.rows[k], f.events[k]
	if p.field.text != nil {
		f.fillText(p.field, rows, events, v, n)
	} else {
		v.Resize(n)
		clear(v.Data)
		out := vec.Values[int64](v)
		if p.field.number != nil {
			for i, r := range rows {
				out[r] = p.field.number(f.gen, events[i])
			}
		} else {
			for i, r := range rows {
				out[r] = p.field.time(f.gen, events[i]) * p.scale
			}
		}
	}
	v.Valid = f.valid[k]
}

func (f *filler) fillText(fd *field, rows []int32, events []int64, v *vec.Vec, n int) {
	off, data := v.Off[:1], v.Data[:0]
	for i, r := range rows {
		for len(off) <= int(r) { // rows of other kinds are empty
			off = append(off, int32(len(data)))
		}
		data = fd.text(f.gen, data, events[i])
		off = append(off, int32(len(data)))
	}
	for len(off) <= n {
		off = append(off, int32(len(data)))
	}
	v.Off, v.Data, v.N = off, data, n
}
