package flow

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/sqlstream/sqlstream/exec/inflight"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// overdraft is how many batches more than its limit a queue takes from a task that is told to
// let a barrier overtake: what the call at hand still emits. A window that fires more rows than
// that makes the checkpoint wait.
const overdraft = 64

// fullWait is how often a task that waits for a barrier looks whether there is space again. It
// hears of the barrier at once.
const fullWait = 2 * time.Millisecond

// urgency is how a task hears, also while it waits for space in the middle of a call, that a
// barrier is to overtake what stands before it.
type urgency struct {
	told atomic.Uint64 // the newest epoch whose barrier is to overtake
	took atomic.Uint64 // the newest epoch that the task has answered
	wake chan struct{} // signalled with told
}

func newUrgency() *urgency { return &urgency{wake: make(chan struct{}, 1)} }

func (u *urgency) tell(e state.Epoch) {
	u.told.Store(uint64(e))
	signal(u.wake)
}

// pressing reports whether the task has still to answer the checkpoint it was told of.
func (u *urgency) pressing() bool { return u.told.Load() > u.took.Load() }

// overtaking is a checkpoint of a gate task from the first barrier it found, at any place of any
// queue, to the last. What stands before the barrier in each queue is in flight: it is part of the
// checkpoint, and is processed as ever.
type overtaking struct {
	epoch state.Epoch
	ack   Ack
	open  []bool // per queue: its barrier has not come yet
	left  int    // queues that are open
}

// hand is what a task has been given and its operators not yet.
type hand struct {
	node  *node
	port  int
	split string
	batch *vec.Batch
	rows  []int32
}

// capture adds rows to what was in flight.
func (a *Ack) capture(t *task, h hand) {
	if len(h.rows) == 0 || bugLostInFlight {
		return
	}
	uid := h.node.ctx.UID
	i := slices.IndexFunc(a.InFlight, func(c InFlight) bool { return c.UID == uid && c.Port == h.port && c.Split == h.split })
	if i < 0 {
		i = len(a.InFlight)
		a.InFlight = append(a.InFlight, InFlight{
			UID: uid, Port: h.port, Subtask: t.spec.Subtask, Parallelism: h.node.ctx.Parallelism, Split: h.split, Data: inflight.Header(h.batch),
		})
	}
	c := &a.InFlight[i]
	c.Rows += int64(len(h.rows))
	c.Data = inflight.Append(c.Data, h.batch, h.rows)
}

// captureHeld captures what the task has taken in and not processed: the rest of the batch at
// hand, and rows of the restored checkpoint.
func (t *task) captureHeld(a *Ack) {
	a.capture(t, t.hand)
	for _, h := range t.restored {
		a.capture(t, h)
	}
}

// overtake lets the barrier that the task is told of overtake, once it is in one of the queues, and
// goes on collecting what is in flight. It is called between calls of operators.
func (t *task) overtake() error {
	switch {
	case t.over != nil:
		t.sweep()
	case t.urgent.pressing():
		b, ok := t.gate.find(state.Epoch(t.urgent.told.Load()))
		if !ok {
			return nil
		}
		start := t.clock.Now()
		o := &overtaking{epoch: b.Epoch, open: make([]bool, len(t.ports))}
		for q := range o.open {
			if o.open[q] = !t.gate.blocked(q); o.open[q] {
				o.left++
			}
		}
		a, err := t.seal(b)
		if err != nil {
			return err
		}
		t.captureHeld(&a)
		o.ack = a
		t.over = o
		delete(t.aligned, b.Epoch)
		t.gate.unblock()
		t.sweep()
		o.ack.Pause = t.clock.Now().Sub(start)
	default:
		return nil
	}
	t.complete()
	return nil
}

// sweep captures what stands before the barriers that have come.
func (t *task) sweep() {
	o := t.over
	for q, open := range o.open {
		if !open {
			continue
		}
		batches, found := t.gate.pull(q, o.epoch)
		if !found {
			continue
		}
		for _, b := range batches {
			t.passing(q, b)
		}
		o.close(q)
	}
}

// passing captures a batch of a queue whose barrier has not come yet.
func (t *task) passing(q int, b *vec.Batch) {
	if t.over != nil && t.over.open[q] {
		t.over.ack.capture(t, hand{node: t.head, port: t.ports[q], batch: b, rows: b.Rows(&t.all)})
	}
}

func (o *overtaking) close(q int) {
	o.open[q] = false
	o.left--
}

// complete answers when all barriers have come.
func (t *task) complete() {
	if o := t.over; o.left == 0 {
		t.over = nil
		t.acked(o.ack)
	}
}

// full reports whether a queue behind the task has no space.
func (t *task) full() bool {
	return slices.ContainsFunc(t.outs, func(o *output) bool {
		return slices.ContainsFunc(o.targets, func(g target) bool { return g.gate.full(g.queue) })
	})
}
