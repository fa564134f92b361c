package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/state"
)

const checkpointHelp = `Look at the checkpoints of a job, running or not; nothing is changed.

DIR is a job directory, the directory given as 'execution.checkpointing.dir'
(a path, s3://bucket/prefix or hdfs:///path), one checkpoint (chk-12) in it,
or the name of a job under --home. Options of stores are given with -D.`

func (a *app) checkpoint() *cobra.Command {
	cmd := a.checkpointNow("checkpoint JOB", "Take a checkpoint of a running job; list, show and verify checkpoints")
	cmd.AddCommand(a.checkpointList(), a.checkpointShow(), a.checkpointVerify())
	return cmd
}

// checkpointNow is the command that takes a checkpoint.
func (a *app) checkpointNow(use, short string) *cobra.Command {
	var f jobFlags
	full := false
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: `Take a checkpoint of a running job now, and wait until its output is committed.
--full writes all state, not only what changed since the last one.

The commands below look at the checkpoints of a job, running or not.`,
		Example: `  sqlstream checkpoint etl
  sqlstream checkpoint etl --full
  sqlstream checkpoint ls etl
  sqlstream checkpoint show etl
  sqlstream checkpoint verify ./job-state`,
		Args: exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			o, err := a.operate(ctx, args[0], f.dir)
			if err != nil {
				return err
			}
			defer o.close()
			var id uint64
			err = o.watched(ctx, "checkpoint", func() error {
				id, err = o.client.Checkpoint(ctx, o.job.ID, control.CheckpointRequest{Full: full})
				return err
			})
			if err != nil {
				return operationFailed(err)
			}
			if f.format == formatJSON {
				return a.printJSON(struct {
					Job        string `json:"job"`
					Checkpoint uint64 `json:"checkpoint"`
				}{o.job.ID, id})
			}
			fmt.Fprintf(a.Out, "checkpoint %d of job %s (%s) is complete\n", id, o.job.Name, o.job.ID)
			return nil
		},
	}
	f.add(a, cmd, false)
	cmd.Flags().BoolVar(&full, "full", false, "write all state, not only what changed")
	return cmd
}

func (a *app) checkpointList() *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:     "ls DIR",
		Aliases: []string{"list"},
		Short:   "List the checkpoints, newest first",
		Long:    checkpointHelp,
		Example: "  sqlstream checkpoint ls etl",
		Args:    exactly("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := a.openCheckpoints(cmd, args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			list, err := checkpoint.List(s, id, time.Now())
			if err != nil {
				return err
			}
			if format == formatJSON {
				return checkpoint.WriteJSON(a.Out, list)
			}
			return checkpoint.WriteList(a.Out, list)
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

func (a *app) checkpointShow() *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:   "show DIR [ID]",
		Short: "Show what a checkpoint holds: positions, state, transactions, files",
		Long:  checkpointHelp + "\n\nWithout an ID it is the newest.",
		Example: `  sqlstream checkpoint show etl
  sqlstream checkpoint show etl 12 --format json`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, epoch, err := a.oneCheckpoint(cmd, args)
			if err != nil {
				return err
			}
			defer s.Close()
			d, err := checkpoint.Describe(s, epoch, id, time.Now())
			if errors.Is(err, fs.ErrNotExist) {
				return exitcode.With(exitcode.IO, fmt.Errorf("there is no checkpoint %d in %s", epoch, s.Location()))
			}
			if err != nil {
				return err
			}
			if format == formatJSON {
				return checkpoint.WriteJSON(a.Out, d)
			}
			return d.Write(a.Out)
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

func (a *app) checkpointVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify DIR [ID]",
		Short: "Read every file of the checkpoints, and check every checksum and count",
		Long: checkpointHelp + `

Without an ID all checkpoints are verified. The exit code is 78 when one is bad.`,
		Example: "  sqlstream checkpoint verify etl",
		Args:    args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, epoch, err := a.openCheckpoints(cmd, args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			ctx, stop := a.interruptible(cmd)
			defer stop()
			epochs := []state.Epoch{epoch}
			switch {
			case len(args) == 2:
				if epochs[0], err = parseEpoch(cmd, args[1]); err != nil {
					return err
				}
			case epoch == 0:
				if epochs, err = s.Epochs(); err != nil {
					return err
				}
			}
			if len(epochs) == 0 {
				return exitcode.With(exitcode.IO, fmt.Errorf("there is no checkpoint in %s", s.Location()))
			}
			bad := 0
			for _, e := range epochs {
				r, err := checkpoint.Verify(ctx, s, e, id)
				if err != nil {
					return err
				}
				if err := r.Write(a.Out); err != nil {
					return err
				}
				if r.Problem() != nil {
					bad++
				}
			}
			if bad > 0 {
				return exitcode.With(exitcode.Config, fmt.Errorf("%d of %d checkpoints are bad", bad, len(epochs)))
			}
			return nil
		},
	}
	return cmd
}

