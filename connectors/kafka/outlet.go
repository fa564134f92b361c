package kafka

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	slabRecords = 512
	slabBytes   = 256 << 10 // a slab is handed over when it holds this much
)

// slab is a run of records with the bytes they point into, handed to the client together and
// used again when all are acknowledged. Without slabs every record is an allocation.
type slab struct {
	records [slabRecords]kgo.Record
	n       int
	buf     []byte
	left    atomic.Int32
	out     *outlet
	to      *stream
	touched *bitset
	promise func(*kgo.Record, error) // bound once
}

func (s *slab) done(r *kgo.Record, err error) {
	s.to.acknowledged(r, s.touched, err)
	if s.left.Add(-1) == 0 {
		s.out.landed(s)
	}
}

// decided tells whether a checkpoint is decided, and what to wait for while it is not.
type decided func() (yes bool, changed <-chan struct{})

// outlet collects the records of one writer for one topic and passes them on: at once, or,
// while a barrier's checkpoint is undecided, when it is decided. One goroutine uses it.
type outlet struct {
	topic string
	sub   int
	plain *stream    // without transactions
	group *committer // with
	limit int64      // bytes held back at most
	bytes func(int64)

	cur       *slab
	held      []*slab // full slabs of the next epoch
	heldBytes int64
	until     decided // nil: nothing is held back

	flying atomic.Int64 // records handed to the client and not acknowledged
	wake   chan struct{}
	mu     sync.Mutex
	free   []*slab
	last   *stream // where the newest records went
}

func newOutlet(topic string, subtask int, plain *stream, group *committer, limit int64) *outlet {
	return &outlet{topic: topic, sub: subtask, plain: plain, group: group, limit: limit, wake: make(chan struct{}, 1)}
}

// slot returns the record to fill next and the slab whose buffer its bytes go to; commit
// adds it.
func (o *outlet) slot(ctx context.Context) (*slab, error) {
	if o.cur == nil {
		o.cur = o.take()
	}
	if o.cur.n == slabRecords || len(o.cur.buf) >= slabBytes {
		if err := o.pass(ctx); err != nil {
			return nil, err
		}
		o.cur = o.take()
	}
	return o.cur, nil
}

func (o *outlet) take() *slab {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last := len(o.free) - 1; last >= 0 {
		s := o.free[last]
		o.free = o.free[:last]
		return s
	}
	s := &slab{out: o, buf: make([]byte, 0, 64<<10)}
	s.promise = s.done
	return s
}

// commit adds the record at s.records[s.n], whose key and value lie in s.buf.
func (o *outlet) commit(s *slab, r kgo.Record) {
	r.Topic = o.topic
	s.records[s.n] = r
	s.n++
}

// pass sends the current slab on, or holds it back.
func (o *outlet) pass(ctx context.Context) error {
	s := o.cur
	o.cur = nil
	if s == nil {
		return nil
	}
	if s.n == 0 {
		o.recycle(s)
		return nil
	}
	if o.until != nil {
		// Bounded: what does not fit waits for the decision, and the job with it.
		for o.heldBytes+int64(len(s.buf)) > o.limit {
			yes, changed := o.until()
			if yes {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				o.cur = s
				return ctx.Err()
			}
		}
		o.held = append(o.held, s)
		o.heldBytes += int64(len(s.buf))
		return o.release(ctx)
	}
	return o.send(ctx, s)
}

// release sends what was held back once the checkpoint is decided.
func (o *outlet) release(ctx context.Context) error {
	if o.until == nil {
		return nil
	}
	if yes, _ := o.until(); !yes {
		return nil
	}
	o.until = nil
	for len(o.held) > 0 {
		s := o.held[0]
		o.held = o.held[1:]
		o.heldBytes -= int64(len(s.buf))
		if err := o.send(ctx, s); err != nil {
			return err
		}
	}
	o.held = nil
	return nil
}

func (o *outlet) send(ctx context.Context, s *slab) error {
	to := o.plain
	if o.group != nil {
		var err error
		if to, err = o.group.current(ctx); err != nil {
			return err
		}
	}
	if err := to.err(); err != nil {
		return err
	}
	o.last = to
	s.to, s.touched = to, to.touch(o.topic)
	n := s.n
	s.left.Store(int32(n))
	o.flying.Add(int64(n))
	to.sent.Add(int64(n))
	if o.bytes != nil {
		o.bytes(int64(len(s.buf)))
	}
	// The slab may be taken again by the time the loop ends, so it counts for itself.
	for i := range n {
		to.cl.Produce(ctx, &s.records[i], s.promise)
	}
	return nil
}

// landed takes a slab back whose records are all acknowledged; called by the client.
func (o *outlet) landed(s *slab) {
	n := int64(s.n)
	o.recycle(s)
	if o.flying.Add(-n) == 0 {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// freeSlabs bounds what an outlet keeps for reuse.
const freeSlabs = 32

func (o *outlet) recycle(s *slab) {
	clear(s.records[:s.n])
	s.n, s.buf, s.to, s.touched = 0, s.buf[:0], nil, nil
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.free) < freeSlabs {
		o.free = append(o.free, s)
	}
}

// flush sends what there is and waits until all of it is acknowledged.
func (o *outlet) flush(ctx context.Context) error {
	if err := o.pass(ctx); err != nil {
		return err
	}
	return o.wait(ctx)
}

func (o *outlet) wait(ctx context.Context) error {
	for o.flying.Load() > 0 {
		select {
		case <-o.wake:
		case <-o.last.failed:
			if err := o.last.err(); err != nil {
				return err
			}
			// Only with the seeded bug that ignores errors: wait for the rest.
			if err := sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if o.last != nil {
		return o.last.err()
	}
	return nil
}

// barrier ends an epoch: everything before is acknowledged, everything after is held back
// until the committer has decided; decision says on what.
func (o *outlet) barrier(ctx context.Context, decision func() decided) error {
	for o.until != nil {
		// The checkpoint before is still undecided: its rows cannot go anywhere yet.
		if yes, changed := o.until(); !yes {
			select {
			case <-changed:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		if err := o.release(ctx); err != nil {
			return err
		}
	}
	if o.group == nil {
		return o.flush(ctx)
	}
	o.group.point("before_flush")
	if err := o.flush(ctx); err != nil {
		return err
	}
	o.group.point("after_flush")
	if !bugRowsAfterBarrier {
		o.until = decision()
	}
	return nil
}
