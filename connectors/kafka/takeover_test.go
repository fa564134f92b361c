package kafka

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

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

// A broker that is away for longer than markers may take has forgotten nothing: the job waits
// for it and does not touch its logs.
func TestABrokerThatIsAwayHasForgottenNothing(t *testing.T) {
	defer func(d time.Duration) { hangingAfter = d }(hangingAfter)
	hangingAfter = 50 * time.Millisecond
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	tok := o.prepare(1, "a")
	b.fake.ControlKey(int16(kmsg.WriteTxnMarkers), func(kmsg.Request) (kmsg.Response, error, bool) {
		t.Error("markers were written")
		return nil, nil, false
	})
	b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Err: kerr.CoordinatorNotAvailable, Count: 24})
	o.decide(1, true)
	o.commit(1, tok)
	b.want(topic, "a")
}

// A repair that meets a broker on its way down is tried again.
func TestARepairIsTriedAgain(t *testing.T) {
	defer func(d time.Duration) { hangingAfter = d }(hangingAfter)
	hangingAfter = 50 * time.Millisecond
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	tok := o.prepare(1, "a")
	const gone = 8 // more than the client repeats by itself
	var tries atomic.Int64
	b.fake.ControlKey(int16(kmsg.WriteTxnMarkers), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		if tries.Add(1) <= gone {
			return nil, errors.New("gone"), true // the connection ends
		}
		return nil, nil, false
	})
	b.fake.ControlKey(int16(kmsg.OffsetFetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		if tries.Load() > gone {
			return nil, nil, false
		}
		req := kreq.(*kmsg.OffsetFetchRequest)
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		for _, g := range req.Groups {
			rg := kmsg.NewOffsetFetchResponseGroup()
			rg.Group, rg.ErrorCode = g.Group, kerr.UnstableOffsetCommit.Code
			resp.Groups = append(resp.Groups, rg)
		}
		return resp, nil, true
	})
	o.decide(1, true)
	o.commit(1, tok)
	b.want(topic, "a")
	if tries.Load() <= gone {
		t.Error("the markers were never written")
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

// F28: the sink's topic is deleted while the job runs: the epoch fails, nothing of it is seen.
func TestDeletedSinkTopicFailsTheEpoch(t *testing.T) {
	for _, guarantee := range []string{exactlyOnce, atLeastOnce} {
		b := fakeBroker(t, 2)
		topic, other := b.topic("out", 1), b.topic("other", 1)
		j := newJob(t, "j")
		o := j.openSink(t, b.table(topic, "sink.delivery-guarantee", guarantee))
		two := j.openSink(t, b.table(other, "sink.delivery-guarantee", guarantee))
		if o.c != nil {
			o.start(0, nil)
		} else {
			o.open()
		}
		two.open()
		o.write("a")
		if o.c != nil {
			o.epoch(1)
		} else {
			o.barrier(1)
		}
		if err := b.fake.DeleteTopic(topic); err != nil {
			t.Fatal(err)
		}
		two.write("b")
		err := o.w.Write(t.Context(), textBatch("c"))
		if err == nil {
			err = o.w.Barrier(t.Context(), 2)
		}
		wantError(t, err, exec.User, topic, "deleted")
		if o.c != nil {
			if _, err := o.c.Prepare(t.Context(), 2); err == nil {
				t.Error("a transaction with a failed record was prepared")
			}
			o.crash()
			newJob(t, "j").openSink(t, b.table(other, "sink.delivery-guarantee", guarantee)).start(0, nil)
			b.want(other)
		}
	}
}

// A job that begins from another's checkpoint commits what that checkpoint decided and leaves
// the rest of the other job alone: its open transaction goes on.
func TestAdoptCommitsWhatIsDecidedAndNothingElse(t *testing.T) {
	for name, committedBefore := range map[string]bool{"decided": false, "committed": true} {
		t.Run(name, func(t *testing.T) {
			brokers(t, func(t *testing.T, b *broker) {
				topic := b.topic("out", 2)
				tab := b.exactly(topic)
				parent := newJob(t, b.name("parent")).openSink(t, tab)
				parent.start(0, nil)
				parent.epoch(1, "a")
				tok := parent.prepare(2, "b")
				if committedBefore {
					parent.decide(2, true)
					parent.commit(2, tok)
					parent.epoch(3, "c")
				}
				fork := newJob(t, b.name("fork")).openSink(t, tab)
				for range 2 {
					rec, err := fork.c.Adopt(t.Context(), 2, tok)
					if err != nil || rec.Outcome != exec.OutcomeCommitted {
						t.Fatalf("adopting: %+v, %v", rec, err)
					}
				}
				fork.start(0, nil)
				fork.epoch(3, "f")
				want := []string{"a", "b", "f"}
				if committedBefore {
					want = []string{"a", "b", "c", "f"}
				} else {
					parent.decide(2, true)
					parent.commit(2, tok)
				}
				parent.epoch(4, "p")
				want = append(want, "p")
				b.settled(topic)
				got := b.values(topic)
				slices.Sort(got)
				same(t, "visible", got, want)
			})
		})
	}
}
