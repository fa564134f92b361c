package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

// checkpointing are the checkpoint options of a job.
type checkpointing struct {
	Interval  time.Duration // 0: only on demand and at the end
	MinPause  time.Duration // from the end of one to the start of the next
	Timeout   time.Duration
	Tolerable int // consecutive failures before the job fails over
}

// tasks is what the coordinator asks of a running graph; *flow.Graph in the engine.
type tasks interface {
	Tasks() int
	Barrier(b flow.Barrier)
	Resume()
	Durable(e state.Epoch)
	Committed(task int, e state.Epoch, splits []exec.Split)
	Assign(task int, splits []exec.Split)
}

// snapshot is a checkpoint that all tasks have answered.
type snapshot struct {
	Epoch   state.Epoch
	Started time.Time
	Full    bool       // everything is to be written anew, not only what changed
	Drained bool       // the input ended before, because it did or because the user said so
	Acks    []flow.Ack // by task
	Files   []state.File
	Tokens  map[string]exec.Token   // by committer name; committers without output are absent
	initial map[string][]splitState // of the checkpoint before any row: sources by UID
}

// coordinator takes checkpoints of one incarnation, one at a time:
//
//	barrier → acks → state files, Prepare → publish (the decision) → Decided → Commit → settle
//
// What can fail before the decision leaves everything as if the barrier had never been:
// sealed state is carried into the next checkpoint, committers go on in the same
// transaction. After the decision nothing may fail but the process: a job that is cancelled
// there still commits, for commitGrace.
//
// All fields belong to the goroutine of run; events reach it through the inbox.
type coordinator struct {
	cfg        checkpointing
	clock      exec.Clock
	log        *slog.Logger
	tasks      tasks
	committers []exec.Committer
	files      state.Files
	failPoint  func(string)

	// publish makes the snapshot durable: the manifest is the only decision point. It is given
	// the snapshot with files and tokens.
	publish func(ctx context.Context, s *snapshot) error
	// settled is called when the output of s is visible: older checkpoints may go.
	settled func(ctx context.Context, s *snapshot) error
	// next returns the epoch of the next checkpoint.
	next func() state.Epoch
	stat *checkpointStatus

	inbox   *inbox
	pending *pending
	carried [][]state.Sealed // per task: sealed changes of failed checkpoints, oldest first
	listed  []state.File     // files already written for carried changes
	drained map[int]bool
	failed  int // consecutive failures
	due     time.Time
	final   bool      // the last checkpoint was triggered
	stopped bool      // it is complete, because the user asked for it
	lastly  bool      // a job whose input ended takes a last checkpoint
	waiting []request // for a checkpoint that begins after the one in flight
}

// commitGrace is how long the output of a decided checkpoint is still committed after the job
// was cancelled. What is not committed then is committed by the next start, but until then
// its transaction is open, and holds back the readers of everything behind it.
const commitGrace = 10 * time.Second

// pending is the checkpoint in flight.
type pending struct {
	snap     snapshot
	stop     flow.Stop
	acked    int
	failure  error // given up; waits for the acks that are still to come
	working  bool  // the background part runs
	requests []request
}

// run takes checkpoints until ctx ends, a task fails, or the job is done (nil): its input
// ended, or it was stopped. demand asks for a checkpoint outside of the interval.
func (c *coordinator) run(ctx context.Context, demand <-chan request) error {
	c.carried = make([][]state.Sealed, c.tasks.Tasks())
	c.drained = map[int]bool{}
	defer c.release()
	now := c.clock.Now()
	c.due = now.Add(c.cfg.Interval)
	timer := c.clock.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now = c.clock.Now()
		if c.advance(now) {
			return nil
		}
		timer.Reset(c.sleep(now))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.inbox.wake:
			events := c.inbox.take()
			for i, ev := range events {
				if err := c.handle(ctx, ev); err != nil {
					c.inbox.putBack(events[i+1:])
					return err
				}
			}
		case r := <-demand:
			// One in flight may have begun before what the caller wants to have in it.
			c.waiting = append(c.waiting, r)
		case <-timer.C:
		}
	}
}

