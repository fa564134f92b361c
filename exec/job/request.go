package job

import (
	"context"
	"errors"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

// request asks the coordinator for a checkpoint that begins after it was made.
type request struct {
	aligned bool // barriers do not overtake, as savepoints want it
	full    bool // all state is written anew, not only what changed
	// stop other than GoOn ends the job with this checkpoint. When it fails, a suspended job
	// goes on. One that was drained cannot: its last checkpoint is taken again, and it fails
	// over to the one before when that does not help.
	stop flow.Stop
	done chan<- answer // has room for it
}

// answer says which checkpoint was taken; its output is committed.
type answer struct {
	epoch state.Epoch
	err   error
}

// together splits off the requests that the next checkpoint can serve: the first one and all
// that want the job to go on, or to stop in the same way.
func together(list []request) (now, later []request) {
	stop := flow.GoOn
	for _, r := range list {
		switch {
		case r.stop == flow.GoOn || r.stop == stop:
			now = append(now, r)
		case stop == flow.GoOn:
			stop = r.stop
			now = append(now, r)
		default:
			later = append(later, r)
		}
	}
	return now, later
}

// stopOf is how requests that go together want the job to stop.
func stopOf(list []request) flow.Stop {
	stop := flow.GoOn
	for _, r := range list {
		stop = max(stop, r.stop)
	}
	return stop
}

func (p *pending) answer(err error) {
	a := answer{epoch: p.snap.Epoch, err: err}
	if err != nil {
		a.epoch = 0
	}
	for _, r := range p.requests {
		r.done <- a
	}
}

// errEnded is what those hear who wait for a checkpoint that never comes.
var errEnded = errors.New("the job ended before the checkpoint was complete")

// Checkpoint takes a checkpoint now, of all state when full is set, and returns its epoch when
// its output is committed.
func (h *Handle) Checkpoint(ctx context.Context, full bool) (state.Epoch, error) {
	return h.demandCheckpoint(ctx, request{full: full})
}

// Stop ends the job with a last checkpoint and returns its epoch when its output is committed;
// Wait returns nil soon after. With drain the inputs end first, for good: all windows fire.
// Without, nothing happens in the job after the checkpoint, so a later run goes on from there.
// When the checkpoint fails the job is not stopped: it goes on, after drain from the checkpoint
// before.
func (h *Handle) Stop(ctx context.Context, drain bool) (state.Epoch, error) {
	r := request{aligned: true, stop: flow.Suspend}
	if drain {
		r.stop = flow.Drain
	}
	return h.demandCheckpoint(ctx, r)
}

// demandCheckpoint has a request served.
func (h *Handle) demandCheckpoint(ctx context.Context, r request) (state.Epoch, error) {
	if h.cfg.Dir == "" {
		return 0, exec.Userf("the job has no directory, so it takes no checkpoints")
	}
	done := make(chan answer, 1)
	r.done = done
	select {
	case h.demand <- r:
	case <-h.done:
		return 0, errors.New("the job has ended")
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	select {
	case a := <-done:
		return a.epoch, a.err
	case <-h.done:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	select {
	case a := <-done: // a job that is stopped ends at once
		return a.epoch, a.err
	default:
		return 0, errEnded
	}
}
