package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// recover decides what to start from and settles every transaction of earlier incarnations,
// before any writer is opened. It carries out what checkpoint.Decide says and asks again
// until nothing is open.
func (m *home) recover(ctx context.Context, committers []exec.Committer) (*restored, error) {
	if !m.durable() {
		return &restored{}, nil
	}
	f, err := m.facts(ctx)
	if err != nil {
		return nil, err
	}
	if m.h.cfg.From != "" && m.previous == 0 {
		if r, err := m.beginWith(ctx, f, committers); r != nil || err != nil {
			return r, err
		}
	}
	for range len(f.Found) + 3 { // each round settles or sets aside at least one checkpoint
		d := checkpoint.Decide(f)
		switch d.Action {
		case checkpoint.Refuse:
			return nil, refused(m.h.cfg.Dir, d.Reasons)
		case checkpoint.FallBack:
			m.h.cfg.Log.Warn("falling back to an older checkpoint", "to", d.From, "reason", strings.Join(d.Reasons, "; "))
			for _, e := range d.SetAside {
				if err := m.setAside(f, e, "its output was aborted from outside and never happened"); err != nil {
					return nil, err
				}
			}
		case checkpoint.Fresh, checkpoint.Restore:
			if f.Answers != nil && f.Asked == d.From {
				return m.start(ctx, f, d)
			}
		}
		if f.Answers, err = m.ask(ctx, f, d.From, committers); err != nil {
			return nil, err
		}
		f.Asked = d.From
	}
	return nil, errors.New("internal error: recovery does not come to an end")
}

// facts collects what a start of the job knows.
func (m *home) facts(ctx context.Context) (*checkpoint.Facts, error) {
	found, err := checkpoint.Find(ctx, m.storage, m.id())
	if err != nil {
		return nil, err
	}
	f := &checkpoint.Facts{Job: m.dir.Job(), Found: found, Start: m.fresh(), Repeat: m.h.cfg.AllowDuplicates || m.fresh()}
	for _, c := range found {
		if c.Manifest != nil && c.Err == nil && c.SetAside == "" {
			f.Plan = m.refusals(c.Manifest)
			break
		}
	}
	return f, nil
}

// fresh reports whether this is the start that --fresh asked for: restarts after a failure
// go on from what it wrote.
func (m *home) fresh() bool { return m.h.cfg.Fresh && m.previous == 0 }

// ask lets every committer finish what checkpoint e decided and abort the rest.
func (m *home) ask(ctx context.Context, f *checkpoint.Facts, e state.Epoch, committers []exec.Committer) ([]checkpoint.Answer, error) {
	var man *checkpoint.Manifest
	for _, c := range f.Found {
		if c.Epoch == e {
			man = c.Manifest
		}
	}
	answers := []checkpoint.Answer{} // not nil: asked, even if there is nobody
	for _, c := range committers {
		var token exec.Token
		if man != nil {
			token = exec.Token(man.Token(c.Name()))
		}
		r, err := c.Recover(ctx, e, token)
		if err != nil {
			return nil, fmt.Errorf("%s: settling the output of checkpoint %d: %w", c.Name(), e, err)
		}
		answers = append(answers, checkpoint.Answer{
			Name: c.Name(), Outcome: checkpoint.Outcome(r.Outcome), Ledger: r.Ledger, LedgerMissing: r.LedgerMissing, Detail: r.Detail,
		})
	}
	if man != nil {
		for _, t := range man.Transactions {
			if !slices.ContainsFunc(committers, func(c exec.Committer) bool { return c.Name() == t.Name }) {
				return nil, exec.Userf("checkpoint %d has output for %s, which the job no longer writes to; run the job once as it was, so that it can commit it", e, t.Name)
			}
		}
	}
	return answers, nil
}

func (m *home) setAside(f *checkpoint.Facts, e state.Epoch, reason string) error {
	if err := m.storage.SetAside(e, reason); err != nil {
		return err
	}
	for i := range f.Found {
		if f.Found[i].Epoch == e {
			f.Found[i].SetAside = reason
		}
	}
	return nil
}

