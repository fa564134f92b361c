package kill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Options say what to run.
type Options struct {
	Binary  string // sqlstream, built with the tag failpoints
	Dir     string // a directory of our own
	Brokers string // "" = kfake in this process
	TV      int    // transaction.version of the kfake: 2, or 1 as before Kafka 4
	Kills   int
	Seed    uint64
	// Parallelism of the job; 0: drawn anew at each start, so that it is rescaled all the time.
	Parallelism        int
	Interval           time.Duration // between checkpoints
	TransactionTimeout time.Duration
	Down               time.Duration // how long at most the job stays down after a kill
	RowsPerLife        int
	Log                func(format string, args ...any)
}

// Points are the steps at which the job is killed; "" is a random moment.
var Points = []string{
	"", "", "open_txn", "first_ack", "before_flush", "after_flush", "before_ledger", "after_ledger", "snap_begin",
	"mid_state_write", "before_fsync", "before_rename", "after_rename", "before_dirsync", "before_endtxn", "after_endtxn",
	"after_resync", "before_gc", "mid_gc", "rec_lock", "rec_before_commit", "rec_after_commit", "rec_mid_abort",
	"rec_before_restore", "rec_mid_restore", "rec_before_first_poll",
}

// Report is what a loop found.
type Report struct {
	Kills       int
	Lives       map[string]int // how often the process ended at each point; "timer": by the clock
	Unexpected  []string       // ends that were not our kill: exit code and last lines
	Rows        int64          // input rows
	Checkpoints int            // of the whole run
	Findings    *Findings
	Stuck       []string // transactions left open
	Leftovers   []string // files that should not be there
	Took        time.Duration
}

// OK reports that nothing was lost, repeated, wrong or left behind.
func (r *Report) OK() bool {
	return r.Findings != nil && r.Findings.OK() && len(r.Unexpected) == 0 && len(r.Stuck) == 0 && len(r.Leftovers) == 0
}

func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills, %d rows, %s", r.Kills, r.Rows, r.Took.Round(time.Second))
	if f := r.Findings; f != nil {
		fmt.Fprintf(&b, ": %d lost, %d duplicated, %d wrong", f.Lost, f.Duplicated, f.Wrong)
		for _, e := range f.Examples {
			b.WriteString("\n  " + e)
		}
	}
	for _, list := range [][]string{r.Unexpected, r.Stuck, r.Leftovers} {
		for _, s := range list {
			b.WriteString("\n  " + s)
		}
	}
	fmt.Fprintf(&b, "\n  ends: %v", r.Lives)
	return b.String()
}

type loop struct {
	o      Options
	rng    *rand.Rand
	topics topics
	addr   string
	client *kgo.Client
	admin  *kadm.Client
	sent   int64
	report Report
}

// Run kills the job o.Kills times, lets it finish and checks its output. The error is about
// the harness itself; what the job did wrong is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	l := &loop{o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), report: Report{Lives: map[string]int{}}}
	l.topics.prefix = fmt.Sprintf("kill-%d-%d", o.Seed, os.Getpid())
	start := time.Now()
	stop, err := l.broker()
	if err != nil {
		return nil, err
	}
	defer stop()
	if _, err := l.admin.CreateTopics(ctx, partitions, 1, nil, l.topics.all()...); err != nil {
		return nil, fmt.Errorf("creating topics: %w", err)
	}
	for i := range o.Kills {
		if err := l.life(ctx, i); err != nil {
			return nil, err
		}
		if len(l.report.Unexpected) > 3 {
			break // it does not get better
		}
		if o.Down > 0 {
			sleep(ctx, time.Duration(l.rng.Int64N(int64(o.Down))))
		}
	}
	if err := l.finish(ctx); err != nil {
		return nil, err
	}
	l.report.Rows, l.report.Took = l.sent, time.Since(start)
	return &l.report, nil
}

