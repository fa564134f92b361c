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

// values is the table behind MIN and MAX over input that takes rows away: how often each
// value occurs in a group. MIN and MAX of one column and filter share it. Values compare as
// Java's compareTo, which is what Flink uses here (and only here): -0.0 before 0.0, NaN last.
type values struct {
	aux
	filter int
	users  []*column // MIN and MAX columns
	key    []byte
}

// extreme is the slot of such a MIN or MAX: the key form of the extreme value, and how many
// different values there are.
type extreme struct {
	max bool
	typ types.Type
}

func (extreme) size() int { return 16 }

func (k extreme) fields() []Field {
	return []Field{{Name: "value", Type: k.typ, Variable: true, Key: true}, {Name: "values", Type: types.BigIntT, Off: 8}}
}

func (extreme) update(*run, uintptr, *vec.Vec) {}

func (extreme) merge(unsafe.Pointer, unsafe.Pointer) {}

func (k extreme) better(x, than []byte) bool {
	if c := rowkey.Compare(k.typ, x, than); k.max {
		return c > 0
	} else {
		return c < 0
	}
}

func (extreme) value(dst *vec.Vec, slots, heap []byte) {
	for _, s := range slotsOf[varSlot](slots) {
		if s.len == 0 {
			dst.AppendNull()
			continue
		}
		// The bytes were checked when they were taken from the value's table.
		if _, err := rowkey.DecodeValue(dst, heap[s.off:s.off+s.len]); err != nil {
			dst.AppendNull()
		}
	}
}

// run applies a run of updates: to the counts, and, outside windows, to the slots.
func (v *values) run(p *Program, b *vec.Batch, u *Updates, snap bool) error {
	sign := p.argSign(v.filter, v.Arg, b, u)
	want := func(i int) bool { return sign == nil || sign[i] != 0 }
	if err := v.upsert(u, &b.Cols[v.Arg], want); err != nil {
		return err
	}
	if snap {
		for _, c := range v.users {
			c.room(2 * len(u.Rows))
		}
	}
	next := 0
	for i, ref := range u.Refs {
		if u.act(i) == ActFirst && p.layout.Rows && !v.window {
			for _, c := range v.users {
				p.records.resetVar(ref, c.slot.Off)
			}
		}
		v.snapshot(p, ref, 2*i, snap)
		if next < len(v.upd) && int(v.upd[next]) == i {
			if err := v.change(p, u, i, next, int64(p.base(i))); err != nil {
				return err
			}
			next++
		}
		v.snapshot(p, ref, 2*i+1, snap)
		if u.act(i) == ActDelete {
			if err := v.clearGroup(p, u, i); err != nil {
				return err
			}
		}
	}
	return v.bury()
}

// snapshot notes the users' slots of record ref as slot n of their snapshots.
func (v *values) snapshot(p *Program, ref state.Ref, n int, snap bool) {
	if !snap {
		return
	}
	rec := p.records.table.Get(ref)
	for _, c := range v.users {
		slotsOf[varSlot](c.snap)[n], c.heap = toHeap(rec, c.slot.Off, c.heap)
	}
}

// change counts value entry number k, which update i adds or takes away.
func (v *values) change(p *Program, u *Updates, i, k int, sign int64) error {
	counts, err := v.counters(v.refs[k])
	if err != nil {
		return err
	}
	was := counts[0]
	now := was + sign
	counts[0] = now
	switch {
	case was == 0:
		v.count(p, u, i, 1)
	case now == 0:
		v.count(p, u, i, -1)
		v.dead = append(v.dead, v.refs[k])
	}
	if v.window {
		return nil
	}
	x := v.keys.At(k)[8+len(u.Keys.At(i)):]
	for _, c := range v.users {
		if err := v.changeSlot(p, u, i, c, x, sign, now); err != nil {
			return err
		}
	}
	return nil
}

func (v *values) changeSlot(p *Program, u *Updates, i int, c *column, x []byte, sign, now int64) error {
	ref, off := u.Refs[i], c.slot.Off
	rec := p.records.table.Get(ref)
	cur, n := tail(rec, off), varAt(rec, off).n
	k := c.kernel.(extreme)
	if sign > 0 {
		if n > 0 && len(cur) > 0 && !k.better(x, cur) {
			x = cur
		}
		if now == 1 {
			n++
		}
		return v.store(p, ref, off, cur, x, n)
	}
	if now != 0 {
		return nil
	}
	n--
	switch {
	case n == 0:
		x = nil
	case bytes.Equal(x, cur):
		best := v.key[:0]
		err := v.scanGroup(u, i, func(e state.Ref) {
			if allZero(v.table.Get(e)) {
				return
			}
			if y := v.table.Key(e)[8+len(v.groupKey(u, i)):]; len(best) == 0 || k.better(y, best) {
				best = append(best[:0], y...)
			}
		})
		v.key = best
		if err != nil {
			return err
		}
		x = best
		if len(best) == 0 {
			n = 0
		}
	default:
		x = cur
	}
	return v.store(p, ref, off, cur, x, n)
}

// groupKey is what of an entry's key follows the first eight bytes and precedes the value.
func (v *values) groupKey(u *Updates, i int) []byte {
	if v.window {
		return u.Keys.At(i)[8:]
	}
	return u.Keys.At(i)
}

// store changes a slot, in place where the value stays.
func (v *values) store(p *Program, ref state.Ref, off int, cur, x []byte, n int64) error {
	if bytes.Equal(cur, x) {
		varAt(p.records.table.Edit(ref), off).n = n
		return nil
	}
	return p.records.setTail(ref, off, x, n)
}

// fold computes the slots of all groups of a window that fires, from its counts.
func (v *values) fold(p *Program, prefix []byte) error {
	groups := p.records.table
	return v.table.Scan(prefix, func(e state.Ref) error {
		if allZero(v.table.Get(e)) {
			return nil
		}
		key := v.table.Key(e)
		x, err := rowkey.Skip(key[8:], p.opt.KeyTypes)
		if err != nil {
			return fmt.Errorf("state table %q: %w", v.Name, err)
		}
		at := len(key) - len(x)
		ref, err := groups.Find(v.table.Group(e), rowkey.Hash(key[:at]), key[:at])
		if err != nil || ref == state.NoRef {
			return err
		}
		for _, c := range v.users {
			rec := groups.Get(ref)
			cur := tail(rec, c.slot.Off)
			if len(cur) > 0 && !c.kernel.(extreme).better(x, cur) {
				continue
			}
			if err := p.records.setTail(ref, c.slot.Off, x, varAt(rec, c.slot.Off).n+1); err != nil {
				return err
			}
		}
		return nil
	})
}
