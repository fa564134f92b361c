package job

import (
	"context"
	"errors"
	"fmt"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/sql/settings"
)

// errSuspended is the cause of the end of a job whose process ends.
var errSuspended = fmt.Errorf("%w: its process ends", ErrCancelled)

// kept says whether the checkpoints of a job stay that has ended as state says, by
// execution.checkpointing.externalized-checkpoint-retention. A job that was suspended always
// keeps them.
func kept(retention string, state State) bool {
	switch retention {
	case settings.DeleteOnCancellation:
		return state == Failed
	case settings.NoExternalized:
		return false
	}
	return true
}

// end deletes the checkpoints of a job that has ended, if that is what its options say. err is
// what it ended with, and cause why it was cancelled. Jobs that never ran in this process and
// those whose last output may not be visible keep them.
//
// The order makes a kill between two steps safe: first job.json says that this job is over,
// which is the decision; then the checkpoints go, each manifest before its files. A start that
// finds the decision deletes what is left and begins a job of another id, so that nothing
// outside (transactional ids, ledgers) is taken for what the new job did.
func (m *home) end(err, cause error, ran bool) {
	if !m.durable() || !ran {
		return
	}
	s := Finished
	switch {
	case errors.Is(err, ErrCancelled) && cause != ErrCancelled:
		return // suspended
	case err == nil && m.stopped && !m.drained:
		return // suspended with a last checkpoint, to go on from
	case errors.Is(err, ErrCancelled):
		s = Cancelled
	case err != nil:
		s = Failed
	}
	if kept(m.h.opts.retention, s) {
		return
	}
	log := m.h.cfg.Log.With(settings.CheckpointRetention, m.h.opts.retention, "state", s)
	m.work.Wait()
	m.mu.Lock()
	open := m.previous != m.confirmed || m.unclean
	m.mu.Unlock()
	if open {
		log.Warn("the checkpoints stay: the output of the newest may not be visible yet, and the next run commits it", "checkpoint", m.previous)
		return
	}
	if err := m.dir.Discard(); err != nil {
		log.Warn("the checkpoints stay", "err", err)
		return
	}
	m.h.cfg.FailPoint("discarded")
	if err := m.discard(); err != nil {
		log.Warn("deleting the checkpoints; the next run goes on with it", "err", err)
		return
	}
	log.Info("the checkpoints are deleted; the next run is a new job")
}

// discard deletes the checkpoints of a job that is over.
func (m *home) discard() error {
	g, err := checkpoint.Everything(m.storage, m.id())
	if err != nil {
		return err
	}
	m.h.cfg.FailPoint("mid_discard")
	return g.Delete(m.storage)
}

// renew makes a new job of the directory of one that is over.
func (m *home) renew(ctx context.Context, root string) error {
	if err := m.discard(); err != nil {
		return err
	}
	if err := m.storage.Close(); err != nil {
		return err
	}
	m.dir.Renew(m.h.cfg.Clock.Now())
	var err error
	m.storage, err = m.open(ctx, root)
	return err
}

// Suspend asks the job to end because its process does: as Cancel, but its checkpoints stay
// whatever its options say, and the next run goes on from the newest.
func (h *Handle) Suspend() {
	h.cancelling()
	h.cancel(errSuspended)
}
