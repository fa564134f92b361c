package flow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// task runs one Task on its own goroutine.
type task struct {
	id     int
	ctx    context.Context // what run was called with
	spec   Task
	clock  exec.Clock
	events Events
	head   *node
	nodes  []*node       // consumers first
	ops    map[*Op]*node // while it is built
	outs   []*output
	mail   *mailbox
	gate   *gate
	ports  []int // gate: queue -> port of the head
	wm     *watermarks
	seen   []time.Time // sources: when each split last gave rows
	splits []string    // sources: their ids, in order of assignment
	barred bool        // sources: a barrier was sent and nothing read since

	flushed time.Time // when rows that wait in open batches last went out

	urgent   *urgency
	over     *overtaking // nil: no barrier is overtaking
	hand     hand        // the rest of the batch that the operators are being given
	restored []hand
	all      []int32
	pace     pace
	aligned  map[state.Epoch]int // barriers that were taken from the queues

	unaligned bool // barriers may overtake
	align     bool // queues wait for each other's barriers
	done      bool // drained: all input ended and operators finished
	suspended bool // stands still behind a barrier
}

// newTask builds the chain of a task. Gates of all tasks exist already.
func newTask(ctx context.Context, id int, spec Task, o Options) *task {
	t := &task{id: id, spec: spec, clock: o.Clock, events: o.Events, align: !o.AtLeastOnce, mail: newMailbox(), wm: newWatermarks(0),
		urgent: newUrgency(), pace: newPace(), unaligned: o.Unaligned, aligned: map[state.Epoch]int{}, ops: map[*Op]*node{}}
	root := spec.Root
	if s := spec.Source; s != nil {
		root = &Op{Operator: sourceHead{}, Name: s.Name, Ctx: s.Ctx, Outs: s.Outs}
	}
	t.head = t.build(ctx, root)
	t.ops[nil] = t.head
	for _, r := range spec.Restored {
		t.restored = append(t.restored, hand{node: t.ops[r.Op], port: r.Port, split: r.Split, batch: r.Batch, rows: r.Batch.Rows(&t.all)})
	}
	t.ops, t.spec.Restored = nil, nil
	return t
}

func (t *task) build(ctx context.Context, o *Op) *node {
	n := &node{op: o.Operator, ctx: o.Ctx, name: o.Name, m: o.Ctx.Metrics, wake: maxWake}
	n.m.Watermark.Store(exec.MinWatermark)
	n.timer, _ = o.Operator.(exec.TimerOperator)
	for _, e := range o.Outs {
		out := edge{port: e.Port}
		if e.Exchange != nil {
			out.out = e.Exchange.output(ctx, t.urgent, t.spec.Subtask)
			t.outs = append(t.outs, out.out)
		} else {
			out.node = t.build(ctx, e.Op)
		}
		n.outs = append(n.outs, out)
	}
	o.Ctx.Out, o.Ctx.State, o.Ctx.Clock = n, t.spec.Store, t.clock
	o.Ctx.WakeAt = func(at int64) { n.wake = min(n.wake, at) }
	t.nodes = append(t.nodes, n)
	t.ops[o] = n
	return n
}

// open opens the operators, consumers first: they are open before anybody emits into them.
func (t *task) open() (err error) {
	defer guard(&err)
	for _, n := range t.nodes {
		if err := n.op.Open(n.ctx); err != nil {
			return n.fail(err)
		}
	}
	return nil
}

// run is the task's goroutine. It returns when ctx ends or at the first error.
func (t *task) run(ctx context.Context) {
	t.ctx = ctx
	err := t.loop(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		err = nil
	}
	if cerr := t.close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.events.Failed(t.id, err)
	}
}

func (t *task) loop(ctx context.Context) (err error) {
	defer guard(&err)
	if t.spec.Source != nil {
		return t.runSource(ctx)
	}
	return t.runGate(ctx)
}

// close closes everything the task was given, operators from the head down.
func (t *task) close() (err error) {
	defer guard(&err)
	for i := len(t.nodes) - 1; i >= 0; i-- {
		err = errors.Join(err, t.nodes[i].op.Close())
	}
	if s := t.spec.Source; s != nil {
		err = errors.Join(err, s.Reader.Close())
	}
	if t.spec.Store != nil {
		err = errors.Join(err, t.spec.Store.Close())
	}
	return err
}

