package stf

import (
	"bytes"
	"slices"

	"github.com/sqlstream/sqlstream/state"
)

// Merge reads several files as one: of the rows with one key the one of the newest epoch
// wins, and a full file hides everything older in its key groups. This one path restores,
// rescales and rolls up. Not for concurrent use.
type Merge struct {
	files  []source // newest first
	tables []state.FileTable
}

type source struct {
	*Reader
	hidden []state.Range // by newer full files
}

// OpenMerge opens the files that hold key groups of g.
func OpenMerge(files state.Files, list []state.File, g state.Range) (*Merge, error) {
	m := &Merge{}
	for _, f := range list {
		if !g.Overlaps(rangeOf(f)) {
			continue
		}
		r, err := Open(files, f)
		if err != nil {
			m.Close()
			return nil, err
		}
		m.files = append(m.files, source{Reader: r})
	}
	m.init()
	return m, nil
}

func rangeOf(f state.File) state.Range {
	return state.Range{Lo: state.KeyGroup(f.KeyLo), Hi: state.KeyGroup(f.KeyHi)}
}

func (m *Merge) init() {
	slices.SortStableFunc(m.files, func(a, b source) int {
		switch {
		case a.foot.max != b.foot.max:
			if a.foot.max > b.foot.max {
				return -1
			}
			return 1
		case a.foot.full != b.foot.full: // a full file of epoch e includes the delta of e
			if a.foot.full {
				return -1
			}
			return 1
		}
		return 0
	})
	seen := map[TableID]bool{}
	var full []state.Range
	for i := range m.files {
		s := &m.files[i]
		s.hidden = slices.Clone(full)
		if s.foot.full {
			full = append(full, state.Range{Lo: s.foot.lo, Hi: s.foot.hi})
		}
		for _, t := range s.tables {
			if id := IDOf(t.UID, t.ID); !seen[id] {
				seen[id] = true
				m.tables = append(m.tables, state.FileTable{UID: t.UID, Name: t.Name, ID: t.ID})
			}
		}
	}
	slices.SortFunc(m.tables, func(a, b state.FileTable) int {
		x, y := IDOf(a.UID, a.ID), IDOf(b.UID, b.ID)
		return bytes.Compare(x[:], y[:])
	})
}

// Tables lists the tables that occur, in file order, without counts.
func (m *Merge) Tables() []state.FileTable { return m.tables }

// Close closes the files.
func (m *Merge) Close() error {
	var first error
	for _, f := range m.files {
		if err := f.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// MergeIter walks the merged rows of one table in order, deletions left out. Key and Value
// are valid until the next Next.
type MergeIter struct {
	heap  []ranked // by key, then newest first
	moved bool     // heap[0] was handed out and must move on
	last  []byte
	err   error
}

type ranked struct {
	*Iter
	rank   int
	hidden []state.Range
}

// Iter returns an iterator over the rows of table t whose key groups lie in g.
func (m *Merge) Iter(t TableID, g state.Range) *MergeIter {
	mi := &MergeIter{}
	for rank, f := range m.files {
		r := ranked{f.Reader.Iter(t, g), rank, f.hidden}
		if mi.step(&r) {
			mi.heap = append(mi.heap, r)
		}
	}
	for i := len(mi.heap)/2 - 1; i >= 0; i-- {
		mi.down(i)
	}
	return mi
}

// step moves r to its next row that no full file hides.
func (mi *MergeIter) step(r *ranked) bool {
next:
	for r.Next() {
		g := r.Group()
		for _, h := range r.hidden {
			if h.Contains(g) {
				continue next
			}
		}
		return true
	}
	if r.err != nil && mi.err == nil {
		mi.err = r.err
	}
	return false
}

// Next moves to the next row.
func (mi *MergeIter) Next() bool {
	for {
		if mi.moved {
			mi.last = append(mi.last[:0], mi.heap[0].full...)
			mi.pop()
			for len(mi.heap) > 0 && bytes.Equal(mi.heap[0].full, mi.last) {
				mi.pop()
			}
		}
		mi.moved = len(mi.heap) > 0
		if mi.err != nil || !mi.moved {
			return false
		}
		if !mi.heap[0].del {
			return true
		}
	}
}

func (mi *MergeIter) pop() {
	if !mi.step(&mi.heap[0]) {
		n := len(mi.heap) - 1
		mi.heap[0] = mi.heap[n]
		mi.heap = mi.heap[:n]
	}
	mi.down(0)
}

func (mi *MergeIter) less(a, b int) bool {
	if c := bytes.Compare(mi.heap[a].full, mi.heap[b].full); c != 0 {
		return c < 0
	}
	return mi.heap[a].rank < mi.heap[b].rank
}

func (mi *MergeIter) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(mi.heap) {
			return
		}
		if c+1 < len(mi.heap) && mi.less(c+1, c) {
			c++
		}
		if !mi.less(c, i) {
			return
		}
		mi.heap[i], mi.heap[c] = mi.heap[c], mi.heap[i]
		i = c
	}
}

// Group is the row's key group.
func (mi *MergeIter) Group() state.KeyGroup { return mi.heap[0].Group() }

// Key is the row's key.
func (mi *MergeIter) Key() []byte { return mi.heap[0].Key() }

// Value is the row's value.
func (mi *MergeIter) Value() []byte { return mi.heap[0].Value() }

// Stamp is the time of the row's last change in ms, 0 in tables without TTL.
func (mi *MergeIter) Stamp() int64 { return mi.heap[0].Stamp() }

// Err is what ended the iteration early, or nil.
func (mi *MergeIter) Err() error { return mi.err }
