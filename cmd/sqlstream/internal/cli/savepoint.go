package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/snapshots"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
)

const savepointHelp = `Take a savepoint of a running job, which goes on. A savepoint is yours: it is
never deleted by a job, it stands alone, and its directory may be moved or
copied. 'sqlstream run -s PATH' begins from it, with the same query or a changed
one, here or on another machine.

It is written into a new directory under DIR, or under the job's
'execution.checkpointing.savepoint-dir'. The type canonical is an open format:
manifest.json and an Arrow file with named, typed columns per table of state.
The type native holds the files of a checkpoint, and is faster.`

type savepointFlags struct {
	jobFlags
	layout  string
	dispose string
}

func (a *app) savepoint() *cobra.Command {
	var f savepointFlags
	cmd := &cobra.Command{
		Use:   "savepoint JOB [DIR]",
		Short: "Take a savepoint of a running job; look at savepoints",
		Long:  savepointHelp,
		Example: `  sqlstream savepoint etl ./savepoints
  sqlstream savepoint etl --type native
  sqlstream savepoint --dispose ./savepoints/savepoint-5f2a91-0c8be11d7a34`,
		Args: func(cmd *cobra.Command, list []string) error {
			if f.dispose != "" {
				return exactly()(cmd, list)
			}
			if len(list) == 2 {
				return nil
			}
			return exactly("JOB")(cmd, list)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			if f.dispose != "" {
				return a.disposeSavepoint(ctx, cmd, f.dispose)
			}
			return a.takeSavepoint(ctx, append(args, ""), &f)
		},
	}
	cmd.AddCommand(a.savepointFiles()...)
	f.add(a, cmd, true)
	cmd.Flags().StringVar(&f.layout, "type", "canonical", "`canonical` (readable, portable) or native (faster)")
	cmd.Flags().StringVar(&f.dispose, "dispose", "", "delete the savepoint at this `path`")
	cmd.AddCommand(a.savepointFiles()...)
	return cmd
}

func (a *app) takeSavepoint(ctx context.Context, args []string, f *savepointFlags) error {
	o, err := a.operate(ctx, args[0], f.dir)
	if err != nil {
		return err
	}
	defer o.close()
	r, err := savepointRequest(args[1], f.layout)
	if err != nil {
		return err
	}
	s, err := o.savepoint(ctx, control.SavepointRequest{SavepointRequest: r, Detached: f.detached})
	if err != nil {
		return err
	}
	if f.format == formatJSON {
		return a.printJSON(struct {
			Job string `json:"job"`
			job.SavepointStatus
		}{o.job.ID, s})
	}
	if f.detached {
		fmt.Fprintf(a.Out, "the savepoint of job %s (%s) will be %s\n", o.job.Name, o.job.ID, s.Path)
		return nil
	}
	fmt.Fprintf(a.Out, "%s of job %s (%s)\n", savepointText(&s), o.job.Name, o.job.ID)
	return nil
}

// savepointText describes a complete savepoint.
func savepointText(s *job.SavepointStatus) string {
	return fmt.Sprintf("savepoint %s (checkpoint %d, %s rows, %s, %s)", s.Path, s.Checkpoint, progress.Grouped(s.Rows), progress.Bytes(s.Bytes), progress.Duration(s.Took))
}

// disposeSavepoint deletes a savepoint. Checkpoints are the engine's, which deletes them by rule.
func (a *app) disposeSavepoint(ctx context.Context, cmd *cobra.Command, path string) error {
	opts, err := a.storeOptions(cmd)
	if err != nil {
		return err
	}
	s, err := snapshots.Open(ctx, path, opts)
	if err != nil {
		return err
	}
	if s.Kind != checkpoint.Savepoint {
		return errors.Join(exitcode.With(exitcode.Data, fmt.Errorf("%s is a checkpoint of job %s (%s); those are deleted by their job", s.Path, s.JobName, s.JobID)), s.Close())
	}
	if err := errors.Join(s.Delete(), s.Close()); err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "savepoint %s is deleted\n", s.Path)
	return nil
}
