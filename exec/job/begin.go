package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
	"github.com/sqlstream/sqlstream/checkpoint/snapshots"
	"github.com/sqlstream/sqlstream/exec"
)

// beginWith begins the job with the snapshot that its user named (Config.From). It returns nil
// when the job did so before: then it goes on from its own newest checkpoint.
//
// The content of the snapshot is written anew as full state files of the job's own. So nothing
// that happens to the snapshot later matters, the first checkpoint is full, and everything after
// is an ordinary restore. A crash before the first manifest leaves orphans, and the next start
// does it again.
func (m *home) beginWith(ctx context.Context, f *checkpoint.Facts, committers []exec.Committer) (*restored, error) {
	snap, err := snapshots.Open(ctx, m.h.cfg.From, m.h.plan.Options)
	if gone := errors.Is(err, savepoint.ErrNone) || errors.Is(err, fs.ErrNotExist); gone && f.BeganFrom(snapshots.Path(m.h.cfg.From)) {
		m.h.cfg.Log.Info("the job began from this snapshot, which is gone, and goes on from its own newest checkpoint", "snapshot", m.h.cfg.From)
		return nil, nil
	}
	if err != nil {
		return nil, &exec.Error{Class: exec.User, Err: err}
	}
	defer snap.Close()
	start := checkpoint.DecideStart(f, snap.Manifest, snap.LiesIn(m.storage))
	if len(start.Refuse) > 0 {
		return nil, refused(m.h.cfg.Dir, start.Refuse)
	}
	if !start.Use {
		m.h.cfg.Log.Info("the job began from this snapshot before and goes on from its own newest checkpoint", "snapshot", snap.Path)
		return nil, nil
	}
	if diff := m.refusals(snap.Manifest); len(diff) > 0 {
		return nil, refused(m.h.cfg.Dir, append([]string{fmt.Sprintf("%s %d does not fit the query:", snap.Kind, snap.Epoch)}, diff...))
	}
	for _, e := range start.SetAside {
		if err := m.setAside(f, e, "the job was begun again from "+snap.Path+" (--fresh)"); err != nil {
			return nil, err
		}
	}
	if err := m.settleFor(ctx, f, snap, committers); err != nil {
		return nil, err
	}
	return m.adopt(ctx, f, snap)
}

// settleFor settles what earlier incarnations left open, and what another job's checkpoint decided.
func (m *home) settleFor(ctx context.Context, f *checkpoint.Facts, snap *snapshots.Snapshot, committers []exec.Committer) error {
	var adopted []checkpoint.Answer
	if snap.JobID != m.id() && len(snap.Transactions) > 0 {
		for _, t := range snap.Transactions {
			c := committerOf(committers, t.Name)
			if c == nil {
				return exec.Userf("checkpoint %d has output for %s, which the job does not write to; begin from a savepoint, which has none", snap.Epoch, t.Name)
			}
			r, err := c.Adopt(ctx, snap.Epoch, exec.Token(t.Token))
			if err != nil {
				return fmt.Errorf("%s: settling the output of checkpoint %d of job %s: %w", c.Name(), snap.Epoch, snap.JobID, err)
			}
			adopted = append(adopted, checkpoint.Answer{Name: c.Name(), Outcome: checkpoint.Outcome(r.Outcome), Detail: r.Detail})
		}
	}
	answers, err := m.ask(ctx, f, snap.Epoch, committers)
	if err != nil {
		return err
	}
	f.Answers, f.Asked = answers, snap.Epoch
	reasons, repeats := checkpoint.JudgeStart(f, snap.Manifest, adopted)
	if len(reasons) > 0 {
		return refused(m.h.cfg.Dir, reasons)
	}
	for _, r := range repeats {
		m.h.cfg.Log.Warn("output is repeated", "reason", r)
	}
	return nil
}

func committerOf(list []exec.Committer, name string) exec.Committer {
	for _, c := range list {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// adopt makes the content of the snapshot the job's own.
func (m *home) adopt(ctx context.Context, f *checkpoint.Facts, snap *snapshots.Snapshot) (*restored, error) {
	m.h.cfg.FailPoint("rec_before_restore")
	m.work.Wait()
	names, err := m.storage.Names()
	if err != nil {
		return nil, err
	}
	for _, n := range checkpoint.Orphans(names, f.Found) {
		if err := m.storage.Remove(n); err != nil {
			return nil, err
		}
	}
	content, err := snap.Content()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	m.h.cfg.FailPoint("rec_before_import")
	r := &restored{Begins: true, Epoch: snap.Epoch}
	files, err := m.take(r, snap.Manifest).Rewrite(ctx, content, m.storage, snap.Epoch)
	if err != nil {
		return nil, fmt.Errorf("reading the state of %s: %w", snap.Path, err)
	}
	if r.Channels, err = snap.CopyChannels(m.storage); err != nil {
		return nil, fmt.Errorf("reading the rows in flight of %s: %w", snap.Path, err)
	}
	m.h.cfg.FailPoint("rec_after_import")
	r.Files = files
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch = max(m.epoch, snap.Epoch, checkpoint.NextEpoch(f, names)-1)
	m.live, m.previous, m.rolled = files, 0, nil
	m.begun = checkpoint.BegunWith(snap.Path, snap.Manifest, m.h.opts.claim)
	m.h.cfg.Log.Info("beginning from a snapshot", "kind", snap.Kind, "path", snap.Path, "checkpoint", snap.Epoch, "of", snap.JobID)
	return r, nil
}

// claim deletes the snapshot that the job began from and owns: there is a checkpoint of the
// job's own now. What a crash leaves is deleted by the next one.
func (m *home) claim(ctx context.Context) {
	m.mu.Lock()
	b := m.begun
	due := b != nil && b.Claimed && !m.claimed
	m.claimed = m.claimed || due
	m.mu.Unlock()
	if !due {
		return
	}
	m.work.Go(func() {
		m.h.cfg.FailPoint("before_claim")
		if err := snapshots.DeleteClaimed(ctx, b, m.h.plan.Options); err != nil {
			m.h.cfg.Log.Warn("deleting the claimed snapshot; it stays until the next start", "path", b.Path, "err", err)
		}
	})
}

// beganFrom describes what the job began from, for its status.
func (m *home) beganFrom() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.begun == nil {
		return ""
	}
	return m.begun.Path
}
