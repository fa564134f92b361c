package job

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/state"
)

// SavepointRequest asks for a savepoint.
type SavepointRequest struct {
	Dir    string `json:"dir,omitempty"`    // where its directory is made; "": execution.checkpointing.savepoint-dir
	Layout string `json:"layout,omitempty"` // checkpoint.Canonical (also "") or checkpoint.Native
}

// SavepointStatus says how far a savepoint has come.
type SavepointStatus struct {
	Path       string         `json:"path"`
	Layout     string         `json:"layout"`
	State      SavepointState `json:"state"`
	Checkpoint uint64         `json:"checkpoint,omitempty"` // whose state it holds
	Rows       int64          `json:"rows"`                 // written so far
	Bytes      int64          `json:"bytes"`
	Started    time.Time      `json:"started"`
	Took       time.Duration  `json:"durationNanos,omitempty"`
	Error      string         `json:"error,omitempty"`
}

// SavepointState is the state of a savepoint, Flink's names.
type SavepointState string

// The states of a savepoint.
const (
	SavepointInProgress SavepointState = "IN_PROGRESS"
	SavepointCompleted  SavepointState = "COMPLETED"
	SavepointFailed     SavepointState = "FAILED"
)

// Savepoint is one savepoint of a running job: made by NewSavepoint, then taken once.
//
// It is a checkpoint, whose output is committed as ever, copied out of the job's own files. So it
// holds no transactions: whoever begins from it, whenever, disturbs nobody. A crash meanwhile
// leaves a directory without a manifest; the job's next start deletes it.
type Savepoint struct {
	h       *Handle
	place   checkpoint.Place
	release func()

	mu sync.Mutex
	s  SavepointStatus
}

// NewSavepoint checks that a savepoint can be written and makes its directory. The caller takes
// it, or gives it up with Close.
func (h *Handle) NewSavepoint(r SavepointRequest) (*Savepoint, error) {
	dir := r.Dir
	if dir == "" {
		dir = h.plan.Options[settings.SavepointDir]
	}
	layout := r.Layout
	if layout == "" {
		layout = checkpoint.Canonical
	}
	switch {
	case dir == "":
		return nil, exec.Userf("where should the savepoint go? Name a directory, or SET '%s' in the job", settings.SavepointDir)
	case layout != checkpoint.Canonical && layout != checkpoint.Native:
		return nil, exec.Userf("'%s' is no type of savepoint, expected %s or %s", layout, checkpoint.Canonical, checkpoint.Native)
	}
	home := h.currentHome()
	if home == nil || !home.durable() {
		return nil, exec.Userf("the job has no directory, so it has no savepoints")
	}
	release, err := home.hold()
	if err != nil {
		return nil, err
	}
	path := stores.Join(dir, savepointName(home.id()))
	if !stores.Remote(path) {
		if path, err = filepath.Abs(path); err != nil {
			release()
			return nil, err
		}
	}
	sp := &Savepoint{h: h, release: release, s: SavepointStatus{Path: path, Layout: layout, State: SavepointInProgress, Started: h.cfg.Clock.Now()}}
	if err := sp.prepare(home); err != nil {
		sp.Close()
		return nil, err
	}
	h.set(func() { h.savepoint = sp })
	return sp, nil
}

// savepointName is Flink's: the beginning of the job's id, and random digits.
func savepointName(id string) string {
	var b [6]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return "savepoint-" + id[:6] + "-" + hex.EncodeToString(b[:])
}

// prepare notes the savepoint in the job directory, so that no crash leaves half of one, and
// tries to write to its place before anything is asked of the job.
func (sp *Savepoint) prepare(m *home) error {
	if err := m.dir.Unfinished(sp.s.Path, true); err != nil {
		return err
	}
	place, err := stores.Place(context.Background(), sp.s.Path, sp.h.plan.Options)
	if err != nil {
		return err
	}
	sp.place = place
	w, err := place.Create("probe")
	if err != nil {
		return err
	}
	w.Abort()
	return nil
}

// Close gives up what was not taken.
func (sp *Savepoint) Close() {
	if sp.Status().State == SavepointInProgress {
		sp.fail(errors.New("it was not taken"))
	}
}

// Status says how far it has come.
func (sp *Savepoint) Status() SavepointStatus {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.s
}

