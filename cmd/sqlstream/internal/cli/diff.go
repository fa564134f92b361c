package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/planner/plan"
)

const diffHelp = `Say what becomes of the state of a job when its query is edited, slot by slot,
before anything is started. Nothing is run, connected to or changed. A start
with 'run', with or without -s, enforces the very same verdicts.

OLD is the SQL file that the job ran with, or a snapshot: a savepoint, a
checkpoint, or the name of a job, whose newest checkpoint is taken. With --from
the snapshot says what there is, how many rows and bytes.

  RESTORE            kept as it is
  MIGRATE            kept, rewritten for a wider type
  NEW                starts empty
  PARTIAL            some of it starts empty
  DROP               nothing in the query belongs to it; asks for --drop or -n
  SEMANTICS-CHANGED  fits, but was made of other rows; asks for --accept
  INCOMPATIBLE       does not fit; only --drop helps, if anything

The exit code is 0 when all state is kept, 2 when the job can start but
something starts empty or is given up or used by leave, 3 when it cannot start
or not without leave.`

type diffFlags struct {
	from         string
	drop, accept []string
	all          bool
	format       string
}

func (a *app) diff() *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what becomes of a job's state when its query is edited",
		Long:  diffHelp,
		Example: `  sqlstream diff old.sql new.sql
  sqlstream diff ./savepoints/savepoint-5f2a91-0c8be11d7a34 new.sql
  sqlstream diff old.sql new.sql --from etl --format json`,
		Args: exactly("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runDiff(cmd, args[0], args[1], &f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.from, "from", "", "compare with what the snapshot at this `path` holds")
	fl.StringArrayVar(&f.drop, "drop", nil, "as given to run: give up this state, `UID` or UID/slot")
	fl.StringArrayVar(&f.accept, "accept", nil, "as given to run: go on with the state of `UID` though its rows are others now")
	fl.BoolVarP(&f.all, "allow-non-restored-state", "n", false, "as given to run: give up all state that nothing in the query belongs to")
	a.formatFlag(cmd, &f.format)
	return cmd
}

// jobDiff is what becomes of the state of one job.
type jobDiff struct {
	Job string `json:"job"`
	*evolve.Report
}

func (a *app) runDiff(cmd *cobra.Command, old, now string, f *diffFlags) error {
	ctx, stop := a.interruptible(cmd)
	defer stop()
	after, err := a.planFile(cmd, now)
	if err != nil {
		return err
	}
	allow := evolve.Allow{Drop: f.drop, Accept: f.accept, All: f.all, Shared: len(after.jobs) > 1}
	var list []jobDiff
	switch from := f.from; {
	case from != "":
		if err := a.sameQuery(ctx, cmd, old, from); err != nil {
			return err
		}
		list, err = a.diffSnapshot(ctx, cmd, from, after, allow)
	case !isScript(old):
		list, err = a.diffSnapshot(ctx, cmd, old, after, allow)
	default:
		var before *planned
		if before, err = a.planFile(cmd, old); err == nil {
			list = diffPlans(before, after, allow)
		}
	}
	if err != nil {
		return err
	}
	if err := unknownNames(list); err != nil {
		return usageError(cmd, err)
	}
	return a.printDiffs(list, f.format)
}

// planned is a file of SQL and its jobs.
type planned struct {
	name string
	jobs []*plan.Job
}

func (a *app) planFile(cmd *cobra.Command, file string) (*planned, error) {
	s, err := a.readScript(file)
	if err != nil {
		return nil, err
	}
	sess, err := a.newSession(cmd)
	if err != nil {
		return nil, err
	}
	results, err := sess.Execute(s.name, s.text)
	if err != nil {
		return nil, render(err)
	}
	if err := onlyJobs(s.name, results); err != nil {
		return nil, err
	}
	out := &planned{name: file}
	for _, r := range results {
		if r.Job != nil {
			out.jobs = append(out.jobs, r.Job)
		}
	}
	return out, nil
}

// job finds the job that a snapshot, or another file, calls by a name. The only one has any. Of several
// the names begin with the file's, unless they are given, so that part may be another one.
func (p *planned) job(name string) *plan.Job {
	if len(p.jobs) == 1 {
		return p.jobs[0]
	}
	for _, j := range p.jobs {
		if j.Name == name {
			return j
		}
	}
	for _, j := range p.jobs {
		if own, ok := p.own(j); ok && strings.HasSuffix(name, "-"+own) {
			return j
		}
	}
	return nil
}