// oneCheckpoint opens the checkpoint that the arguments name; without an id the newest.
func (a *app) oneCheckpoint(cmd *cobra.Command, args []string) (checkpoint.Storage, string, state.Epoch, error) {
	s, id, epoch, err := a.openCheckpoints(cmd, args[0])
	if err != nil {
		return nil, "", 0, err
	}
	if len(args) == 2 {
		epoch, err = parseEpoch(cmd, args[1])
	} else if epoch == 0 {
		epoch, err = newest(s)
	}
	if err != nil {
		return nil, "", 0, errors.Join(err, s.Close())
	}
	return s, id, epoch, nil
}

func newest(s checkpoint.Storage) (state.Epoch, error) {
	epochs, err := s.Epochs()
	if err != nil {
		return 0, err
	}
	var last state.Epoch
	for _, e := range epochs {
		last = max(last, e)
	}
	if last == 0 {
		return 0, exitcode.With(exitcode.IO, fmt.Errorf("there is no checkpoint in %s", s.Location()))
	}
	return last, nil
}

func parseEpoch(cmd *cobra.Command, s string) (state.Epoch, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "chk-"), 10, 43)
	if err != nil || n == 0 {
		return 0, usageError(cmd, fmt.Errorf("'%s' is no checkpoint id, expected a number as 'checkpoint ls' shows them", s))
	}
	return state.Epoch(n), nil
}

var (
	jobIDName = regexp.MustCompile(`^[0-9a-f]{32}$`)
	chkName   = regexp.MustCompile(`^chk-([0-9]+)$`)
)

// openCheckpoints opens the checkpoints that arg names. epoch is not 0 when it names one.
func (a *app) openCheckpoints(cmd *cobra.Command, arg string) (s checkpoint.Storage, id string, epoch state.Epoch, err error) {
	if stores.Remote(arg) {
		return a.openRemote(cmd, arg)
	}
	h, err := a.home()
	if err != nil {
		return nil, "", 0, err
	}
	dir, err := filepath.Abs(jobDir(h, strings.TrimPrefix(arg, "file://")))
	if err != nil {
		return nil, "", 0, err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, "", 0, exitcode.With(exitcode.IO, fmt.Errorf("%s is neither a directory nor a job under %s", arg, h.Jobs()))
	}
	if m := chkName.FindStringSubmatch(filepath.Base(dir)); m != nil {
		n, err := strconv.ParseUint(m[1], 10, 43)
		if err != nil {
			return nil, "", 0, err
		}
		epoch, dir = state.Epoch(n), filepath.Dir(dir)
	}
	if id = filepath.Base(dir); !jobIDName.MatchString(id) {
		if dir, id, err = findCheckpoints(dir); err != nil {
			return nil, "", 0, exitcode.With(exitcode.IO, err)
		}
	} else {
		dir = filepath.Dir(dir)
	}
	if _, err := os.Stat(filepath.Join(dir, id)); err != nil {
		return nil, "", 0, exitcode.With(exitcode.IO, fmt.Errorf("no checkpoints of job %s in %s; if 'execution.checkpointing.dir' is set, give that directory", id, dir))
	}
	d, err := checkpoint.OpenDir(dir, id, checkpoint.DirOptions{})
	if err != nil {
		return nil, "", 0, err
	}
	return d, id, epoch, nil
}

// findCheckpoints returns the directory with the checkpoints of one job, and the job's id.
func findCheckpoints(dir string) (root, id string, err error) {
	if j, err := checkpoint.ReadJob(dir); err == nil {
		return filepath.Join(dir, "checkpoints"), j.ID, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", "", err
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && jobIDName.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	id, err = onlyJob(dir, ids)
	return dir, id, err
}

// onlyJob picks the one job whose checkpoints are in a directory.
func onlyJob(dir string, ids []string) (string, error) {
	switch len(ids) {
	case 0:
		return "", fmt.Errorf("%s is no job directory and holds no checkpoints", dir)
	case 1:
		return ids[0], nil
	}
	return "", fmt.Errorf("%s holds checkpoints of several jobs, give one of them: %s", dir, strings.Join(ids, ", "))
}
