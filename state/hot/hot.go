// Package hot owns the working set of keyed state: hash tables in pointer-free memory that
// hold the truth while a job runs, remember what changed since the last checkpoint, and
// freeze that change in constant time. Stores are built on it (state/badgerstate); it knows
// no disk. It imports state and state/stf.
//
// # How a record lives
//
// A record is one block of an arena: a header, the key, the value. Its block has a
// generation, the number of the seal interval in which it was last changed. The first change
// in a generation puts the block on the table's dirty list. Sealing takes the list away and
// starts the next generation: nothing is copied. While a sealed generation is in use
// (until its Release) its blocks are read by other goroutines and never written again; a
// record of such a block that has to change moves to a new block and leaves a forwarding
// address, so that Refs given out stay valid. Trim, called when nobody holds Refs, frees
// what was left behind.
//
// The reader of a frozen block reads its first word, its time stamp, key and value. The
// task alone uses the other words, also of frozen blocks (forwarding address, list links,
// clock bit), so the two never touch the same word.
//
// A deleted record that some checkpoint file or the cold store may know stays in the index as a
// tombstone until its deletion is durable: it hides the cold record and is written as a deletion.
package hot

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Cold is where evicted records are read from. It is called on the task goroutine.
type Cold interface {
	// Get reads one record; val may be overwritten by the next call.
	Get(t stf.TableID, g state.KeyGroup, key []byte) (val []byte, stamp int64, ok bool, err error)
	// Scan calls fn for the records of a table whose keys start with prefix; key and val are
	// valid during fn.
	Scan(t stf.TableID, prefix []byte, fn func(g state.KeyGroup, key, val []byte, stamp int64) error) error
}

// Set is the tables of one store. It belongs to the task goroutine, but for Frozen.
type Set struct {
	groups state.Range
	now    func() time.Time
	cold   Cold // nil: nothing can be evicted
	tables []*Table
	cur    uint32 // the generation being written

	minLive atomic.Uint32 // oldest generation that a Frozen uses
	mu      sync.Mutex
	frozen  []*Frozen // not released, oldest first
	merged  []*part   // given back by Merge, for the next Seal
	epoch   state.Epoch
	failed  error
}

const noneLive = math.MaxUint32

// NewSet makes an empty set for the key groups of a subtask. now is needed by tables with a
// time to live.
func NewSet(groups state.Range, now func() time.Time) *Set {
	s := &Set{groups: groups, now: now, cur: 1}
	s.minLive.Store(noneLive)
	return s
}

// SetCold says where evicted records are from now on; without one nothing can be evicted.
func (s *Set) SetCold(c Cold) { s.cold = c }

// Table adds an empty table.
func (s *Set) Table(spec state.Spec) (*Table, error) {
	id := stf.IDOf(spec.UID, spec.ID)
	for _, o := range s.tables {
		if o.id == id {
			return nil, fmt.Errorf("state: table %s.%s (%d) is declared already, as %s.%s", spec.UID, spec.Name, spec.ID, o.spec.UID, o.spec.Name)
		}
		if [8]byte(o.id[:8]) == [8]byte(id[:8]) && o.spec.UID != spec.UID {
			return nil, stf.Unique([]string{o.spec.UID, spec.UID})
		}
	}
	if spec.TTL > 0 && s.now == nil {
		return nil, fmt.Errorf("state: table %s.%s has a time to live, but the store has no clock", spec.UID, spec.Name)
	}
	if spec.Prefix < 0 || spec.Prefix > maxKey {
		return nil, fmt.Errorf("state: table %s.%s has a prefix of %d bytes", spec.UID, spec.Name, spec.Prefix)
	}
	t := newTable(s, spec, id)
	at, _ := slices.BinarySearchFunc(s.tables, t, func(a, b *Table) int { return bytes.Compare(a.id[:], b.id[:]) })
	s.tables = slices.Insert(s.tables, at, t)
	return t, nil
}

// Bytes is the memory of records and indexes in use. What is free for reuse does not count.
func (s *Set) Bytes() int64 {
	var n int64
	for _, t := range s.tables {
		n += t.bytes()
	}
	return n
}

// MarkStart begins marking every record as changed.
func (s *Set) MarkStart() {
	for _, t := range s.tables {
		t.mark = mark{}
	}
}

// MarkSome marks the records of the next n slots as changed, and reports whether all were marked
// since MarkStart. Records made meanwhile are changed by themselves.
func (s *Set) MarkSome(n int) (done bool, err error) {
	for _, t := range s.tables {
		for ; t.mark.seg < segments; t.mark = (mark{seg: t.mark.seg + 1}) {
			g := &t.index.segs[t.mark.seg]
			if t.mark.built != g.built { // laid out anew: begin the segment again
				t.mark.at, t.mark.built = 0, g.built
			}
			for ; t.mark.at < len(g.slots); t.mark.at++ {
				if n--; n < 0 {
					return false, nil
				}
				if pos := uint32(g.slots[t.mark.at]); pos != 0 && le.Uint64(t.rec(pos))&deadBit == 0 {
					if _, err := t.own(pos); err != nil {
						return false, err
					}
				}
			}
		}
	}
	return true, nil
}

// mark is how far MarkSome has come in a table.
type mark struct{ seg, at, built int }

// Trim frees blocks that only Refs kept, forgets durable tombstones, drops some of the records
// whose time is over, and evicts clean records until at most budget bytes are used (0: no
// limit). Refs die.
func (s *Set) Trim(budget int64) error {
	for _, t := range s.tables {
		t.reclaim()
		if err := t.sweep(sweepAtTrim); err != nil {
			return err
		}
	}
	if budget <= 0 || s.cold == nil {
		return nil
	}
	if used := s.Bytes(); used > budget {
		goal := used - budget*9/10
		for _, t := range s.tables {
			// Each table gives in proportion to its size.
			t.evict(int64(float64(goal) * float64(t.bytes()) / float64(used)))
		}
	}
	return nil
}
