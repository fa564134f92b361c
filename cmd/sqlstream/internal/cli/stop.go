package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
)

const stopHelp = `End a running job after a last checkpoint: what it has read until then is
committed, and nothing is written after it. 'sqlstream run' with the same file
goes on from there.

--savepoint DIR also writes a savepoint, which is yours to keep: a later
'sqlstream run -s PATH' begins from it, here or on another machine. Without DIR
(--savepoint=) the job's 'execution.checkpointing.savepoint-dir' says where.

--drain is for good: the input ends, all windows fire, then the job ends. What
goes on from there would see windows that closed early.

When the last checkpoint fails the job goes on, and so can you: try again.`

type stopFlags struct {
	jobFlags
	savepoint string
	layout    string
	drain     bool
}

func (a *app) stop() *cobra.Command {
	var f stopFlags
	cmd := &cobra.Command{
		Use:   "stop JOB",
		Short: "End a running job after a last checkpoint or savepoint",
		Long:  stopHelp,
		Example: `  sqlstream stop etl
  sqlstream stop etl --savepoint ./savepoints
  sqlstream stop etl --savepoint ./savepoints --type native
  sqlstream stop etl --drain`,
		Args: exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			return a.stopJob(ctx, args[0], &f, cmd.Flags().Changed("savepoint"))
		},
	}
	f.add(a, cmd, true)
	cmd.Flags().StringVar(&f.savepoint, "savepoint", "", "write a savepoint into this `directory`")
	cmd.Flags().StringVar(&f.layout, "type", "canonical", "of the savepoint: `canonical` (readable, portable) or native (faster)")
	cmd.Flags().BoolVar(&f.drain, "drain", false, "end the input for good: all windows fire")
	return cmd
}

func (a *app) stopJob(ctx context.Context, name string, f *stopFlags, savepoint bool) error {
	o, err := a.operate(ctx, name, f.dir)
	if err != nil {
		return err
	}
	defer o.close()
	r := control.StopRequest{Drain: f.drain, Detached: f.detached}
	if savepoint {
		sr, err := savepointRequest(f.savepoint, f.layout)
		if err != nil {
			return err
		}
		r.Savepoint = &sr
	}
	res, err := o.stop(ctx, r)
	if err != nil {
		return err
	}
	if f.format == formatJSON {
		return a.printJSON(struct {
			Job string `json:"job"`
			control.StopResult
		}{o.job.ID, res})
	}
	fmt.Fprintln(a.Out, stopText(o.job, &res, f.detached))
	return nil
}

// stopText says how a job was stopped.
func stopText(l *listed, res *control.StopResult, detached bool) string {
	switch {
	case detached && res.Savepoint != nil:
		return fmt.Sprintf("job %s (%s) is stopping; its savepoint will be %s", l.Name, l.ID, res.Savepoint.Path)
	case detached:
		return fmt.Sprintf("job %s (%s) is stopping", l.Name, l.ID)
	case res.Savepoint != nil:
		return fmt.Sprintf("job %s (%s) has ended with %s", l.Name, l.ID, savepointText(res.Savepoint))
	}
	return fmt.Sprintf("job %s (%s) has ended with checkpoint %d", l.Name, l.ID, res.Checkpoint)
}

// over reports whether a job's process has let go of it.
func over(s *job.Status, err error) bool {
	return notRunning(err) || err == nil && (s.State == job.Cancelled || s.State == job.Finished || s.State == job.Failed)
}
