package evolve

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Rewrite reads the content of the snapshot that the report is about and writes what the plan keeps of
// it, in the plan's layout, as full state files of an epoch, that of the snapshot; one for each subtask that
// will read them. It returns what a manifest lists: none where nothing is kept. Memory is bounded
// whatever the size of the state. After an error nothing is left behind but, perhaps, files that no manifest lists.
//
// It refuses what Reasons speaks against.
func (r *Report) Rewrite(ctx context.Context, content checkpoint.Content, dst state.Files, epoch state.Epoch) (files []state.File, err error) {
	if reasons := r.Reasons(); len(reasons) > 0 {
		return nil, fmt.Errorf("the state does not fit the query: %s", strings.Join(reasons, "; "))
	}
	w := &rewriter{ctx: ctx, content: content, dst: dst, epoch: epoch, groups: r.groups, taken: r.taken}
	defer w.abort()
	w.open(r.parallelism())
	tables := slices.Clone(r.tables)
	slices.SortFunc(tables, func(a, b *table) int {
		x, y := stf.IDOf(a.uid, a.ID), stf.IDOf(b.uid, b.ID)
		return bytes.Compare(x[:], y[:])
	})
	for _, t := range tables {
		if t.from == nil {
			continue
		}
		if err := w.table(t); err != nil {
			return nil, fmt.Errorf("migrating state %q of operator %s: %w", t.Name, t.from.uid, err)
		}
	}
	return w.finish()
}

// parallelism is the largest one of an operator with state.
func (r *Report) parallelism() int {
	n := 1
	for i := range r.operators {
		if hasState(&r.operators[i]) {
			n = max(n, r.operators[i].Parallelism)
		}
	}
	return min(n, r.groups)
}

// rewriter is one call of Rewrite.
type rewriter struct {
	ctx     context.Context
	content checkpoint.Content
	dst     state.Files
	epoch   state.Epoch
	groups  int   // max parallelism
	taken   int64 // when the snapshot was, in ms
	outs    []*output
	n       int64

	key, value []byte
}

// output is the file of some key groups; it is made when the first entry comes.
type output struct {
	groups state.Range
	file   state.FileWriter
	w      *stf.Writer
	table  *table // the one that was begun last
}

func (w *rewriter) open(parallelism int) {
	for i := range parallelism {
		w.outs = append(w.outs, &output{groups: state.RangeOf(i, parallelism, w.groups)})
	}
}

func (w *rewriter) abort() {
	for _, o := range w.outs {
		if o.w != nil {
			o.w.Abort()
		}
	}
}

