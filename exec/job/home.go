package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/build"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/badgerstate"
	"github.com/sqlstream/sqlstream/state/stf"
)

// home is where a job keeps what outlives an incarnation: its directory, its checkpoints,
// and which state files the next manifest has to list. A job without directory (a SELECT)
// has a home that remembers nothing.
type home struct {
	h       *Handle
	dir     *checkpoint.JobDir // nil: not durable
	storage checkpoint.Storage
	plan    recordedPlan

	mu       sync.Mutex
	epoch    state.Epoch // the highest ever used
	previous state.Epoch // the newest checkpoint that is decided
	// confirmed is the newest checkpoint whose output is known to be visible. unclean: what the last
	// incarnation had open outside was not closed.
	confirmed state.Epoch
	unclean   bool
	// stopped: a request to stop ended the last incarnation; drained: after the end of its input.
	stopped bool
	drained bool
	live    []state.File
	rolled  []rollUp // finished compactions that no manifest lists yet
	rolling bool
	begun   *checkpoint.Begun // the snapshot that the job began from
	claimed bool              // it was deleted, or is being deleted
	holds   int               // nothing is deleted while somebody reads the checkpoints
	closed  bool              // and nobody may begin to any more
	free    chan struct{}     // closed when the last hold ends after that
	work    sync.WaitGroup
}

// rollUp is a file that replaces others.
type rollUp struct {
	old []state.File
	new state.File
}

// restored is the checkpoint an incarnation starts from; Epoch 0: a fresh start.
type restored struct {
	Epoch   state.Epoch
	Begins  bool                    // the job begins from a snapshot that its user named
	Drained bool                    // its input had ended, or been ended
	Sources map[string][]splitState // by UID
	Files   []state.File
	// Channels are the rows that were in flight.
	Channels []checkpoint.Channel
}

// openHome locks the job directory, which begins an incarnation, and opens the checkpoints.
func openHome(ctx context.Context, h *Handle) (*home, error) {
	m := &home{h: h, plan: recordPlan(h.plan), free: make(chan struct{})}
	if h.cfg.Dir == "" {
		return m, nil
	}
	dir, err := checkpoint.OpenJobDir(h.cfg.Dir, h.plan.Name, h.cfg.Clock.Now())
	if err != nil {
		return nil, &exec.Error{Class: exec.User, Err: err}
	}
	h.cfg.FailPoint("rec_lock")
	if err := m.checkForgotten(dir); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	root := h.opts.dir
	if root == "" {
		root = dir.Path("checkpoints")
	}
	m.dir = dir
	if err := m.deleteUnfinished(ctx); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	m.storage, err = m.open(ctx, root)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	if dir.Job().Discarded {
		if err := m.renew(ctx, root); err != nil {
			return nil, errors.Join(err, dir.Close())
		}
	}
	return m, nil
}

// open opens the checkpoints of the job that the directory is of.
func (m *home) open(ctx context.Context, root string) (checkpoint.Storage, error) {
	s, err := stores.Open(ctx, root, m.id(), checkpoint.DirOptions{Owner: true, FailPoint: m.h.cfg.FailPoint}, m.h.plan.Options)
	if _, local := errors.AsType[*fs.PathError](err); err != nil && !local && !errors.Is(err, checkpoint.ErrUnavailable) {
		return nil, &exec.Error{Class: exec.User, Err: err}
	}
	return s, unavailable(err)
}

// unavailable marks errors of a store of checkpoints that did not serve: they are no bug, and
// the next try may succeed.
func unavailable(err error) error {
	if errors.Is(err, checkpoint.ErrUnavailable) && !exec.Retryable(err) {
		return &exec.Error{Class: exec.External, Retry: true, Err: err}
	}
	return err
}

// checkForgotten refuses a directory that has lost the file that says whose checkpoints are in
// it: taken for a new job's, it would repeat all output.
func (m *home) checkForgotten(dir *checkpoint.JobDir) error {
	if dir.Job().Incarnation > 0 || m.h.cfg.Fresh {
		return nil
	}
	found, err := fs.Glob(os.DirFS(dir.Path()), "checkpoints/*/chk-*/MANIFEST")
	if err != nil || len(found) == 0 {
		return err
	}
	return refused(m.h.cfg.Dir, []string{
		"there are checkpoints, as " + found[0] + ", but no job.json, which says that they are this job's",
		"bring job.json back, choose another --dir, or start with --fresh to begin again from nothing",
	})
}

// begin counts the incarnation, durably, before anything outside hears of it.
func (m *home) begin() error {
	if !m.durable() {
		return nil
	}
	return m.dir.Begin()
}

func (m *home) durable() bool { return m.dir != nil }

// localID is the job id of a job without directory.
const localID = "00000000000000000000000000000000"

func (m *home) id() string {
	if !m.durable() {
		return localID
	}
	return m.dir.Job().ID
}

func (m *home) incarnation() uint64 {
	if !m.durable() {
		return 1
	}
	return m.dir.Job().Incarnation
}

func (m *home) files() state.Files {
	if !m.durable() {
		return nil
	}
	return m.storage
}

func (m *home) nextEpoch() state.Epoch {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	return m.epoch
}

// hold keeps all checkpoints until release is called. It fails when the job has ended.
func (m *home) hold() (release func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errEnded
	}
	m.holds++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.holds--; m.holds == 0 && m.closed {
			close(m.free)
		}
	}, nil
}

// released waits until nobody holds the checkpoints, and lets nobody do so any more.
func (m *home) released() {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		if m.holds == 0 {
			close(m.free)
		}
	}
	m.mu.Unlock()
	<-m.free
}

// Close waits for savepoints and background work and gives up the lock.
func (m *home) Close() error {
	m.released()
	m.work.Wait()
	if !m.durable() {
		return nil
	}
	return errors.Join(m.storage.Close(), m.dir.Close())
}

