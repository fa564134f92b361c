package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const partitions = 4

// result is what the runs of one program on one query came to.
type result struct {
	name string
	cpu  []time.Duration // user and system, of the process
	wall []time.Duration
	rss  []int64 // bytes, peak
	rows int64   // records in the output topic; -1: there is none
}

type bench struct {
	options
	dir     string
	broker  *exec.Cmd
	topic   string
	made    int // topics for output
	loops   []time.Duration
	order   []string
	results map[string]*result
}

// kafka reports whether any mode needs a broker.
func (b *bench) kafka() bool {
	return slices.ContainsFunc(b.modes, func(m mode) bool { return m.source == "kafka" || m.sink == "kafka" })
}

// prepare starts the broker and fills the topic.
func (b *bench) prepare(ctx context.Context) error {
	if !b.kafka() {
		return nil
	}
	if b.brokers == "" {
		port, err := freePort()
		if err != nil {
			return err
		}
		b.brokers = fmt.Sprintf("127.0.0.1:%d", port)
		b.broker = exec.Command(b.binary, "dev-broker", "--dir", filepath.Join(b.dir, "broker"), "--port", fmt.Sprint(port))
		if err := b.broker.Start(); err != nil {
			return err
		}
	}
	b.topic = fmt.Sprintf("bench-nexmark-%d", os.Getpid())
	if err := b.createTopic(ctx, b.topic); err != nil {
		return err
	}
	return command(ctx, nil, b.binary, "nexmark", "--bootstrap", b.brokers, "--topic", b.topic, "--events", fmt.Sprint(b.events))
}

// outTopic makes a topic for output.
func (b *bench) outTopic(ctx context.Context, name string) (string, error) {
	b.made++
	topic := fmt.Sprintf("bench-%s-%d-%d", name, os.Getpid(), b.made)
	return topic, b.createTopic(ctx, topic)
}

// createTopic waits for the broker to be there.
func (b *bench) createTopic(ctx context.Context, name string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.brokers))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := kadm.NewClient(cl).CreateTopic(ctx, partitions, 1, nil, name)
		if err == nil || ctx.Err() != nil || errors.Is(err, kerr.TopicAlreadyExists) {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (b *bench) stop() {
	if b.broker != nil {
		_ = b.broker.Process.Signal(syscall.SIGTERM)
		_ = b.broker.Wait()
	}
}

// calibrate times a fixed loop, so that runs on a busy machine are seen as such.
func (b *bench) calibrate() {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	x := uint64(1)
	for range 200_000_000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	if x == 0 {
		return // never: keeps the loop
	}
	b.loops = append(b.loops, cpuOf(&after)-cpuOf(&before))
}

func cpuOf(u *syscall.Rusage) time.Duration {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs one query once.
func (b *bench) measure(ctx context.Context, bin string, m mode, q query) error {
	var out string
	if m.sink == "kafka" {
		var err error
		if out, err = b.outTopic(ctx, q.name); err != nil {
			return err
		}
	}
	sql, err := script(q, m, b.brokers, b.topic, out, b.events)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, q.name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, q.name+".sql")
	if err := os.WriteFile(file, []byte(sql), 0o600); err != nil {
		return err
	}
	name := m.name + " " + q.name
	args := []string{"run", file, "--dir", filepath.Join(dir, "job"), "--log-level", "error"}
	if bin == b.against {
		name += " (against)"
	} else if b.profile != "" {
		args = append(args, "--cpu-profile", filepath.Join(b.profile, strings.ReplaceAll(name, " ", "-")+".pprof"))
	}
	return b.timed(ctx, name, out, bin, args...)
}

// copyRun measures the hand-written copy program: bytes in, the same bytes out.
func (b *bench) copyRun(ctx context.Context) error {
	out, err := b.outTopic(ctx, "copy")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return b.timed(ctx, "copy program", out, self, "copy", b.brokers, b.topic, out)
}

// timed runs a program that writes to the topic out, "" for none.
func (b *bench) timed(ctx context.Context, name, out, bin string, args ...string) error {
	cmd := exec.CommandContext(ctx, bin, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output.String())
	}
	took := time.Since(start)
	rows := int64(-1)
	if out != "" {
		var err error
		if rows, err = b.count(ctx, out); err != nil {
			return fmt.Errorf("%s: counting its output: %w", name, err)
		}
	}
	r := b.results[name]
	if r == nil {
		r = &result{name: name, rows: rows}
		b.results[name] = r
		b.order = append(b.order, name)
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	r.cpu, r.wall, r.rss = append(r.cpu, cpuOf(u)), append(r.wall, took), append(r.rss, u.Maxrss*1024)
	fmt.Fprintf(os.Stderr, "%-36s cpu %6.2fs wall %6.2fs rss %4d MB\n", name, cpuOf(u).Seconds(), took.Seconds(), u.Maxrss/1024)
	return nil
}

func (b *bench) report(w io.Writer) {
	fmt.Fprintf(w, "%d events a run, %d runs, medians (least); calibration loop %.2f s (%.2f to %.2f)\n\n", b.events, b.runs,
		median(b.loops).Seconds(), slices.Min(b.loops).Seconds(), slices.Max(b.loops).Seconds())
	fmt.Fprintln(w, "| run | CPU-s per million events | million events/s per core | peak RSS MB | wall s | rows out |\n|---|---|---|---|---|---|")
	for _, name := range b.order {
		r := b.results[name]
		million := float64(b.events) / 1e6
		fmt.Fprintf(w, "| %s | %.2f (%.2f) | %.2f | %d | %.1f | %s |\n", name,
			median(r.cpu).Seconds()/million, slices.Min(r.cpu).Seconds()/million, million/median(r.cpu).Seconds(), median(r.rss)>>20, median(r.wall).Seconds(), rowsText(r.rows))
	}
}

func rowsText(n int64) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func median[T int64 | time.Duration](s []T) T {
	if len(s) == 0 {
		return 0
	}
	c := slices.Clone(s)
	slices.Sort(c)
	return c[len(c)/2]
}

func command(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
