package job

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

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

	Concurrent     int           // under way at one time, at least 1
	Unaligned      bool          // barriers overtake rows that wait
	AlignedTimeout time.Duration // but not before it
}

// tasks is what the coordinator asks of a running graph; *flow.Graph in the engine.
type tasks interface {
	Tasks() int
	Barrier(b flow.Barrier)
	Overtake(e state.Epoch)
	Resume()
	Durable(e state.Epoch)
	Committed(task int, e state.Epoch, splits []exec.Split)
	Assign(task int, splits []exec.Split)
}

// coordinator takes checkpoints of one incarnation:
//
//	barrier → acks → state files, Prepare → publish (the decision) → Decided → Commit → settle
//
// Barriers of several checkpoints may be under way, but from the state files on there is one
// at a time, in order: the manifest of e+1 is not written before the output of e is committed, and
// a checkpoint is never complete before the one it is built on is decided, either way. A
// checkpoint that fails while a later one is under way is like any that fails: what it sealed is
// older than what the later one sealed, and is written with it; rows before its barrier stay in
// the open transaction, which the later one then commits. Sinks that keep rows back until a
// checkpoint is decided (exec.Writer) have their next barrier wait for that.
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
	pending []*pending   // in order
	carried []carried    // sealed changes that no file holds, in the order of epochs per task
	listed  []state.File // files already written for carried changes
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

// carried is what a task sealed for a checkpoint that is under way, or has failed.
type carried struct {
	task   int
	epoch  state.Epoch
	sealed state.Sealed
}

// pending is a checkpoint in flight.
type pending struct {
	snap     snapshot
	stop     flow.Stop
	acked    int
	failure  error // given up; waits for the acks that are still to come
	working  bool  // the background part runs
	requests []request

	overtakes bool // its barrier is still to be told to
}

// run takes checkpoints until ctx ends, a task fails, or the job is done (nil): its input
// ended, or it was stopped. demand asks for a checkpoint outside of the interval.
func (c *coordinator) run(ctx context.Context, demand <-chan request) error {
	c.cfg.Concurrent = max(c.cfg.Concurrent, 1)
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
	for _, p := range c.pending {
		if p.failure == nil && !p.working && now.Sub(p.snap.Started) >= c.cfg.Timeout {
			p.failure = fmt.Errorf("checkpoint %d expired: %d of %d tasks answered within execution.checkpointing.timeout = %s",
				p.snap.Epoch, p.acked, c.tasks.Tasks(), c.cfg.Timeout)
			c.stat.failed(p.snap.Epoch, p.failure)
			c.log.Warn("checkpoint given up", "checkpoint", p.snap.Epoch, "reason", p.failure)
		}
		if p.overtakes && now.Sub(p.snap.Started) >= c.cfg.AlignedTimeout {
			p.overtakes = false
			c.tasks.Overtake(p.snap.Epoch)
		}
	}
	allDrained := len(c.drained) == c.tasks.Tasks()
	alone := len(c.pending) == 0
	switch {
	case alone && (c.stopped || allDrained && (c.final || !c.lastly)):
		return true
	case c.stopped, !c.space():
	case allDrained:
		if alone {
			c.final = true
			c.trigger(c.waiting, nil)
			return c.advance(now)
		}
	case len(c.waiting) > 0:
		list, later := together(c.waiting)
		if alone || stopOf(list) == flow.GoOn { // the last one has no other beside it
			c.trigger(list, later)
			return c.advance(now)
		}
	case c.periodic() && !now.Before(c.due):
		c.trigger(nil, nil)
		return c.advance(now)
	}
	return false
}

// periodic reports whether checkpoints begin by the interval: where the job takes none after its
// end (checkpoints-after-tasks-finish is false) that ends with its first task, as in Flink.
func (c *coordinator) periodic() bool {
	return c.cfg.Interval > 0 && (c.lastly || len(c.drained) == 0)
}

