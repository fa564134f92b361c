package memstate

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// change is a copy of what one epoch changed.
type change struct {
	epoch state.Epoch
	rows  map[stf.TableID]map[string]row
	specs map[stf.TableID]state.Spec
}

type row struct {
	group state.KeyGroup
	val   []byte
	stamp int64
	del   bool
}

type sealed struct {
	store   *Store
	changes []*change // oldest first: merged ones, then its own
	written bool
}

// Seal copies everything changed since the last one.
func (s *Store) Seal(e state.Epoch) (state.Sealed, error) {
	if e <= s.last {
		return nil, fmt.Errorf("state: epoch %d is sealed after %d", e, s.last)
	}
	s.last = e
	c := &change{epoch: e, rows: map[stf.TableID]map[string]row{}, specs: map[stf.TableID]state.Spec{}}
	for id, t := range s.tables {
		rows := map[string]row{}
		for key, g := range t.dirty {
			r := row{group: g, del: true}
			if ref, ok := t.byKey[key]; ok {
				rec := t.recs[ref]
				r = row{group: g, val: bytes.Clone(rec.val), stamp: rec.stamp}
			}
			rows[key] = r
		}
		clear(t.dirty)
		c.rows[id], c.specs[id] = rows, t.spec
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &sealed{store: s, changes: append(s.merged, c)}
	s.merged = nil
	s.sealed = append(s.sealed, x)
	return x, nil
}

// Write writes the change as one file.
func (x *sealed) Write(dst state.Files) ([]state.File, error) {
	rows, specs := x.rows()
	n := 0
	for _, r := range rows {
		n += len(r)
	}
	if n == 0 {
		x.done()
		return nil, nil
	}
	meta := stf.Meta{Kind: stf.Delta, Range: x.store.opts.Range, MinEpoch: x.changes[0].epoch, MaxEpoch: x.changes[len(x.changes)-1].epoch}
	meta.Name = stf.NewName(meta.MaxEpoch, meta.Range)
	f, err := dst.Create(meta.Name)
	if err != nil {
		return nil, fmt.Errorf("checkpoint file %s: %w", meta.Name, err)
	}
	defer f.Abort()
	w := stf.NewWriter(f, meta)
	ids := slices.SortedFunc(maps.Keys(rows), func(a, b stf.TableID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		if err := writeTable(w, specs[id], rows[id]); err != nil {
			return nil, err
		}
	}
	desc, err := w.Finish()
	if err != nil {
		return nil, err
	}
	x.done()
	return []state.File{desc}, nil
}

func (x *sealed) done() {
	x.store.mu.Lock()
	x.written = true
	x.store.mu.Unlock()
}

func (x *sealed) rows() (map[stf.TableID]map[string]row, map[stf.TableID]state.Spec) {
	rows, specs := map[stf.TableID]map[string]row{}, map[stf.TableID]state.Spec{}
	for _, c := range x.changes {
		for id, m := range c.rows {
			specs[id] = c.specs[id]
			if rows[id] == nil {
				rows[id] = map[string]row{}
			}
			maps.Copy(rows[id], m)
		}
	}
	return rows, specs
}

func writeTable(w *stf.Writer, spec state.Spec, rows map[string]row) error {
	if len(rows) == 0 {
		return nil
	}
	if err := w.Table(spec.UID, spec.Name, spec.ID); err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b string) int {
		if ga, gb := rows[a].group, rows[b].group; ga != gb {
			return int(ga) - int(gb)
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	for _, k := range keys {
		r := rows[k]
		var err error
		if r.del {
			err = w.Delete(r.group, []byte(k))
		} else {
			err = w.Put(r.group, []byte(k), r.val, r.stamp)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Merge hands the change to the next sealed epoch.
func (x *sealed) Merge() error {
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.sealed, x); i+1 < len(s.sealed) {
		next := s.sealed[i+1]
		if next.written {
			return fmt.Errorf("state: epoch %d cannot be merged into %d, which is written already", x.changes[0].epoch, next.changes[0].epoch)
		}
		next.changes = append(slices.Clone(x.changes), next.changes...)
		return nil
	}
	s.merged = append(s.merged, x.changes...)
	return nil
}

// Release forgets the change.
func (x *sealed) Release() {
	s := x.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = slices.DeleteFunc(s.sealed, func(o *sealed) bool { return o == x })
}
