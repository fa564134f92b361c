package agg

import (
	"math/bits"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// values are the different values of one column in each group: what DISTINCT aggregates
// and, where rows can be taken away, MIN and MAX over the column need. They share an entry
// per value, with a bit or a counter for every different filter among them.
type values struct {
	aux
	filters  []int       // of the program, or layout.None
	extremes [][]*column // by filter: MIN and MAX
	masks    []uint64
	signs    [][]int8 // by filter: what DISTINCT aggregates see of each update
	best     []byte
}

// run applies a run of updates and fills signs.
func (v *values) run(p *Program, b *vec.Batch, u *Updates, snap bool) error {
	n := len(u.Rows)
	arg := &b.Cols[v.Arg]
	v.masks = grow(v.masks, n)
	clear(v.masks)
	for f, filter := range v.filters {
		v.signs[f] = grow(v.signs[f], n)
		clear(v.signs[f])
		sign := p.argSign(filter, v.Arg, b, u)
		for i := range v.masks {
			if sign == nil || sign[i] != 0 {
				v.masks[i] |= 1 << f
			}
		}
	}
	if err := v.upsert(u, arg, v.masks); err != nil {
		return err
	}
	if v.Counts == 0 {
		return v.firstAppearances()
	}
	return v.count(p, u, snap)
}

// firstAppearances is for input that only grows: one bit per filter.
func (v *values) firstAppearances() error {
	size := v.Size()
	var buf [8]byte
	for k, ref := range v.refs {
		i := v.upd[k]
		seen := uint64(0)
		val := v.table.Get(ref)
		for j := range val {
			seen |= uint64(val[j]) << (8 * j)
		}
		fresh := v.masks[i] &^ seen
		if fresh == 0 {
			continue
		}
		seen |= fresh
		for j := range size {
			buf[j] = byte(seen >> (8 * j))
		}
		if len(val) == size {
			copy(v.table.Edit(ref), buf[:size])
		} else if err := v.table.Set(ref, buf[:size]); err != nil {
			return err
		}
		for ; fresh != 0; fresh &= fresh - 1 {
			v.signs[bits.TrailingZeros64(fresh)][i] = 1
		}
	}
	return nil
}

// count is for input that takes rows away: one counter per filter. For DISTINCT a value
// counts when its counter goes from 0 to 1, and no longer when it comes back to 0.
func (v *values) count(p *Program, u *Updates, snap bool) error {
	if snap {
		v.each(func(c *column) { c.room(2 * len(u.Rows)) })
	}
	next := 0
	for i, ref := range u.Refs {
		if u.act(i) == ActFirst {
			v.each(func(c *column) { p.records.resetVar(ref, c.slot.Off) })
		}
		v.snapshot(p, ref, 2*i, snap)
		if next < len(v.upd) && int(v.upd[next]) == i {
			if err := v.countEntry(p, u, i, next); err != nil {
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

// each calls fn for every MIN and MAX.
func (v *values) each(fn func(*column)) {
	for _, cs := range v.extremes {
		for _, c := range cs {
			fn(c)
		}
	}
}

// snapshot notes the slots of MIN and MAX of record ref as slot n of their snapshots.
func (v *values) snapshot(p *Program, ref state.Ref, n int, snap bool) {
	if !snap {
		return
	}
	rec := p.records.table.Get(ref)
	v.each(func(c *column) { slotsOf[varSlot](c.snap)[n], c.heap = toHeap(rec, c.slot.Off, c.heap) })
}

// countEntry counts entry number k, whose value update i adds or takes away.
func (v *values) countEntry(p *Program, u *Updates, i, k int) error {
	ref, sign := v.refs[k], int64(p.base(i))
	counts, err := v.counters(ref)
	if err != nil {
		return err
	}
	was := anyCount(counts)
	for m := v.masks[i]; m != 0; m &= m - 1 {
		f := bits.TrailingZeros64(m)
		counts[f] += sign
		now := counts[f]
		if sign > 0 && now == 1 || sign < 0 && now == 0 {
			v.signs[f][i] = int8(sign)
		}
		if v.window {
			continue // MIN and MAX are found when the window fires
		}
		for _, c := range v.extremes[f] {
			if err := v.changeExtreme(p, u, i, k, f, c, now); err != nil {
				return err
			}
		}
	}
	is := anyCount(counts)
	switch {
	case is && !was:
		v.countEntries(p, u, i, 1)
	case !is && was:
		v.countEntries(p, u, i, -1)
	}
	if !is {
		v.dead = append(v.dead, ref)
	}
	return nil
}

func anyCount(counts []int64) bool {
	for _, c := range counts {
		if c != 0 {
			return true
		}
	}
	return false
}
