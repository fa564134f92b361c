package evolve

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// sortMemory is how many bytes of entries a sorter holds before it writes them out.
var sortMemory = 64 << 20

// sorter puts entries into the order of key group and key. What does not fit its memory goes to files in
// dst in between, which close deletes.
type sorter struct {
	ctx    context.Context
	dst    state.Files
	groups state.Range
	epoch  state.Epoch

	buf     []byte
	entries []entry
	runs    []state.File
	n       int64
	merged  checkpoint.Content
}

// entry is a key and a value in buf.
type entry struct {
	group      state.KeyGroup
	at, key, n int // the key is buf[at:at+key], the value follows it up to at+n
	stamp      int64
}

func (s *sorter) add(g state.KeyGroup, key, value []byte, stamp int64) error {
	if s.n++; s.n%1024 == 0 && s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	s.entries = append(s.entries, entry{g, len(s.buf), len(key), len(key) + len(value), stamp})
	s.buf = append(append(s.buf, key...), value...)
	if len(s.buf)+48*len(s.entries) > sortMemory {
		return s.spill()
	}
	return nil
}

func (s *sorter) keyOf(e entry) []byte { return s.buf[e.at:][:e.key:e.key] }

func (s *sorter) sort() {
	slices.SortFunc(s.entries, func(a, b entry) int {
		if a.group != b.group {
			return int(a.group) - int(b.group)
		}
		return bytes.Compare(s.keyOf(a), s.keyOf(b))
	})
}

// spill writes the entries to a file of their own.
func (s *sorter) spill() error {
	s.sort()
	meta := stf.Meta{Name: stf.NewName(s.epoch, s.groups), Kind: stf.Delta, Range: s.groups, MinEpoch: s.epoch, MaxEpoch: s.epoch}
	fw, err := s.dst.Create(meta.Name)
	if err != nil {
		return fmt.Errorf("checkpoint file %s: %w", meta.Name, err)
	}
	defer fw.Abort()
	w := stf.NewWriter(fw, meta)
	if err := w.Table(sorted, sorted, 0); err != nil {
		return err
	}
	for _, e := range s.entries {
		if err := w.Put(e.group, s.keyOf(e), s.buf[e.at+e.key:e.at+e.n], e.stamp); err != nil {
			return err
		}
	}
	f, err := w.Finish()
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	s.buf, s.entries = s.buf[:0], s.entries[:0]
	return nil
}

// sorted is the name of the table in files of sorted entries.
const sorted = "sorted"

// records walks the entries in order; nothing may be added any more.
func (s *sorter) records() (checkpoint.Records, error) {
	if len(s.runs) == 0 {
		s.sort()
		return &sortedRecords{sorter: s, at: -1}, nil
	}
	if err := s.spill(); err != nil {
		return nil, err
	}
	var err error
	if s.merged, err = checkpoint.OpenFiles(s.dst, s.runs, int(s.groups.Hi)); err != nil {
		return nil, err
	}
	return s.merged.Table(sorted, 0)
}

// close ends the use and deletes the files.
func (s *sorter) close() error {
	var first error
	if s.merged != nil {
		first = s.merged.Close()
	}
	for _, f := range s.runs {
		if err := s.dst.Remove(f.Name); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// sortedRecords are those of a sorter that fit its memory.
type sortedRecords struct {
	*sorter
	at int
}

func (r *sortedRecords) Next() bool {
	r.at++
	return r.at < len(r.entries)
}
func (r *sortedRecords) Group() state.KeyGroup { return r.entries[r.at].group }
func (r *sortedRecords) Key() []byte           { return r.keyOf(r.entries[r.at]) }
func (r *sortedRecords) Value() []byte {
	e := r.entries[r.at]
	return r.buf[e.at+e.key : e.at+e.n]
}
func (r *sortedRecords) Stamp() int64 { return r.entries[r.at].stamp }
func (r *sortedRecords) Err() error   { return nil }

// appendField appends a byte string with its length; cutField takes one off.
func appendField(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func cutField(b []byte) (field, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}
