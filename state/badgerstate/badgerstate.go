// Package badgerstate is the engine's keyed state: the working set in memory (state/hot), checkpoint
// files as its durable truth (state/stf), and one Badger database per subtask on local disk for
// records that do not fit into memory. It is the only importer of Badger. It imports state and
// its sub-packages; exec/flow opens it.
//
// # Roles
//
// The tables in memory are the truth while the job runs. Badger is a disposable overflow: it
// is wiped whenever a store is opened, so nothing of a crashed run is ever trusted, and it is
// written without fsync. As long as the working set stays below half of the memory budget
// there is no database at all and no call reaches one.
//
// When the working set grows beyond that, the store begins to mirror: the rows of every sealed
// epoch also go to Badger, in the background and after the checkpoint file, at commit timestamp
// epoch<<20|1 (never twice the same key at one timestamp: Badger then returns stale reads).
// Records that no epoch touches are marked as changed little by little, so that after some
// checkpoints Badger holds everything; from then on Trim evicts clean records, and lookups
// that miss read through.
//
// Badger dies by SIGBUS when the disk is full, so the store checks free space before each
// batch and fails cleanly instead.
package badgerstate

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/hot"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Options configure a store.
type Options struct {
	Dir            string // of this subtask alone; whatever is in it is deleted
	Range          state.Range
	MaxParallelism int
	MemoryBudget   int64 // bytes of records and indexes in memory; 0: no limit, never a database
	Now            func() time.Time
	Files          state.Files  // where Restore lies
	Restore        []state.File // all files of the checkpoint to begin from; others' key groups are skipped
	NextEpoch      state.Epoch  // epochs sealed from now on are not smaller
	MinFree        int64        // bytes that stay free on the disk; 0: 256 MiB
	Log            *slog.Logger // nil: none
}

// Store implements state.Store.
type Store struct {
	opts  Options
	set   *hot.Set
	merge *stf.Merge // of the restored files, until the first Seal
	spill *spill     // nil: there is no database

	bulk   bool // the database was built from the restored files
	marked bool // every record has been marked since mirroring began
	last   state.Epoch

	mu  sync.Mutex
	err error // of the background; final
}

var _ state.Store = (*Store)(nil)

// markSlots is how much of the working set one Trim marks for mirroring: about a millisecond's work.
const markSlots = 16 << 10

// Open wipes the directory and opens a store with the content of the restored files.
func Open(o Options) (*Store, error) {
	if o.Range.Lo >= o.Range.Hi || int(o.Range.Hi) > o.MaxParallelism {
		return nil, fmt.Errorf("state: key groups [%d, %d) of %d make no sense", o.Range.Lo, o.Range.Hi, o.MaxParallelism)
	}
	if len(o.Restore) > 0 && o.Files == nil {
		return nil, errors.New("state: there are files to restore, but no place to read them from")
	}
	if o.MinFree == 0 {
		o.MinFree = 256 << 20
	}
	for _, f := range o.Restore {
		if f.MaxEpoch >= o.NextEpoch {
			return nil, fmt.Errorf("state: file %s has epoch %d, the next one is to be %d", f.Name, f.MaxEpoch, o.NextEpoch)
		}
	}
	if err := wipe(o.Dir); err != nil {
		return nil, err
	}
	s := &Store{opts: o, set: hot.NewSet(o.Range, o.Now), last: o.NextEpoch}
	if s.last > 0 {
		s.last--
	}
	var err error
	if s.merge, err = stf.OpenMerge(o.Files, o.Restore, o.Range); err != nil {
		return nil, err
	}
	return s, nil
}

// wipe empties the directory, or makes it.
func wipe(dir string) error {
	if dir == "" || filepath.Clean(dir) == string(filepath.Separator) {
		return fmt.Errorf("state: %q is no directory for local state", dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("state: cannot empty %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("state: cannot make %s: %w", dir, err)
	}
	return nil
}

// restoredBytes is at least what the records of g will take in memory.
func restoredBytes(files []state.File, g state.Range) int64 {
	const overhead = 48 // header, padding, index
	var n float64
	for _, f := range files {
		lo, hi := max(f.KeyLo, uint16(g.Lo)), min(f.KeyHi, uint16(g.Hi))
		if lo >= hi {
			continue
		}
		part := float64(hi-lo) / float64(f.KeyHi-f.KeyLo)
		for _, t := range f.Tables {
			n += part * float64(t.Bytes+t.Entries*overhead)
		}
	}
	return int64(n)
}

// Table declares a table and loads its restored records, as many as the budget allows. When they
// turn out not to fit, everything that is restored, of all tables, also goes to a database.
func (s *Store) Table(spec state.Spec) (state.Table, error) {
	if s.merge == nil || s.spill != nil && !s.bulk {
		return nil, fmt.Errorf("state: table %s.%s is declared after rows were processed", spec.UID, spec.Name)
	}
	t, err := s.set.Table(spec)
	if err != nil {
		return nil, err
	}
	it := s.merge.Iter(stf.IDOf(spec.UID, spec.ID), s.opts.Range)
	budget, used := s.opts.MemoryBudget, s.set.Bytes()
	for n := 0; it.Next(); n++ {
		if n%256 == 0 {
			used = s.set.Bytes()
		}
		if budget > 0 && s.spill == nil && used > budget/2 {
			if err := s.restoreSpill(); err != nil {
				return nil, err
			}
		}
		if s.spill != nil && used > budget*7/10 && len(it.Value()) <= hot.MaxEvicted {
			t.LoadEvicted(it.Key())
			continue
		}
		if err := t.Load(it.Group(), it.Key(), it.Value(), it.Stamp()); err != nil {
			return nil, err
		}
	}
	return t, it.Err()
}

// Confirm has nothing to do: the database serves the present only.
func (s *Store) Confirm(state.Epoch) {}

// Trim frees memory and evicts clean records.
func (s *Store) Trim() error {
	if err := s.failed(); err != nil {
		return err
	}
	budget := s.opts.MemoryBudget
	if budget > 0 && s.spill == nil && s.set.Bytes() > budget/2 {
		if err := s.openSpill(); err != nil {
			return err
		}
		s.set.MarkStart()
	}
	if s.spill != nil && !s.marked {
		var err error
		if s.marked, err = s.set.MarkSome(markSlots); err != nil {
			return err
		}
		if s.marked {
			// From here on every record is either in a generation that the database has not
			// released yet, and stays, or in the database.
			s.set.SetCold(s.spill)
		}
	}
	return s.set.Trim(budget)
}

// OverBudget reports whether the working set is larger than the memory budget even though
// everything clean was evicted: a checkpoint would help.
func (s *Store) OverBudget() bool {
	return s.opts.MemoryBudget > 0 && s.set.Bytes() > s.opts.MemoryBudget
}

// MemoryBytes is the memory of the working set in use.
func (s *Store) MemoryBytes() int64 { return s.set.Bytes() }

// Close ends the use of the store and deletes the local database.
func (s *Store) Close() error {
	var errs []error
	if s.merge != nil {
		errs = append(errs, s.merge.Close())
		s.merge = nil
	}
	if s.spill != nil {
		errs = append(errs, s.spill.close())
		s.spill = nil
	}
	if err := os.RemoveAll(s.opts.Dir); err != nil {
		errs = append(errs, fmt.Errorf("state: cannot delete %s: %w", s.opts.Dir, err))
	}
	return errors.Join(errs...)
}

func (s *Store) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *Store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}