// broker connects to a Kafka, starting one in this process unless there is one.
func (l *loop) broker() (stop func(), err error) {
	l.addr, stop = l.o.Brokers, func() {}
	if l.addr == "" {
		c, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			return nil, err
		}
		l.addr, stop = c.ListenAddrs()[0], c.Close
	}
	l.client, err = kgo.NewClient(kgo.SeedBrokers(strings.Split(l.addr, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(50*time.Millisecond), kgo.AlwaysRetryEOF(), kgo.ProducerLinger(0))
	if err != nil {
		stop()
		return nil, err
	}
	l.admin = kadm.NewClient(l.client)
	if l.o.Brokers == "" && l.o.TV == 1 {
		req := kmsg.NewPtrUpdateFeaturesRequest()
		fu := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		fu.Feature, fu.MaxVersionLevel, fu.UpgradeType = "transaction.version", 1, 2
		req.FeatureUpdates = append(req.FeatureUpdates, fu)
		if _, err := req.RequestWith(context.Background(), l.client); err != nil {
			stop()
			return nil, err
		}
	}
	closeAll := stop
	return func() { l.client.Close(); closeAll() }, nil
}

// feed produces n more input rows; row s goes to partition s mod partitions, so that event
// time grows in every partition.
func (l *loop) feed(ctx context.Context, n int) error {
	recs := make([]*kgo.Record, n)
	for i := range recs {
		value, err := json.Marshal(rowOf(l.sent))
		if err != nil {
			return err
		}
		recs[i] = &kgo.Record{Topic: l.topics.in(), Partition: int32(l.sent % partitions), Value: value}
		l.sent++
	}
	return l.client.ProduceSync(ctx, recs...).FirstErr()
}

// process is one run of the binary.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	done   chan error
}

func (l *loop) start(point string, hit int) (*process, error) {
	o := l.o
	if o.Parallelism == 0 {
		o.Parallelism = 1 + l.rng.IntN(3)
	}
	file := filepath.Join(o.Dir, "job.sql")
	if err := os.WriteFile(file, []byte(l.topics.sql(l.addr, o)), 0o600); err != nil {
		return nil, err
	}
	p := &process{done: make(chan error, 1)}
	p.cmd = exec.Command(o.Binary, "run", file, "--dir", filepath.Join(o.Dir, "job"), "--log-level", "warn")
	p.cmd.Env = append(os.Environ(), "SQLSTREAM_HOME="+filepath.Join(o.Dir, "home"))
	if point != "" {
		p.cmd.Env = append(p.cmd.Env, fmt.Sprintf("SQLSTREAM_FAILPOINT=%s:%d", point, hit))
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.stderr, &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }()
	return p, nil
}

// killed reports whether the process ended by SIGKILL.
func killed(err error) bool {
	var ee *exec.ExitError
	if !errors.As(err, &ee) {
		return false
	}
	ws, ok := ee.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

// life starts the job, feeds it, and sees it die.
func (l *loop) life(ctx context.Context, i int) error {
	point, hit := Points[l.rng.IntN(len(Points))], 1+l.rng.IntN(4)
	if strings.HasPrefix(point, "rec_") && point != "rec_mid_abort" {
		hit = 1 // recovery passes its steps once
	}
	p, err := l.start(point, hit)
	if err != nil {
		return err
	}
	// Long enough to recover and take a few checkpoints; a named point mostly ends it earlier.
	deadline := time.NewTimer(150*time.Millisecond + time.Duration(l.rng.Int64N(int64(20*l.o.Interval))))
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	left := l.o.RowsPerLife
	for {
		select {
		case err := <-p.done:
			if !killed(err) {
				l.unexpected(i, point, p, err)
			}
			l.report.Kills++
			l.report.Lives[point]++
			return l.feed(ctx, left)
		case <-deadline.C:
			if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return err
			}
			point = "timer"
			deadline.Reset(time.Minute)
		case <-tick.C:
			if n := min(left, max(l.o.RowsPerLife/10, 1)); n > 0 {
				left -= n
				if err := l.feed(ctx, n); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			p.cmd.Process.Kill()
			<-p.done
			return context.Cause(ctx)
		}
	}
}

func (l *loop) unexpected(i int, point string, p *process, err error) {
	out := strings.TrimSpace(p.stderr.String())
	if len(out) > 4000 {
		out = out[:2000] + " ... " + out[len(out)-2000:]
	}
	l.report.Unexpected = append(l.report.Unexpected, fmt.Sprintf("life %d (point %q) ended by itself: %v\n%s", i, point, err, out))
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