// start takes the decision: the epochs go on, and what nothing refers to is deleted.
func (m *home) start(ctx context.Context, f *checkpoint.Facts, d checkpoint.Decision) (*restored, error) {
	m.h.cfg.FailPoint("rec_before_restore")
	m.work.Wait() // a roll-up of the incarnation before: its file is an orphan, or listed as one to come
	names, err := m.storage.Names()
	if err != nil {
		return nil, err
	}
	r := &restored{Epoch: d.From}
	var from *checkpoint.Manifest
	var begun *checkpoint.Begun
	for _, c := range f.Found {
		complete := c.Manifest != nil || !errors.Is(c.Err, fs.ErrNotExist) // it had a manifest once
		if c.Epoch > d.From && c.SetAside == "" && c.Err != nil && complete {
			// It stays for people to look at, and is passed over at every start until it is deleted.
			m.h.cfg.Log.Warn("a newer checkpoint cannot be used and is passed over", "checkpoint", c.Epoch, "err", c.Err)
		}
		switch {
		case d.Action == checkpoint.Fresh && c.SetAside == "" && complete:
			if err := m.setAside(f, c.Epoch, "the job was started afresh (--fresh)"); err != nil {
				return nil, err
			}
		case c.Epoch == d.From:
			from, begun = c.Manifest, c.Manifest.Begun
		}
	}
	for _, n := range checkpoint.Orphans(names, f.Found) {
		if err := m.storage.Remove(n); err != nil {
			return nil, err
		}
	}
	if from != nil {
		if err := m.fit(ctx, r, from); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	m.begun = begun
	m.epoch = max(m.epoch, checkpoint.NextEpoch(f, names)-1)
	m.live, m.previous, m.confirmed, m.rolled = r.Files, d.From, d.From, nil
	m.mu.Unlock()
	if d.Action != checkpoint.Fresh {
		m.h.cfg.Log.Info("restoring", "checkpoint", d.From, "reason", strings.Join(d.Reasons, "; "))
	}
	return r, nil
}

// knows reports whether the snapshot has positions of a source. One that is new in the plan
// begins as its table's options say.
func (r *restored) knows(uid string) bool {
	_, ok := r.Sources[uid]
	return ok
}

// ErrRefused is wrapped by errors of a start that a person has to decide about.
var ErrRefused = errors.New("the job cannot start")

func refused(dir string, reasons []string) error {
	return &exec.Error{Class: exec.User, Err: fmt.Errorf("%w from %s:\n  %s", ErrRefused, dir, strings.Join(reasons, "\n  "))}
}

// retain deletes what no retained checkpoint needs, once the output of e is visible.
func (m *home) retain(e state.Epoch) error {
	m.mu.Lock()
	held := m.holds > 0
	m.mu.Unlock()
	if held {
		return nil // the next checkpoint makes up for it
	}
	g, err := checkpoint.Collect(m.storage, m.id(), m.h.opts.retained, e)
	if err != nil {
		return err
	}
	m.h.cfg.FailPoint("mid_gc")
	return g.Delete(m.storage)
}

// publishStart writes the checkpoint that a fresh job with transactional output begins with:
// where its sources start and nothing else. So there is always one to fall back to, even
// when the very first transaction is lost.
func (m *home) publishStart(ctx context.Context, sources map[int]*sourceNode, r *restored) error {
	s := &snapshot{Epoch: m.nextEpoch(), Started: m.h.cfg.Clock.Now(), Channels: r.Channels}
	s.initial = map[string][]splitState{}
	for _, src := range sources {
		for _, list := range src.start {
			s.initial[src.node.UID] = append(s.initial[src.node.UID], list...)
		}
	}
	if err := m.publish(ctx, s); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.confirmed = s.Epoch // it has no output
	return nil
}
