package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/raw"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestAtLeastOnceIsWrittenAtTheBarrier(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		o := newJob(t, "j").openSink(t, b.table(topic))
		o.open()
		o.write(numbers(0, 2000)...)
		o.barrier(1)
		b.want(topic, numbers(0, 2000)...)
		o.write("more")
		if err := o.w.Close(); err != nil {
			t.Fatal(err)
		}
		b.want(topic, append(numbers(0, 2000), "more")...)
	})
}

func TestAtLeastOnceFailsTheBarrier(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.table(topic))
	o.open()
	b.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed})
	o.write("x")
	wantError(t, o.w.Barrier(t.Context(), 1), exec.User, topic, "may not write")
}

func TestNoGuaranteeDoesNotWait(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.table(topic, "sink.delivery-guarantee", "none"))
	o.open()
	held := make(chan struct{})
	b.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.SleepControl(func() { <-held })
		return nil, nil, false
	})
	o.write("x")
	o.barrier(1)
	close(held)
	if err := o.w.Close(); err != nil {
		t.Fatal(err)
	}
	b.want(topic, "x")
}

func TestUpsertSinkWritesTombstones(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("up", 1)
		o, err := newJob(t, b.name("job")).trySink(t, upsertConnector(), b.upsertTable(topic))
		if err != nil {
			t.Fatal(err)
		}
		o.open()
		batch := vec.NewBatch(types.Schema{{Name: "k", Type: types.StringT.NotNullable()}, {Name: "v", Type: types.StringT}})
		for _, r := range []struct {
			kind vec.Kind
			k, v string
		}{{vec.Insert, "a", "1"}, {vec.UpdateBefore, "a", "1"}, {vec.UpdateAfter, "a", "2"}, {vec.Delete, "a", "2"}, {vec.Insert, "b", "unselected"}} {
			batch.Cols[0].AppendString(r.k)
			batch.Cols[1].AppendString(r.v)
			batch.AddKind(r.kind)
		}
		batch.Sel = []int32{0, 1, 2, 3}
		if err := o.w.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		o.barrier(1)
		b.settled(topic)
		var got []string
		for _, r := range b.visible(topic) {
			v := string(r.Value)
			if r.Value == nil {
				v = "NULL"
			}
			got = append(got, string(r.Key)+"="+v)
		}
		same(t, "records", got, []string{"a=a,1", "a=a,2", "a=NULL"})
	})
}

func TestKeyAndMetadataAreWritten(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 1)
		tab := b.table(topic, "key.format", "text", "key.fields", "k", "value.fields-include", "EXCEPT_KEY")
		tab.Physical = types.Schema{{Name: "v", Type: types.StringT}, {Name: "k", Type: types.StringT}}
		tab.Metadata = []connectors.MetaColumn{
			{Name: "o", Key: "offset", Type: types.BigIntT, Virtual: true},
			{Name: "ts", Key: "timestamp", Type: types.TimestampLTZT(3)},
			{Name: "h", Key: "headers", Type: writableMetadata["headers"]},
		}
		o := newJob(t, "j").openSink(t, tab)
		o.open()
		batch := vec.NewBatch(types.Schema{tab.Physical[0], tab.Physical[1], {Name: "ts", Type: types.TimestampLTZT(3)}, {Name: "h", Type: tab.Metadata[2].Type}})
		batch.Cols[0].AppendString("value")
		batch.Cols[1].AppendString("key")
		at := time.Now().UnixMilli() // brokers delete old records at once
		vec.Append(&batch.Cols[2], at)
		batch.Cols[3].Kids[0].AppendString("h")
		batch.Cols[3].Kids[1].AppendBytes([]byte("x"))
		batch.Cols[3].AppendOpen()
		batch.N = 1
		if err := o.w.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		o.barrier(1)
		b.settled(topic)
		recs := b.visible(topic)
		if len(recs) != 1 {
			t.Fatalf("%d records", len(recs))
		}
		r := recs[0]
		if got := fmt.Sprintf("%s %s %d %v", r.Key, r.Value, r.Timestamp.UnixMilli(), r.Headers); got != fmt.Sprintf("key value %d [{h [120]}]", at) {
			t.Errorf("record %s", got)
		}
	})
}

