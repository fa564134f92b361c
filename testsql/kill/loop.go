package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Options say what to run.
type Options struct {
	Binary   string // sqlstream, built with the tag failpoints
	Dir      string // a directory of our own
	Brokers  string // "" = kfake in this process
	TV       int    // transaction.version of the kfake: 2, or 1 as before Kafka 4
	MovingTV bool   // it is another one now and then, while the job runs and while it does not (F59)
	Kills    int
	Seed     uint64
	// Parallelism of the job; 0: drawn anew at each start, so that it is rescaled all the time.
	Parallelism        int
	Interval           time.Duration     // between checkpoints
	Retained           int               // checkpoints
	Set                map[string]string // more session options
	Full               bool              // each checkpoint has full files of its own
	Store              string            // where checkpoints are, in S3 or HDFS; "": in the job directory
	StoreOptions       map[string]string
	StateBytes         int // memory of a subtask's state, the rest is on disk; 0: the usual
	TransactionTimeout time.Duration
	Down               time.Duration // how long at most the job stays down after a kill
	RowsPerLife        int
	Operate            bool          // savepoints are taken, and the job is stopped and begun again from them
	Edit               bool          // the query is edited before each start
	Only               string        // every life ends at the first passing of this point; "": all points in turn
	Quiet              time.Duration // without new output at the end: it is all there will be
}

// Report is what a loop found.
type Report struct {
	Kills      int
	Operations map[string]int // carried out, with Operate
	Points     map[string]int // how often the process was killed at each point; "timer": by the clock
	Missed     map[string]int // how often it was not reached in time
	Unexpected []string       // ends that were not our kill, and whatever else must not be
	Rows       int64          // input rows
	Epochs     uint64         // the newest checkpoint
	SetAside   int            // checkpoints whose output was aborted from outside
	Findings   *Findings
	Stuck      []string      // transactions left open
	Leftovers  []string      // files that should not be there
	Settled    time.Duration // from the last start until what the kill left open had ended
	Took       time.Duration
}

// OK reports that nothing was lost, repeated, wrong or left behind.
func (r *Report) OK() bool {
	return r.Findings != nil && r.Findings.OK() && len(r.Unexpected) == 0 && len(r.Stuck) == 0 && len(r.Leftovers) == 0
}

func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills, %d rows, %d checkpoints, %d set aside, %s", r.Kills, r.Rows, r.Epochs, r.SetAside, r.Took.Round(time.Second))
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
	if len(r.Operations) > 0 {
		fmt.Fprintf(&b, "\n  operations: %v", r.Operations)
	}
	fmt.Fprintf(&b, "\n  killed at: %v; not reached: %v; open transactions ended %s after the last start", r.Points, r.Missed, r.Settled.Round(time.Millisecond))
	return b.String()
}

type loop struct {
	o      Options
	rng    *rand.Rand
	topics topics
	broker *broker
	reader *reader // runs all the time
	deck   []string
	change func(sql string) string // of the job; nil: none
	ops    operations
	sent   int64
	report Report
}

// Run kills the job o.Kills times, lets it finish and checks its output. The error is about
// the harness itself; what the job did wrong is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	begin := time.Now()
	l, err := newLoop(ctx, o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	for i := 0; l.report.Kills < o.Kills; i++ { // a life may end by a stop
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
		return &l.report, fmt.Errorf("%w\n%s", err, &l.report)
	}
	l.report.Rows, l.report.Took = l.sent, time.Since(begin)
	return &l.report, nil
}

func newLoop(ctx context.Context, o Options) (*loop, error) {
	l := &loop{o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), report: Report{Points: map[string]int{}, Missed: map[string]int{}, Operations: map[string]int{}}}
	l.ops.dir = filepath.Join(o.Dir, "job")
	l.topics.prefix = fmt.Sprintf("kill-%d-%d-%d", o.Seed, os.Getpid(), time.Now().UnixNano())
	var err error
	if l.broker, err = newBroker(o.Brokers, o.TV); err != nil {
		return nil, err
	}
	created, err := l.broker.admin.CreateTopics(ctx, partitions, 1, nil, append(l.topics.outs(), l.topics.in())...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		l.broker.close()
		return nil, fmt.Errorf("creating topics: %w", err)
	}
	if l.reader, err = newReader(l.broker, l.topics); err != nil {
		l.broker.close()
		return nil, err
	}
	return l, nil
}

func (l *loop) close() {
	l.reader.close()
	l.broker.close()
}

