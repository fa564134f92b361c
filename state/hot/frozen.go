package hot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Frozen is the change of one sealed epoch, and of given up ones before it. Apart from Merge and
// Release, which may be called by anybody, it belongs to one goroutine at a time.
type Frozen struct {
	set     *Set
	parts   []*part // oldest first
	started bool    // its rows were asked for
}

// part is what one Seal froze.
type part struct {
	epoch  state.Epoch
	gen    uint32
	tables []frozenTable
}

type frozenTable struct {
	spec       state.Spec
	id         stf.TableID
	hdr, stamp int
	chunks     [][]byte
	changed    positions
}

// fail keeps an error that the call at hand cannot return; Seal returns it.
func (s *Set) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
}

// Seal freezes what changed since the last Seal.
func (s *Set) Seal(e state.Epoch) (*Frozen, error) {
	for _, t := range s.tables {
		if err := t.sweep(sweepAtSeal); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return nil, s.failed
	}
	if e <= s.epoch {
		return nil, fmt.Errorf("state: epoch %d is sealed after %d", e, s.epoch)
	}
	if s.cur == genMask {
		return nil, fmt.Errorf("state: %d epochs were sealed without a restart; restart the job", genMask)
	}
	p := &part{epoch: e, gen: s.cur, tables: make([]frozenTable, 0, len(s.tables))}
	for _, t := range s.tables {
		for _, pos := range t.big {
			t.changed.add(pos)
		}
		t.big = nil
		for _, pos := range t.left {
			t.frozen.add(s.cur, pos)
		}
		t.left = t.left[:0]
		if t.changed.len() == 0 {
			continue
		}
		p.tables = append(p.tables, frozenTable{t.spec, t.id, t.hdr, t.stamp, t.chunks, t.changed})
		t.changed = positions{}
		t.arena.seal(s.cur)
	}
	f := &Frozen{set: s, parts: append(s.merged, p)}
	s.merged = nil
	s.epoch = e
	s.cur++
	s.frozen = append(s.frozen, f)
	s.minLive.Store(s.oldest())
	return f, nil
}

// oldest is the oldest generation in use; mu is held.
func (s *Set) oldest() uint32 {
	live := uint32(noneLive)
	for _, f := range s.frozen {
		live = min(live, f.parts[0].gen)
	}
	if len(s.merged) > 0 {
		live = min(live, s.merged[0].gen)
	}
	return live
}

// Epochs returns the oldest and the newest epoch whose change it holds.
func (f *Frozen) Epochs() (oldest, newest state.Epoch) {
	f.set.mu.Lock()
	defer f.set.mu.Unlock()
	return f.parts[0].epoch, f.parts[len(f.parts)-1].epoch
}

// Merge moves the change to the next sealed epoch: the one sealed already, if its rows were
// not asked for yet, or the next Seal.
func (f *Frozen) Merge() error {
	s := f.set
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.frozen, f)
	if i < 0 {
		return fmt.Errorf("state: a released epoch cannot be merged")
	}
	if i+1 < len(s.frozen) {
		next := s.frozen[i+1]
		if next.started {
			return fmt.Errorf("state: epoch %d cannot be merged into %d, which is being written", f.parts[0].epoch, next.parts[0].epoch)
		}
		next.parts = append(slices.Clone(f.parts), next.parts...)
		return nil
	}
	s.merged = append(s.merged, f.parts...)
	return nil
}

// Release ends the use of the memory, but for what was merged elsewhere.
func (f *Frozen) Release() {
	s := f.set
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = slices.DeleteFunc(s.frozen, func(o *Frozen) bool { return o == f })
	s.minLive.Store(s.oldest())
}

// Row is a changed record.
type Row struct {
	Group      state.KeyGroup
	Key, Value []byte // views, valid until Release
	Stamp      int64
	Deleted    bool
}

// Rows are the sorted rows of one table.
type Rows struct {
	Spec  state.Spec
	ID    stf.TableID
	parts []frozenTable // by item.part
	items []item
}

// item sorts mostly by its two words: key group and the first 14 bytes of the key.
type item struct {
	a, b uint64
	pos  uint32
	part uint32
}

