package agg

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// extreme is MIN or MAX over input that takes rows away. Its slot holds the key form of the
// extreme value and the number of different values; the values are in a table (see values).
// Values compare as Java's compareTo, which is what Flink uses here (and only here): -0.0
// before 0.0, NaN last.
type extreme struct {
	max bool
	typ types.Type
}

func (extreme) size() int { return 16 }

func (extreme) update(*run, uintptr, *vec.Vec) {}

func (extreme) merge(unsafe.Pointer, unsafe.Pointer) {}

func (k extreme) better(x, than []byte) bool {
	c := rowkey.Compare(k.typ, x, than)
	return k.max && c > 0 || !k.max && c < 0
}

func (extreme) value(dst *vec.Vec, slots, heap []byte) {
	for _, s := range slotsOf[varSlot](slots) {
		if s.len == 0 {
			dst.AppendNull()
			continue
		}
		// The bytes were a column's value when they were stored; a record's are checked when
		// it is read.
		if _, err := rowkey.DecodeValue(dst, heap[s.off:s.off+s.len]); err != nil {
			dst.AppendNull()
		}
	}
}

// changeExtreme follows entry k's counter f, which update i has brought to now.
func (v *values) changeExtreme(p *Program, u *Updates, i, k, f int, c *column, now int64) error {
	ref, off, kernel := u.Refs[i], c.slot.Off, c.kernel.(extreme)
	x := v.keys.At(k)[8+len(u.Keys.At(i)):]
	rec := p.records.table.Get(ref)
	cur, n := tail(rec, off), varAt(rec, off).n
	if p.base(i) > 0 {
		if len(cur) > 0 && n > 0 && !kernel.better(x, cur) {
			x = cur
		}
		if now == 1 {
			n++
		}
		return p.records.storeTail(ref, off, cur, x, n)
	}
	if now != 0 {
		return nil
	}
	n--
	switch {
	case n == 0:
		x = nil
	case !bytes.Equal(x, cur):
		x = cur
	default:
		var err error
		if x, err = v.scanExtreme(u, i, f, kernel); err != nil {
			return err
		}
		if len(x) == 0 {
			n = 0 // the others have expired
		}
	}
	return p.records.storeTail(ref, off, cur, x, n)
}

// scanExtreme finds the extreme among the values that are left in a group.
func (v *values) scanExtreme(u *Updates, i, f int, k extreme) ([]byte, error) {
	best, skip := v.best[:0], 8+len(u.Keys.At(i))
	err := v.scanGroup(u, i, func(e state.Ref) {
		if slotsOf[int64](v.table.Get(e))[f] == 0 {
			return
		}
		if x := v.table.Key(e)[skip:]; len(best) == 0 || k.better(x, best) {
			best = append(best[:0], x...)
		}
	})
	v.best = best
	return best, err
}

// storeTail is setTail, in place where the value stays.
func (t *records) storeTail(r state.Ref, off int, cur, x []byte, n int64) error {
	if bytes.Equal(cur, x) {
		varAt(t.table.Edit(r), off).n = n
		return nil
	}
	return t.setTail(r, off, x, n)
}

// fold computes MIN and MAX of all groups of a window that is about to fire.
func (v *values) fold(p *Program, prefix []byte) error {
	any := false
	v.each(func(*column) { any = true })
	if !any {
		return nil
	}
	groups := p.records.table
	return v.table.Scan(prefix, func(e state.Ref) error {
		key := v.table.Key(e)
		x, err := rowkey.Skip(key[8:], p.opt.KeyTypes)
		if err != nil {
			return fmt.Errorf("state table %q: %w", v.Name, err)
		}
		group := key[:len(key)-len(x)]
		ref, err := groups.Find(v.table.Group(e), rowkey.HashPrefixed(group), group)
		if err != nil || ref == state.NoRef {
			return err
		}
		for f, n := range slotsOf[int64](v.table.Get(e)) {
			for _, c := range v.extremes[f] {
				rec := groups.Get(ref)
				cur := tail(rec, c.slot.Off)
				if n == 0 || len(cur) > 0 && !c.kernel.(extreme).better(x, cur) {
					continue
				}
				if err := p.records.setTail(ref, c.slot.Off, x, varAt(rec, c.slot.Off).n+1); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
