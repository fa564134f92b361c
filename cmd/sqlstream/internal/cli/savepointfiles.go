package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
	"github.com/sqlstream/sqlstream/checkpoint/snapshots"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
)

const savepointPathHelp = `

PATH is the directory of a savepoint or its manifest.json.`

const snapshotPathHelp = `

PATH is the directory of a savepoint or its manifest.json, or a checkpoint: its
directory (chk-12), or what 'sqlstream checkpoint' takes, then the newest.`

// savepointFiles are the commands that look at savepoints and do not need their job.
func (a *app) savepointFiles() []*cobra.Command {
	return []*cobra.Command{a.savepointVerify(), a.savepointShow(), a.savepointList(), a.savepointCopy(), a.savepointExport()}
}

func (a *app) savepointVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify PATH",
		Short: "Read a savepoint as a whole: every checksum, every count, every row",
		Long: `Read a savepoint as a whole and check it: every checksum, every count, every
row. The exit code is 78 when something is wrong.` + savepointPathHelp,
		Example: "  sqlstream savepoint verify ./savepoints/savepoint-5f2a91-0c8be11d7a34",
		Args:    exactly("PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			place, err := a.openSavepoint(ctx, cmd, args[0])
			if err != nil {
				return err
			}
			defer place.Close()
			return a.verifySavepoint(ctx, place)
		},
	}
}

func (a *app) verifySavepoint(ctx context.Context, place checkpoint.Place) error {
	r, err := savepoint.Verify(ctx, place)
	if err != nil {
		return err
	}
	if errors.Is(r.Err, savepoint.ErrNone) {
		return r.Err
	}
	if err := r.Write(a.Out); err != nil {
		return err
	}
	if r.Problem() != nil {
		return exitcode.With(exitcode.Config, errors.New("the savepoint is bad"))
	}
	return nil
}