// own is the part of a job's name that does not come from the file's.
func (p *planned) own(j *plan.Job) (string, bool) {
	base := filepath.Base(p.name)
	return strings.CutPrefix(j.Name, strings.TrimSuffix(base, filepath.Ext(base))+"-")
}

// isScript reports whether an argument is a file of SQL and not what names a snapshot.
func isScript(arg string) bool {
	if base := filepath.Base(arg); base == "manifest.json" || base == "MANIFEST" {
		return false
	}
	i, err := os.Stat(arg)
	return arg == "-" || err == nil && i.Mode().IsRegular() || err != nil && strings.HasSuffix(arg, ".sql")
}

// diffSnapshot compares a snapshot with the job of the file that it is of.
func (a *app) diffSnapshot(ctx context.Context, cmd *cobra.Command, from string, now *planned, allow evolve.Allow) ([]jobDiff, error) {
	s, err := a.openSnapshot(ctx, cmd, from)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	p := now.job(s.Manifest.JobName)
	if p == nil {
		names := make([]string, len(now.jobs))
		for i, p := range now.jobs {
			names[i] = p.Name
		}
		return nil, exitcode.With(exitcode.Config, fmt.Errorf("%s is of the job %s; %s has the jobs %s", s.Path, s.Manifest.JobName, now.name, strings.Join(names, ", ")))
	}
	allow.Shared = false
	return []jobDiff{{p.Name, evolve.Compare(s.Manifest, job.Target(p), allow)}}, nil
}

// sameQuery says so when the snapshot is not one of the old file.
func (a *app) sameQuery(ctx context.Context, cmd *cobra.Command, old, from string) error {
	before, err := a.planFile(cmd, old)
	if err != nil {
		return err
	}
	list, err := a.diffSnapshot(ctx, cmd, from, before, evolve.Allow{})
	if err == nil && list[0].Exit != evolve.ExitSame {
		fmt.Fprintf(a.Err, "%s is not the query that %s was taken of; the comparison is with the snapshot\n", old, from)
	}
	return err
}

// diffPlans compares the jobs of two files, by their names.
func diffPlans(old, now *planned, allow evolve.Allow) []jobDiff {
	var list []jobDiff
	compared := map[*plan.Job]bool{}
	for _, n := range now.jobs {
		m := evolve.Target{MaxParallelism: n.MaxParallel}.Manifest()
		if o := old.job(n.Name); o != nil && now.job(o.Name) == n && !compared[o] {
			m, compared[o] = job.Target(o).Manifest(), true
		}
		list = append(list, jobDiff{n.Name, evolve.Compare(m, job.Target(n), allow)})
	}
	for _, o := range old.jobs {
		if !compared[o] { // its checkpoints stay where they are, for whoever runs it again
			all := allow
			all.All, all.Shared = true, true
			list = append(list, jobDiff{o.Name, evolve.Compare(job.Target(o).Manifest(), evolve.Target{MaxParallelism: o.MaxParallel}, all)})
		}
	}
	return list
}

// unknownNames is the error of names of --drop and --accept that no job has.
func unknownNames(list []jobDiff) error {
	for _, n := range list[0].Unknown {
		none := true
		for _, d := range list[1:] {
			none = none && slices.Contains(d.Unknown, n)
		}
		if none && len(list) > 1 {
			return fmt.Errorf("no job has %s, named with --drop or --accept", n)
		}
	}
	return nil
}

func (a *app) printDiffs(list []jobDiff, format string) error {
	exit := 0
	for _, d := range list {
		exit = max(exit, d.Exit)
	}
	if format == formatJSON {
		if err := checkpoint.WriteJSON(a.Out, map[string]any{"exit": exit, "jobs": list}); err != nil {
			return err
		}
	} else {
		for i, d := range list {
			if len(list) > 1 {
				if i > 0 {
					fmt.Fprintln(a.Out)
				}
				fmt.Fprintf(a.Out, "job %s\n", d.Job)
			}
			if err := d.Write(a.Out); err != nil {
				return err
			}
		}
	}
	if exit == evolve.ExitSame {
		return nil
	}
	return exitcode.With(exit, errSilent)
}
