package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// output is the sink side of a job, driven through the protocol step by step.
type output struct {
	t testing.TB
	j *job
	s exec.Sink
	c *committer
	w exec.Writer
}

func (j *job) openSink(t testing.TB, tab connectors.Table) *output {
	t.Helper()
	o, err := j.trySink(t, testConnector(), tab)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (j *job) trySink(t testing.TB, c *connector, tab connectors.Table) (*output, error) {
	info, err := c.SinkInfo(tab)
	if err != nil {
		return nil, err
	}
	s, err := c.Sink(t.Context(), tab, j.env)
	if err != nil {
		return nil, err
	}
	o := &output{t: t, j: j, s: s}
	if info.Transactional {
		o.c = j.committers[info.Committer].(*committer)
	}
	t.Cleanup(o.crash)
	return o, nil
}

// exactly is a table with an exactly-once sink.
func (b *broker) exactly(topic string, options ...string) connectors.Table {
	return b.table(topic, append([]string{"sink.delivery-guarantee", "exactly-once", "linger.ms", ""}[:2], options...)...)
}

// start recovers from epoch e and opens the writer.
func (o *output) start(e state.Epoch, tok exec.Token) exec.Recovery {
	o.t.Helper()
	rec, err := o.c.Recover(o.t.Context(), e, tok)
	if err != nil {
		o.t.Fatal(err)
	}
	if rec.Outcome != exec.OutcomeNone && rec.Outcome != exec.OutcomeCommitted {
		o.t.Fatalf("recovery from epoch %d: %+v", e, rec)
	}
	o.begin()
	return rec
}

func (o *output) begin() {
	o.t.Helper()
	if err := o.c.Begin(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	o.open()
}

func (o *output) open() {
	o.t.Helper()
	w, err := o.s.Writer(o.t.Context(), 0, o.j.env.ConnEnv)
	if err != nil {
		o.t.Fatal(err)
	}
	o.w = w
}

// crash ends the job as a kill does for Kafka: transactions stay as they are.
func (o *output) crash() {
	if o.w != nil {
		_ = o.w.Close()
		o.w = nil
	}
	_ = o.s.Close()
	for _, c := range o.j.committers {
		k := c.(*committer)
		k.mu.Lock()
		if k.broken == nil {
			k.broken = errors.New("killed")
		}
		k.mu.Unlock()
		_ = c.Close()
	}
}

func textBatch(values ...string) *vec.Batch {
	b := vec.NewBatch(types.Schema{{Name: "v", Type: types.StringT}})
	for _, v := range values {
		b.Cols[0].AppendString(v)
		b.N++
	}
	return b
}

func (o *output) write(values ...string) {
	o.t.Helper()
	if err := o.w.Write(o.t.Context(), textBatch(values...)); err != nil {
		o.t.Fatal(err)
	}
}

func (o *output) barrier(e state.Epoch) {
	o.t.Helper()
	if err := o.w.Barrier(o.t.Context(), e); err != nil {
		o.t.Fatal(err)
	}
}

// prepare goes up to the point at which the manifest would be written.
func (o *output) prepare(e state.Epoch, values ...string) exec.Token {
	o.t.Helper()
	if len(values) > 0 {
		o.write(values...)
	}
	o.barrier(e)
	tok, err := o.c.Prepare(o.t.Context(), e)
	if err != nil {
		o.t.Fatal(err)
	}
	return tok
}

func (o *output) decide(e state.Epoch, ok bool) {
	o.t.Helper()
	if err := o.c.Decided(e, ok); err != nil {
		o.t.Fatal(err)
	}
}

func (o *output) commit(e state.Epoch, tok exec.Token) {
	o.t.Helper()
	if err := o.c.Commit(o.t.Context(), e, tok); err != nil {
		o.t.Fatal(err)
	}
}

// epoch is a whole one.
func (o *output) epoch(e state.Epoch, values ...string) exec.Token {
	o.t.Helper()
	tok := o.prepare(e, values...)
	o.decide(e, true)
	o.commit(e, tok)
	return tok
}

func (b *broker) want(topic string, values ...string) {
	b.t.Helper()
	b.settled(topic)
	same(b.t, "visible in "+topic, b.values(topic), values)
}

func TestEpochsBecomeVisibleWithTheirCommit(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		j := newJob(t, b.name("job"))
		o := j.openSink(t, b.exactly(topic))
		if rec := o.start(0, nil); rec.Outcome != exec.OutcomeNone || rec.Ledger != 0 || rec.LedgerMissing {
			t.Errorf("a fresh start: %+v", rec)
		}
		var want []string
		for e := state.Epoch(1); e <= 8; e++ {
			v := fmt.Sprintf("e%d", e)
			tok := o.prepare(e, v)
			if got := b.values(topic); len(got) != len(want) {
				t.Fatalf("before the commit of epoch %d: %v", e, got)
			}
			o.decide(e, true)
			o.commit(e, tok)
			want = append(want, v)
			b.want(topic, want...)
		}
		for _, p := range []string{"open_txn", "first_ack", "before_flush", "after_flush", "before_ledger", "after_ledger", "before_endtxn", "after_endtxn", "rec_mid_abort"} {
			if j.passed(p) == 0 {
				t.Errorf("fail point %s was never reached", p)
			}
		}
	})
}

