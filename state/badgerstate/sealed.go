package badgerstate

import (
	"fmt"
	"sync"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/hot"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Seal freezes what changed since the last Seal.
func (s *Store) Seal(e state.Epoch) (state.Sealed, error) {
	if err := s.failed(); err != nil {
		return nil, err
	}
	if e <= s.last {
		return nil, fmt.Errorf("state: epoch %d is sealed after %d", e, s.last)
	}
	if s.merge != nil {
		err := s.merge.Close()
		s.merge = nil
		if err != nil {
			return nil, fmt.Errorf("state: closing the restored files: %w", err)
		}
	}
	f, err := s.set.Seal(e)
	if err != nil {
		return nil, err
	}
	s.last = e
	return &sealed{store: s, frozen: f, spill: s.spill}, nil
}

// sealed holds the frozen rows until both the checkpoint and the database are done with them.
type sealed struct {
	store  *Store
	frozen *hot.Frozen
	spill  *spill // as it was when sealed

	mu     sync.Mutex
	rows   []*hot.Rows
	sorted bool
	users  int  // of the frozen rows besides the caller: 1 while the database reads them
	passed bool // its rows are in the database, on their way there, or merged
	gone   bool
	free   bool
}

// Write writes the change as one file.
func (x *sealed) Write(dst state.Files) ([]state.File, error) {
	x.mu.Lock()
	if !x.sorted {
		x.rows, x.sorted = x.frozen.Rows(), true
	}
	x.mu.Unlock()
	min, max := x.frozen.Epochs()
	if len(x.rows) == 0 {
		x.mirror(max)
		return nil, nil
	}
	f, err := hot.WriteDelta(dst, x.rows, stf.Meta{Kind: stf.Delta, Range: x.store.opts.Range, MinEpoch: min, MaxEpoch: max})
	if err != nil {
		return nil, err
	}
	x.mirror(max)
	return []state.File{f}, nil
}

// mirror hands the rows to the database.
func (x *sealed) mirror(e state.Epoch) {
	if x.spill == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.passed {
		return // a second Write after success
	}
	done := func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.users--
		x.release()
	}
	if x.spill.enqueue(wave{epoch: e, rows: x.rows, done: done}) {
		x.users++
		x.passed = true
	}
}

// Merge adds the change to the next sealed epoch.
func (x *sealed) Merge() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	err := x.frozen.Merge()
	x.passed = x.passed || err == nil
	return err
}

// Release ends the caller's use.
func (x *sealed) Release() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gone = true
	x.release()
}

// release frees the memory after the last use; mu is held. Rows that the database should have
// and never will (the job is ending) stay: nobody may evict them.
func (x *sealed) release() {
	if x.gone && x.users == 0 && !x.free && (x.spill == nil || x.passed) {
		x.free = true
		x.rows = nil
		x.frozen.Release()
	}
}
