package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// finishLimit is how long the job may take to work off the rest and stop.
const finishLimit = 90 * time.Second

// finish closes all windows, lets the job run to the end of its input, stops it and checks.
func (l *loop) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, finishLimit)
	defer cancel()
	for p := range int32(partitions) {
		value, err := json.Marshal(flushRow())
		if err != nil {
			return err
		}
		if err := l.client.ProduceSync(ctx, &kgo.Record{Topic: l.topics.in(), Partition: p, Value: value}).FirstErr(); err != nil {
			return err
		}
	}
	p, err := l.start("", 0)
	if err != nil {
		return err
	}
	out, ended := l.watch(ctx, p)
	if !ended {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		select {
		case err = <-p.done:
		case <-time.After(30 * time.Second):
			p.cmd.Process.Kill()
			err = fmt.Errorf("did not end within 30 s of SIGTERM: %w", <-p.done)
		}
		if err != nil {
			l.unexpected(-1, "the end", p, err)
		}
	}
	l.report.Findings = check(out, l.sent)
	again, err := l.readAll(ctx)
	if err != nil {
		return err
	}
	if f := check(again, l.sent); *countsOf(f) != *countsOf(l.report.Findings) {
		l.report.Unexpected = append(l.report.Unexpected, fmt.Sprintf("a reader that came later sees something else: %+v", f)) // O4
	}
	l.leftovers()
	return l.openTransactions(ctx)
}

func countsOf(f *Findings) *[3]int { return &[3]int{f.Lost, f.Duplicated, f.Wrong} }

// watch reads the output as it becomes visible until it is complete, the process ends or
// time is up.
func (l *loop) watch(ctx context.Context, p *process) (out *output, ended bool) {
	out = &output{}
	wantRows, wantWindows := expectedRows(l.sent), len(expectedWindows(l.sent))
	cl, err := l.consumer()
	if err != nil {
		return out, false
	}
	defer cl.Close()
	complete := time.Time{}
	for ctx.Err() == nil {
		select {
		case err := <-p.done:
			l.unexpected(-1, "the end", p, err)
			return out, true
		default:
		}
		if err := l.poll(ctx, cl, out); err != nil {
			l.report.Unexpected = append(l.report.Unexpected, err.Error())
			return out, false
		}
		counted := 0
		for _, c := range out.counts {
			if c.K != flushKey {
				counted++
			}
		}
		if len(out.rows) >= wantRows && len(out.windows) >= wantWindows && counted >= int(l.sent) {
			// Complete: a duplicate would still come within a few checkpoints.
			if complete.IsZero() {
				complete = time.Now()
			} else if time.Since(complete) > 10*l.o.Interval+200*time.Millisecond {
				return out, false
			}
		}
	}
	return out, false
}

func (l *loop) consumer() (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(strings.Split(l.addr, ",")...), kgo.ConsumeTopics(l.topics.rows(), l.topics.counts(), l.topics.windows()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.MetadataMinAge(50*time.Millisecond), kgo.AlwaysRetryEOF())
}

func (l *loop) poll(ctx context.Context, cl *kgo.Client, out *output) (err error) {
	pctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	cl.PollFetches(pctx).EachRecord(func(r *kgo.Record) {
		if e := out.add(l.topics, r.Topic, r.Value); e != nil && err == nil {
			err = e
		}
	})
	return err
}

// readAll reads the whole output once more, up to the end offsets of now.
func (l *loop) readAll(ctx context.Context) (*output, error) {
	ends, err := l.admin.ListCommittedOffsets(ctx, l.topics.rows(), l.topics.counts(), l.topics.windows())
	if err != nil {
		return nil, err
	}
	starts, err := l.admin.ListEndOffsets(ctx, l.topics.rows(), l.topics.counts(), l.topics.windows())
	if err != nil {
		return nil, err
	}
	out := &output{}
	for topic, ps := range ends {
		for p, e := range ps {
			if h := starts[topic][p]; e.Offset < h.Offset {
				l.report.Stuck = append(l.report.Stuck, fmt.Sprintf("%s-%d: last stable offset %d is below the high watermark %d", topic, p, e.Offset, h.Offset)) // O5
			}
		}
	}
	cl, err := l.consumer()
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	quiet := 0
	for quiet < 5 && ctx.Err() == nil {
		before := len(out.rows) + len(out.counts) + len(out.windows)
		if err := l.poll(ctx, cl, out); err != nil {
			return nil, err
		}
		if len(out.rows)+len(out.counts)+len(out.windows) == before {
			quiet++
		} else {
			quiet = 0
		}
	}
	return out, nil
}

// openTransactions finds transactions of ours that nobody ended (O5).
func (l *loop) openTransactions(ctx context.Context) error {
	list, err := l.admin.ListTransactions(ctx, nil, []string{"Ongoing", "PrepareCommit", "PrepareAbort"})
	if err != nil {
		return fmt.Errorf("listing transactions: %w", err)
	}
	for _, t := range list.Sorted() {
		l.report.Stuck = append(l.report.Stuck, fmt.Sprintf("transaction %s is %s", t.TxnID, t.State))
	}
	return nil
}

// leftovers finds files that a finished job should not leave (O9).
func (l *loop) leftovers() {
	filepath.WalkDir(filepath.Join(l.o.Dir, "job"), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), ".tmp") {
			l.report.Leftovers = append(l.report.Leftovers, "left behind: "+path)
		}
		return nil
	})
}
