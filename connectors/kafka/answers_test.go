package kafka

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

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
