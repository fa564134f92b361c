package kafka

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestMain(m *testing.M) {
	metadataMinAge = 10 * time.Millisecond
	goleak.VerifyTestMain(m)
}

// broker is a Kafka to test against: kfake in this process, or the real one that
// KAFKA_BROKERS names.
type broker struct {
	t       testing.TB
	fake    *kfake.Cluster // nil: real
	addrs   string
	adm     *kadm.Client
	cl      *kgo.Client
	version int
	suffix  string // makes names fresh on a shared broker
}

// brokers runs a test on kfake in both transaction versions and, when KAFKA_BROKERS is set,
// on the real Kafka too.
func brokers(t *testing.T, f func(t *testing.T, b *broker)) {
	t.Helper()
	t.Run("kfake-tv2", func(t *testing.T) { f(t, fakeBroker(t, 2)) })
	t.Run("kfake-tv1", func(t *testing.T) { f(t, fakeBroker(t, 1)) })
	t.Run("real", func(t *testing.T) { f(t, realBroker(t)) })
}

func fakeBroker(t testing.TB, version int) *broker {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b := newBroker(t, strings.Join(c.ListenAddrs(), ","))
	b.fake, b.version = c, version
	if version != 2 {
		req := kmsg.NewPtrUpdateFeaturesRequest()
		fu := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		fu.Feature, fu.MaxVersionLevel, fu.UpgradeType = "transaction.version", int16(version), 2
		req.FeatureUpdates = append(req.FeatureUpdates, fu)
		if _, err := req.RequestWith(t.Context(), b.cl); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func realBroker(t testing.TB) *broker {
	t.Helper()
	addrs := os.Getenv("KAFKA_BROKERS")
	if addrs == "" {
		t.Skip("KAFKA_BROKERS is not set: no real Kafka to test against (testsql/kafka/kafka.sh start)")
	}
	return newBroker(t, addrs)
}

func newBroker(t testing.TB, addrs string) *broker {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(addrs, ",")...), kgo.MetadataMinAge(10*time.Millisecond), kgo.AlwaysRetryEOF(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	var raw [4]byte
	_, _ = rand.Read(raw[:])
	return &broker{t: t, addrs: addrs, cl: cl, adm: kadm.NewClient(cl), suffix: hex.EncodeToString(raw[:])}
}

func (b *broker) name(s string) string { return s + "-" + b.suffix }

// topic creates a topic and returns its name.
func (b *broker) topic(s string, partitions int32) string {
	b.t.Helper()
	name := b.name(s)
	resp, err := b.adm.CreateTopic(b.t.Context(), partitions, 1, nil, name)
	if err == nil {
		err = resp.Err
	}
	if err != nil {
		b.t.Fatalf("creating topic %s: %v", name, err)
	}
	b.await("topic "+name, func() error {
		md, err := b.adm.Metadata(b.t.Context(), name)
		if err != nil {
			return err
		}
		for _, p := range md.Topics[name].Partitions {
			if p.Leader < 0 || p.Err != nil {
				return fmt.Errorf("partition %d has no leader", p.Partition)
			}
		}
		if len(md.Topics[name].Partitions) != int(partitions) {
			return errors.New("partitions are missing")
		}
		return md.Topics[name].Err
	})
	return name
}

// await repeats f until it returns nil.
func (b *broker) await(what string, f func() error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 60*time.Second)
	defer cancel()
	for {
		err := f()
		if err == nil {
			return
		}
		if sleep(ctx, 10*time.Millisecond) != nil {
			b.t.Fatalf("%s: %v", what, err)
		}
	}
}

// put writes values to a partition, without a transaction.
func (b *broker) put(topic string, partition int32, values ...string) {
	b.t.Helper()
	var recs []*kgo.Record
	for _, v := range values {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)})
	}
	if err := b.cl.ProduceSync(b.t.Context(), recs...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// inTxn writes values in a transaction of their own and ends it.
func (b *broker) inTxn(commit bool, topic string, partition int32, values ...string) {
	b.t.Helper()
	cl := b.txnClient(b.name("feeder"), time.Minute)
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range values {
		cl.Produce(b.t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.t.Error(err)
			}
		})
	}
	if err := cl.Flush(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	if err := cl.EndTransaction(b.t.Context(), kgo.TransactionEndTry(commit)); err != nil {
		b.t.Fatal(err)
	}
	b.settled(topic)
}

func (b *broker) txnClient(id string, timeout time.Duration) *kgo.Client {
	b.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.addrs, ",")...), kgo.TransactionalID(id), kgo.TransactionTimeout(timeout),
		kgo.MetadataMinAge(10*time.Millisecond), kgo.AlwaysRetryEOF(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		b.t.Fatal(err)
	}
	return cl
}

// settled waits until no transaction holds anything back in a topic.
func (b *broker) settled(topic string) {
	b.t.Helper()
	b.await("transactions of "+topic, func() error {
		stable, err := b.adm.ListCommittedOffsets(b.t.Context(), topic)
		if err != nil {
			return err
		}
		ends, err := b.adm.ListEndOffsets(b.t.Context(), topic)
		if err != nil {
			return err
		}
		for p, e := range ends[topic] {
			if s := stable[topic][p]; s.Offset != e.Offset || s.Err != nil || e.Err != nil {
				return fmt.Errorf("partition %d: %d of %d stable (%v)", p, s.Offset, e.Offset, errors.Join(s.Err, e.Err))
			}
		}
		return nil
	})
}

