package kill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// finishLimit is how long the job may take to work off the rest and stop.
	finishLimit = 3 * time.Minute
	// settleLimit is how long after a start a transaction of the life before may be open, and
	// readers held back after a clean end. It is far below the transaction timeout.
	settleLimit = 20 * time.Second
	// lastRetained is how many checkpoints the last life keeps, so that the one with the last
	// transaction is among them when it has ended.
	lastRetained = 40
)

// finish closes all windows, lets the job run to the end of its input, stops it, starts it
// once more with nothing to do, and checks everything.
func (l *loop) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, finishLimit)
	defer cancel()
	for p := range int32(partitions) {
		if err := l.flush(ctx, p); err != nil {
			return err
		}
	}
	before, err := l.openTransactions(ctx)
	if err != nil {
		return err
	}
	// The machine may be busy, and nothing more is to time out.
	l.o.TransactionTimeout, l.o.Down = time.Minute, 0
	o := l.o
	o.Retained = lastRetained
	p, err := l.startJob(o, "", 0)
	if err != nil {
		return err
	}
	if err := l.work(ctx, p, before); err != nil {
		return errors.Join(err, p.kill())
	}
	if err := l.stopped(ctx, p, "the end"); err != nil {
		return err
	}
	if err := l.ledger(ctx); err != nil {
		return err
	}
	if err := l.idle(ctx); err != nil {
		return err
	}
	return l.judge(ctx)
}

// flush feeds a row of the key that nobody looks at.
func (l *loop) flush(ctx context.Context, p int32) error {
	value, err := json.Marshal(flushRow())
	if err != nil {
		return err
	}
	return l.broker.client.ProduceSync(ctx, &kgo.Record{Topic: l.topics.in(), Partition: p, Value: value}).FirstErr()
}

// openTransactions lists those of the job.
func (l *loop) openTransactions(ctx context.Context) ([]transaction, error) {
	d, err := l.readDurable(ctx)
	if err != nil {
		return nil, err
	}
	return l.broker.open(ctx, d.job.ID)
}

// work waits until the output is complete, and watches that what the life before left open
// has ended soon (O5).
func (l *loop) work(ctx context.Context, p *process, before []transaction) error {
	begin := time.Now()
	seen, changed := 0, begin
	for settled := false; ; sleep(ctx, tickEvery) {
		if !settled {
			now, err := l.openTransactions(ctx)
			if err != nil {
				return err
			}
			settled = !slices.ContainsFunc(now, func(t transaction) bool { return slices.Contains(before, t) })
			l.report.Settled = time.Since(begin)
			if !settled && l.report.Settled > settleLimit {
				l.report.Stuck = append(l.report.Stuck, fmt.Sprintf("%s after the start, transactions of the life before are open: %v", settleLimit, before))
				settled = true
			}
		}
		if settled && l.reader.complete(l.sent) {
			break
		}
		if p.ended() {
			return nil // reported by stopped
		}
		if n := l.reader.records(); n != seen {
			seen, changed = n, time.Now()
		}
		if time.Since(changed) > l.o.Quiet || ctx.Err() != nil {
			l.wrong("the output is not complete, and nothing comes any more")
			return nil
		}
	}
	// A row too many would come within a few checkpoints.
	for range 3 {
		n := l.reader.flushes()
		if err := l.flush(ctx, 0); err != nil {
			return err
		}
		for begin := time.Now(); l.reader.flushes() == n && !p.ended() && time.Since(begin) < l.o.Quiet; {
			sleep(ctx, tickEvery)
		}
	}
	return nil
}

// stopped ends the job cleanly: exit code 0 (O8), no transaction open, no reader held back (O5).
func (l *loop) stopped(ctx context.Context, p *process, when string) error {
	early := p.ended()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit+settleLimit)
	defer cancel()
	if err := p.stop(ctx); err != nil || early {
		l.wrong("%s: ended with %v, expected to run until SIGTERM and end with exit code 0\n%s", when, err, p.text())
	}
	for begin := time.Now(); ; sleep(ctx, tickEvery) {
		open, err := l.openTransactions(ctx)
		if err != nil {
			return err
		}
		behind, err := l.broker.behind(ctx, l.topics.outs()...)
		if err != nil {
			return err
		}
		if len(open)+len(behind) == 0 {
			return nil
		}
		if time.Since(begin) > settleLimit {
			l.report.Stuck = append(l.report.Stuck, fmt.Sprintf("%s: after a clean end %v are open; %v", when, open, behind))
			return nil
		}
	}
}

// ledger checks that Kafka's word for what is committed is that of the checkpoints (O6).
func (l *loop) ledger(ctx context.Context) error {
	d, err := l.readDurable(ctx)
	if err != nil {
		return err
	}
	want, group, topic, err := d.decided()
	if err != nil {
		l.wrong("O6: %v", err)
		return nil
	}
	got, err := l.broker.ledger(ctx, group, topic)
	if err != nil {
		return err
	}
	if got != int64(want) {
		l.wrong("O6: the ledger says that %d is the last committed checkpoint, the newest with output is %d", got, want)
	}
	return nil
}

// idle starts the job once more. It has nothing to read, and must not change anything but
// tidy up (O9).
func (l *loop) idle(ctx context.Context) error {
	was, err := l.readDurable(ctx)
	if err != nil {
		return err
	}
	p, err := l.startJob(l.o, "", 0)
	if err != nil {
		return err
	}
	for !p.ended() && ctx.Err() == nil {
		now, err := l.readDurable(ctx)
		if err == nil && now.newest() >= was.newest()+5 {
			break
		}
		sleep(ctx, tickEvery) // a checkpoint may be deleted under our eyes
	}
	if err := l.stopped(ctx, p, "a start without input"); err != nil {
		return err
	}
	now, err := l.readDurable(ctx)
	if err != nil {
		return err
	}
	l.report.Epochs = uint64(now.newest())
	for _, f := range now.found {
		if f.SetAside != "" {
			l.report.SetAside++
		}
	}
	for _, f := range now.orphans {
		l.report.Leftovers = append(l.report.Leftovers, "no checkpoint lists "+f)
	}
	if now.manifests > l.o.Retained+1 {
		l.report.Leftovers = append(l.report.Leftovers, fmt.Sprintf("%d checkpoints, %d are to be retained", now.manifests, l.o.Retained))
	}
	files, err := l.temporaries(ctx, now.job.ID)
	if err != nil {
		return err
	}
	for _, f := range files {
		l.report.Leftovers = append(l.report.Leftovers, "left behind: "+f)
	}
	if err := l.savepoints(ctx); err != nil {
		return err
	}
	return nil
}

// judge reads everything again and compares it with what the reader saw that ran all the
// time, and with the input.
func (l *loop) judge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishLimit)
	defer cancel()
	again, err := newReader(l.broker, l.topics)
	if err != nil {
		return err
	}
	defer again.close()
	if err := errors.Join(again.toEnd(ctx, l.broker), l.reader.toEnd(ctx, l.broker)); err != nil {
		return err
	}
	for _, d := range l.reader.differences(again) {
		l.wrong("O4: %s", d)
	}
	again.mu.Lock()
	defer again.mu.Unlock()
	l.report.Findings = check(&again.out, l.sent)
	return nil
}
