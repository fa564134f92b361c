package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

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

// F13: a late copy of an old EndTxn meets a later transaction under the same id.
func TestLateEndTxnDoesNotEndALaterTransaction(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		o := newJob(t, b.name("job")).openSink(t, b.exactly(topic))
		o.start(0, nil)
		old := parse(t, o.epoch(1, "a"))
		e := state.Epoch(2)
		for ; ; e++ {
			o.write("x")
			o.barrier(e)
			if o.c.open.id == old.ID {
				break
			}
			tok, err := o.c.Prepare(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			o.decide(e, true)
			o.commit(e, tok)
		}
		for _, commit := range []bool{true, false} {
			if err := o.c.ctl.endOnce(t.Context(), old, commit); !fenced(err) {
				t.Errorf("EndTxn(commit=%v) of an ended transaction: %v", commit, err)
			}
		}
		tok, err := o.c.Prepare(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		o.decide(e, true)
		o.commit(e, tok)
		b.want(topic, append([]string{"a"}, slices.Repeat([]string{"x"}, int(e)-1)...)...)
	})
}

// F14: the coordinator is busy for long; the stream goes on in another slot.
func TestBusyCoordinatorDoesNotStallTheStream(t *testing.T) {
	for _, version := range []int{2, 1} {
		b := fakeBroker(t, version)
		topic := b.topic("out", 1)
		o := newJob(t, "j").openSink(t, b.exactly(topic))
		o.start(0, nil)
		tok := o.prepare(1, "a")
		o.decide(1, true)
		h := b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.ConcurrentTransactions, Count: 8})
		done := make(chan error, 1)
		go func() { done <- o.c.Commit(t.Context(), 1, tok) }()
		o.write("b")
		o.barrier(2)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if h.Hits() < 8 {
			t.Errorf("%d answers", h.Hits())
		}
		tok, err := o.c.Prepare(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		o.decide(2, true)
		o.commit(2, tok)
		b.want(topic, "a", "b")
	}
}

// F12, F15: answers get lost or the coordinator moves; the commit happens once and the slot
// is usable afterwards.
func TestUnclearAnswersToEndTxn(t *testing.T) {
	for _, err := range []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.UnknownServerError, kerr.RequestTimedOut} {
		for _, version := range []int{2, 1} {
			b := fakeBroker(t, version)
			topic := b.topic("out", 1)
			o := newJob(t, "j").openSink(t, b.exactly(topic))
			o.start(0, nil)
			for e := state.Epoch(1); e <= 4; e++ {
				tok := o.prepare(e, fmt.Sprint(e))
				o.decide(e, true)
				b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: err, Count: 3})
				o.commit(e, tok)
			}
			b.want(topic, "1", "2", "3", "4")
			o.crash()
		}
	}
}

// lossy is a listener whose connections can be told to drop answers after the broker
// carried the request out.
type lossy struct {
	net.Listener
	drop *atomic.Int32
}

func (l lossy) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return lossyConn{c, l.drop}, nil
}

type lossyConn struct {
	net.Conn
	drop *atomic.Int32
}

func (c lossyConn) Write(p []byte) (int, error) {
	if c.drop.Add(-1) >= 0 {
		_ = c.Conn.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

// F09, F12: EndTxn is carried out and its answer lost.
func TestLostAnswerToEndTxn(t *testing.T) {
	var drop atomic.Int32
	drop.Store(-1 << 30)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		return lossy{l, &drop}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b := newBroker(t, strings.Join(c.ListenAddrs(), ","))
	b.fake = c
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	lost := 0
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if lost < 3 {
			lost++
			drop.Store(1)
		}
		return nil, nil, false
	})
	tok := o.prepare(1, "a")
	o.decide(1, true)
	o.commit(1, tok)
	if lost != 3 {
		t.Errorf("%d answers were lost", lost)
	}
	o.epoch(2, "b")
	o.epoch(3, "c")
	o.epoch(4, "d")
	b.want(topic, "a", "b", "c", "d")
}

