package checkpoint

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Import writes the content of the snapshot m describes as one full state file: what a job that
// begins with the snapshot restores from. No file when there is no state.
func Import(ctx context.Context, c Content, m *Manifest, dst state.Files) ([]state.File, error) {
	type table struct {
		uid  string
		spec *Table
		id   stf.TableID
	}
	var tables []table
	for i := range m.Operators {
		o := &m.Operators[i]
		for k := range o.Tables {
			t := &o.Tables[k]
			tables = append(tables, table{o.UID, t, stf.IDOf(o.UID, t.ID)})
		}
	}
	slices.SortFunc(tables, func(a, b table) int { return bytes.Compare(a.id[:], b.id[:]) })
	groups := state.Range{Hi: state.KeyGroup(m.MaxParallelism)}
	meta := stf.Meta{Name: stf.NewName(m.Epoch, groups), Kind: stf.Full, Range: groups, MinEpoch: m.Epoch, MaxEpoch: m.Epoch}
	fw, err := dst.Create(meta.Name)
	if err != nil {
		return nil, err
	}
	defer fw.Abort()
	w, n := stf.NewWriter(fw, meta), 0
	for _, t := range tables {
		r, err := c.Table(t.uid, t.spec.ID)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		if err := w.Table(t.uid, t.spec.Name, t.spec.ID); err != nil {
			return nil, err
		}
		for ; r.Next(); n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err := w.Put(r.Group(), r.Key(), r.Value(), r.Stamp()); err != nil {
				return nil, err
			}
		}
		if err := r.Err(); err != nil {
			return nil, fmt.Errorf("operator %s, table %s: %w", t.uid, t.spec.Name, err)
		}
	}
	if n == 0 {
		return nil, nil
	}
	f, err := w.Finish()
	if err != nil {
		return nil, err
	}
	return []state.File{f}, nil
}