// runGate merges the inputs: rows pass through, watermarks are merged, barriers aligned.
func (t *task) runGate(ctx context.Context) error {
	var ended int
	for {
		if err := t.commands(); err != nil {
			return err
		}
		if t.suspended {
			if err := t.rest(ctx); err != nil {
				return err
			}
			continue
		}
		if t.urgent.pressing() {
			if err := t.answer(); err != nil {
				return err
			}
		}
		if len(t.restored) > 0 {
			if err := t.giveRestored(); err != nil {
				return err
			}
			continue
		}
		q, e, ok, err := t.gate.take(ctx, t.mail.wake, t.clock, t.wait())
		if err != nil {
			return err
		}
		if !ok {
			if err := t.quiet(); err != nil {
				return err
			}
			continue
		}
		switch e.kind {
		case elemBatch:
			t.wm.setIdle(q, false)
			t.passing(q, e.batch)
			err = t.give(hand{node: t.head, port: t.ports[q], batch: e.batch})
			e.recycle()
			if err == nil {
				err = t.afterBatch()
			}
			if err == nil && t.pending() {
				err = t.flushDue()
			}
		case elemWatermark:
			t.wm.advance(q, e.time)
			err = t.mergeWatermarks()
		case elemIdle:
			t.wm.setIdle(q, true)
			err = t.mergeWatermarks()
		case elemBarrier:
			err = t.barrier(q, e.barrier)
		case elemEnd:
			t.wm.end(q)
			if ended++; ended == len(t.ports) {
				err = t.drain()
			} else {
				err = t.mergeWatermarks()
			}
		}
		if err != nil {
			return err
		}
	}
}

// giveRestored gives the operators the next rows of the restored checkpoint.
func (t *task) giveRestored() error {
	h := t.restored[0]
	t.restored = t.restored[1:]
	err := t.give(h)
	if err == nil && h.split != "" {
		err = t.eventTime(h.batch, slices.Index(t.splits, h.split))
	}
	if err == nil {
		err = t.afterBatch()
	}
	return err
}

func (t *task) mergeWatermarks() error {
	w, advanced, idle := t.wm.merge()
	if advanced {
		return t.head.watermark(w)
	}
	if idle && !t.done {
		return t.head.idle()
	}
	return nil
}

// drain ends the operators: the last watermark fires what is open, Finish the rest.
func (t *task) drain() error {
	if t.wm.merged < exec.MaxWatermark {
		t.wm.merged = exec.MaxWatermark
		if err := t.head.watermark(exec.MaxWatermark); err != nil {
			return err
		}
	}
	if err := t.head.finish(); err != nil {
		return err
	}
	t.done = true
	t.events.Drained(t.id)
	return nil
}

// afterBatch runs what is due between batches under load.
func (t *task) afterBatch() error {
	if t.spec.Store != nil {
		if err := t.spec.Store.Trim(); err != nil {
			return err
		}
	}
	return t.due()
}

// due calls timers whose time has come.
func (t *task) due() error {
	if wake := t.head.nextWake(); wake != maxWake {
		if now := t.clock.Now().UnixMilli(); wake <= now {
			return t.head.timers(now)
		}
	}
	return nil
}

// quiet runs when no input is there: rows that wait in open batches go out.
func (t *task) quiet() error {
	t.flushed = t.clock.Now()
	if err := t.head.flush(); err != nil {
		return err
	}
	return t.due()
}

// flushDue lets rows go that may have waited for linger: under load there is no quiet moment.
func (t *task) flushDue() error {
	if t.clock.Now().Sub(t.flushed) < linger {
		return nil
	}
	return t.quiet()
}

// pending reports whether rows wait in open batches.
func (t *task) pending() bool {
	return slices.ContainsFunc(t.outs, func(o *output) bool { return o.pending })
}

// wait is how long the task may sleep for input.
func (t *task) wait() time.Duration {
	d := idleWait
	if t.pending() {
		d = linger
	}
	if wake := t.head.nextWake(); wake != maxWake {
		d = min(d, max(time.Duration(wake-t.clock.Now().UnixMilli())*time.Millisecond, time.Millisecond))
	}
	return d
}