// visible reads a topic from its beginning to its stable end, read_committed.
func (b *broker) visible(topic string) []*kgo.Record {
	b.t.Helper()
	var ends kadm.ListedOffsets
	b.await("offsets of "+topic, func() (err error) {
		ends, err = b.adm.ListCommittedOffsets(b.t.Context(), topic)
		if err != nil {
			return err
		}
		return ends.Error()
	})
	starts, err := b.adm.ListStartOffsets(b.t.Context(), topic)
	if err != nil {
		b.t.Fatal(err)
	}
	parts, left := map[int32]kgo.Offset{}, map[int32]int64{}
	for p, e := range ends[topic] {
		if s := starts[topic][p].Offset; s < e.Offset {
			parts[p] = kgo.NewOffset().At(s)
			left[p] = e.Offset
		}
	}
	if len(left) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.addrs, ",")...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: parts}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		b.t.Fatal(err)
	}
	defer cl.Close()
	var out []*kgo.Record
	ctx, cancel := context.WithTimeout(b.t.Context(), 60*time.Second)
	defer cancel()
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err0(); err != nil {
			b.t.Fatalf("reading %s: %v (left %v)", topic, err, left)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; ok && r.Offset >= end-1 {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				out = append(out, r)
			}
		})
	}
	return out
}

func (b *broker) values(topic string) []string {
	b.t.Helper()
	var out []string
	for _, r := range b.visible(topic) {
		out = append(out, string(r.Value))
	}
	return out
}

// ---- a format of one text column ----

// textFormat has one STRING column per part, its bytes as they are; "bad..." cannot be
// decoded. It keeps these tests apart from the real formats.
type textFormat struct{}

func (textFormat) Name() string                    { return "text" }
func (textFormat) Options() []connectors.OptionDef { return nil }

func (textFormat) NewDecoder(schema types.Schema, projection []int, _ connectors.Options, _ connectors.Env) (format.Decoder, error) {
	return textCodec{len(schema), projection}, nil
}

func (textFormat) NewEncoder(types.Schema, connectors.Options, connectors.Env) (format.Encoder, error) {
	return textCodec{}, nil
}

type textCodec struct {
	columns    int
	projection []int
}

func (c textCodec) Decode(value []byte, cols []vec.Vec) error {
	if value == nil {
		return format.ErrNoRow
	}
	if bytes.HasPrefix(value, []byte("bad")) {
		return &format.BadRecord{At: 0, Err: errors.New("found 'bad'")}
	}
	if c.columns == 1 {
		for range c.projection {
			cols[0].AppendBytes(value)
		}
		return nil
	}
	fields := strings.SplitN(string(value), ",", c.columns)
	for i, p := range c.projection {
		cols[i].AppendString(fields[p])
	}
	return nil
}

func (textCodec) Encode(dst []byte, b *vec.Batch, row int) ([]byte, error) {
	for i := range b.Cols {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, b.Cols[i].Bytes(row)...)
	}
	return dst, nil
}

func testConnector() *connector { return New(format.Set{textFormat{}}.Lookup).(*connector) }

func upsertConnector() *connector { return NewUpsert(format.Set{textFormat{}}.Lookup).(*connector) }

// table is a table of one column over a topic with more options in pairs.
func (b *broker) table(topic string, options ...string) connectors.Table {
	t := connectors.Table{
		Name:     "t",
		Physical: types.Schema{{Name: "v", Type: types.StringT}},
		Options:  connectors.Options{"connector": "kafka", "topic": topic, "properties.bootstrap.servers": b.addrs, "format": "text"},
	}
	for i := 0; i < len(options); i += 2 {
		t.Options[options[i]] = options[i+1]
	}
	return t
}

// job stands for a job: it keeps the committers.
type job struct {
	mu         sync.Mutex
	committers map[string]exec.Committer
	env        connectors.Env
	points     map[string]int
}

func newJob(t testing.TB, id string) *job {
	j := &job{committers: map[string]exec.Committer{}, points: map[string]int{}}
	j.env = connectors.Env{
		ConnEnv:  exec.ConnEnv{JobID: id, JobName: "test job", Parallelism: 1, Clock: exec.SystemClock{}, Metrics: &exec.Metrics{}, Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))},
		TimeZone: "UTC",
		Committers: func(name string, mk func() (exec.Committer, error)) (exec.Committer, error) {
			j.mu.Lock()
			defer j.mu.Unlock()
			if c := j.committers[name]; c != nil {
				return c, nil
			}
			c, err := mk()
			if err == nil {
				j.committers[name] = c
			}
			return c, err
		},
		FailPoint: func(name string) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.points[name]++
		},
	}
	return j
}

// passed is how often a fail point was reached.
func (j *job) passed(point string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.points[point]
}

// testWriter sends log lines to the test's log.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

func wantError(t testing.TB, err error, class exec.Class, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
	if got := exec.ClassOf(err); got != class {
		t.Errorf("error %q has class %d, want %d", err, got, class)
	}
}
