package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/runner"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/ast"
)

// controlStatement carries out SHOW JOBS, DESCRIBE JOB and STOP JOB through the same API as
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
		if stmt.Savepoint || stmt.Drain {
			return exec.Userf("STOP JOB WITH SAVEPOINT and WITH DRAIN are not supported yet; STOP JOB '%s' ends the job, and its newest checkpoint stays", stmt.Job.Value)
		}
		l, err := findJob(list, stmt.Job.Value)
		if err != nil {
			return exec.Userf("%w", err)
		}
		if l.State == stopped {
			return exec.Userf("job %s is not running", l.Name)
		}
		if err := cancelJob(ctx, l); err != nil {
			return err
		}
		return r.Printer.Message(fmt.Sprintf("job %s (%s) has ended", l.Name, l.ID))
	case *ast.Show:
		return r.Printer.Rows(describeJobHeader, describeJobs(list))
	}
	return errors.New("internal error: a statement about jobs that nobody carries out")
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