// publish writes the manifest of a snapshot: the decision.
func (m *home) publish(ctx context.Context, s *snapshot) error {
	if !m.durable() {
		return errors.New("internal error: a checkpoint of a job without directory")
	}
	m.mu.Lock()
	live := slices.Clone(m.live)
	var applied []rollUp
	for _, r := range m.rolled {
		if containsAll(live, r.old) {
			live = append(slices.DeleteFunc(live, func(f state.File) bool { return containsAll(r.old, []state.File{f}) }), r.new)
			applied = append(applied, r)
		}
	}
	live = append(live, s.Files...)
	man := &checkpoint.Manifest{
		Format: checkpoint.Format, Engine: m.h.cfg.Version, JobID: m.id(), JobName: m.h.plan.Name, Incarnation: m.incarnation(),
		Epoch: s.Epoch, Previous: m.previous, Kind: checkpoint.Checkpoint, Created: m.h.cfg.Clock.Now().UTC(),
		MaxParallelism: m.h.plan.MaxParallel, Plan: m.plan.hash, SQLHash: m.plan.sql, Operators: m.plan.operators,
		SQL: m.h.plan.SQL, Options: masked(m.h.plan.Options), Begun: m.begun, Drained: s.Drained,
		Files: live, Channels: s.Channels,
	}
	if len(s.Channels) > 0 {
		man.Dataflow = m.plan.dataflow
	}
	m.mu.Unlock()
	for uid, splits := range s.sources() {
		src := checkpoint.Source{UID: uid, Name: m.plan.names[uid]}
		for _, sp := range splits {
			x := checkpoint.Split{ID: sp.ID, Position: json.RawMessage(sp.Position)}
			if sp.Watermark != exec.MinWatermark {
				x.Watermark = &sp.Watermark
			}
			src.Splits = append(src.Splits, x)
		}
		man.Sources = append(man.Sources, src)
	}
	slices.SortFunc(man.Sources, func(a, b checkpoint.Source) int { return strings.Compare(a.UID, b.UID) })
	for name, token := range s.Tokens {
		man.Transactions = append(man.Transactions, checkpoint.Transaction{Name: name, Token: json.RawMessage(token)})
	}
	slices.SortFunc(man.Transactions, func(a, b checkpoint.Transaction) int { return strings.Compare(a.Name, b.Name) })
	full := s.Full || m.h.opts.full
	if full {
		var err error
		if man.Files, err = m.rewrite(ctx, man.Files); err != nil {
			return err
		}
	}
	err := checkpoint.Publish(m.storage, man)
	if full {
		m.unlisted(err, s.Files, man.Files)
		s.Files = man.Files
	}
	if err != nil {
		return err
	}
	if err := m.dir.MarkPublished(); err != nil {
		// The manifest is there: only a restart may go on.
		return fmt.Errorf("%w: %w", checkpoint.ErrUndecided, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live, m.previous = man.Files, s.Epoch
	m.rolled = slices.DeleteFunc(m.rolled, func(r rollUp) bool {
		return slices.ContainsFunc(applied, func(a rollUp) bool { return a.new.Name == r.new.Name })
	})
	return nil
}

// containsAll reports whether every file of sub is in all.
func containsAll(all, sub []state.File) bool {
	for _, f := range sub {
		if !slices.ContainsFunc(all, func(o state.File) bool { return o.Name == f.Name }) {
			return false
		}
	}
	return true
}

// settled runs when the output of a checkpoint is visible: older ones may go, and long
// chains of deltas are rolled up in the background.
func (m *home) settled(ctx context.Context, s *snapshot) error {
	m.mu.Lock()
	m.confirmed, m.drained = s.Epoch, s.Drained
	m.mu.Unlock()
	if err := m.retain(s.Epoch); err != nil {
		return err
	}
	m.claim(context.WithoutCancel(ctx))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rolling || len(m.rolled) > 0 {
		return nil
	}
	groups := stf.Plan(m.live, stf.DefaultPolicy)
	if len(groups) == 0 {
		return nil
	}
	m.rolling = true
	m.work.Go(func() {
		err := m.rollUp(groups)
		m.mu.Lock()
		m.rolling = false
		m.mu.Unlock()
		if err != nil {
			m.h.cfg.Log.Warn("rolling up state files; the chain stays longer until the next try", "err", err)
		}
	})
	return nil
}

func (m *home) rollUp(groups [][]state.File) error {
	for _, g := range groups {
		f, err := stf.Compact(context.Background(), m.storage, g, m.plan.hasTable)
		if err != nil {
			return err
		}
		m.mu.Lock()
		m.rolled = append(m.rolled, rollUp{g, f})
		m.mu.Unlock()
	}
	return nil
}

// store opens the keyed state of one subtask of a chain with the restored content.
func (m *home) store(c *build.Chain, sub int, p *plan.Job, from *restored) (state.Store, error) {
	o := badgerstate.Options{
		Range:          state.RangeOf(sub, c.Parallelism(), p.MaxParallel),
		MaxParallelism: p.MaxParallel, Now: m.h.cfg.Clock.Now, Log: m.h.cfg.Log, NextEpoch: m.epoch + 1,
	}
	name := fmt.Sprintf("%s-%d", c.UIDs()[0], sub)
	if !m.durable() {
		o.Dir = filepath.Join(os.TempDir(), fmt.Sprintf("sqlstream-%d-%s", os.Getpid(), name))
		return badgerstate.Open(o)
	}
	m.h.cfg.FailPoint("rec_mid_restore")
	o.Dir, o.Files, o.Restore, o.MemoryBudget = m.dir.Path("state", name), m.storage, from.Files, m.budget(p)
	return badgerstate.Open(o)
}
