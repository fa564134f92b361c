// Package runner owns how a text of SQL statements is carried out: answers are printed,
// INSERTs and statement sets become jobs of this process, a SELECT prints its rows until it
// ends. `sqlstream run`, -e, -f, a piped standard input and the shell all stand on it.
package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/home"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/jobs"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/result"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/session"
)

// Runner carries out texts one after another in one session. Execute is for one goroutine.
type Runner struct {
	Session  *session.Session
	Launcher *jobs.Launcher
	Printer  *result.Printer
	Log      *slog.Logger
	Home     home.Home
	Dir      string // --dir: the job directory, of one job, or of several the directory of theirs
	// Resume: a job goes on where an earlier one of its name ended (`sqlstream run`). Otherwise
	// each INSERT is a job of its own, as in Flink's client, with a directory that goes with it.
	Resume  bool
	MaxRows int64 // a SELECT ends after so many rows; 0: no limit
	Quiet   bool  // statements without rows say nothing but notices
	// Notice prints a line for the user that is no result.
	Notice func(text string)
	// Control carries out SHOW JOBS, DESCRIBE JOB and STOP JOB.
	Control func(ctx context.Context, r *session.Result) error

	mu   sync.Mutex
	jobs []*jobs.Job
}

// Execute carries out all statements of text. Jobs are started and left running: see Jobs.
// Cancelling ctx ends a SELECT.
func (r *Runner) Execute(ctx context.Context, name, text string) error {
	results, err := r.Session.Execute(name, text)
	if err != nil {
		return err
	}
	return r.Show(ctx, results)
}

// Show prints and runs the results of statements.
func (r *Runner) Show(ctx context.Context, results []session.Result) error {
	several := 0
	for i := range results {
		if results[i].Job != nil && !results[i].Query {
			several++
		}
	}
	for i := range results {
		if err := r.one(ctx, &results[i], several > 1); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) one(ctx context.Context, res *session.Result, several bool) error {
	switch {
	case res.Query:
		return r.query(ctx, res.Job)
	case res.Job != nil:
		j, err := r.Start(ctx, res.Job, several)
		if err != nil {
			return err
		}
		if r.Session.Settings.Bool("table.dml-sync") {
			return r.wait(ctx, j)
		}
		return nil
	case res.Control:
		return r.Control(ctx, res)
	case res.Header != nil:
		return r.Printer.Rows(res.Header, res.Rows)
	case res.Text != "":
		return r.Printer.Text(trimLine(res.Text))
	}
	if r.Quiet {
		if res.Notice != "" {
			r.Notice(res.Notice)
		}
		return nil
	}
	return r.Printer.Message(res.Message)
}

func trimLine(s string) string {
	for len(s) > 0 && s[len(s)-1] == '\n' {
		s = s[:len(s)-1]
	}
	return s
}

// Start starts an INSERT or a statement set as a job in its directory.
func (r *Runner) Start(ctx context.Context, p *plan.Job, several bool) (*jobs.Job, error) {
	dir := r.Home.Job(p.Name)
	if r.Dir != "" {
		dir = r.Dir
		if several {
			dir = filepath.Join(dir, home.FileName(p.Name))
		}
	}
	if !r.Resume {
		dir += "-" + rand.Text()[:8]
	}
	// A job that runs outlives ctx: it ends by Stop, after a last checkpoint. One that does not
	// run yet has nothing to keep.
	jctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	running := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	j, err := r.Launcher.Start(jctx, p, dir)
	running()
	if ctx.Err() != nil && errors.Is(err, job.ErrCancelled) {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", p.Name, err)
	}
	j.Passing = !r.Resume
	if err := r.Home.Register(dir); err != nil {
		r.Log.Warn("'sqlstream jobs' will not list this job without --dir", "job", p.Name, "err", err)
	}
	s := j.Status()
	from := "starting fresh"
	switch {
	case s.BegunFrom != "" && s.RestoredFrom == 0:
		from = "from " + s.BegunFrom
	case s.RestoredFrom > 0:
		from = fmt.Sprintf("from checkpoint %d", s.RestoredFrom)
	}
	r.Log.Info("job started", "job", p.Name, "id", s.ID, "dir", dir, "start", from)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.jobs = append(r.jobs, j)
	return j, nil
}

// Jobs are those started so far, ended ones too.
func (r *Runner) Jobs() []*jobs.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*jobs.Job(nil), r.jobs...)
}

// Statuses are those of all jobs.
func (r *Runner) Statuses() []job.Status {
	var list []job.Status
	for _, j := range r.Jobs() {
		list = append(list, j.Status())
	}
	return list
}

// wait waits for one job; when ctx ends first the job is stopped cleanly.
func (r *Runner) wait(ctx context.Context, j *jobs.Job) error {
	select {
	case <-j.Done():
	case <-ctx.Done():
		j.Stop(r.Log)
	}
	if err := j.Wait(); err != nil {
		return fmt.Errorf("job %s: %w", j.Name, err)
	}
	return nil
}

// Wait waits until all jobs have ended; when ctx ends first they are stopped cleanly. One
// that fails does not end the others.
func (r *Runner) Wait(ctx context.Context) error {
	list := r.Jobs()
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, j := range list {
		wg.Go(func() { errs[i] = r.wait(ctx, j) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// errEnough ends a SELECT that has printed its limit.
var errEnough = errors.New("enough rows")

// query runs a SELECT and prints its rows.
func (r *Runner) query(ctx context.Context, p *plan.Job) error {
	sink := p.Nodes[len(p.Nodes)-1]
	in := p.Nodes[sink.Inputs[0].Node]
	rows := r.Printer.Query(in.Schema, in.Mode == plan.AppendOnly)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex // a query of several subtasks has several sinks
	collect := func(b *vec.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil {
			return nil
		}
		if left := r.MaxRows - rows.N; r.MaxRows > 0 && left <= int64(b.Len()) {
			b = head(b, int(left))
			cancel(errEnough)
		}
		if err := rows.Batch(b); err != nil {
			cancel(err) // the reader is gone, as in `| head`
		}
		return nil
	}
	j, err := r.Launcher.Query(ctx, p, collect)
	if ctx.Err() != nil && errors.Is(err, job.ErrCancelled) {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	err = j.Wait()
	mu.Lock()
	defer mu.Unlock()
	if eerr := rows.End(); err == nil {
		err = eerr
	}
	r.noticeMissing(j.Status())
	cause := context.Cause(ctx)
	if errors.Is(cause, errEnough) {
		r.Notice(fmt.Sprintf("The first %d rows; SET 'sql-client.execution.max-table-result.rows' changes how many.", r.MaxRows))
		return nil
	}
	if err == nil {
		err = cause
	}
	return err
}

// noticeMissing says what a result leaves out.
func (r *Runner) noticeMissing(s job.Status) {
	if s.BadRows > 0 {
		r.Notice(fmt.Sprintf("Not in the result: %s that could not be used.", count(s.BadRows, "record")))
	}
	if s.LateRows > 0 {
		r.Notice(fmt.Sprintf("Not in the result: %s later than the watermark.", count(s.LateRows, "row")))
	}
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// head is the first n selected rows of b.
func head(b *vec.Batch, n int) *vec.Batch {
	c := *b
	c.Sel = make([]int32, n)
	for i := range n {
		c.Sel[i] = int32(b.Row(i))
	}
	return &c
}
