package stf

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/state"
)

// NewName returns a name for a file that no other file has: epoch and first key group for
// people, then random digits, so that nothing left over from a failed attempt is in the way.
func NewName(e state.Epoch, g state.Range) string {
	var b [6]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return fmt.Sprintf("%010d-%05d-%s.stf", e, g.Lo, hex.EncodeToString(b[:]))
}

// Policy says when files are rolled up.
type Policy struct {
	MaxDeltas int     // more deltas than this in one set of key groups
	MaxRatio  float64 // or deltas larger than this part of the full file
}

// DefaultPolicy bounds restore work to about one and a half times a full file.
var DefaultPolicy = Policy{MaxDeltas: 10, MaxRatio: 0.5}

// Plan picks the sets of files that should be rolled up, each into one file by Compact: a set
// is closed under sharing key groups, so that after Compact none of its files is needed.
func Plan(files []state.File, p Policy) [][]state.File {
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b state.File) int { return int(a.KeyLo) - int(b.KeyLo) })
	var out [][]state.File
	for len(sorted) > 0 {
		n, hi := 1, sorted[0].KeyHi
		for n < len(sorted) && sorted[n].KeyLo < hi {
			hi = max(hi, sorted[n].KeyHi)
			n++
		}
		if set := sorted[:n:n]; p.due(set) {
			out = append(out, set)
		}
		sorted = sorted[n:]
	}
	return out
}

// Sets is Plan for all files, due or not.
func Sets(files []state.File) [][]state.File { return Plan(files, Policy{MaxDeltas: -1}) }

func (p Policy) due(set []state.File) bool {
	deltas, delta, full := map[uint16]int{}, int64(0), int64(0)
	most := 0
	for _, f := range set {
		if f.Kind == Full {
			full += f.Size
			continue
		}
		delta += f.Size
		deltas[f.KeyLo]++
		most = max(most, deltas[f.KeyLo])
	}
	return most > p.MaxDeltas || most > 1 && full > 0 && float64(delta) > p.MaxRatio*float64(full)
}

// Compact merges files into one full file: what they hold together, deletions gone. keep,
// when not nil, says which tables stay: the state of an operator that was dropped at a restore
// must not come back. The caller lists the new file in a manifest in place of the old ones,
// and removes those when no retained manifest needs them. It does not touch the old files.
func Compact(ctx context.Context, files state.Files, list []state.File, keep func(uid string, table uint8) bool) (state.File, error) {
	return CompactInto(ctx, files, files, list, keep)
}

// CompactInto is Compact into another place.
func CompactInto(ctx context.Context, src, dst state.Files, list []state.File, keep func(uid string, table uint8) bool) (state.File, error) {
	if len(list) == 0 {
		return state.File{}, fmt.Errorf("compaction of no files")
	}
	meta := Meta{Kind: Full, Range: rangeOf(list[0]), MinEpoch: list[0].MinEpoch, MaxEpoch: list[0].MaxEpoch}
	for _, f := range list[1:] {
		meta.Range.Lo = min(meta.Range.Lo, state.KeyGroup(f.KeyLo))
		meta.Range.Hi = max(meta.Range.Hi, state.KeyGroup(f.KeyHi))
		meta.MinEpoch = min(meta.MinEpoch, f.MinEpoch)
		meta.MaxEpoch = max(meta.MaxEpoch, f.MaxEpoch)
	}
	m, err := OpenMerge(src, list, meta.Range)
	if err != nil {
		return state.File{}, err
	}
	defer m.Close()
	meta.Name = NewName(meta.MaxEpoch, meta.Range)
	fw, err := dst.Create(meta.Name)
	if err != nil {
		return state.File{}, fmt.Errorf("checkpoint file %s: %w", meta.Name, err)
	}
	defer fw.Abort()
	w := NewWriter(fw, meta)
	for _, t := range m.tables {
		if keep != nil && !keep(t.UID, t.ID) {
			continue
		}
		if err := w.Table(t.UID, t.Name, t.ID); err != nil {
			return state.File{}, err
		}
		it := m.Iter(IDOf(t.UID, t.ID), meta.Range)
		for n := 0; it.Next(); n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				return state.File{}, ctx.Err()
			}
			if err := w.Put(it.Group(), it.Key(), it.Value(), it.Stamp()); err != nil {
				return state.File{}, err
			}
		}
		if it.Err() != nil {
			return state.File{}, it.Err()
		}
	}
	return w.Finish()
}
