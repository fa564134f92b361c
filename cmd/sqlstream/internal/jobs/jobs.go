// Package jobs owns jobs as the command line runs them: the runtime's job with its control
// socket, and its clean end. Commands and the shell import it.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/heap"
	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// Launcher starts jobs. Lookup and Log are required.
type Launcher struct {
	Lookup          engine.Lookup
	Log             *slog.Logger
	Version         string
	Fresh           bool
	AllowDuplicates bool
	Allow           evolve.Allow      // what becomes of state where the query has changed
	From            string            // the snapshot that jobs begin with, "" none
	FailPoint       func(name string) // nil outside of tests
}

// Job is a running job.
type Job struct {
	*job.Handle
	Dir    string // "" for a query
	Name   string
	server *control.Server
	// Passing: nothing goes on from this job, so its directory is deleted when it has ended
	// as it should. After a failure it stays for people to look at.
	Passing bool
}

// Start runs p in the job directory dir and serves its control socket. It returns when the
// job runs. Cancelling ctx suspends the job.
func (l *Launcher) Start(ctx context.Context, p *plan.Job, dir string) (*Job, error) {
	heap.Manage(job.MachineMemory())
	log := l.Log.With("job", p.Name)
	h, err := job.Run(ctx, p, job.Config{Dir: dir, Fresh: l.Fresh, AllowDuplicates: l.AllowDuplicates, From: l.From, Allow: l.Allow, Connectors: l.Lookup,
		Log: log, Version: l.Version, FailPoint: l.FailPoint})
	if err != nil {
		return nil, err
	}
	j := &Job{Handle: h, Dir: dir, Name: p.Name}
	// The job holds the lock of dir, so a socket in it is nobody's.
	if j.server, err = control.Serve(dir, l.Version, controlled{h}, log); err != nil {
		h.Suspend()
		_ = h.Wait()
		return nil, err
	}
	return j, nil
}

// Query runs a SELECT without a job directory. collect gets its rows, one batch at a time,
// on a goroutine of the job.
func (l *Launcher) Query(ctx context.Context, p *plan.Job, collect func(*vec.Batch) error) (*Job, error) {
	heap.Manage(job.MachineMemory())
	h, err := job.Run(ctx, p, job.Config{Connectors: l.Lookup, Log: l.Log, Version: l.Version, Collect: collect})
	if err != nil {
		return nil, err
	}
	return &Job{Handle: h, Name: p.Name}, nil
}

// Wait returns when the job has ended and its socket is gone. A job that was cancelled ended
// as its user wanted: that is no error.
func (j *Job) Wait() error {
	err := j.Handle.Wait()
	if errors.Is(err, job.ErrCancelled) {
		err = nil
	}
	if j.server != nil {
		err = errors.Join(err, j.server.Close())
	}
	if j.Passing && j.Dir != "" && err == nil {
		err = os.RemoveAll(j.Dir)
	}
	return err
}

// stopTimeout bounds the last checkpoint of Stop.
const stopTimeout = 15 * time.Second

// Stop ends the job cleanly: a last checkpoint, so that what was read so far is committed and
// the next run repeats nothing, then the end. Without the checkpoint the job ends all the
// same and the next run goes on from the one before.
func (j *Job) Stop(log *slog.Logger) {
	if j.Dir != "" && j.Status().State == job.Running {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if _, err := j.Checkpoint(ctx, false); err != nil {
			log.Warn("ending without a last checkpoint; the next run goes on from the one before", "job", j.Name, "err", err)
		}
	}
	j.Suspend()
}

// controlled shows a job to the control API.
type controlled struct{ *job.Handle }

// Checkpoint implements control.Job.
func (c controlled) Checkpoint(ctx context.Context, full bool) (uint64, error) {
	e, err := c.Handle.Checkpoint(ctx, full)
	return uint64(e), err
}

// Stop implements control.Job.
func (c controlled) Stop(ctx context.Context, drain bool) (uint64, error) {
	e, err := c.Handle.Stop(ctx, drain)
	return uint64(e), err
}