// A job that ends in good order leaves nothing open that nobody has decided about.
func TestCloseAbortsWhatIsUndecided(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		o := newJob(t, b.name("job")).openSink(t, b.exactly(topic))
		o.start(0, nil)
		o.epoch(1, "a")
		tok := o.prepare(2, "b") // the checkpoint is given up
		o.decide(2, false)
		if tok == nil {
			t.Fatal("epoch 2 has no token")
		}
		o.write("c")
		if err := errors.Join(o.w.Close(), o.s.Close(), o.c.Close()); err != nil {
			t.Fatal(err)
		}
		b.settled(topic) // no restart, and the timeout is far away
		b.want(topic, "a")
	})
}

// What is prepared may be decided: Close does not touch it.
func TestCloseKeepsWhatIsPrepared(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "job").openSink(t, b.exactly(topic))
	o.start(0, nil)
	tok := o.prepare(1, "a")
	if err := errors.Join(o.w.Close(), o.s.Close(), o.c.Close()); err != nil {
		t.Fatal(err)
	}
	o = newJob(t, "job").openSink(t, b.exactly(topic))
	if rec := o.start(1, tok); rec.Outcome != exec.OutcomeCommitted {
		t.Errorf("recovery: %+v", rec)
	}
	b.want(topic, "a")
}

func TestNothingWrittenMeansNoToken(t *testing.T) {
	b := fakeBroker(t, 2)
	o := newJob(t, "j").openSink(t, b.exactly(b.topic("out", 1)))
	o.start(0, nil)
	for e := state.Epoch(1); e <= 3; e++ {
		if tok := o.epoch(e); tok != nil {
			t.Errorf("epoch %d without rows has token %s", e, tok)
		}
	}
}

// F01, F02, F03: undecided output disappears at the restart, at once and not by a timeout;
// the ledger does not know it.
func TestCrashBeforeTheManifestAborts(t *testing.T) {
	steps := map[string]func(o *output){
		"records written": func(o *output) { o.write("lost") },
		"flushed":         func(o *output) { o.write("lost"); o.barrier(2) },
		"prepared":        func(o *output) { o.prepare(2, "lost") },
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			brokers(t, func(t *testing.T, b *broker) {
				topic := b.topic("out", 1)
				o := newJob(t, b.name("job")).openSink(t, b.exactly(topic))
				o.start(0, nil)
				tok := o.epoch(1, "a")
				step(o)
				o.crash()
				o = newJob(t, b.name("job")).openSink(t, b.exactly(topic))
				rec := o.start(1, tok)
				if rec.Outcome != exec.OutcomeCommitted || rec.Ledger != 1 {
					t.Errorf("recovery: %+v", rec)
				}
				b.want(topic, "a")
				o.epoch(3, "b")
				b.want(topic, "a", "b")
			})
		})
	}
}

// F08, F09, F10, F11: a decided transaction is committed by the next Recover, once, however
// often that is repeated.
func TestCrashAfterTheManifestCommits(t *testing.T) {
	for name, committedBefore := range map[string]bool{"before EndTxn": false, "after EndTxn": true} {
		t.Run(name, func(t *testing.T) {
			brokers(t, func(t *testing.T, b *broker) {
				topic := b.topic("out", 2)
				tab := b.exactly(topic)
				o := newJob(t, b.name("job")).openSink(t, tab)
				o.start(0, nil)
				o.epoch(1, "a")
				tok := o.prepare(2, "b")
				if committedBefore {
					o.decide(2, true)
					o.commit(2, tok)
				}
				o.crash()
				for range 3 {
					o = newJob(t, b.name("job")).openSink(t, tab)
					rec, err := o.c.Recover(t.Context(), 2, tok)
					if err != nil || rec.Outcome != exec.OutcomeCommitted || rec.Ledger != 2 {
						t.Fatalf("recovery: %+v, %v", rec, err)
					}
					o.crash()
				}
				o = newJob(t, b.name("job")).openSink(t, tab)
				o.start(2, tok)
				o.epoch(3, "c")
				o.crash()
				// Still true when all ids have been fenced and one was used again.
				o = newJob(t, b.name("job")).openSink(t, tab)
				rec, err := o.c.Recover(t.Context(), 2, tok)
				if err != nil || rec.Outcome != exec.OutcomeCommitted || rec.Ledger != 3 {
					t.Fatalf("recovery of an older epoch: %+v, %v", rec, err)
				}
				b.settled(topic)
				got := b.values(topic)
				slices.Sort(got)
				same(t, "visible", got, []string{"a", "b", "c"})
			})
		})
	}
}