// F30, R8: one record of many fails; the client would commit the others.
func TestFailedRecordFailsTheCheckpoint(t *testing.T) {
	for _, version := range []int{2, 1} {
		b := fakeBroker(t, version)
		topic := b.topic("out", 1)
		o := newJob(t, "j").openSink(t, b.exactly(topic))
		o.start(0, nil)
		tok := o.epoch(1, "a")
		b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge})
		err := o.w.Write(t.Context(), textBatch("too large"))
		if err == nil {
			err = o.w.Barrier(t.Context(), 2)
		}
		wantError(t, err, exec.User, topic, "max.message.bytes")
		o.crash()
		o = newJob(t, "j").openSink(t, b.exactly(topic))
		o.start(1, tok)
		b.want(topic, "a")
	}
}

// F31, R9: the client silently changes its producer id inside a transaction.
func TestEpochSwitchFailsTheTransaction(t *testing.T) {
	s := newStream(nil)
	s.txn, s.onFirst = true, func() {}
	touched := s.touch("t")
	s.acknowledged(&kgo.Record{Topic: "t", Partition: 1, ProducerID: 7, ProducerEpoch: 3}, touched, nil)
	if err := s.err(); err != nil {
		t.Fatal(err)
	}
	s.acknowledged(&kgo.Record{Topic: "t", Partition: 70, ProducerID: 7, ProducerEpoch: 4}, touched, nil)
	wantError(t, s.err(), exec.External, "producer 7 epoch 3", "epoch 4")
	if s.acked.Load() != 1 {
		t.Errorf("%d acknowledged", s.acked.Load())
	}
	if got := s.touched()["t"]; !slices.Equal(got, []int32{1}) {
		t.Errorf("touched %v", got)
	}
}

// F31 end to end: UNKNOWN_PRODUCER_ID past the last acknowledged record.
func TestSilentReinitDoesNotCommit(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	o.write("first")
	if err := o.w.(*writer).out.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.fake.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, rt := range req.Topics {
			st := kmsg.NewProduceResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			for _, rp := range rt.Partitions {
				sp := kmsg.NewProduceResponseTopicPartition()
				sp.Partition, sp.ErrorCode, sp.LogStartOffset, sp.BaseOffset = rp.Partition, kerr.UnknownProducerID.Code, 1000, -1
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, true
	})
	err := o.w.Write(t.Context(), textBatch("second"))
	if err == nil {
		err = o.w.Barrier(t.Context(), 1)
	}
	if err == nil || !exec.Retryable(err) {
		t.Fatalf("a lost transaction: %v", err)
	}
	o.crash()
	o = newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	b.want(topic)
}

// F18, F46: a second instance of the job takes over; the first cannot write any more.
func TestSecondInstanceFencesTheFirst(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		one := newJob(t, b.name("job")).openSink(t, b.exactly(topic))
		one.start(0, nil)
		one.write("zombie")
		if err := one.w.(*writer).out.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		two := newJob(t, b.name("job")).openSink(t, b.exactly(topic))
		two.start(0, nil)
		err := one.w.Write(t.Context(), textBatch("zombie again"))
		if err == nil {
			err = one.w.Barrier(t.Context(), 1)
		}
		wantError(t, err, exec.External, topic)
		if !exec.Retryable(err) {
			t.Error("a fence restarts through recovery")
		}
		two.epoch(1, "a")
		b.want(topic, "a")
	})
}

// F16: an older checkpoint is restored while its id is used by a later transaction.
func TestOlderCheckpointFindsItsIDReused(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		o := newJob(t, b.name("job")).openSink(t, b.exactly(topic))
		o.start(0, nil)
		tok := o.epoch(1, "a")
		id := parse(t, tok).ID
		e := state.Epoch(2)
		for ; ; e++ {
			o.write("x")
			o.barrier(e)
			if o.c.open.id == id {
				break
			}
			next, err := o.c.Prepare(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			o.decide(e, true)
			o.commit(e, next)
		}
		o.crash()
		o = newJob(t, b.name("job")).openSink(t, b.exactly(topic))
		rec, err := o.c.Recover(t.Context(), 1, tok)
		if err != nil || rec.Outcome != exec.OutcomeCommitted || rec.Ledger != e-1 {
			t.Fatalf("recovery: %+v, %v; want committed, ledger %d", rec, err, e-1)
		}
		b.settled(topic) // nothing is left open that would hold readers back
	})
}

