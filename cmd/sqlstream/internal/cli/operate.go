package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
)

// operation is what is asked of one running job.
type operation struct {
	app    *app
	job    *listed
	client *control.Client
}

// operate finds a running job and connects to it. The caller closes the client.
func (a *app) operate(ctx context.Context, name, dir string) (*operation, error) {
	list, err := a.listJobs(ctx, dir, false)
	if err != nil {
		return nil, err
	}
	l, err := findJob(list, name)
	if err != nil {
		return nil, exitcode.With(exitcode.Data, err)
	}
	if l.Error != "" {
		return nil, exitcode.With(exitcode.Temporary, fmt.Errorf("job %s does not answer: %s", l.Name, l.Error))
	}
	c, err := control.Dial(ctx, l.Dir)
	if err != nil {
		return nil, err
	}
	return &operation{app: a, job: l, client: c}, nil
}

func (o *operation) close() { o.client.Close() }

// savepointRequest makes paths mean what they mean to the person who types them: the job may run
// in another directory.
func savepointRequest(dir, layout string) (job.SavepointRequest, error) {
	r := job.SavepointRequest{Dir: strings.TrimPrefix(dir, "file://"), Layout: strings.ToLower(layout)}
	if r.Dir != "" && !strings.Contains(r.Dir, "://") {
		abs, err := filepath.Abs(r.Dir)
		if err != nil {
			return r, err
		}
		r.Dir = abs
	}
	return r, nil
}

// progressEvery is how often a person sees how far a savepoint has come.
const progressEvery = 200 * time.Millisecond

// watched runs do, and on a terminal shows how far the job's savepoint has come meanwhile.
func (o *operation) watched(ctx context.Context, what string, do func() error) error {
	if !isTerminal(o.app.Err) {
		return do()
	}
	screen := progress.NewScreen(o.app.Err, func() int { w, _ := terminalWidth(o.app.Err); return w })
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	start, tick := time.Now(), time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			screen.Set(nil)
			return err
		case <-tick.C:
			line := fmt.Sprintf("%s of job %s, %s", what, o.job.Name, progress.Duration(time.Since(start)))
			if s, err := o.client.Job(ctx, o.job.ID); err == nil && s.Savepoint != nil && s.Savepoint.State == job.SavepointInProgress && s.Savepoint.Checkpoint > 0 {
				line += fmt.Sprintf(": %s rows, %s", progress.Grouped(s.Savepoint.Rows), progress.Bytes(s.Savepoint.Bytes))
			}
			screen.Set([]string{line})
		}
	}
}

// savepoint takes a savepoint and says where it is.
func (o *operation) savepoint(ctx context.Context, r control.SavepointRequest) (s job.SavepointStatus, err error) {
	err = o.watched(ctx, "savepoint", func() error {
		s, err = o.client.Savepoint(ctx, o.job.ID, r)
		return err
	})
	return s, operationFailed(err)
}

// stop ends the job after a last checkpoint or savepoint, and waits until its process has let go of
// it, unless detached.
func (o *operation) stop(ctx context.Context, r control.StopRequest) (res control.StopResult, err error) {
	what := "last checkpoint"
	if r.Savepoint != nil {
		what = "last savepoint"
	}
	err = o.watched(ctx, what, func() error {
		if res, err = o.client.Stop(ctx, o.job.ID, r); err != nil || r.Detached {
			return err
		}
		return o.ended(ctx)
	})
	return res, operationFailed(err)
}

// ended waits until the job's process has let go of it.
func (o *operation) ended(ctx context.Context) error {
	tick := time.NewTicker(cancelEvery)
	defer tick.Stop()
	for {
		s, err := o.client.Job(ctx, o.job.ID)
		if over(&s, err) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// operationFailed gives failures of the job their exit code.
func operationFailed(err error) error {
	e, ok := err.(*control.Error)
	if !ok {
		return err
	}
	switch e.Code {
	case control.CodeRequest, control.CodeNotFound:
		return exitcode.With(exitcode.Data, err)
	}
	return exitcode.With(exitcode.Temporary, err)
}

// jobFlags are those of every command that asks something of a running job.
type jobFlags struct {
	dir      string
	format   string
	detached bool
}

func (f *jobFlags) add(a *app, cmd *cobra.Command, detached bool) {
	cmd.Flags().StringVar(&f.dir, "dir", "", "a job `directory`, or one that holds several (default: jobs in the home directory)")
	a.formatFlag(cmd, &f.format)
	if detached {
		cmd.Flags().BoolVar(&f.detached, "detached", false, "do not wait for the end; 'sqlstream jobs --format json' shows it")
	}
}