// Take takes the savepoint while the job goes on. When ctx ends first nothing is left of it.
func (sp *Savepoint) Take(ctx context.Context) error {
	epoch, err := sp.h.demandCheckpoint(ctx, request{aligned: true})
	if err == nil {
		err = sp.write(ctx, epoch)
	}
	return sp.finish(err)
}

// Stop ends the job with the savepoint. When its checkpoint fails the job goes on. When only the
// copy fails the job has ended with that checkpoint, from which a run goes on.
func (sp *Savepoint) Stop(ctx context.Context, drain bool) error {
	epoch, err := sp.h.Stop(ctx, drain)
	if err == nil {
		if err = sp.write(context.WithoutCancel(ctx), epoch); err != nil {
			err = fmt.Errorf("the job has ended with checkpoint %d, which its next run goes on from, but the savepoint could not be written: %w", epoch, err)
		}
	}
	return sp.finish(err)
}

// write copies the checkpoint out.
func (sp *Savepoint) write(ctx context.Context, e state.Epoch) error {
	m := sp.h.currentHome()
	sp.mu.Lock()
	sp.s.Checkpoint = uint64(e)
	sp.mu.Unlock()
	sp.h.cfg.FailPoint("savepoint_checkpoint")
	man, err := checkpoint.Read(m.storage, e, m.id())
	if err != nil {
		return err
	}
	_, err = savepoint.Write(ctx, savepoint.Source{Manifest: man, Files: m.storage}, sp.place, savepoint.Options{
		Layout: sp.s.Layout, Now: sp.h.cfg.Clock.Now(), Keep: m.plan.hasTable, FailPoint: sp.h.cfg.FailPoint,
		Progress: func(rows, bytes int64) {
			sp.mu.Lock()
			sp.s.Rows, sp.s.Bytes = rows, bytes
			sp.mu.Unlock()
		},
	})
	return err
}

// finish ends the savepoint, well or not.
func (sp *Savepoint) finish(err error) error {
	if err != nil {
		sp.fail(err)
		return err
	}
	defer sp.release()
	if err := errors.Join(sp.place.Close(), sp.h.currentHome().dir.Unfinished(sp.s.Path, false)); err != nil {
		sp.h.cfg.Log.Warn("savepoint", "path", sp.s.Path, "err", err) // it is complete all the same
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.s.State, sp.s.Took = SavepointCompleted, sp.h.cfg.Clock.Now().Sub(sp.s.Started)
	sp.h.cfg.Log.Info("savepoint complete", "path", sp.s.Path, "checkpoint", sp.s.Checkpoint, "rows", sp.s.Rows)
	return nil
}

func (sp *Savepoint) fail(cause error) {
	defer sp.release()
	var err error
	if sp.place != nil {
		err = errors.Join(sp.place.Delete(), sp.place.Close())
	}
	if err == nil {
		err = sp.h.currentHome().dir.Unfinished(sp.s.Path, false)
	}
	if err != nil {
		sp.h.cfg.Log.Warn("what is left of a savepoint is deleted by the job's next start", "path", sp.s.Path, "err", err)
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.s.State, sp.s.Error = SavepointFailed, cause.Error()
}

// deleteUnfinished deletes what savepoints of earlier incarnations left when they were cut off. What
// cannot be deleted now, because its store is away, does not hold the job up: the next start
// tries again.
func (m *home) deleteUnfinished(ctx context.Context) error {
	for _, path := range m.dir.Job().Unfinished {
		if err := m.deleteIncomplete(ctx, path); err != nil {
			m.h.cfg.Log.Warn("an unfinished savepoint cannot be deleted; the next start tries again", "path", path, "err", err)
			continue
		}
		if err := m.dir.Unfinished(path, false); err != nil {
			return err
		}
	}
	return nil
}

// deleteIncomplete deletes a savepoint without manifest. A complete one stays: it was only the
// note about it that was left.
func (m *home) deleteIncomplete(ctx context.Context, path string) error {
	p, err := stores.Place(ctx, path, m.h.plan.Options)
	if err != nil {
		return err
	}
	if _, err = savepoint.Read(p); errors.Is(err, savepoint.ErrNone) {
		err = p.Delete()
	}
	return errors.Join(err, p.Close())
}
