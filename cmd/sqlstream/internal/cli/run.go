package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/interrupt"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/runner"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/settings"
)

const runHelp = `Run the jobs of a SQL file in the foreground: each INSERT is a job, and each
statement set is one.

A job has a name ('pipeline.name', by default the file's) and a directory under
--home, or --dir. When the same command is run again, after Ctrl-C, a crash or
kill -9, the job goes on from its newest checkpoint, and readers of its output
that read committed records see every result exactly once. --fresh starts over.

-s PATH begins a job with a savepoint, or with a checkpoint that another job
left. The query may have changed: 'sqlstream diff' says beforehand what becomes
of the state, and --drop, --accept and -n agree to what it asks. The same command
run again after a crash goes on from the job's own checkpoints, as ever.

Ctrl-C (or SIGTERM) ends the jobs after a last checkpoint; a second one ends the
process at once, which is as safe as any crash.`

type runFlags struct {
	dir, cpuProfile string
	from, claim     string
	drop, accept    []string
	nonRestored     bool
	fresh           bool
	duplicates      bool
	parallelism     int
}

func (a *app) run() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run the INSERTs of a SQL file as jobs, exactly once through crashes",
		Long:  runHelp,
		Example: `  sqlstream run job.sql
  sqlstream run job.sql --parallelism 2 -D "execution.checkpointing.interval=10 s"
  sqlstream run job.sql --dir ./job-state
  sqlstream run job.sql -s ./savepoints/savepoint-5f2a91-0c8be11d7a34
  sqlstream run job.sql --fresh               # forget earlier checkpoints`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runFile(cmd, args[0], &f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.dir, "dir", "", "job `directory` (default: by the job's name, under jobs in the home directory)")
	fl.BoolVar(&f.fresh, "fresh", false, "start over: put earlier checkpoints aside and begin with empty state")
	f.addRestore(fl, "from-snapshot", "claim-mode")
	fl.BoolVar(&f.duplicates, "allow-duplicates", false, "restore a checkpoint older than output that is already visible")
	fl.IntVar(&f.parallelism, "parallelism", 0, "subtasks of each operator, as SET 'parallelism.default'")
	fl.StringVar(&f.cpuProfile, "cpu-profile", "", "write a CPU profile to this `file`")
	return cmd
}

// addRestore adds the flags that say what a job begins with, under the long names given.
func (f *runFlags) addRestore(fl *pflag.FlagSet, from, claim string) {
	fl.StringVarP(&f.from, from, "s", "", "begin with the savepoint or retained checkpoint at this `path`, as SET 'execution.state-recovery.path'")
	fl.BoolVarP(&f.nonRestored, "allow-non-restored-state", "n", false, "give up all state that nothing in the query belongs to, as SET 'execution.state-recovery.ignore-unclaimed-state'")
	fl.StringArrayVar(&f.drop, "drop", nil, "give up this state: `UID` or UID/slot, as 'sqlstream diff' names it")
	fl.StringArrayVar(&f.accept, "accept", nil, "go on with the state of operator `UID` though its rows are chosen in another way now")
	fl.StringVar(&f.claim, claim, "", "what becomes of it: `NO_CLAIM` (nothing) or CLAIM (deleted once the job has a checkpoint of its own)")
}

func (a *app) runFile(cmd *cobra.Command, file string, f *runFlags) error {
	if f.parallelism != 0 {
		a.settings = append(a.settings, fmt.Sprintf("%s=%d", settings.DefaultParallelism, f.parallelism))
	}
	if f.claim != "" {
		a.settings = append(a.settings, settings.RecoveryClaimMode+"="+f.claim)
	}
	if f.nonRestored {
		a.settings = append(a.settings, settings.RecoveryIgnoreUnclaimed+"=true")
	}
	s, err := a.readScript(file)
	if err != nil {
		return err
	}
	// On a terminal logs and live lines share it, and the screen keeps them apart.
	var screen *progress.Screen
	if isTerminal(a.Err) {
		screen = progress.NewScreen(a.Err, func() int { w, _ := terminalWidth(a.Err); return w })
		stderr := a.Err
		defer func(out *os.File) { a.Err = out }(stderr.(*os.File))
		a.Err = screen
	}
	log, err := a.log(cmd)
	if err != nil {
		return err
	}
	r, err := a.newRunner(cmd, log)
	if err != nil {
		return err
	}
	r.Resume = true
	r.Launcher.From, r.Launcher.Allow = f.from, evolve.Allow{Drop: f.drop, Accept: f.accept}
	r.Dir, r.Quiet, r.Launcher.Fresh, r.Launcher.AllowDuplicates = f.dir, true, f.fresh, f.duplicates
	stopProfile, err := startProfile(f.cpuProfile)
	if err != nil {
		return err
	}
	defer stopProfile()
	ctx, stop := interrupt.Context(cmd.Context(), func(os.Signal) {
		log.Info("ending after a last checkpoint; Ctrl-C again ends at once")
	})
	defer stop()
	results, err := r.Session.Execute(s.name, s.text)
	if err != nil {
		return render(err)
	}
	if err := onlyJobs(s.name, results); err != nil {
		return err
	}
	r.Launcher.Allow.Shared = countJobs(results) > 1
	return a.runJobs(ctx, r, results, screen, log)
}

// onlyJobs refuses files that run has nothing to do for.
func onlyJobs(file string, results []session.Result) error {
	for i := range results {
		res := &results[i]
		if res.Query {
			return exitcode.With(exitcode.Data, fmt.Errorf("%s:%d: a SELECT shows rows to a person: run the file with 'sqlstream -f', or write the rows somewhere with INSERT INTO", file, res.Line))
		}
	}
	if countJobs(results) == 0 {
		return exitcode.With(exitcode.Data, fmt.Errorf("%s has no INSERT and no statement set: there is nothing to run", file))
	}
	return nil
}

func countJobs(results []session.Result) int {
	n := 0
	for i := range results {
		if results[i].Job != nil {
			n++
		}
	}
	return n
}

// runJobs runs everything and watches until all jobs have ended.
func (a *app) runJobs(ctx context.Context, r *runner.Runner, results []session.Result, screen *progress.Screen, log *slog.Logger) error {
	start := time.Now()
	if err := r.Show(ctx, results); err != nil {
		// Those that started before the one that cannot are ended again.
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		return errors.Join(err, r.Wait(cancelled))
	}
	unwatch := progress.Watch(r.Statuses, screen, log)
	err := r.Wait(ctx)
	unwatch()
	for _, st := range r.Statuses() {
		attrs := []any{"job", st.Name, "state", string(st.State), "after", progress.Duration(time.Since(start)), "rows_in", st.RowsIn, "rows_out", st.RowsOut}
		if c := st.Checkpoints.LastID; c > 0 {
			attrs = append(attrs, "checkpoint", c)
		}
		if st.BadRows > 0 {
			attrs = append(attrs, "bad_rows", st.BadRows)
		}
		if st.LateRows > 0 {
			attrs = append(attrs, "late_rows", st.LateRows)
		}
		level := slog.LevelInfo
		if st.State == job.Failed {
			level = slog.LevelError
		}
		log.Log(ctx, level, "job ended", attrs...)
	}
	return err
}

func startProfile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}