// advance starts what is due.
func (c *coordinator) advance(now time.Time) (done bool) {
	allDrained := len(c.drained) == c.tasks.Tasks()
	if p := c.pending; p != nil {
		if p.failure == nil && !p.working && now.Sub(p.snap.Started) >= c.cfg.Timeout {
			p.failure = fmt.Errorf("checkpoint %d expired: %d of %d tasks answered within execution.checkpointing.timeout = %s",
				p.snap.Epoch, p.acked, c.tasks.Tasks(), c.cfg.Timeout)
			c.stat.failed(p.snap.Epoch, p.failure)
			c.log.Warn("checkpoint given up", "checkpoint", p.snap.Epoch, "reason", p.failure)
		}
		return false
	}
	switch {
	case c.stopped, allDrained && (c.final || !c.lastly):
		return true
	case allDrained:
		c.final = true
		c.trigger()
	case len(c.waiting) > 0, c.cfg.Interval > 0 && !now.Before(c.due):
		c.trigger()
	}
	return false
}

// sleep is the time until advance has something to do by the clock.
func (c *coordinator) sleep(now time.Time) time.Duration {
	d := time.Hour
	if p := c.pending; p != nil {
		if p.failure == nil && !p.working {
			d = p.snap.Started.Add(c.cfg.Timeout).Sub(now)
		}
	} else if c.cfg.Interval > 0 {
		d = c.due.Sub(now)
	}
	return max(d, time.Millisecond)
}

func (c *coordinator) trigger() {
	e := c.next()
	p := &pending{snap: snapshot{Epoch: e, Started: c.clock.Now(), Acks: make([]flow.Ack, c.tasks.Tasks())}}
	var full bool
	p.requests, c.waiting = together(c.waiting)
	for _, r := range p.requests {
		full, p.stop = full || r.full, max(p.stop, r.stop)
	}
	p.snap.Full, p.snap.Drained = full, c.final || p.stop == flow.Drain
	c.pending = p
	c.due = p.snap.Started.Add(c.cfg.Interval)
	c.stat.started(e, p.snap.Started)
	c.failPoint("snap_begin")
	c.tasks.Barrier(flow.Barrier{Epoch: e, Stop: p.stop})
}

func (c *coordinator) handle(ctx context.Context, ev event) error {
	switch {
	case ev.err != nil:
		return ev.err
	case ev.drained:
		c.drained[ev.task] = true
	case ev.result != nil:
		return c.finished(ev.result)
	case ev.splits != nil:
		c.tasks.Assign(ev.task, ev.splits)
	default:
		return c.acked(ctx, ev.ack)
	}
	return nil
}

func (c *coordinator) acked(ctx context.Context, a flow.Ack) error {
	p := c.pending
	if p == nil || p.snap.Epoch != a.Epoch {
		return fmt.Errorf("internal error: task %d answered checkpoint %d, which is not in progress", a.Task, a.Epoch)
	}
	p.snap.Acks[a.Task] = a
	if a.Sealed != nil {
		c.carried[a.Task] = append(c.carried[a.Task], a.Sealed)
	}
	if p.acked++; p.acked < c.tasks.Tasks() {
		return nil
	}
	if p.failure != nil {
		return c.finished(&result{err: p.failure})
	}
	p.working = true
	bctx, cancel := context.WithDeadline(ctx, p.snap.Started.Add(c.cfg.Timeout))
	cctx, end := withGrace(ctx, commitGrace)
	go func() {
		defer cancel()
		defer end()
		c.inbox.post(event{result: c.work(cctx, bctx, &p.snap)})
	}()
	return nil
}

// withGrace returns a context that ends d after ctx.
func withGrace(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	g, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-g.Done():
		}
	})
	return g, func() { stop(); cancel(nil) }
}

// result is what the background part of a checkpoint came to.
type result struct {
	err     error // before the decision: the checkpoint failed, the job goes on
	fatal   error // after it: the job fails over
	written []writtenSealed
}

type writtenSealed struct {
	sealed state.Sealed
	files  []state.File
}

