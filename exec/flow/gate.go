package flow

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// elemKind is what travels through an exchange.
type elemKind uint8

const (
	elemBatch elemKind = iota
	elemWatermark
	elemIdle // the producer's watermark does not count until the next watermark or batch
	elemBarrier
	elemEnd // no more rows; barriers still follow
)

// elem is one entry of a queue. The receiver of a batch gives it back by recycle, once.
type elem struct {
	kind    elemKind
	batch   *vec.Batch
	pool    *batchPool
	time    exec.Watermark
	barrier Barrier
}

func (e elem) recycle() {
	if e.batch != nil {
		e.pool.put(e.batch)
	}
}

// gate is the input side of a task: one bounded queue per producing subtask, written by that
// producer's goroutine and read by the task's. It is a structure of our own and not a
// channel so that a barrier can overtake queued batches and their content be counted as
// part of a checkpoint. Nothing is ever dropped: a full queue blocks its producer.
type gate struct {
	limit int // batches per queue
	ready chan struct{}

	mu     sync.Mutex
	queues []queue
	next   int // round robin
}

type queue struct {
	elems   []elem
	batches int
	blocked bool          // its barrier arrived, others' did not
	space   chan struct{} // signalled when batches falls below the limit
}

func newGate(producers, limit int) *gate {
	g := &gate{limit: limit, ready: make(chan struct{}, 1), queues: make([]queue, producers)}
	for i := range g.queues {
		g.queues[i].space = make(chan struct{}, 1)
	}
	return g
}

// put appends e to queue q. Batches wait for space until ctx ends, and for less while u is
// pressing; signals do not wait.
func (g *gate) put(ctx context.Context, q int, e elem, u *urgency) error {
	for {
		g.mu.Lock()
		c := &g.queues[q]
		if e.kind != elemBatch || c.batches < g.limit || c.batches < g.limit+overdraft && u.pressing() {
			c.elems = append(c.elems, e)
			if e.kind == elemBatch {
				c.batches++
			}
			g.mu.Unlock()
			signal(g.ready)
			return nil
		}
		g.mu.Unlock()
		select {
		case <-c.space:
		case <-u.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// full reports whether queue q holds as many batches as its limit.
func (g *gate) full(q int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queues[q].batches >= g.limit
}

// find returns the barrier of an epoch if it stands in one of the queues, or before one that is
// blocked by it.
func (g *gate) find(e state.Epoch) (Barrier, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.queues {
		c := &g.queues[i]
		if c.blocked {
			return Barrier{Epoch: e}, true
		}
		if at := c.barrier(e); at >= 0 {
			return c.elems[at].barrier, true
		}
	}
	return Barrier{}, false
}

// blocked reports whether the barrier of queue q was taken, and others' were not.
func (g *gate) blocked(q int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queues[q].blocked
}

// pull takes the barrier of an epoch out of queue q, if it is there, and returns the batches before
// it, which stay.
func (g *gate) pull(q int, e state.Epoch) (before []*vec.Batch, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &g.queues[q]
	at := c.barrier(e)
	if at < 0 {
		return nil, false
	}
	for _, x := range c.elems[:at] {
		if x.kind == elemBatch {
			before = append(before, x.batch)
		}
	}
	c.elems = slices.Delete(c.elems, at, at+1)
	return before, true
}

// barrier returns where the barrier of an epoch stands, -1 when it has not come.
func (c *queue) barrier(e state.Epoch) int {
	return slices.IndexFunc(c.elems, func(x elem) bool { return x.kind == elemBarrier && x.barrier.Epoch == e })
}

// await waits until something came, wake fires, or wait is over.
func (g *gate) await(ctx context.Context, wake <-chan struct{}, clock exec.Clock, wait time.Duration) error {
	timer := clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-g.ready:
	case <-wake:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// take returns the next element of any queue that is not blocked. It waits until there is
// one, wake fires, or ctx ends; ok tells whether there is one.
func (g *gate) take(ctx context.Context, wake <-chan struct{}, clock exec.Clock, wait time.Duration) (q int, e elem, ok bool, err error) {
	var timer <-chan time.Time
	for {
		g.mu.Lock()
		for range g.queues {
			q = g.next
			g.next = (g.next + 1) % len(g.queues)
			if c := &g.queues[q]; !c.blocked && len(c.elems) > 0 {
				e = c.pop()
				full := e.kind == elemBatch && c.batches == g.limit-1
				g.mu.Unlock()
				if full {
					signal(c.space)
				}
				return q, e, true, nil
			}
		}
		g.mu.Unlock()
		if wait <= 0 {
			return 0, elem{}, false, nil
		}
		if timer == nil {
			t := clock.NewTimer(wait)
			defer t.Stop()
			timer = t.C
		}
		select {
		case <-g.ready:
		case <-wake:
			return 0, elem{}, false, nil
		case <-timer:
			return 0, elem{}, false, nil
		case <-ctx.Done():
			return 0, elem{}, false, context.Cause(ctx)
		}
	}
}

func (c *queue) pop() elem {
	e := c.elems[0]
	c.elems[0] = elem{}
	c.elems = c.elems[1:]
	if e.kind == elemBatch {
		c.batches--
	}
	return e
}

// block stops taking from a queue until unblock.
func (g *gate) block(q int) {
	g.mu.Lock()
	g.queues[q].blocked = true
	g.mu.Unlock()
}

// unblock takes from all queues again.
func (g *gate) unblock() {
	g.mu.Lock()
	for i := range g.queues {
		g.queues[i].blocked = false
	}
	g.mu.Unlock()
}

// signal wakes the one goroutine that waits on c, now or when it next waits.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// batchPool recycles the batches of one exchange. Producer and consumer are different
// goroutines.
type batchPool struct {
	mk func() *vec.Batch

	mu   sync.Mutex
	free []*vec.Batch
}

func (p *batchPool) get() *vec.Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return p.mk()
}

func (p *batchPool) put(b *vec.Batch) {
	b.Reset()
	p.mu.Lock()
	p.free = append(p.free, b)
	p.mu.Unlock()
}