// space reports whether one more checkpoint may be under way.
func (c *coordinator) space() bool {
	n := len(c.pending)
	return n == 0 || n < c.cfg.Concurrent && c.pending[n-1].stop == flow.GoOn && !c.final
}

// sleep is the time until advance has something to do by the clock.
func (c *coordinator) sleep(now time.Time) time.Duration {
	d := time.Hour
	for _, p := range c.pending {
		if p.failure == nil && !p.working {
			d = min(d, p.snap.Started.Add(c.cfg.Timeout).Sub(now))
		}
		if p.overtakes {
			d = min(d, p.snap.Started.Add(c.cfg.AlignedTimeout).Sub(now))
		}
	}
	if c.periodic() && c.space() {
		d = min(d, c.due.Sub(now))
	}
	return max(d, time.Millisecond)
}

// trigger begins a checkpoint that serves requests; later ones wait.
func (c *coordinator) trigger(serve, later []request) {
	p := &pending{
		snap: snapshot{Epoch: c.next(), Started: c.clock.Now(), Acks: make([]flow.Ack, c.tasks.Tasks())},
		stop: stopOf(serve), requests: serve, overtakes: c.cfg.Unaligned && !c.final,
	}
	for _, r := range serve {
		p.snap.Full = p.snap.Full || r.full
		p.overtakes = p.overtakes && !r.aligned && r.stop == flow.GoOn
	}
	p.snap.Drained = c.final || p.stop == flow.Drain
	c.pending, c.waiting = append(c.pending, p), later
	c.due = p.snap.Started.Add(c.cfg.Interval)
	c.stat.started(p.snap.Epoch)
	c.failPoint("snap_begin")
	c.tasks.Barrier(flow.Barrier{Epoch: p.snap.Epoch, Stop: p.stop})
}

func (c *coordinator) handle(ctx context.Context, ev event) error {
	switch {
	case ev.err != nil:
		return ev.err
	case ev.drained:
		c.drained[ev.task] = true
	case ev.result != nil:
		if err := c.finished(ev.result); err != nil {
			return err
		}
		return c.proceed(ctx)
	case ev.splits != nil:
		c.tasks.Assign(ev.task, ev.splits)
	default:
		if err := c.acked(ev.ack); err != nil {
			return err
		}
		return c.proceed(ctx)
	}
	return nil
}

func (c *coordinator) acked(a flow.Ack) error {
	i := slices.IndexFunc(c.pending, func(p *pending) bool { return p.snap.Epoch == a.Epoch })
	if i < 0 {
		return fmt.Errorf("internal error: task %d answered checkpoint %d, which is not in progress", a.Task, a.Epoch)
	}
	p := c.pending[i]
	p.snap.Acks[a.Task] = a
	p.acked++
	if a.Sealed != nil {
		c.carried = append(c.carried, carried{a.Task, a.Epoch, a.Sealed})
	}
	return nil
}

// proceed starts the background part of the oldest checkpoint when all tasks have answered it.
// The others wait for their turn.
func (c *coordinator) proceed(ctx context.Context) error {
	for len(c.pending) > 0 {
		p := c.pending[0]
		switch {
		case p.working || p.acked < c.tasks.Tasks():
			return nil
		case p.failure != nil:
			if err := c.finished(&result{err: p.failure}); err != nil {
				return err
			}
			continue
		}
		p.working = true
		var sealed []carried
		for _, x := range c.carried {
			if x.epoch <= p.snap.Epoch {
				sealed = append(sealed, x)
			}
		}
		slices.SortStableFunc(sealed, func(a, b carried) int { return a.task - b.task })
		bctx, cancel := context.WithDeadline(ctx, p.snap.Started.Add(c.cfg.Timeout))
		cctx, end := withGrace(ctx, commitGrace)
		go func() {
			defer cancel()
			defer end()
			c.inbox.post(event{result: c.work(cctx, bctx, &p.snap, sealed)})
		}()
	}
	return nil
}
