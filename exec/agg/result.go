package agg

import (
	"bytes"
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Take notes the slots of the given records for Results.
func (p *Program) Take(refs []state.Ref) error {
	p.room(len(refs))
	for k, ref := range refs {
		rec := p.records.table.Get(ref)
		if err := checkRecord(len(rec), len(p.zero), p.name); err != nil {
			return err
		}
		for _, c := range p.columns {
			c.take(rec, k)
		}
	}
	return nil
}

// room makes space for the slots of n records.
func (p *Program) room(n int) {
	for _, c := range p.columns {
		c.room(n)
	}
}

// take notes one slot; rec is a whole record.
func (c *column) take(rec []byte, n int) {
	slot := c.snap[n*c.slot.Size:][:c.slot.Size]
	if c.variable == nil && !c.values {
		copy(slot, rec[c.slot.Off:])
		return
	}
	slotsOf[varSlot](slot)[0], c.heap = toHeap(rec, c.slot.Off, c.heap)
}

// Pick turns the slots before and after every update into those before update first[g] and
// after update last[g], for each group g: first is ascending, and last[g] >= first[g].
func (p *Program) Pick(first, last []int32) {
	for _, c := range p.columns {
		size := c.slot.Size
		for g := range first { // nothing is overwritten that is still to be read: first[g] >= g
			copy(c.snap[2*g*size:][:size], c.snap[2*int(first[g])*size:][:size])
			copy(c.snap[(2*g+1)*size:][:size], c.snap[(2*int(last[g])+1)*size:][:size])
		}
	}
}

// Results appends what the first n noted slots mean to out, one column per aggregate.
func (p *Program) Results(n int, out []vec.Vec) {
	for i, c := range p.columns {
		c.kernel.value(&out[i], c.snap[:n*c.slot.Size], c.heap)
	}
}

// Changed marks in changed[i] whether rows 2i and 2i+1 of the results differ, as Flink's
// comparison of results has it: NaN differs from itself, 0.0 equals -0.0. It reports
// whether there was anything to compare; where not, every update changes a result.
func (p *Program) Changed(out []vec.Vec, changed []bool) bool {
	if p.always {
		return false
	}
	clear(changed)
	for i := range out {
		markChanged(&out[i], changed)
	}
	return true
}

func markChanged(v *vec.Vec, changed []bool) {
	switch v.Type.Physical() {
	case types.PhysI8:
		markFixed(vec.Values[int8](v), v, changed)
	case types.PhysI16:
		markFixed(vec.Values[int16](v), v, changed)
	case types.PhysI32:
		markFixed(vec.Values[int32](v), v, changed)
	case types.PhysI64:
		markFixed(vec.Values[int64](v), v, changed)
	case types.PhysF32:
		markFixed(vec.Values[float32](v), v, changed)
	case types.PhysF64:
		markFixed(vec.Values[float64](v), v, changed)
	case types.PhysD128:
		markFixed(vec.Values[vec.Dec128](v), v, changed)
	case types.PhysBool:
		mark(v, changed, func(i, j int) bool { return v.Bool(i) != v.Bool(j) })
	case types.PhysBytes:
		mark(v, changed, func(i, j int) bool { return !bytes.Equal(v.Bytes(i), v.Bytes(j)) })
	}
}

func mark(v *vec.Vec, changed []bool, differ func(i, j int) bool) {
	for i := range changed {
		was, is := v.IsNull(2*i), v.IsNull(2*i+1)
		if was != is || !was && differ(2*i, 2*i+1) {
			changed[i] = true
		}
	}
}

func markFixed[T comparable](x []T, v *vec.Vec, changed []bool) {
	if v.Valid != nil {
		mark(v, changed, func(i, j int) bool { return x[i] != x[j] })
		return
	}
	for i := range changed {
		if x[2*i] != x[2*i+1] {
			changed[i] = true
		}
	}
}

// Merged are records made by merging others (see Program.Mergeable): the panes of a window.
type Merged struct {
	p     *Program
	recs  []byte
	heap  []byte
	count int
}

// NewMerged returns an empty set of merged records.
func (p *Program) NewMerged() *Merged { return &Merged{p: p} }

// Reset forgets all records.
func (m *Merged) Reset() { m.recs, m.heap, m.count = m.recs[:0], m.heap[:0], 0 }

// Add makes a record without rows and returns its number.
func (m *Merged) Add() int {
	m.recs = append(m.recs, m.p.zero...)
	m.count++
	return m.count - 1
}

// Merge adds record ref to merged record n. The order of calls decides which of equal
// values stays.
func (m *Merged) Merge(n int, ref state.Ref) error {
	p := m.p
	rec := p.records.table.Get(ref)
	if err := checkRecord(len(rec), len(p.zero), p.name); err != nil {
		return err
	}
	dst := m.recs[n*len(p.zero):]
	if p.layout.Rows {
		*at[int64](unsafe.Pointer(&dst[0]), 0) += *at[int64](unsafe.Pointer(&rec[0]), 0)
	}
	for _, c := range p.columns {
		d, s := unsafe.Pointer(&dst[c.slot.Off]), unsafe.Pointer(&rec[c.slot.Off])
		if c.variable != nil {
			m.heap = c.variable.mergeVar(d, s, rec, m.heap)
		} else {
			c.kernel.merge(d, s)
		}
	}
	return nil
}

// Rows is the row count of merged record n, 1 where none is kept.
func (m *Merged) Rows(n int) int64 {
	if !m.p.layout.Rows {
		return 1
	}
	return *at[int64](unsafe.Pointer(&m.recs[n*len(m.p.zero)]), 0)
}

// Take notes the slots of the given merged records for Results.
func (m *Merged) Take(numbers []int32) {
	p := m.p
	p.room(len(numbers))
	for k, n := range numbers {
		rec := m.recs[int(n)*len(p.zero):][:len(p.zero)]
		for _, c := range p.columns {
			slot := c.snap[k*c.slot.Size:][:c.slot.Size]
			copy(slot, rec[c.slot.Off:])
			if c.variable != nil {
				s := &slotsOf[varSlot](slot)[0]
				x := m.heap[s.off : s.off+s.len]
				s.off = uint32(len(c.heap))
				c.heap = append(c.heap, x...)
			}
		}
	}
}

// Fold makes the results of a window that is about to fire complete; prefix is the start of
// its keys.
func (p *Program) Fold(prefix []byte) error {
	for _, v := range p.vals {
		if err := v.fold(p, prefix); err != nil {
			return err
		}
	}
	return nil
}

// Drop deletes everything a window keeps beside its records.
func (p *Program) Drop(prefix []byte) error {
	for _, a := range p.vals {
		if err := a.table.Scan(prefix, a.table.Delete); err != nil {
			return err
		}
	}
	return nil
}