// F19, B39, B40: limits are checked before anything is consumed.
func TestTransactionTimeoutLimits(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic, "properties.transaction.timeout.ms", "7200000"))
	_, err := o.c.Recover(t.Context(), 0, nil)
	wantError(t, err, exec.User, "properties.transaction.timeout.ms", "900000", "transaction.max.timeout.ms")

	j := newJob(t, "j")
	j.env.CheckpointInterval = 4 * time.Minute
	o = j.openSink(t, b.exactly(topic, "properties.transaction.timeout.ms", "600000"))
	_, err = o.c.Recover(t.Context(), 0, nil)
	wantError(t, err, exec.User, "4m0s", "third", "10m0s")

	for _, c := range []struct{ wanted, limit, interval, want time.Duration }{
		{0, 0, time.Second, 15 * time.Minute},
		{0, 5 * time.Minute, time.Second, 5 * time.Minute},
		{0, time.Hour, time.Second, 15 * time.Minute},
		{30 * time.Minute, time.Hour, time.Second, 30 * time.Minute},
	} {
		if got, err := transactionTimeout(c.wanted, c.limit, c.interval); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
}

func TestAgedTransactionIsNotPrepared(t *testing.T) {
	b := fakeBroker(t, 2)
	j := newJob(t, "j")
	clock := &steppedClock{now: time.Now()}
	j.env.Clock = clock
	o := j.openSink(t, b.exactly(b.topic("out", 1)))
	o.start(0, nil)
	o.write("a")
	o.barrier(1)
	clock.step(13 * time.Minute)
	_, err := o.c.Prepare(t.Context(), 1)
	wantError(t, err, exec.External, "13m0s", "15m0s", "transaction.timeout.ms")
}

// An idle job writes its ledger again before the broker forgets it.
func TestIdleJobRefreshesItsLedger(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		j := newJob(t, b.name("job"))
		clock := &steppedClock{now: time.Now()}
		j.env.Clock = clock
		topic := b.topic("out", 1)
		o := j.openSink(t, b.exactly(topic))
		o.start(0, nil)
		if tok := o.epoch(1); tok != nil {
			t.Fatalf("token %s", tok)
		}
		clock.step(25 * time.Hour)
		for e := state.Epoch(2); e < 7; e++ {
			if tok := o.epoch(e); tok == nil {
				t.Fatal("the ledger was not refreshed")
			}
			clock.step(25 * time.Hour)
		}
		led, err := o.c.ctl.stableLedger(t.Context(), o.c.ledger(), 10*time.Second)
		if err != nil || led.epoch != 6 {
			t.Errorf("ledger %+v, %v", led, err)
		}
		o.epoch(8, "a")
		b.want(topic, "a")
	})
}

type steppedClock struct {
	exec.SystemClock
	mu  sync.Mutex
	now time.Time
}

func (c *steppedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *steppedClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// KAFKA-20734: the commit was accepted, its markers never came. Seen by DescribeProducers,
// repaired by WriteTxnMarkers, and never declared committed before.
func TestForgottenMarkersAreRepaired(t *testing.T) {
	defer func(d time.Duration) { hangingAfter = d }(hangingAfter)
	hangingAfter = 100 * time.Millisecond
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	tok := o.prepare(1, "a")
	k := parse(t, tok)
	o.crash()
	var repaired atomic.Bool
	b.fake.ControlKey(int16(kmsg.WriteTxnMarkers), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		for _, m := range kreq.(*kmsg.WriteTxnMarkersRequest).Markers {
			if m.ProducerID != k.PID || m.ProducerEpoch != k.Epoch+1 || !m.Committed {
				t.Errorf("marker %+v", m)
			}
		}
		repaired.Store(true)
		return nil, nil, false
	})
	b.fake.ControlKey(int16(kmsg.DescribeProducers), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		if repaired.Load() {
			return nil, nil, false
		}
		req := kreq.(*kmsg.DescribeProducersRequest)
		resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic = topic
		rp := kmsg.NewDescribeProducersResponseTopicPartition()
		a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		a.ProducerID, a.ProducerEpoch, a.CurrentTxnStartOffset = k.PID, int32(k.Epoch), 0
		rp.ActiveProducers = append(rp.ActiveProducers, a)
		rt.Partitions = append(rt.Partitions, rp)
		resp.Topics = append(resp.Topics, rt)
		return resp, nil, true
	})
	o = newJob(t, "j").openSink(t, b.exactly(topic))
	rec, err := o.c.Recover(t.Context(), 1, tok)
	if err != nil || rec.Outcome != exec.OutcomeCommitted || !repaired.Load() {
		t.Fatalf("recovery: %+v, %v, repaired %v", rec, err, repaired.Load())
	}
}

