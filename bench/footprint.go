package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// idleFor is how long an idle job is watched.
const idleFor = 20 * time.Second

// footprint measures what is not throughput: the size of the binary, the time from the start
// of the process to the first row of a Kafka topic, memory and CPU time of a job from Kafka to
// Kafka that waits for input, and the pause of a barrier with much changed state.
func (b *bench) footprint(ctx context.Context, w io.Writer) error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "binary: %.1f MB\n", float64(info.Size())/1e6)
	from := fmt.Sprintf("'connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'format' = 'json', 'scan.startup.mode' = ", b.topic, b.brokers)
	var times []time.Duration
	for range max(b.runs, 1) {
		t, err := b.firstRow(ctx, fmt.Sprintf(events, from+"'earliest-offset'")+
			"CREATE TABLE results (auction BIGINT) WITH ('connector' = 'print');\nINSERT INTO results SELECT auction FROM bid;\n")
		if err != nil {
			return err
		}
		times = append(times, t)
	}
	fmt.Fprintf(w, "start to first row: %d ms (median of %d)\n", median(times).Milliseconds(), len(times))
	out, err := b.outTopic(ctx, "idle")
	if err != nil {
		return err
	}
	idle, err := script(queryNamed("q17"), mode{source: "kafka", sink: "kafka"}, b.brokers, b.topic, out, b.events)
	if err != nil {
		return err
	}
	idle = strings.Replace(idle, "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'", "'scan.startup.mode' = 'latest-offset'", 1)
	if err := b.idle(ctx, w, idle); err != nil {
		return err
	}
	return b.pause(ctx, w)
}

func queryNamed(name string) query {
	for _, q := range queries {
		if q.name == name {
			return q
		}
	}
	panic("no query " + name)
}

// job makes the command of a job with a directory of its own; once it is started stop ends it.
func (b *bench) job(ctx context.Context, sql string) (cmd *exec.Cmd, jobDir string, stop func(), err error) {
	dir, err := os.MkdirTemp(b.dir, "job")
	if err != nil {
		return nil, "", nil, err
	}
	file := filepath.Join(dir, "job.sql")
	if err := os.WriteFile(file, []byte(sql), 0o600); err != nil {
		return nil, "", nil, err
	}
	jobDir = filepath.Join(dir, "job")
	cmd = exec.CommandContext(ctx, b.binary, "run", file, "--dir", jobDir, "--log-level", "error")
	cmd.Stderr = os.Stderr
	return cmd, jobDir, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		os.RemoveAll(dir)
	}, nil
}

// firstRow times a job up to its first line of output.
func (b *bench) firstRow(ctx context.Context, sql string) (time.Duration, error) {
	cmd, _, stop, err := b.job(ctx, sql)
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer stop()
	r := bufio.NewReader(out)
	if _, err := r.ReadString('\n'); err != nil {
		return 0, fmt.Errorf("the job ended without a row: %w", err)
	}
	took := time.Since(start)
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return took, nil
}

// idle watches a job that has nothing to do.
func (b *bench) idle(ctx context.Context, w io.Writer, sql string) error {
	cmd, _, stop, err := b.job(ctx, sql)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer stop()
	select {
	case <-time.After(5 * time.Second): // its start does not count
	case <-ctx.Done():
		return ctx.Err()
	}
	_, before, err := usage(cmd.Process.Pid)
	if err != nil {
		return err
	}
	select {
	case <-time.After(idleFor):
	case <-ctx.Done():
		return ctx.Err()
	}
	rss, after, err := usage(cmd.Process.Pid)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "idle job, Kafka to Kafka, exactly once, checkpoint every 10 s: %d MB resident, %.2f %% of a core\n",
		rss>>20, float64(after-before)/float64(idleFor)*100)
	return nil
}

// usage reads memory and CPU time of a running process.
func usage(pid int) (rss int64, cpu time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	if len(f) < 22 {
		return 0, 0, errors.New("/proc/PID/stat has fewer fields than expected")
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere Go runs
	for _, s := range f[11:13] {       // utime, stime
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(n) * tick
	}
	pages, err := strconv.ParseInt(f[21], 10, 64)
	return pages * int64(os.Getpagesize()), cpu, err
}