func (w *rewriter) finish() ([]state.File, error) {
	var files []state.File
	for _, o := range w.outs {
		if o.w == nil {
			continue
		}
		f, err := o.w.Finish()
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (w *rewriter) put(t *table, g state.KeyGroup, key, value []byte, stamp int64) error {
	if w.n++; w.n%1024 == 0 && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if int(g) >= w.groups {
		return fmt.Errorf("an entry is in key group %d of %d: the snapshot is damaged", g, w.groups)
	}
	o := w.outs[state.SubtaskOf(g, len(w.outs), w.groups)]
	if o.w == nil {
		meta := stf.Meta{Name: stf.NewName(w.epoch, o.groups), Kind: stf.Full, Range: o.groups, MinEpoch: w.epoch, MaxEpoch: w.epoch}
		file, err := w.dst.Create(meta.Name)
		if err != nil {
			return fmt.Errorf("checkpoint file %s: %w", meta.Name, err)
		}
		o.w = stf.NewWriter(file, meta)
	}
	if o.table != t {
		if err := o.w.Table(t.uid, t.Name, t.ID); err != nil {
			return err
		}
		o.table = t
	}
	return o.w.Put(g, key, value, stamp)
}

// table writes one table.
func (w *rewriter) table(t *table) error {
	if err := t.check(); err != nil {
		return err
	}
	d, err := w.derive(t)
	if err != nil {
		return err
	}
	defer d.close()
	records, err := w.content.Table(t.from.uid, t.from.ID)
	if err != nil || records == nil {
		return err
	}
	k, err := newKeyMap(t)
	if err != nil {
		return err
	}
	if !t.movesGroups() {
		return w.copy(t, k, d, records, func(g state.KeyGroup, key, value []byte, stamp int64) error { return w.put(t, g, key, value, stamp) })
	}
	s := &sorter{ctx: w.ctx, dst: w.dst, groups: state.Range{Hi: state.KeyGroup(w.groups)}, epoch: w.epoch}
	defer s.close() // what is left behind is listed nowhere
	if err := w.copy(t, k, d, records, s.add); err != nil {
		return err
	}
	if records, err = s.records(); err != nil || records == nil {
		return err
	}
	n := int64(0)
	for records.Next() {
		n++
		if err := w.put(t, records.Group(), records.Key(), records.Value(), records.Stamp()); err != nil {
			return err
		}
	}
	if err := records.Err(); err != nil {
		return err
	}
	if n != s.n {
		return errors.New("two entries have one key: the snapshot is damaged")
	}
	return nil
}

// copy hands every entry that stays to emit, in the plan's form.
func (w *rewriter) copy(t *table, k *keyMap, d *derived, records checkpoint.Records, emit func(g state.KeyGroup, key, value []byte, stamp int64) error) error {
	for records.Next() {
		g, key := records.Group(), records.Key()
		value, keep, err := w.rewriteValue(t, records.Value())
		if err == nil && keep && d != nil {
			value, err = d.fill(t, g, key, value)
		}
		if err == nil && keep && k != nil {
			g, key, err = k.rewrite(g, key, w.groups)
		}
		if err != nil {
			return err
		}
		if keep {
			stamp := records.Stamp()
			if stamp == 0 && t.TTL > 0 {
				stamp = w.taken
			}
			if err := emit(g, key, value, stamp); err != nil {
				return err
			}
		}
	}
	return records.Err()
}

var errValue = errors.New("a value is shorter than its manifest says: the snapshot is damaged")

// rewriteValue makes a value of the plan's layout; keep is false where nothing of it is left.
func (w *rewriter) rewriteValue(t *table, old []byte) (value []byte, keep bool, err error) {
	if len(old) < t.from.Size {
		return nil, false, errValue
	}
	out := slices.Grow(w.value[:0], t.Size)[:t.Size]
	clear(out)
	any := false
	for _, b := range t.bits {
		if old[b.from.Offset]>>b.from.Bit&1 != 0 {
			out[b.to.Offset] |= 1 << b.to.Bit
			any = true
		}
	}
	for i := range t.moves {
		m := &t.moves[i]
		if m.variable {
			continue
		}
		switch {
		case m.one:
			binary.LittleEndian.PutUint64(out[m.to:], 1)
		case m.widens:
			if err := widenFixed(out[m.to:m.to+width(m.is)], old[m.from:m.from+m.size], m.was, m.is); err != nil {
				return nil, false, err
			}
		default:
			copy(out[m.to:m.to+m.size], old[m.from:m.from+m.size])
		}
		any = any || !zero(out[m.to:m.to+m.size])
	}
	// The bytes behind the fixed part follow in the order of the fields that point to them.
	for i := range t.moves {
		m := &t.moves[i]
		if !m.variable {
			continue
		}
		at, n := binary.LittleEndian.Uint32(old[m.from:]), binary.LittleEndian.Uint32(old[m.from+4:])
		if uint64(at)+uint64(n) > uint64(len(old)) {
			return nil, false, errValue
		}
		x := old[at : at+n]
		start := len(out)
		if m.widens && n > 0 {
			var rest []byte
			if out, rest, err = widenKey(out, m.was, m.is, x); err == nil && len(rest) > 0 {
				err = errValue
			}
			if err != nil {
				return nil, false, err
			}
		} else {
			out = append(out, x...)
		}
		point(out, m.to, start)
	}
	w.value = out
	return out, !t.prune || any, nil
}

// point makes the field at off point to what was appended since start.
func point(value []byte, off, start int) {
	binary.LittleEndian.PutUint32(value[off:], uint32(start))
	binary.LittleEndian.PutUint32(value[off+4:], uint32(len(value)-start))
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