// Where the repair is not allowed, the error says what to do and what not.
func TestForgottenMarkersWithoutPermission(t *testing.T) {
	defer func(d time.Duration) { hangingAfter = d }(hangingAfter)
	hangingAfter = 100 * time.Millisecond
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	tok := o.prepare(1, "a")
	b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Err: kerr.UnstableOffsetCommit, Count: -1})
	b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.WriteTxnMarkers}, Err: kerr.ClusterAuthorizationFailed, Count: -1})
	o.decide(1, true)
	err := o.c.Commit(t.Context(), 1, tok)
	wantError(t, err, exec.User, "Do NOT abort", "ClusterAction", topic+"-0", parse(t, tok).ID)
}

// B61: a checkpoint from another cluster or with a foreign id.
func TestForeignTokensAreRefused(t *testing.T) {
	b := fakeBroker(t, 2)
	o := newJob(t, "j").openSink(t, b.exactly(b.topic("out", 1)))
	o.start(0, nil)
	k := parse(t, o.epoch(1, "a"))
	other := k
	other.ClusterID = "elsewhere"
	tok, _ := other.encode()
	_, err := o.c.Recover(t.Context(), 1, tok)
	wantError(t, err, exec.User, "elsewhere")
	other = k
	other.ID = "somebody.else.0"
	tok, _ = other.encode()
	_, err = o.c.Recover(t.Context(), 1, tok)
	wantError(t, err, exec.User, "somebody.else.0")
	if _, err = o.c.Recover(t.Context(), 1, exec.Token("{}")); err == nil {
		t.Error("an empty token was accepted")
	}
}

// F62, F50: two sinks and the dead letters of a source move together.
func TestSinksAndDeadLettersShareTheTransaction(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		in, x, y, dlq := b.topic("in", 1), b.topic("x", 1), b.topic("y", 1), b.topic("dlq", 1)
		b.put(in, 0, "ok", "bad 1", "ok", "bad 2")
		j := newJob(t, b.name("job"))
		ox, oy := j.openSink(t, b.exactly(x, "sink.transactional-id-prefix", "p2")), j.openSink(t, b.exactly(y, "sink.transactional-id-prefix", "p1"))
		if ox.c != oy.c {
			t.Fatal("two committers for one cluster")
		}
		src := j.openScan(t, b.table(in, "scan.startup.mode", "earliest-offset", "bad-records", "dlq", "bad-records.dlq.topic", dlq))
		ox.start(0, nil)
		oy.open()
		src.positions() // a barrier before the first dead letter: they wait for its decision
		ox.decide(1, false)
		same(t, "rows", src.read(2), []string{"ok", "ok"})
		src.idle()
		ox.write("x1")
		oy.write("y1")
		src.positions()
		oy.barrier(2)
		tok := ox.prepare(2)
		if k := parse(t, tok); !strings.HasPrefix(k.ID, "p1.") || len(k.Parts) != 3 || k.Records != 4 {
			t.Errorf("token %+v", k)
		}
		for _, topic := range []string{x, y, dlq} {
			if got := b.values(topic); len(got) > 0 {
				t.Errorf("%s shows %v before the commit", topic, got)
			}
		}
		ox.decide(2, true)
		ox.commit(2, tok)
		b.want(x, "x1")
		b.want(y, "y1")
		b.want(dlq, "bad 1", "bad 2")
	})
}

func TestCommitterNeedsTheSameConnection(t *testing.T) {
	b := fakeBroker(t, 2)
	j := newJob(t, "j")
	j.openSink(t, b.exactly(b.topic("x", 1)))
	_, err := j.trySink(t, testConnector(), b.exactly(b.topic("y", 1), "properties.transaction.timeout.ms", "60000"))
	wantError(t, err, exec.User, "transaction.timeout.ms")
}