// 'raw' writes NULL as no bytes, which readers find as NULL again, and not as an empty text.
func TestNullOfRawIsNull(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("raw", 1)
		tab := b.table(topic, "format", "raw", "key.format", "raw", "key.fields", "k", "value.fields-include", "EXCEPT_KEY")
		tab.Physical = types.Schema{{Name: "v", Type: types.StringT}, {Name: "k", Type: types.StringT}}
		o, err := newJob(t, b.name("job")).trySink(t, New(format.Set{raw.New()}.Lookup).(*connector), tab)
		if err != nil {
			t.Fatal(err)
		}
		o.open()
		batch := vec.NewBatch(tab.Physical)
		for _, r := range [][2]any{{"v", "k"}, {nil, "k"}, {"v", nil}, {nil, nil}, {"", ""}} {
			for i, x := range r {
				if s, ok := x.(string); ok {
					batch.Cols[i].AppendString(s)
				} else {
					batch.Cols[i].AppendNull()
				}
			}
			batch.AddKind(vec.Insert)
		}
		if err := o.w.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		o.barrier(1)
		b.settled(topic)
		text := func(p []byte) string {
			if p == nil {
				return "NULL"
			}
			return strconv.Quote(string(p))
		}
		var got []string
		for _, r := range b.visible(topic) {
			got = append(got, text(r.Key)+"="+text(r.Value))
		}
		same(t, "records", got, []string{`"k"="v"`, `"k"=NULL`, `NULL="v"`, `NULL=NULL`, `""=""`})
	})
}

// Vectors of Kafka's own tests (UtilsTest.testMurmur2), made positive.
func TestKeyHashIsKafkas(t *testing.T) {
	for key, want := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107} {
		if got := keyHash([]byte(key)); got != want&0x7fffffff {
			t.Errorf("%s: %d, want %d", key, got, want&0x7fffffff)
		}
	}
	// What the client's own Java-compatible partitioner chooses.
	p := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for i := range 1000 {
		r := &kgo.Record{Key: fmt.Appendf(nil, "key-%d", i)}
		hinted := &kgo.Record{Partition: keyHash(r.Key)}
		if got, want := (hintPartitioner{}).Partition(hinted, 7), p.Partition(r, 7); got != want {
			t.Fatalf("key %s: partition %d, want %d", r.Key, got, want)
		}
	}
}

func TestPartitioners(t *testing.T) {
	b := fakeBroker(t, 2)
	for name, want := range map[string][]int32{"fixed": {1, 1, 1, 1}, "round-robin": {0, 1, 1, 2}} {
		topic := b.topic("p"+name, 3)
		o := newJob(t, "j").openSink(t, b.table(topic, "sink.partitioner", name))
		w, err := o.s.Writer(t.Context(), 4, o.j.env.ConnEnv)
		if err != nil {
			t.Fatal(err)
		}
		o.w = w
		o.write("a", "b", "c", "d")
		o.barrier(1)
		var got []int32
		for _, r := range b.visible(topic) {
			got = append(got, r.Partition)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: partitions %v, want %v", name, got, want)
		}
	}
}

func TestSinkTopicMissing(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		_, err := newJob(t, "j").trySink(t, testConnector(), b.table(b.name("nowhere")))
		wantError(t, err, exec.User, b.name("nowhere"), "does not exist", "option")
	})
}

func TestExactlyOnceNeedsCheckpoints(t *testing.T) {
	b := fakeBroker(t, 2)
	j := newJob(t, "j")
	j.env.Committers = nil
	_, err := j.trySink(t, testConnector(), b.exactly(b.topic("out", 1)))
	wantError(t, err, exec.User, "checkpoints")
}

// F49: larger than the client's own limit.
func TestRecordTooLarge(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.table(topic, "properties.max.request.size", "1000", "properties.compression.type", "none"))
	o.open()
	o.write(string(make([]byte, 5000)))
	wantError(t, o.w.Barrier(t.Context(), 1), exec.User, topic, "max.request.size")
}

// A writer that is blocked gives up when its task ends.
func TestBlockedWriterEndsWithItsTask(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("out", 1)
	o := newJob(t, "j").openSink(t, b.exactly(topic))
	o.start(0, nil)
	o.write("x")
	stop := make(chan struct{})
	b.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.SleepControl(func() { <-stop })
		return nil, nil, false
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	o.write("y")
	if err := o.w.Barrier(ctx, 1); err == nil {
		t.Error("the barrier did not notice that its task ended")
	}
	close(stop)
}