// F20: down for longer than the transaction timeout. The ledger tells that nothing of the
// epoch is visible, so the checkpoint before is right.
func TestTimeoutAfterTheManifestIsAborted(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		tab := b.exactly(topic, "properties.transaction.timeout.ms", "500")
		o := newJob(t, b.name("job")).openSink(t, tab)
		o.start(0, nil)
		first := o.epoch(1, "a")
		tok := o.prepare(2, "b")
		id := parse(t, tok).ID
		o.crash()
		b.await("the broker's abort", func() error { return b.ended(id) })
		o = newJob(t, b.name("job")).openSink(t, tab)
		for range 2 { // repeated recoveries say the same
			rec, err := o.c.Recover(t.Context(), 2, tok)
			if err != nil || rec.Outcome != exec.OutcomeAborted || rec.Ledger != 1 || rec.Detail == "" {
				t.Fatalf("recovery: %+v, %v", rec, err)
			}
		}
		rec := o.start(1, first)
		if rec.Outcome != exec.OutcomeCommitted || rec.Ledger != 1 {
			t.Errorf("recovery of the checkpoint before: %+v", rec)
		}
		o.epoch(3, "b again")
		b.want(topic, "a", "b again")
	})
}

func parse(t testing.TB, tok exec.Token) token {
	t.Helper()
	k, err := parseToken(tok)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ended returns nil once no transaction is open under id.
func (b *broker) ended(id string) error {
	d, err := b.adm.DescribeTransactions(b.t.Context(), id)
	if err != nil {
		return err
	}
	if s := d[id].State; s != "CompleteAbort" && s != "CompleteCommit" && s != "Empty" && !errors.Is(d[id].Err, kerr.TransactionalIDNotFound) {
		return fmt.Errorf("%s is %s", id, s)
	}
	return nil
}

// The same while the job lives: an error that restarts it through recovery.
func TestLiveTimeoutRestartsTheJob(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		tab := b.exactly(topic, "properties.transaction.timeout.ms", "500")
		o := newJob(t, b.name("job")).openSink(t, tab)
		o.start(0, nil)
		tok := o.prepare(1, "a")
		id := parse(t, tok).ID
		o.decide(1, true)
		b.await("the broker's abort", func() error { return b.ended(id) })
		err := o.c.Commit(t.Context(), 1, tok)
		wantError(t, err, exec.External, id, "aborted")
		if !exec.Retryable(err) {
			t.Error("the job has to restart")
		}
	})
}

// F22: without the ledger nobody knows; it must not read as "older".
func TestMissingLedgerIsUnknown(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		tab := b.exactly(topic)
		o := newJob(t, b.name("job")).openSink(t, tab)
		o.start(0, nil)
		tok := o.epoch(1, "a")
		o.crash()
		// Another use of the ids makes the commit a refused one.
		o = newJob(t, b.name("job")).openSink(t, tab)
		o.start(1, tok)
		o.crash()
		if _, err := b.adm.DeleteGroup(t.Context(), parse(t, tok).Ledger.Group); err != nil {
			t.Fatal(err)
		}
		o = newJob(t, b.name("job")).openSink(t, tab)
		rec, err := o.c.Recover(t.Context(), 1, tok)
		if err != nil || rec.Outcome != exec.OutcomeUnknown || !rec.LedgerMissing || !strings.Contains(rec.Detail, "ledger is gone") {
			t.Fatalf("recovery: %+v, %v", rec, err)
		}
	})
}

// Rows after the barrier belong to the next epoch when there is a manifest, and to the same
// transaction when there is none.
func TestRowsBetweenBarrierAndDecision(t *testing.T) {
	for name, ok := range map[string]bool{"decided": true, "failed": false} {
		t.Run(name, func(t *testing.T) {
			brokers(t, func(t *testing.T, b *broker) {
				topic := b.topic("out", 1)
				o := newJob(t, b.name("job")).openSink(t, b.exactly(topic))
				o.start(0, nil)
				tok := o.prepare(1, "before")
				o.write("after")
				o.decide(1, ok)
				if ok {
					o.commit(1, tok)
					b.want(topic, "before")
				}
				two := o.prepare(2, "later")
				if !ok && parse(t, two).ID != parse(t, tok).ID {
					t.Error("a failed checkpoint must not make a second transaction")
				}
				o.decide(2, true)
				o.commit(2, two)
				b.want(topic, "before", "after", "later")
			})
		})
	}
}

func TestFullBufferWaitsForTheDecision(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic, "sink.transaction-buffer.max-size", "256 kb"))
	o.start(0, nil)
	tok := o.prepare(1, "first")
	big := strings.Repeat("x", 1000)
	rows := slices.Repeat([]string{big}, 2000)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := o.w.Write(ctx, textBatch(rows...)); err == nil || ctx.Err() == nil {
		t.Fatalf("2 MB went into a buffer of 256 KB: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- o.w.Write(t.Context(), textBatch(rows...)) }()
	o.decide(1, true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	o.commit(1, tok)
	// The rows held back are in the next transaction, which is open.
	b.await("commit", func() error {
		if got := b.values(topic); !slices.Equal(got, []string{"first"}) {
			return fmt.Errorf("visible: %d rows", len(got))
		}
		return nil
	})
}
