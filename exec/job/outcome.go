package job

import (
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

// finished ends the checkpoint in flight on the coordinator's goroutine.
func (c *coordinator) finished(r *result) error {
	p := c.pending[0]
	c.pending = c.pending[1:]
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
	c.carried = slices.DeleteFunc(c.carried, func(x carried) bool { return x.sealed == s })
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
		if len(c.pending) == 0 || !c.pending[0].working {
			break
		}
		<-c.inbox.wake
	}
	for _, x := range c.carried {
		x.sealed.Release()
	}
	for _, p := range c.pending {
		c.stat.abandoned(p.snap.Epoch)
		p.answer(errEnded)
	}
	for _, r := range c.waiting {
		r.done <- answer{err: errEnded}
	}
}

// ended takes the result of a background part that outlived the job's tasks.
func (c *coordinator) ended(r *result) {
	p := c.pending[0]
	c.pending = c.pending[1:]
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