// feed produces n more input rows; row s goes to partition s mod partitions, so that event
// time grows in every partition.
func (l *loop) feed(ctx context.Context, n int) error {
	recs := make([]*kgo.Record, n)
	for i := range recs {
		recs[i] = &kgo.Record{Topic: l.topics.in(), Partition: int32(l.sent % partitions), Value: inputOf(l.sent)}
		l.sent++
	}
	return l.broker.client.ProduceSync(ctx, recs...).FirstErr()
}

const (
	tickEvery  = 20 * time.Millisecond
	pointLimit = 15 * time.Second // for a named point to be reached, on a busy machine
)

// life starts the job, feeds it, and sees it die.
func (l *loop) life(ctx context.Context, i int) error {
	if err := l.moveTV(ctx); err != nil {
		return err
	}
	point := l.draw()
	p, err := l.startJob(l.o, point, l.hit(point))
	if err != nil {
		return err
	}
	limit := pointLimit
	if point == "" {
		// Long enough to recover and take a few checkpoints.
		limit = 100*time.Millisecond + time.Duration(l.rng.Int64N(int64(20*l.o.Interval)))
	}
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	stopped := l.operate(ctx, p, point)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	left := l.o.RowsPerLife
	for {
		select {
		case <-p.done:
			if (<-stopped).yes {
				return l.feed(ctx, left)
			}
			if !p.killed() || p.races() {
				l.unexpected(i, point, p)
			}
			l.report.Kills++
			l.report.Points[name(point)]++
			return l.feed(ctx, left)
		case <-deadline.C:
			if point != "" {
				l.report.Missed[point]++
				point = ""
			}
			if err := p.kill(); err != nil {
				return err
			}
			deadline.Reset(time.Minute)
		case <-tick.C:
			if l.rng.IntN(10) == 0 {
				if err := l.moveTV(ctx); err != nil {
					return err
				}
			}
			// Most rows at the beginning; then some, so that there is always something to commit.
			n := max(min(left, l.o.RowsPerLife/10), 2)
			left = max(left-n, 0)
			if err := l.feed(ctx, n); err != nil {
				return err
			}
		case <-ctx.Done():
			err := p.kill()
			<-p.done
			if err != nil {
				return err
			}
			return context.Cause(ctx)
		}
	}
}

// moveTV changes the transaction.version of the cluster, up or down.
func (l *loop) moveTV(ctx context.Context) error {
	if !l.o.MovingTV {
		return nil
	}
	const safeDowngrade = 2
	u := kadm.FeatureUpdate{Feature: "transaction.version", MaxVersionLevel: 2, UpgradeType: 1}
	if l.o.TV == 2 {
		u.MaxVersionLevel, u.UpgradeType = 1, safeDowngrade
	}
	done, err := l.broker.admin.UpdateFeatures(ctx, false, u)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		return fmt.Errorf("transaction.version %d: %w", u.MaxVersionLevel, err)
	}
	l.o.TV = int(u.MaxVersionLevel)
	return nil
}

func name(point string) string {
	if point == "" {
		return "timer"
	}
	return point
}

func (l *loop) unexpected(i int, point string, p *process) {
	l.wrong("life %d (point %s) ended by itself: %v\n%s", i, name(point), p.err, p.text())
}

func (l *loop) wrong(format string, args ...any) {
	l.report.Unexpected = append(l.report.Unexpected, fmt.Sprintf(format, args...))
}

// draw returns where the next life ends. Every point comes once per deck.
func (l *loop) draw() string {
	if l.o.Only != "" {
		return l.o.Only
	}
	if len(l.deck) == 0 {
		var units [][]string
		if l.o.Operate {
			units = operationUnits()
		}
		for _, p := range Points {
			if slices.Contains(recoveryPoints, p) {
				// A recovery has something to do when the life before left it.
				units = append(units, []string{leaves[l.rng.IntN(len(leaves))], p})
			} else {
				units = append(units, []string{p})
			}
		}
		l.rng.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
		for _, u := range units {
			l.deck = append(l.deck, u...)
		}
	}
	p := l.deck[0]
	l.deck = l.deck[1:]
	return p
}

// hit draws at which passing of a point the process is killed.
func (l *loop) hit(point string) int {
	switch {
	case l.o.Only != "":
		return 1
	case point == "rec_mid_abort":
		return 1 + l.rng.IntN(3) // once for each id of the pool
	case slices.Contains(recoveryPoints, point), slices.Contains(operationPoints, point):
		return 1
	}
	return 1 + l.rng.IntN(4)
}
