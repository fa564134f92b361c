package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
)

// snapshots measures checkpoints and savepoints of a job with so many groups, all of which change
// all the time, and how long a start from each takes.
func (b *bench) snapshots(ctx context.Context, w io.Writer, groups []int64) error {
	fmt.Fprintln(w, "| groups | pause ms | checkpoint s, MB | full s, MB | canonical s, MB | native s, MB | start from: checkpoint s | canonical s | native s |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
	for _, n := range groups {
		line, err := b.snapshotsOf(ctx, n)
		if err != nil {
			return fmt.Errorf("%d groups: %w", n, err)
		}
		fmt.Fprintln(w, line)
	}
	return nil
}

// inMemory is how many groups surely fit into the memory that jobs take by themselves.
const inMemory = 10_000_000

func (b *bench) snapshotsOf(ctx context.Context, n int64) (string, error) {
	sql := strings.Replace(grouped, "999999", fmt.Sprint(n-1), 1)
	if n > inMemory { // the files are measured, not the database on the local disk
		sql = "SET 'state.backend.type' = 'hashmap';" + sql
	}
	cmd, dir, stop, err := b.job(ctx, sql)
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer stop()
	cl, err := dial(ctx, dir)
	if err != nil {
		return "", err
	}
	defer cl.Close()
	// Keys are drawn at random: after five times as many rows 99.3 % of them have come.
	s, err := status(ctx, cl, func(s job.Status) bool { return s.RowsIn >= 5*n })
	if err != nil {
		return "", err
	}
	cells := []string{fmt.Sprint(n)}
	for _, full := range []bool{false, true} {
		if _, err := cl.Checkpoint(ctx, s.ID, control.CheckpointRequest{Full: full}); err != nil {
			return "", err
		}
		if s, err = status(ctx, cl, func(job.Status) bool { return true }); err != nil {
			return "", err
		}
		c := s.Checkpoints
		if !full {
			cells = append(cells, fmt.Sprintf("%.2f", ms(c.LastPause)))
		}
		cells = append(cells, fmt.Sprintf("%.2f, %.0f", c.LastTook.Seconds(), float64(c.LastBytes)/1e6))
	}
	var paths []string
	for _, layout := range []string{"canonical", "native"} {
		r := control.SavepointRequest{SavepointRequest: job.SavepointRequest{Dir: filepath.Dir(dir), Layout: layout}}
		sp, err := cl.Savepoint(ctx, s.ID, r)
		if err != nil {
			return "", err
		}
		size, err := sizeOf(sp.Path)
		if err != nil {
			return "", err
		}
		paths = append(paths, sp.Path)
		cells = append(cells, fmt.Sprintf("%.2f, %.0f", sp.Took.Seconds(), float64(size)/1e6))
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", err
	}
	for i, from := range append([]string{""}, paths...) {
		to := dir
		var more []string
		if from != "" {
			to, more = filepath.Join(filepath.Dir(dir), fmt.Sprint("from", i)), []string{"-s", from}
		}
		args := append([]string{"run", cmd.Args[2], "--log-level", "error", "--dir", to}, more...)
		took, err := b.startTime(ctx, to, args)
		if err != nil {
			return "", err
		}
		cells = append(cells, fmt.Sprintf("%.2f", took.Seconds()))
	}
	return "| " + strings.Join(cells, " | ") + " |", nil
}

// startTime times a start until the job runs.
func (b *bench) startTime(ctx context.Context, dir string, args []string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for { // the socket is there once the job runs
		cl, err := control.Dial(ctx, dir)
		if err == nil {
			defer cl.Close()
			_, err = status(ctx, cl, func(s job.Status) bool { return s.State == job.Running })
			return time.Since(start), err
		}
		if err := rest(ctx); err != nil {
			return 0, err
		}
	}
}

func sizeOf(dir string) (int64, error) {
	var n int64
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return 0, err
		}
		n += info.Size()
	}
	return n, err
}
