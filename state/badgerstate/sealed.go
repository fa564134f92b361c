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
	if s.marked && s.complete == 0 && s.spill != nil && !s.spill.whole {
		s.complete, s.spill.whole = e, true
	}
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
	users  int // of the frozen rows besides the caller: 1 while the database reads them
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
	if x.users > 0 || x.gone {
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
	}
}

// Merge adds the change to the next sealed epoch.
func (x *sealed) Merge() error { return x.frozen.Merge() }

// Release ends the caller's use.
func (x *sealed) Release() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gone = true
	x.release()
}

// release frees the memory after the last use; mu is held.
func (x *sealed) release() {
	if x.gone && x.users == 0 && !x.free {
		x.free = true
		x.rows = nil
		x.frozen.Release()
	}
}