func (a *app) savepointShow() *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:   "show PATH",
		Short: "Show what a savepoint holds: positions, state, files",
		Long:  "Show what a savepoint or checkpoint holds: positions, state, files." + snapshotPathHelp,
		Example: `  sqlstream savepoint show ./savepoints/savepoint-5f2a91-0c8be11d7a34
  sqlstream savepoint show ./moved --format json`,
		Args: exactly("PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			s, err := a.openSnapshot(ctx, cmd, args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			d := checkpoint.DescribeManifest(s.Manifest, s.Path, time.Now())
			if format == formatJSON {
				return checkpoint.WriteJSON(a.Out, d)
			}
			return d.Write(a.Out)
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

func (a *app) savepointList() *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:     "ls DIR",
		Aliases: []string{"list"},
		Short:   "List the savepoints in a directory, newest first",
		Long: `List the savepoints in a directory, newest first. DIR is what jobs have as
'execution.checkpointing.savepoint-dir', or any other directory with
directories of savepoints in it.`,
		Example: "  sqlstream savepoint ls ./savepoints",
		Args:    exactly("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := a.listSavepoints(cmd, args[0])
			if errors.Is(err, fs.ErrNotExist) {
				return exitcode.With(exitcode.IO, fmt.Errorf("directory %s does not exist", args[0]))
			}
			if err != nil {
				return err
			}
			if format == formatJSON {
				return checkpoint.WriteJSON(a.Out, list)
			}
			return savepoint.WriteList(a.Out, list)
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

func (a *app) listSavepoints(cmd *cobra.Command, dir string) ([]savepoint.Line, error) {
	if !stores.Remote(dir) {
		return savepoint.List(strings.TrimPrefix(dir, "file://"), time.Now())
	}
	opts, err := a.storeOptions(cmd)
	if err != nil {
		return nil, err
	}
	ctx, stop := a.interruptible(cmd)
	defer stop()
	names, err := stores.Names(ctx, dir, opts)
	if err != nil {
		return nil, storeError(err)
	}
	at := []string{dir}
	for _, n := range names {
		at = append(at, stores.Join(dir, n))
	}
	return savepoint.ListAt(at, func(at string) (checkpoint.Place, error) { return stores.Place(ctx, at, opts) }, time.Now())
}

func (a *app) savepointCopy() *cobra.Command {
	layout := ""
	cmd := &cobra.Command{
		Use:   "cp PATH NEW",
		Short: "Copy a savepoint and verify the copy",
		Long: `Copy a savepoint into a directory that does not exist or is empty, and verify
the copy. With --type the copy has that layout; otherwise its files are the same.` + savepointPathHelp,
		Example: `  sqlstream savepoint cp ./savepoints/savepoint-5f2a91-0c8be11d7a34 /mnt/backup/before-upgrade
  sqlstream savepoint cp ./native ./readable --type canonical`,
		Args: exactly("PATH", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if layout != "" && layout != checkpoint.Canonical && layout != checkpoint.Native {
				return usageError(cmd, fmt.Errorf("--type '%s': expected %s or %s", layout, checkpoint.Canonical, checkpoint.Native))
			}
			ctx, stop := a.interruptible(cmd)
			defer stop()
			from, err := a.openSavepoint(ctx, cmd, args[0])
			if err != nil {
				return err
			}
			defer from.Close()
			to, err := a.openSavepoint(ctx, cmd, args[1])
			if err != nil {
				return err
			}
			defer to.Close()
			if err := a.copySavepoint(ctx, from, to, layout); err != nil {
				return err
			}
			return a.verifySavepoint(ctx, to)
		},
	}
	cmd.Flags().StringVar(&layout, "type", "", "layout of the copy: `canonical` or native (default: that of the savepoint)")
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions([]string{checkpoint.Canonical, checkpoint.Native}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) copySavepoint(ctx context.Context, from, to checkpoint.Place, layout string) error {
	m, err := savepoint.Read(from)
	if err != nil {
		return err
	}
	copied, done := a.copying(to.Location())
	defer done()
	if layout == "" || layout == m.Layout {
		_, err := savepoint.Copy(ctx, from, to, copied)
		return err
	}
	c, err := savepoint.Open(from, m)
	if err != nil {
		return err
	}
	opt := savepoint.Options{Layout: layout, Now: m.Created, Progress: func(_, bytes int64) { copied(bytes) }}
	_, err = savepoint.Write(ctx, savepoint.Source{Manifest: m, Content: c}, to, opt)
	return errors.Join(err, c.Close())
}

// copying shows on a terminal how far a copy has come.
func (a *app) copying(to string) (copied func(bytes int64), done func()) {
	if !isTerminal(a.Err) {
		return func(int64) {}, func() {}
	}
	screen := progress.NewScreen(a.Err, func() int { w, _ := terminalWidth(a.Err); return w })
	last := time.Now()
	return func(bytes int64) {
		if time.Since(last) >= progressEvery {
			last = time.Now()
			screen.Set([]string{fmt.Sprintf("copying to %s: %s", to, progress.Bytes(bytes))})
		}
	}, func() { screen.Set(nil) }
}

func (a *app) savepointExport() *cobra.Command {
	format, operator, table, to := "", "", "", ""
	cmd := &cobra.Command{
		Use:   "export PATH",
		Short: "Write a table of state as CSV, JSON lines or Parquet",
		Long: `Write one table of state of a savepoint or checkpoint as CSV, JSON lines or
Parquet. 'sqlstream state map PATH' lists the tables.` + snapshotPathHelp,
		Example: `  sqlstream savepoint export ./moved
  sqlstream savepoint export ./moved --operator q7drvztiqg2cnhnx4hpo --table groups --format jsonl
  sqlstream savepoint export etl --format parquet --to counts.parquet`,
		Args: exactly("PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(savepoint.Formats, format) {
				return usageError(cmd, fmt.Errorf("--format '%s': expected %s", format, strings.Join(savepoint.Formats, ", ")))
			}
			if format == savepoint.Parquet && to == "" && isTerminal(a.Out) {
				return usageError(cmd, errors.New("Parquet is nothing for a terminal; give a file with --to"))
			}
			ctx, stop := a.interruptible(cmd)
			defer stop()
			s, err := a.openSnapshot(ctx, cmd, args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			c, err := s.Content()
			if err != nil {
				return err
			}
			defer c.Close()
			err = writeFile(a.Out, to, func(w io.Writer) error {
				return savepoint.Export(ctx, c, s.Manifest, operator, table, format, w)
			})
			if errors.Is(err, savepoint.ErrNoTable) {
				return exitcode.With(exitcode.Data, fmt.Errorf("%w; choose with --operator and --table", err))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", savepoint.CSV, "`csv`, jsonl or parquet")
	f.StringVar(&operator, "operator", "", "`uid` of the operator; not needed when only one has state")
	f.StringVar(&table, "table", "", "`name` of the operator's table; not needed when only one has entries")
	f.StringVar(&to, "to", "", "write to this `file`, which must not exist, instead of standard output")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(savepoint.Formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// writeFile calls write with a new file, which an error removes; without a name with out.
func writeFile(out io.Writer, name string, write func(io.Writer) error) error {
	if name == "" {
		return write(out)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// openSnapshot opens what arg names; see snapshotPathHelp.
func (a *app) openSnapshot(ctx context.Context, cmd *cobra.Command, arg string) (*snapshots.Snapshot, error) {
	opts, err := a.storeOptions(cmd)
	if err != nil {
		return nil, err
	}
	s, none := snapshots.Open(ctx, arg, opts)
	if none == nil || !errors.Is(none, savepoint.ErrNone) {
		return s, storeError(none)
	}
	dir, _, epoch, err := a.oneCheckpoint(cmd, []string{arg})
	if err != nil {
		if _, statErr := os.Stat(arg); statErr == nil {
			err = exitcode.With(exitcode.IO, fmt.Errorf("neither a savepoint nor a checkpoint:\n  %w\n  %w", none, err))
		}
		return nil, err
	}
	chk := fmt.Sprintf("%s/chk-%d", dir.Location(), epoch)
	if err := dir.Close(); err != nil {
		return nil, err
	}
	return snapshots.Open(ctx, chk, opts)
}

// openSavepoint opens the place of a savepoint by its directory or its manifest.
func (a *app) openSavepoint(ctx context.Context, cmd *cobra.Command, name string) (checkpoint.Place, error) {
	opts, err := a.storeOptions(cmd)
	if err != nil {
		return nil, err
	}
	p, err := stores.Place(ctx, snapshots.Path(name), opts)
	return p, storeError(err)
}
