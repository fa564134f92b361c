package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/home"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/result"
	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// listed is one job of `sqlstream jobs`.
type listed struct {
	job.Status
	Error string `json:"error,omitempty"` // it seems to run and did not answer
}

// stopped is the state of a job directory that no process has; the runtime has no such state.
const stopped job.State = "STOPPED"

func (a *app) jobs() *cobra.Command {
	format, dir := "", ""
	all := false
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List the jobs that run here: state, uptime, lag, last checkpoint",
		Long: `List the jobs that run on this machine under --home. Each is asked through the
control socket in its job directory. --all also lists job directories whose job
does not run; 'sqlstream run' with the same file goes on with it.`,
		Example: "  sqlstream jobs\n  sqlstream jobs --all --format json\n  sqlstream jobs --dir ./job-state",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.printJobList(cmd.Context(), dir, all, format)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "a job `directory`, or one that holds several (default: jobs in the home directory)")
	cmd.Flags().BoolVar(&all, "all", false, "list jobs that do not run as well")
	a.formatFlag(cmd, &format)
	return cmd
}

func (a *app) printJobList(ctx context.Context, dir string, all bool, format string) error {
	list, err := a.listJobs(ctx, dir, all)
	if err != nil {
		return err
	}
	if format == formatJSON {
		return a.printJSON(list)
	}
	return printJobs(result.NewPrinter(a.Out, result.Table), list)
}

// listJobs asks the jobs in dir, and those of the home directory and the demo without one.
func (a *app) listJobs(ctx context.Context, dir string, all bool) ([]listed, error) {
	h, err := a.home()
	if err != nil {
		return nil, err
	}
	roots := []string{h.Jobs(), h.Demo().Jobs()}
	if dir != "" {
		roots = []string{dir}
		if _, err := checkpoint.ReadJob(dir); err == nil {
			roots = []string{filepath.Dir(filepath.Clean(dir))}
		}
	}
	list := []listed{}
	for _, root := range roots {
		found, err := control.Scan(ctx, root)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if dir != "" && roots[0] != dir && filepath.Base(f.Dir) != filepath.Base(filepath.Clean(dir)) {
				continue
			}
			list = append(list, describe(f, all)...)
		}
	}
	return list, nil
}

// describe turns a job directory into lines of the list.
func describe(f control.Found, all bool) []listed {
	if f.Running && f.Err == nil {
		var list []listed
		for _, s := range f.Jobs {
			list = append(list, listed{Status: s})
		}
		return list
	}
	j, err := checkpoint.ReadJob(f.Dir)
	if err != nil || !f.Running && !all {
		return nil // no job directory, or none that is asked for
	}
	l := listed{Status: job.Status{ID: j.ID, Name: j.Name, Dir: f.Dir, State: stopped, Incarnation: j.Incarnation, Lag: -1}}
	if f.Err != nil {
		l.State, l.Error = "UNKNOWN", f.Err.Error()
	}
	return []listed{l}
}

// idLength is how much of an id lists show; any unique beginning names a job.
const idLength = 8

func printJobs(p *result.Printer, list []listed) error {
	rows := make([][]string, len(list))
	now := time.Now()
	for i, l := range list {
		row := []string{l.ID[:min(idLength, len(l.ID))], l.Name, string(l.State), "", "", "", "", ""}
		switch l.State {
		case stopped:
		case "UNKNOWN":
			row[7] = l.Error
		default:
			row[3] = progress.Duration(now.Sub(l.Started))
			row[4], row[5] = progress.Grouped(l.RowsIn), progress.Grouped(l.RowsOut)
			if l.Lag >= 0 {
				row[6] = progress.Grouped(l.Lag)
			}
			row[7] = lastCheckpoint(&l.Status, now)
		}
		rows[i] = row
	}
	return p.Rows([]string{"id", "name", "state", "uptime", "rows in", "rows out", "lag", "last checkpoint"}, rows)
}

func lastCheckpoint(s *job.Status, now time.Time) string {
	c := &s.Checkpoints
	if c.LastID == 0 {
		if s.RestoredFrom > 0 {
			return "restored from " + strconv.FormatUint(s.RestoredFrom, 10)
		}
		return "none"
	}
	return fmt.Sprintf("%d, %s ago, %s, %s", c.LastID, progress.Duration(now.Sub(c.LastAt)), progress.Duration(c.LastTook), progress.Bytes(c.LastBytes))
}

func (a *app) cancel() *cobra.Command {
	dir := ""
	cmd := &cobra.Command{
		Use:   "cancel JOB",
		Short: "End a running job; its newest checkpoint stays",
		Long: `End a running job, named by its name, its id, or a beginning of the id that no
other job has. Nothing is lost: what the job has written in transactions since
its last checkpoint is taken back, and 'sqlstream run' with the same file goes on
from that checkpoint. Ctrl-C in its terminal, or SIGTERM, takes a last checkpoint.`,
		Example: "  sqlstream cancel etl\n  sqlstream cancel 3f2a",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			return a.cancelAndSay(ctx, args[0], dir)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "a job `directory`, or one that holds several (default: jobs in the home directory)")
	return cmd
}

func (a *app) cancelAndSay(ctx context.Context, name, dir string) error {
	l, err := a.cancelJob(ctx, name, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "job %s (%s) has ended\n", l.Name, l.ID)
	return nil
}

// findJob finds a job by name, id, or a beginning of the id that only one has.
func findJob(list []listed, name string) (*listed, error) {
	var exact, prefix []*listed
	var names []string
	for i := range list {
		l := &list[i]
		names = append(names, l.Name, l.ID)
		switch {
		case l.ID == name || l.Name == name:
			exact = append(exact, l)
		case strings.HasPrefix(l.ID, name):
			prefix = append(prefix, l)
		}
	}
	for _, found := range [][]*listed{exact, prefix} {
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			ids := make([]string, len(found))
			for i, l := range found {
				ids[i] = fmt.Sprintf("%s (%s)", l.ID, l.Name)
			}
			return nil, fmt.Errorf("'%s' is not one job: %s", name, strings.Join(ids, ", "))
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no job '%s': no job is running here", name)
	}
	hint := suggest.Hint(name, names)
	if hint == "" {
		hint = "; 'sqlstream jobs' lists those that are running"
	}
	return nil, fmt.Errorf("no running job '%s'%s", name, hint)
}

// cancelEvery is how often a job that is ending is looked at.
const cancelEvery = 50 * time.Millisecond

// cancelJob asks the job to end and waits until its process has let go of it.
func (a *app) cancelJob(ctx context.Context, name, dir string) (*listed, error) {
	o, err := a.operate(ctx, name, dir)
	if err != nil {
		return nil, err
	}
	defer o.close()
	if _, err := o.client.Cancel(ctx, o.job.ID); err != nil {
		return nil, err
	}
	return o.job, o.ended(ctx)
}

// notRunning reports whether err says that nobody serves a job's socket.
func notRunning(err error) bool {
	_, gone := errors.AsType[*control.NotRunningError](err)
	return gone
}

// jobDir is the job directory that arg names: a path, or the name of a job under home.
func jobDir(h home.Home, arg string) string {
	if !strings.ContainsRune(arg, filepath.Separator) {
		for _, h := range []home.Home{h, h.Demo()} {
			if _, err := checkpoint.ReadJob(h.Job(arg)); err == nil {
				return h.Job(arg)
			}
		}
	}
	return arg
}
