package agg

import (
	"fmt"
	"math/bits"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// distinct turns the rows of DISTINCT aggregates into first and last appearances. All
// DISTINCT aggregates over one column share a table: an entry per value of a group with a
// bit (or, where rows can be taken away, a counter) per different filter.
type distinct struct {
	aux
	filters []int // of the program, noFilter for none; bit f belongs to filters[f]
	masks   []uint64
	signs   [][]int8 // per filter: what the aggregates behind it see
}

const maxDistinctFilters = 64

// run fills signs for a run of updates.
func (d *distinct) run(p *Program, b *vec.Batch, u *Updates) error {
	n := len(u.Rows)
	arg := &b.Cols[d.Arg]
	d.masks = grow(d.masks, n)
	clear(d.masks)
	for f, filter := range d.filters {
		d.signs[f] = grow(d.signs[f], n)
		clear(d.signs[f])
		sign := p.filterSign(filter)
		for i, row := range u.Rows {
			if (sign == nil || sign[i] != 0) && !arg.IsNull(int(row)) {
				d.masks[i] |= 1 << f
			}
		}
	}
	if err := d.upsert(u, arg, func(i int) bool { return d.masks[i] != 0 }); err != nil {
		return err
	}
	if d.Counts == 0 {
		return d.firstAppearances()
	}
	return d.appearances(p, u)
}

// firstAppearances is for input that only grows: one bit per filter.
func (d *distinct) firstAppearances() error {
	size := d.value()
	var buf [8]byte
	for k, ref := range d.refs {
		i := d.upd[k]
		seen := uint64(0)
		v := d.table.Get(ref)
		for j := range v {
			seen |= uint64(v[j]) << (8 * j)
		}
		fresh := d.masks[i] &^ seen
		if fresh == 0 {
			continue
		}
		seen |= fresh
		for j := range size {
			buf[j] = byte(seen >> (8 * j))
		}
		if len(v) == size {
			copy(d.table.Edit(ref), buf[:size])
		} else if err := d.table.Set(ref, buf[:size]); err != nil {
			return err
		}
		for ; fresh != 0; fresh &= fresh - 1 {
			d.signs[bits.TrailingZeros64(fresh)][i] = 1
		}
	}
	return nil
}

// appearances is for input that takes rows away: one counter per filter. A value counts
// when its counter goes from 0 to 1, and no longer when it comes back to 0.
func (d *distinct) appearances(p *Program, u *Updates) error {
	next := 0
	for i := range u.Rows {
		if next < len(d.upd) && int(d.upd[next]) == i {
			if err := d.appear(p, u, i, d.refs[next], int64(p.base(i))); err != nil {
				return err
			}
			next++
		}
		if u.act(i) == ActDelete {
			if err := d.clearGroup(p, u, i); err != nil {
				return err
			}
		}
	}
	return d.bury()
}

func (d *distinct) appear(p *Program, u *Updates, i int, ref state.Ref, sign int64) error {
	counts, err := d.counters(ref)
	if err != nil {
		return err
	}
	was := anyCount(counts)
	for m := d.masks[i]; m != 0; m &= m - 1 {
		f := bits.TrailingZeros64(m)
		counts[f] += sign
		if sign > 0 && counts[f] == 1 || sign < 0 && counts[f] == 0 {
			d.signs[f][i] = int8(sign)
		}
	}
	switch is := anyCount(counts); {
	case is && !was:
		d.count(p, u, i, 1)
	case !is && was:
		d.count(p, u, i, -1)
	}
	if !anyCount(counts) {
		d.dead = append(d.dead, ref)
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

func (d *distinct) bit(filter int) (int, error) {
	for f, x := range d.filters {
		if x == filter {
			return f, nil
		}
	}
	if len(d.filters) == maxDistinctFilters {
		return 0, fmt.Errorf("more than %d different FILTERs on DISTINCT aggregates of one column; split the query", maxDistinctFilters)
	}
	d.filters = append(d.filters, filter)
	d.signs = append(d.signs, nil)
	return len(d.filters) - 1, nil
}