// Rows sorts what changed, by table and key; of several changes of a record the newest stays.
func (f *Frozen) Rows() []*Rows {
	f.set.mu.Lock()
	f.started = true
	parts := f.parts
	f.set.mu.Unlock()

	byID := map[stf.TableID]*Rows{}
	var out []*Rows
	for _, p := range parts {
		for _, ft := range p.tables {
			r := byID[ft.id]
			if r == nil {
				r = &Rows{Spec: ft.spec, ID: ft.id}
				byID[ft.id] = r
				out = append(out, r)
			}
			r.add(ft)
		}
	}
	out = slices.DeleteFunc(out, func(r *Rows) bool { return len(r.items) == 0 })
	slices.SortFunc(out, func(a, b *Rows) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, r := range out {
		r.sort()
	}
	return out
}

func (r *Rows) add(ft frozenTable) {
	part := uint32(len(r.parts))
	r.parts = append(r.parts, ft)
	r.items = slices.Grow(r.items, ft.changed.len())
	var buf [14]byte
	for pos := range ft.changed.all {
		rec := ft.rec(pos)
		w0 := le.Uint64(rec)
		if w0&freeBit != 0 {
			continue
		}
		clear(buf[:])
		copy(buf[:], rec[ft.hdr:ft.hdr+klenOf(w0)])
		r.items = append(r.items, item{
			a:   uint64(groupOf(w0))<<48 | binary.BigEndian.Uint64(buf[:])>>16,
			b:   binary.BigEndian.Uint64(buf[6:]),
			pos: pos, part: part,
		})
	}
}

func (ft *frozenTable) rec(pos uint32) []byte {
	return ft.chunks[pos>>chunkShift][(pos&(chunkUnits-1))*unit:]
}

func (r *Rows) key(it item) []byte {
	ft := &r.parts[it.part]
	rec := ft.rec(it.pos)
	return rec[ft.hdr : ft.hdr+klenOf(le.Uint64(rec))]
}

func (r *Rows) sort() {
	slices.SortFunc(r.items, func(x, y item) int {
		switch {
		case x.a != y.a:
			return less(x.a, y.a)
		case x.b != y.b:
			return less(x.b, y.b)
		}
		if c := bytes.Compare(r.key(x), r.key(y)); c != 0 {
			return c
		}
		return int(y.part) - int(x.part) // newest first
	})
	if len(r.parts) > 1 {
		r.items = slices.CompactFunc(r.items, func(x, y item) bool {
			return x.a == y.a && x.b == y.b && bytes.Equal(r.key(x), r.key(y))
		})
	}
}

func less(x, y uint64) int {
	if x < y {
		return -1
	}
	return 1
}

// Len is the number of rows.
func (r *Rows) Len() int { return len(r.items) }

// At returns row i.
func (r *Rows) At(i int) Row {
	it := r.items[i]
	ft := &r.parts[it.part]
	rec := ft.rec(it.pos)
	w0 := le.Uint64(rec)
	k := ft.hdr + klenOf(w0)
	row := Row{Group: state.KeyGroup(groupOf(w0)), Key: rec[ft.hdr:k:k]}
	if w0&deadBit != 0 {
		row.Deleted = true
		return row
	}
	if ft.stamp > 0 {
		row.Stamp = int64(le.Uint64(rec[ft.stamp:]))
	}
	at := ft.hdr + pad(klenOf(w0))
	n := at + vlenOf(w0)
	row.Value = rec[at:n:n]
	return row
}

// WriteDelta writes rows as one file. full: they are all there is.
func WriteDelta(dst state.Files, rows []*Rows, meta stf.Meta) (state.File, error) {
	meta.Name = stf.NewName(meta.MaxEpoch, meta.Range)
	fw, err := dst.Create(meta.Name)
	if err != nil {
		return state.File{}, fmt.Errorf("checkpoint file %s: %w", meta.Name, err)
	}
	defer fw.Abort()
	w := stf.NewWriter(fw, meta)
	for _, r := range rows {
		if err := w.Table(r.Spec.UID, r.Spec.Name, r.Spec.ID); err != nil {
			return state.File{}, err
		}
		for i := range r.Len() {
			row := r.At(i)
			if row.Deleted {
				if meta.Kind == stf.Full {
					continue
				}
				err = w.Delete(row.Group, row.Key)
			} else {
				err = w.Put(row.Group, row.Key, row.Value, row.Stamp)
			}
			if err != nil {
				return state.File{}, err
			}
		}
	}
	return w.Finish()
}