// work is the background part of a checkpoint: it runs on its own goroutine while the tasks
// go on. bctx ends at the checkpoint's timeout or with the job and bounds what comes before
// the decision; cctx gives a decided checkpoint its time.
func (c *coordinator) work(cctx, bctx context.Context, s *snapshot) *result {
	r := &result{}
	if r.err = c.writeState(bctx, r); r.err != nil {
		return r
	}
	s.Files = append(s.Files, c.listed...)
	for _, w := range r.written {
		s.Files = append(s.Files, w.files...)
	}
	s.Tokens = map[string]exec.Token{}
	for _, cm := range c.committers {
		token, err := cm.Prepare(bctx, s.Epoch)
		if err != nil {
			err = fmt.Errorf("preparing the output of checkpoint %d: %w", s.Epoch, err)
			if bctx.Err() != nil {
				r.err = err // it only took too long
			} else {
				r.fatal = err // the transaction itself is broken, and another checkpoint would meet the same one
			}
			return r
		}
		if token != nil {
			s.Tokens[cm.Name()] = token
		}
	}
	if bugCommitFirst {
		if r.fatal = c.commit(cctx, s); r.fatal != nil {
			return r
		}
	}
	if err := bctx.Err(); err != nil {
		r.err = fmt.Errorf("checkpoint %d was ready too late: %w", s.Epoch, context.Cause(bctx))
		return r
	}
	switch err := c.publish(bctx, s); {
	case errors.Is(err, checkpoint.ErrUndecided):
		// It may be decided: neither going on in the same transaction nor in the next is safe.
		r.fatal = &exec.Error{Class: exec.External, Retry: true, Err: fmt.Errorf("checkpoint %d: %w", s.Epoch, err)}
		return r
	case err != nil:
		r.err = fmt.Errorf("publishing the manifest: %w", err)
		return r
	}
	// Decided. From here on only forward.
	c.tasks.Durable(s.Epoch)
	if !bugCommitFirst {
		if r.fatal = c.commit(cctx, s); r.fatal != nil {
			return r
		}
	}
	c.failPoint("before_gc")
	if err := c.settled(cctx, s); err != nil {
		c.log.Warn("cleaning up after a checkpoint", "checkpoint", s.Epoch, "err", err)
	}
	return r
}

// commit makes the output of a decided checkpoint visible.
func (c *coordinator) commit(ctx context.Context, s *snapshot) error {
	for _, cm := range c.committers {
		if err := cm.Decided(s.Epoch, true); err != nil {
			return fmt.Errorf("starting the transaction after checkpoint %d: %w", s.Epoch, err)
		}
	}
	for _, cm := range c.committers {
		if token, ok := s.Tokens[cm.Name()]; ok {
			if err := cm.Commit(ctx, s.Epoch, token); err != nil {
				return fmt.Errorf("committing the output of checkpoint %d: %w", s.Epoch, err)
			}
		}
	}
	return nil
}

// writeState writes everything sealed and not yet in a file, oldest first per task.
func (c *coordinator) writeState(ctx context.Context, r *result) error {
	for i, list := range c.carried {
		for _, sealed := range list {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("writing state: timeout: %w", err)
			}
			files, err := sealed.Write(c.files)
			if err != nil {
				return fmt.Errorf("writing the state of task %d: %w", i, err)
			}
			r.written = append(r.written, writtenSealed{sealed, files})
		}
	}
	return nil
}

// finished ends the checkpoint in flight on the coordinator's goroutine.
func (c *coordinator) finished(r *result) error {
	p := c.pending
	c.pending = nil
	// What was written is durable whether or not the checkpoint was decided; the next
	// manifest lists it.
	for _, w := range r.written {
		w.sealed.Release()
		c.forget(w.sealed)
	}
	now := c.clock.Now()
	if c.cfg.MinPause > 0 && c.due.Before(now.Add(c.cfg.MinPause)) {
		c.due = now.Add(c.cfg.MinPause)
	}
	switch {
	case r.fatal != nil:
		c.stat.failed(p.snap.Epoch, r.fatal)
		p.answer(r.fatal)
		return r.fatal
	case r.err != nil:
		if p.stop == flow.Suspend {
			c.tasks.Resume() // as if nobody had asked
		}
		for _, w := range r.written {
			c.listed = append(c.listed, w.files...)
		}
		return c.giveUp(p, r.err)
	}
	c.listed, c.failed = nil, 0
	c.stat.completed(&p.snap, now)
	c.log.Debug("checkpoint complete", "checkpoint", p.snap.Epoch, "duration", now.Sub(p.snap.Started))
	for _, a := range p.snap.Acks {
		if a.Splits != nil {
			c.tasks.Committed(a.Task, a.Epoch, a.Splits)
		}
	}
	p.answer(nil)
	c.stopped = p.stop != flow.GoOn
	return nil
}

