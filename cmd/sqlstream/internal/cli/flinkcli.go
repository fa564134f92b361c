package cli

import (
	"slices"

	"github.com/spf13/cobra"
)

const flinkHelp = `The commands of Flink's client, spelled as there, for those who know them. Each
is one of sqlstream's own, which the help of each names.

Options of the cluster (-m, -t, -yid, ...) are refused: there is none.`

// flink is the group of Flink's commands.
func (a *app) flink() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "flink",
		Short: "Flink's own spelling: flink run -s, savepoint, stop, cancel, list, checkpoint",
		Long:  flinkHelp,
		Example: `  sqlstream flink run -s ./savepoints/savepoint-5f2a91-0c8be11d7a34 job.sql
  sqlstream flink savepoint etl ./savepoints -type native
  sqlstream flink stop --savepointPath ./savepoints --drain etl
  sqlstream flink cancel -s ./savepoints etl
  sqlstream flink list`,
		Args: args(subcommand),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.flinkRun(), a.flinkSavepoint(), a.flinkStop(), a.flinkCancel(), a.flinkList(), a.flinkCheckpoint())
	return cmd
}

// flinkWords are the long options that Flink's client also takes with one dash.
var flinkWords = []string{"-type", "-detached", "-drain", "-full"}

// flinkArgs gives Flink's one-dash words their second dash.
func flinkArgs(args []string) []string {
	at := slices.Index(args, "flink")
	if at < 0 {
		return args
	}
	out := slices.Clone(args)
	for i := at + 1; i < len(out); i++ {
		if slices.Contains(flinkWords, out[i]) {
			out[i] = "-" + out[i]
		}
	}
	return out
}

func (a *app) flinkRun() *cobra.Command {
	var f runFlags
	parallelism := 0
	cmd := &cobra.Command{
		Use:     "run FILE",
		Short:   "As 'sqlstream run'",
		Example: "  sqlstream flink run -s ./savepoints/savepoint-5f2a91-0c8be11d7a34 -p 2 job.sql",
		Long:    "As 'sqlstream run': -s names the snapshot to begin with, -n leaves out state that the query has no operator for.",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.parallelism = parallelism
			return a.runFile(cmd, args[0], &f)
		},
	}
	f.addRestore(cmd.Flags(), "fromSavepoint", "claimMode")
	cmd.Flags().StringVar(&f.dir, "dir", "", "job `directory`, sqlstream's own option")
	cmd.Flags().IntVarP(&parallelism, "parallelism", "p", 0, "subtasks of each operator")
	return cmd
}

func (a *app) flinkSavepoint() *cobra.Command {
	var f savepointFlags
	cmd := &cobra.Command{
		Use:     "savepoint JOB [DIR]",
		Short:   "As 'sqlstream savepoint'",
		Example: "  sqlstream flink savepoint etl ./savepoints -type native",
		Long:    "As 'sqlstream savepoint'; -d PATH disposes of one.",
		Args: func(cmd *cobra.Command, list []string) error {
			if f.dispose != "" {
				return exactly()(cmd, list)
			}
			return args(cobra.RangeArgs(1, 2))(cmd, list)
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
	f.add(a, cmd, true)
	cmd.Flags().StringVar(&f.layout, "type", "canonical", "`canonical` or native")
	cmd.Flags().StringVarP(&f.dispose, "dispose", "d", "", "delete the savepoint at this `path`")
	return cmd
}

func (a *app) flinkStop() *cobra.Command {
	var f stopFlags
	cmd := &cobra.Command{
		Use:     "stop JOB",
		Short:   "As 'sqlstream stop --savepoint'",
		Example: "  sqlstream flink stop -p ./savepoints etl",
		Long:    "As 'sqlstream stop --savepoint': Flink's stop always takes a savepoint.",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			return a.stopJob(ctx, args[0], &f, true)
		},
	}
	f.add(a, cmd, true)
	cmd.Flags().StringVarP(&f.savepoint, "savepointPath", "p", "", "write the savepoint into this `directory`")
	cmd.Flags().StringVar(&f.layout, "type", "canonical", "`canonical` or native")
	cmd.Flags().BoolVarP(&f.drain, "drain", "d", false, "end the input for good: all windows fire")
	return cmd
}

func (a *app) flinkCancel() *cobra.Command {
	var f stopFlags
	cmd := &cobra.Command{
		Use:     "cancel JOB",
		Short:   "As 'sqlstream cancel'; with -s as 'sqlstream stop --savepoint'",
		Example: "  sqlstream flink cancel -s ./savepoints etl",
		Long:    "As 'sqlstream cancel'. With -s DIR (deprecated in Flink) as 'sqlstream stop --savepoint DIR'.",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			if cmd.Flags().Changed("withSavepoint") {
				return a.stopJob(ctx, args[0], &f, true)
			}
			return a.cancelAndSay(ctx, args[0], f.dir)
		},
	}
	f.add(a, cmd, true)
	cmd.Flags().StringVarP(&f.savepoint, "withSavepoint", "s", "", "stop with a savepoint in this `directory`")
	f.layout = "canonical"
	return cmd
}

func (a *app) flinkList() *cobra.Command {
	var all, only bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "As 'sqlstream jobs'",
		Example: "  sqlstream flink list -a",
		Long:    "As 'sqlstream jobs'. -a also lists the jobs that do not run; -r is what it does anyway.",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.printJobList(cmd.Context(), "", all && !only, "")
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list all jobs")
	cmd.Flags().BoolVarP(&only, "running", "r", false, "list running jobs only")
	return cmd
}

func (a *app) flinkCheckpoint() *cobra.Command {
	cmd := a.checkpointNow("checkpoint JOB", "As 'sqlstream checkpoint JOB'")
	cmd.Long = "As 'sqlstream checkpoint JOB'."
	return cmd
}
