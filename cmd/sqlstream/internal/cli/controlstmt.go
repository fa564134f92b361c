package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/runner"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/settings"
)

// controlStatement carries out SHOW JOBS, DESCRIBE JOB, STOP JOB and CREATE SAVEPOINT through the same API as
// the commands.
func (a *app) controlStatement(ctx context.Context, r *runner.Runner, res *session.Result) error {
	list, err := a.listJobs(ctx, "", true)
	if err != nil {
		return err
	}
	switch stmt := res.Statement.(type) {
	case *ast.DescribeJob:
		l, err := findJob(list, stmt.Job.Value)
		if err != nil {
			return exec.Userf("%w", err)
		}
		return r.Printer.Rows(describeJobHeader, [][]string{describeJob(l)})
	case *ast.StopJob:
		return a.stopStatement(ctx, r, list, stmt)
	case *ast.CreateSavepoint:
		return a.savepointStatement(ctx, r, list, stmt)
	case *ast.Show:
		return r.Printer.Rows(describeJobHeader, describeJobs(list))
	}
	return errors.New("internal error: a statement about jobs that nobody carries out")
}

// running finds a job that runs.
func running(list []listed, name string) (*listed, error) {
	l, err := findJob(list, name)
	if err != nil {
		return nil, exec.Userf("%w", err)
	}
	if l.State == stopped {
		return nil, exec.Userf("job %s is not running", l.Name)
	}
	return l, nil
}

// stopStatement carries out STOP JOB. Alone it cancels, as Flink's does; with a savepoint the
// session's option says where that goes, else the job's own.
func (a *app) stopStatement(ctx context.Context, r *runner.Runner, list []listed, stmt *ast.StopJob) error {
	l, err := running(list, stmt.Job.Value)
	if err != nil {
		return err
	}
	if !stmt.Savepoint {
		if l, err = a.cancelJob(ctx, l.ID, ""); err != nil {
			return err
		}
		return r.Printer.Message(fmt.Sprintf("job %s (%s) has ended", l.Name, l.ID))
	}
	o, err := a.operate(ctx, l.ID, "")
	if err != nil {
		return err
	}
	defer o.close()
	req, err := savepointRequest(a.savepointDir(r), "")
	if err != nil {
		return err
	}
	res, err := o.stop(ctx, control.StopRequest{Drain: stmt.Drain, Savepoint: &req})
	if err != nil {
		return err
	}
	return r.Printer.Rows([]string{"savepoint path"}, [][]string{{res.Savepoint.Path}})
}

// savepointStatement carries out CREATE SAVEPOINT.
func (a *app) savepointStatement(ctx context.Context, r *runner.Runner, list []listed, stmt *ast.CreateSavepoint) error {
	l, err := running(list, stmt.Job.Value)
	if err != nil {
		return err
	}
	o, err := a.operate(ctx, l.ID, "")
	if err != nil {
		return err
	}
	defer o.close()
	dir := a.savepointDir(r)
	if stmt.To != nil {
		dir = stmt.To.Value
	}
	req, err := savepointRequest(dir, "")
	if err != nil {
		return err
	}
	s, err := o.savepoint(ctx, control.SavepointRequest{SavepointRequest: req})
	if err != nil {
		return err
	}
	return r.Printer.Rows([]string{"savepoint path"}, [][]string{{s.Path}})
}

// savepointDir is where the session wants savepoints; "" leaves it to the job.
func (a *app) savepointDir(r *runner.Runner) string {
	return r.Session.Settings.Get(settings.SavepointDir)
}

// describeJobHeader is Flink's.
var describeJobHeader = []string{"job id", "job name", "status", "start time"}

func describeJobs(list []listed) [][]string {
	var rows [][]string
	for i := range list {
		if list[i].State != stopped {
			rows = append(rows, describeJob(&list[i]))
		}
	}
	return rows
}

func describeJob(l *listed) []string {
	start := ""
	if !l.Started.IsZero() {
		start = l.Started.UTC().Format(time.RFC3339)
	}
	return []string{l.ID, l.Name, string(l.State), start}
}