// forget removes a sealed change from those that are to be written.
func (c *coordinator) forget(s state.Sealed) {
	for i, list := range c.carried {
		c.carried[i] = slices.DeleteFunc(list, func(o state.Sealed) bool { return o == s })
	}
}

// giveUp ends a failed checkpoint; the job goes on unless too many failed in a row.
func (c *coordinator) giveUp(p *pending, err error) error {
	for _, cm := range c.committers {
		if derr := cm.Decided(p.snap.Epoch, false); derr != nil {
			return fmt.Errorf("going on after checkpoint %d failed: %w", p.snap.Epoch, derr)
		}
	}
	if p.failure == nil {
		c.stat.failed(p.snap.Epoch, err)
		c.log.Warn("checkpoint failed", "checkpoint", p.snap.Epoch, "err", err)
	}
	c.final = false // a last checkpoint that failed is taken again
	if c.failed++; c.failed <= c.cfg.Tolerable && p.stop == flow.Drain {
		c.waiting = append(p.requests, c.waiting...) // so is one that drained the job
		return nil
	}
	p.answer(err)
	if c.failed > c.cfg.Tolerable {
		return &exec.Error{Class: exec.External, Retry: true, Err: fmt.Errorf(
			"%d checkpoints failed in a row, execution.checkpointing.tolerable-failed-checkpoints = %d: %w", c.failed, c.cfg.Tolerable, err)}
	}
	return nil
}

// release waits for the background part and ends the use of sealed state that no checkpoint
// took.
func (c *coordinator) release() {
	for {
		for _, ev := range c.inbox.take() {
			switch {
			case ev.result != nil:
				c.ended(ev.result)
			case ev.ack.Sealed != nil:
				ev.ack.Sealed.Release()
			}
		}
		if c.pending == nil || !c.pending.working {
			break
		}
		<-c.inbox.wake
	}
	for _, list := range c.carried {
		for _, s := range list {
			s.Release()
		}
	}
	if c.pending != nil {
		c.stat.abandoned()
		c.pending.answer(errEnded)
	}
	for _, r := range c.waiting {
		r.done <- answer{err: errEnded}
	}
}

// ended takes the result of a background part that outlived the job's tasks.
func (c *coordinator) ended(r *result) {
	p := c.pending
	c.pending = nil
	for _, w := range r.written {
		w.sealed.Release()
		c.forget(w.sealed)
	}
	switch {
	case r.fatal != nil:
		c.stat.failed(p.snap.Epoch, r.fatal)
		p.answer(r.fatal)
	case r.err != nil:
		// Without a decision the committers may abort what they have open when they are closed.
		for _, cm := range c.committers {
			if err := cm.Decided(p.snap.Epoch, false); err != nil {
				c.log.Warn("the job ends", "checkpoint", p.snap.Epoch, "err", err)
			}
		}
		c.stat.failed(p.snap.Epoch, r.err)
		p.answer(errEnded)
	default:
		c.stat.completed(&p.snap, c.clock.Now())
		p.answer(nil)
	}
}

// sources groups the splits of a snapshot by source UID, sorted by split id.
func (s *snapshot) sources() map[string][]splitState {
	if s.initial != nil {
		return s.initial
	}
	out := map[string][]splitState{}
	for _, a := range s.Acks {
		if a.SourceUID == "" {
			continue
		}
		for i, sp := range a.Splits {
			out[a.SourceUID] = append(out[a.SourceUID], splitState{sp, a.Watermarks[i]})
		}
	}
	for _, l := range out {
		sort.Slice(l, func(i, j int) bool { return l[i].ID < l[j].ID })
	}
	return out
}

type splitState struct {
	exec.Split
	Watermark exec.Watermark
}
