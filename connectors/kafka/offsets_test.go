package kafka

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// F40: retention passed the position while the job was down.
func TestOffsetGoneIsAnError(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		b.put(topic, 0, numbers(0, 10)...)
		b.deleteTo(topic, 0, 6)
		from := position{Topic: topic, Partition: 0, Next: 2, LeaderEpoch: -1, Stop: noStop}
		_, err := newJob(t, "j").tryScan(t, testConnector(), b.table(topic, "scan.startup.mode", "earliest-offset"), []exec.Split{from.split()})
		wantError(t, err, exec.User, topic, "partition 0", "wanted 2", "available are 6 to 10", "4 records")
	})
}

// F40 while the job runs: the partition is idle for us, retention passes what we have not
// read.
func TestOffsetGoneWhileRunning(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("in", 1)
	b.put(topic, 0, numbers(0, 10)...)
	j := newJob(t, "j")
	src, err := testConnector().Source(t.Context(), b.table(topic, "scan.startup.mode", "earliest-offset"), []int{0}, j.env)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := src.Reader(t.Context(), 0, j.env.ConnEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// Deleted between the check of Assign and the first fetch.
	rd := r.(*reader)
	b.deleteTo(topic, 0, 6)
	rd.index[topic] = map[int32]int{0: 0}
	rd.parts = []partition{{pos: position{Topic: topic, Next: 2, LeaderEpoch: -1, Stop: noStop}, end: -1}}
	rd.fetch.assign([]position{rd.parts[0].pos})
	s := &scan{t: t, src: src, r: r, batch: vec.NewBatch(types.Schema{{Name: "v", Type: types.StringT}})}
	_, err = s.tryRead(1)
	wantError(t, err, exec.User, topic, "partition 0", "wanted 2", "available are 6 to 10")
}

func (b *broker) deleteTo(topic string, partition int32, offset int64) {
	b.t.Helper()
	o := kadm.Offsets{}
	o.AddOffset(topic, partition, offset, -1)
	if _, err := b.adm.DeleteRecords(b.t.Context(), o); err != nil {
		b.t.Fatal(err)
	}
}

// F41: beyond the end, and another topic of the same name.
func TestOtherLogIsAnError(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		b.put(topic, 0, "0")
		tab := b.table(topic, "scan.startup.mode", "earliest-offset")
		beyond := position{Topic: topic, Partition: 0, Next: 7, LeaderEpoch: -1, Stop: noStop}
		_, err := newJob(t, "j").tryScan(t, testConnector(), tab, []exec.Split{beyond.split()})
		wantError(t, err, exec.User, topic, "partition 0", "wanted 7", "available are 0 to 1", "truncated")

		s := newJob(t, "j").openScan(t, tab)
		same(t, "rows", s.read(1), []string{"0"})
		splits, err := s.r.Positions()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.adm.DeleteTopics(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		b.await("deletion", func() error {
			md, err := b.adm.Metadata(t.Context(), topic)
			if err == nil && md.Topics[topic].Err == nil {
				err = fmt.Errorf("still there")
			}
			return err
		})
		b.await("creation", func() error {
			resp, err := b.adm.CreateTopic(t.Context(), 1, 1, nil, topic)
			if err == nil {
				err = resp.Err
			}
			return err
		})
		b.await("leader", func() error {
			// A new client: this one remembers the topic that is gone.
			return newBroker(t, b.addrs).cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("other")}).FirstErr()
		})
		_, err = newJob(t, "j").tryScan(t, testConnector(), tab, splits)
		wantError(t, err, exec.User, topic, "deleted and created again")
		// Discovery of the running job sees it too.
		_, err = s.src.Enumerate(t.Context())
		wantError(t, err, exec.User, topic, "deleted and created again")
		w := s.r.(*reader).watch
		w.look(t.Context())
		_, err = s.tryRead(1)
		wantError(t, err, exec.User, topic, "deleted and created again")
	})
}

func TestFewerPartitionsIsAnError(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("in", 2)
	from := position{Topic: topic, Partition: 5, LeaderEpoch: -1, Stop: noStop}
	_, err := newJob(t, "j").tryScan(t, testConnector(), b.table(topic, "scan.startup.mode", "earliest-offset"), []exec.Split{from.split()})
	wantError(t, err, exec.User, topic, "partition 5", "2 partitions")
}

func TestMissingTopic(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		_, err := newJob(t, "j").tryScan(t, testConnector(), b.table(b.name("nowhere"), "scan.startup.mode", "earliest-offset"), nil)
		wantError(t, err, exec.User, b.name("nowhere"), "does not exist")
	})
}
