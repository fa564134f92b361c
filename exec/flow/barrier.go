package flow

import (
	"context"
	"fmt"
)

// barrier takes a barrier that came to the front of a queue.
func (t *task) barrier(q int, b Barrier) error {
	if t.over != nil && t.over.epoch == b.Epoch {
		t.over.close(q)
		t.complete()
		return nil
	}
	if t.align && !bugUnaligned {
		t.gate.block(q)
	}
	if t.aligned[b.Epoch]++; t.aligned[b.Epoch] < len(t.ports) {
		return nil
	}
	delete(t.aligned, b.Epoch)
	err := t.checkpoint(b)
	t.gate.unblock()
	return err
}

// rest waits for commands: barriers and confirmations still come when nothing is read.
func (t *task) rest(ctx context.Context) error {
	select {
	case <-t.mail.wake:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// checkpoint is the synchronous part of a checkpoint in this task.
func (t *task) checkpoint(b Barrier) error {
	start := t.clock.Now()
	a, err := t.seal(b)
	if err != nil {
		return err
	}
	t.captureHeld(&a) // a source's, else there is nothing
	a.Pause = t.clock.Now().Sub(start)
	t.acked(a)
	return nil
}

func (t *task) acked(a Ack) {
	t.urgent.took.Store(uint64(a.Epoch))
	t.events.Acked(a)
}

// seal sends the barrier on and freezes the state as it is.
func (t *task) seal(b Barrier) (Ack, error) {
	e := b.Epoch
	a := Ack{Task: t.id, Epoch: e}
	if err := t.head.barrier(b); err != nil {
		return a, err
	}
	t.suspended = b.Stop == Suspend
	if t.spec.Store != nil {
		sealed, err := t.spec.Store.Seal(e)
		if err != nil {
			return a, fmt.Errorf("task %s: sealing epoch %d: %w", t.spec.Name, e, err)
		}
		a.Sealed = sealed
	}
	if s := t.spec.Source; s != nil {
		splits, err := s.Reader.Positions()
		if err != nil {
			return a, fmt.Errorf("task %s: positions of epoch %d: %w", t.spec.Name, e, err)
		}
		a.SourceUID, a.Splits = s.Ctx.UID, splits
		for i := range splits {
			a.Watermarks = append(a.Watermarks, t.wm.inputs[i].time)
		}
	}
	return a, nil
}

// commands carries out what the coordinator asked for since the last call.
func (t *task) commands() error {
	for _, c := range t.mail.take() {
		var err error
		switch {
		case c.barrier.Epoch != 0:
			if c.barrier.Stop == Drain && !t.done {
				err = t.drain()
			}
			if err == nil {
				t.barred = true
				err = t.checkpoint(c.barrier)
			}
		case c.resume:
			t.suspended = false
		case c.assign != nil:
			err = t.assign(c.assign, nil)
		case c.durable != 0 && t.spec.Store != nil:
			t.spec.Store.Confirm(c.durable)
		case c.committed != 0 && t.spec.Source != nil:
			t.spec.Source.Reader.Committed(c.committed, c.splits)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
