package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

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
func (c *coordinator) work(cctx, bctx context.Context, s *snapshot, sealed []carried) *result {
	r := &result{}
	defer func() {
		if r.err != nil {
			c.removeChannels(s)
		}
	}()
	if r.err = c.writeState(bctx, sealed, r); r.err != nil {
		return r
	}
	if r.err = c.writeChannels(bctx, s); r.err != nil {
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
func (c *coordinator) writeState(ctx context.Context, sealed []carried, r *result) error {
	for _, x := range sealed {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("writing state: timeout: %w", err)
		}
		files, err := x.sealed.Write(c.files)
		if err != nil {
			return fmt.Errorf("writing the state of task %d: %w", x.task, err)
		}
		r.written = append(r.written, writtenSealed{x.sealed, files})
	}
	return nil
}

// writeChannels writes the rows in flight, one file for each input of a subtask.
func (c *coordinator) writeChannels(ctx context.Context, s *snapshot) error {
	for i := range s.Acks {
		for _, f := range s.Acks[i].InFlight {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("writing rows in flight: timeout: %w", err)
			}
			ch, err := checkpoint.WriteChannel(c.files, s.Epoch, checkpoint.Channel{
				UID: f.UID, Port: f.Port, Subtask: f.Subtask, Parallelism: f.Parallelism, Split: f.Split, Rows: f.Rows,
			}, f.Data)
			if err != nil {
				return fmt.Errorf("writing the rows in flight to %s: %w", f.UID, err)
			}
			s.Channels = append(s.Channels, ch)
		}
		s.Acks[i].InFlight = nil // may be large
	}
	return nil
}

// removeChannels removes what no other checkpoint can use. What stays is removed at the next start.
func (c *coordinator) removeChannels(s *snapshot) {
	for _, ch := range s.Channels {
		if err := c.files.Remove(ch.Name); err != nil {
			c.log.Warn("cleaning up after a checkpoint that failed", "checkpoint", s.Epoch, "err", err)
			return
		}
	}
}
