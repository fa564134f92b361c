package agg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/state"
)

// aux is a table of values at work.
type aux struct {
	layout.Table
	table   state.Table
	window  bool // keys start with the record's own key
	counter int  // where the group's record counts its entries, -1: it does not

	keys   state.Keys
	hash   []uint64
	groups []state.KeyGroup
	upd    []int32 // entry i belongs to update upd[i]
	refs   []state.Ref
	dead   []state.Ref // entries whose counters were all 0 at some time of this run

	scanned bool // some of dead come from a scan
}

// upsert finds or makes the entries of the updates that have a mask.
func (a *aux) upsert(u *Updates, arg *vec.Vec, masks []uint64) error {
	a.upd = a.upd[:0]
	off, data := append(a.keys.Off[:0], 0), a.keys.Data[:0]
	a.hash, a.groups = a.hash[:0], a.groups[:0]
	for i, row := range u.Rows {
		if masks[i] == 0 {
			continue
		}
		start := len(data)
		if !a.window && a.Prefix > 0 {
			data = binary.BigEndian.AppendUint64(data, u.Hash[i])
		}
		data = append(data, u.Keys.At(i)...)
		data = rowkey.AppendValue(data, arg, int(row))
		off = append(off, int32(len(data)))
		a.hash = append(a.hash, rowkey.Hash(data[start:]))
		a.groups = append(a.groups, u.Groups[i])
		a.upd = append(a.upd, int32(i))
	}
	a.keys = state.Keys{Off: off, Data: data}
	a.refs = grow(a.refs, len(a.upd))
	return a.table.UpsertAll(a.groups, a.hash, a.keys, a.refs)
}

// counters returns the counters of entry ref for writing, making them when it is new.
func (a *aux) counters(ref state.Ref) ([]int64, error) {
	v := a.table.Edit(ref)
	if len(v) == 0 {
		if err := a.table.Set(ref, make([]byte, a.Size())); err != nil {
			return nil, err
		}
		v = a.table.Edit(ref)
	}
	if len(v) != a.Size() {
		return nil, fmt.Errorf("state table %q: an entry has %d bytes, %d expected; the state belongs to another query or is damaged", a.Name, len(v), a.Size())
	}
	return slotsOf[int64](v), nil
}

// countEntries keeps the group's number of live entries.
func (a *aux) countEntries(p *Program, u *Updates, i int, by int64) {
	if a.counter >= 0 {
		*p.records.word(u.Refs[i], a.counter) += by
	}
}

// clearGroup empties every entry of the group of update i.
func (a *aux) clearGroup(p *Program, u *Updates, i int) error {
	if a.counter < 0 {
		return nil
	}
	n := p.records.word(u.Refs[i], a.counter)
	if *n == 0 {
		return nil
	}
	*n = 0
	a.scanned = true
	return a.scanGroup(u, i, func(ref state.Ref) {
		clear(a.table.Edit(ref))
		a.dead = append(a.dead, ref)
	})
}

// scanGroup calls fn for every entry of the group of update i that has counters.
func (a *aux) scanGroup(u *Updates, i int, fn func(state.Ref)) error {
	group := u.Keys.At(i)
	prefix := binary.BigEndian.AppendUint64(nil, u.Hash[i])
	if a.window {
		prefix, group = group[:8], group[8:]
	}
	return a.table.Scan(prefix, func(ref state.Ref) error {
		if len(a.table.Get(ref)) > 0 && bytes.HasPrefix(a.table.Key(ref)[8:], group) {
			fn(ref)
		}
		return nil
	})
}

// bury deletes the entries that ended the run with nothing in them.
func (a *aux) bury() error {
	if a.scanned { // Refs of a scan and of upsert may differ for one entry; keys do not
		slices.SortFunc(a.dead, func(x, y state.Ref) int { return bytes.Compare(a.table.Key(x), a.table.Key(y)) })
		a.dead = slices.CompactFunc(a.dead, func(x, y state.Ref) bool { return bytes.Equal(a.table.Key(x), a.table.Key(y)) })
	} else {
		slices.Sort(a.dead)
		a.dead = slices.Compact(a.dead)
	}
	for _, ref := range a.dead {
		if allZero(a.table.Get(ref)) {
			if err := a.table.Delete(ref); err != nil {
				return err
			}
		}
	}
	a.dead, a.scanned = a.dead[:0], false
	return nil
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// grow returns s with length n; its content is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
