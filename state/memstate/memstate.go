// Package memstate is the reference implementation of keyed state: Go maps, every record
// copied when a checkpoint is sealed, nothing clever. Tests compare the engine's store with
// it and run operators over it. It reads and writes the same checkpoint files. Only tests
// should import it; it imports state and state/stf.
package memstate

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Options configure a store. Only Range and MaxParallelism are required.
type Options struct {
	Range          state.Range
	MaxParallelism int
	Now            func() time.Time // needed by tables with TTL
	Files          state.Files      // where Restore lies
	Restore        []state.File     // of the checkpoint to begin from, of all subtasks
}

// Store implements state.Store.
type Store struct {
	opts   Options
	tables map[stf.TableID]*table
	last   state.Epoch
	closed bool

	mu     sync.Mutex // guards the sealed ones, which other goroutines use
	sealed []*sealed  // not released, oldest first
	merged []*change  // given back by Merge, for the next Seal
}

var _ state.Store = (*Store)(nil)

// New makes a store for all key groups of 128, with nothing in it.
func New() *Store {
	s, err := Open(Options{Range: state.Range{Lo: 0, Hi: 128}, MaxParallelism: 128})
	if err != nil {
		panic(err) // nothing was given that can be wrong
	}
	return s
}

// Open makes a store.
func Open(o Options) (*Store, error) {
	if o.Range.Lo >= o.Range.Hi || int(o.Range.Hi) > o.MaxParallelism {
		return nil, fmt.Errorf("state: key groups [%d, %d) of %d make no sense", o.Range.Lo, o.Range.Hi, o.MaxParallelism)
	}
	if len(o.Restore) > 0 && o.Files == nil {
		return nil, fmt.Errorf("state: files to restore, but no place to read them from")
	}
	return &Store{opts: o, tables: map[stf.TableID]*table{}}, nil
}

// Table declares a table and loads what was restored.
func (s *Store) Table(spec state.Spec) (state.Table, error) {
	id := stf.IDOf(spec.UID, spec.ID)
	if old, ok := s.tables[id]; ok {
		return nil, fmt.Errorf("state: table %s.%s (%d) is declared already, as %s.%s", spec.UID, spec.Name, spec.ID, old.spec.UID, old.spec.Name)
	}
	if spec.TTL > 0 && s.opts.Now == nil {
		return nil, fmt.Errorf("state: table %s.%s has a time to live, but the store has no clock", spec.UID, spec.Name)
	}
	t := &table{store: s, spec: spec, byKey: map[string]state.Ref{}, dirty: map[string]state.KeyGroup{}}
	m, err := stf.OpenMerge(s.opts.Files, s.opts.Restore, s.opts.Range)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	it := m.Iter(id, s.opts.Range)
	for it.Next() {
		t.insert(it.Group(), strings.Clone(string(it.Key())), append([]byte(nil), it.Value()...), it.Stamp())
	}
	if it.Err() != nil {
		return nil, it.Err()
	}
	s.tables[id] = t
	return t, nil
}

// Confirm has nothing to do here.
func (s *Store) Confirm(state.Epoch) {}

// Trim makes the refs of deleted records usable again.
func (s *Store) Trim() error {
	for _, t := range s.tables {
		t.free = append(t.free, t.dead...)
		t.dead = t.dead[:0]
	}
	return nil
}

// Close ends the use of the store.
func (s *Store) Close() error {
	s.tables = nil
	s.closed = true
	return nil
}
