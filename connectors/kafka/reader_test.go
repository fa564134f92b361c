package kafka

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// scan is a source with one reader.
type scan struct {
	t      testing.TB
	src    exec.Source
	r      exec.Reader
	batch  *vec.Batch
	splits []exec.Split
}

func (j *job) openScan(t testing.TB, tab connectors.Table) *scan {
	t.Helper()
	return j.openScanOf(t, testConnector(), tab, nil)
}

// openScanOf opens a source and a reader; from nil assigns what Enumerate finds.
func (j *job) openScanOf(t testing.TB, c *connector, tab connectors.Table, from []exec.Split) *scan {
	t.Helper()
	s, err := j.tryScan(t, c, tab, from)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (j *job) tryScan(t testing.TB, c *connector, tab connectors.Table, from []exec.Split) (*scan, error) {
	t.Helper()
	schema := slices.Clone(tab.Physical)
	for _, m := range tab.Metadata {
		schema = append(schema, types.Field{Name: m.Name, Type: m.Type})
	}
	var projection []int
	for i := range schema {
		projection = append(projection, i)
	}
	if _, err := c.SourceInfo(tab); err != nil {
		return nil, err
	}
	src, err := c.Source(t.Context(), tab, projection, j.env)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = src.Close() })
	if from == nil {
		if from, err = src.Enumerate(t.Context()); err != nil {
			return nil, err
		}
	}
	r, err := src.Reader(t.Context(), 0, j.env.ConnEnv)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Assign(from); err != nil {
		return nil, err
	}
	return &scan{t: t, src: src, r: r, batch: vec.NewBatch(schema), splits: from}, nil
}

// read returns the first column of n rows, or of all until the end when n < 0.
func (s *scan) read(n int) []string {
	s.t.Helper()
	out, err := s.tryRead(n)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *scan) tryRead(n int) ([]string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	var out []string
	for n < 0 || len(out) < n {
		st, err := s.r.Read(ctx, 50*time.Millisecond, s.batch)
		if err != nil {
			return out, err
		}
		for i := range s.batch.Len() {
			out = append(out, string(s.batch.Cols[0].Bytes(s.batch.Row(i))))
		}
		if st == exec.ReadEnd {
			return out, nil
		}
		if ctx.Err() != nil {
			return out, fmt.Errorf("after %d rows: %w", len(out), ctx.Err())
		}
	}
	return out, nil
}

// idle reads until nothing comes and fails when something does.
func (s *scan) idle() {
	s.t.Helper()
	st, err := s.r.Read(s.t.Context(), 300*time.Millisecond, s.batch)
	if err != nil || s.batch.Len() > 0 {
		s.t.Fatalf("want nothing to read, got status %d, %d rows, error %v", st, s.batch.Len(), err)
	}
}

func (s *scan) positions() map[string]int64 {
	s.t.Helper()
	splits, err := s.r.Positions()
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]int64{}
	for _, sp := range splits {
		p, err := parsePosition(sp)
		if err != nil {
			s.t.Fatal(err)
		}
		out[strconv.Itoa(int(p.Partition))] = p.Next
	}
	return out
}

func numbers(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestStartupModes(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		b.put(topic, 0, numbers(0, 5)...)
		mid := time.Now().Add(time.Hour).UnixMilli()
		if err := b.cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("5"), Timestamp: time.UnixMilli(mid)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		group := b.name("g")
		if err := b.adm.CommitAllOffsets(t.Context(), group, kadm.OffsetsFromRecords(kgo.Record{Topic: topic, Offset: 2})); err != nil {
			t.Fatal(err)
		}
		cases := []struct {
			name    string
			options []string
			want    []string
		}{
			{"earliest", []string{"scan.startup.mode", "earliest-offset"}, numbers(0, 6)},
			{"timestamp", []string{"scan.startup.mode", "timestamp", "scan.startup.timestamp-millis", strconv.FormatInt(mid, 10)}, numbers(5, 6)},
			{"specific", []string{"scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "partition:0,offset:4"}, numbers(4, 6)},
			{"group", []string{"properties.group.id", group}, numbers(3, 6)},
			{"group with reset", []string{"properties.group.id", b.name("new"), "properties.auto.offset.reset", "earliest"}, numbers(0, 6)},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := newJob(t, "j").openScan(t, b.table(topic, append(c.options, "scan.bounded.mode", "latest-offset")...))
				same(t, "rows", s.read(-1), c.want)
			})
		}
		t.Run("latest", func(t *testing.T) {
			s := newJob(t, "j").openScan(t, b.table(topic, "scan.startup.mode", "latest-offset"))
			b.put(topic, 0, "6")
			same(t, "rows", s.read(1), numbers(6, 7))
		})
		t.Run("timestamp after all", func(t *testing.T) {
			s := newJob(t, "j").openScan(t, b.table(topic, "scan.startup.mode", "timestamp", "scan.startup.timestamp-millis", strconv.FormatInt(mid+1e9, 10)))
			b.put(topic, 0, "7")
			same(t, "rows", s.read(1), numbers(7, 8))
		})
		t.Run("group without offset", func(t *testing.T) {
			_, err := newJob(t, "j").tryScan(t, testConnector(), b.table(topic, "properties.group.id", b.name("none")), nil)
			wantError(t, err, exec.User, topic, "partition 0", b.name("none"), "auto.offset.reset")
		})
	})
}

func TestBoundedModes(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		b.put(topic, 0, numbers(0, 5)...)
		late := time.Now().Add(time.Hour)
		if err := b.cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("5"), Timestamp: late}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		group := b.name("g")
		if err := b.adm.CommitAllOffsets(t.Context(), group, kadm.OffsetsFromRecords(kgo.Record{Topic: topic, Offset: 3})); err != nil {
			t.Fatal(err)
		}
		cases := []struct {
			name    string
			options []string
			want    []string
		}{
			{"latest", []string{"scan.bounded.mode", "latest-offset"}, numbers(0, 6)},
			{"timestamp", []string{"scan.bounded.mode", "timestamp", "scan.bounded.timestamp-millis", strconv.FormatInt(late.UnixMilli(), 10)}, numbers(0, 5)},
			{"specific", []string{"scan.bounded.mode", "specific-offsets", "scan.bounded.specific-offsets", "partition:0,offset:2"}, numbers(0, 2)},
			{"group", []string{"scan.bounded.mode", "group-offsets", "properties.group.id", group}, numbers(0, 4)},
			{"empty", []string{"scan.bounded.mode", "specific-offsets", "scan.bounded.specific-offsets", "partition:0,offset:0"}, nil},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := newJob(t, "j").openScan(t, b.table(topic, append(c.options, "scan.startup.mode", "earliest-offset")...))
				if !s.src.Bounded() || s.src.DiscoverEvery() != 0 {
					t.Error("the source should be bounded and not look for partitions")
				}
				same(t, "rows", s.read(-1), c.want)
				if !s.r.Ended(0) {
					t.Error("the split should be ended")
				}
			})
		}
	})
}

// A log that ends in aborted records and a marker gives no record for them; only the
// control record lets a bounded read end, and the position pass.
func TestControlRecordsMovePositions(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		b.put(topic, 0, numbers(0, 3)...)
		b.inTxn(false, topic, 0, "aborted", "aborted")
		tab := b.table(topic, "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset")
		s := newJob(t, "j").openScan(t, tab)
		same(t, "rows", s.read(-1), numbers(0, 3))
		if got := s.positions()["0"]; got != 6 {
			t.Errorf("the position is %d, want 6: 3 records, 2 aborted, a marker", got)
		}
		if lag := s.r.Lag(); lag != 0 {
			t.Errorf("lag is %d at the end", lag)
		}
		// What is restored there reads on exactly.
		splits, _ := s.r.Positions()
		b.inTxn(true, topic, 0, "3")
		again := newJob(t, "j").openScanOf(t, testConnector(), b.table(topic, "scan.startup.mode", "earliest-offset"), withStop(t, splits, noStop))
		same(t, "rows", again.read(1), numbers(3, 4))
	})
}

func withStop(t testing.TB, splits []exec.Split, stop int64) []exec.Split {
	out := make([]exec.Split, len(splits))
	for i, s := range splits {
		p, err := parsePosition(s)
		if err != nil {
			t.Fatal(err)
		}
		p.Stop = stop
		out[i] = p.split()
	}
	return out
}

// Records behind somebody's open transaction cannot be read; a warning says whose it is.
func TestOpenTransactionOfOthersIsNamed(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		cl := b.txnClient(b.name("other"), time.Minute)
		defer cl.Close()
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("hidden")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		pid, _, err := cl.ProducerID(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		j := newJob(t, "j")
		j.env.Log = slog.New(slog.NewTextHandler(&log, nil))
		s := j.openScan(t, b.table(topic, "scan.startup.mode", "earliest-offset"))
		s.idle()
		s.positions()
		w := s.r.(*reader).watch
		for range 2 * stuckLooks {
			w.look(t.Context())
		}
		if want := fmt.Sprintf("producer=%d", pid); strings.Count(log.String(), want) != 1 {
			t.Errorf("log %q should name %s once", log.String(), want)
		}
		if err := cl.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		same(t, "rows", s.read(1), []string{"hidden"})
	})
}

func TestReadUncommittedSeesAborted(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		b.inTxn(false, topic, 0, "aborted")
		b.put(topic, 0, "0")
		s := newJob(t, "j").openScan(t, b.table(topic, "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset", "properties.isolation.level", "read_uncommitted"))
		same(t, "rows", s.read(-1), []string{"aborted", "0"})
	})
}

// Positions cover exactly the rows returned, whatever the client has fetched ahead.
func TestPositionsCoverReturnedRows(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 2)
		b.put(topic, 0, numbers(0, 6000)...)
		b.put(topic, 1, numbers(6000, 6010)...)
		s := newJob(t, "j").openScan(t, b.table(topic, "scan.startup.mode", "earliest-offset"))
		counts := map[string]int64{"0": 0, "1": 0}
		total := 0
		for total < 6010 {
			if _, err := s.r.Read(t.Context(), time.Second, s.batch); err != nil {
				t.Fatal(err)
			}
			if s.batch.Len() > vec.MaxRows {
				t.Fatalf("a batch has %d rows", s.batch.Len())
			}
			counts[strconv.Itoa(s.batch.Split)] += int64(s.batch.Len())
			total += s.batch.Len()
			if got := s.positions(); got["0"] != counts["0"] || got["1"] != counts["1"] {
				t.Fatalf("positions %v after %v rows", got, counts)
			}
		}
	})
}

// F29: a partition that appears is found, and read from its beginning.
func TestDiscoveredPartitionIsReadFromItsBeginning(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		s := newJob(t, "j").openScan(t, b.table(topic, "scan.startup.mode", "latest-offset", "scan.topic-partition-discovery.interval", "1 s"))
		if s.src.DiscoverEvery() != time.Second {
			t.Errorf("looks every %s", s.src.DiscoverEvery())
		}
		if _, err := b.adm.UpdatePartitions(t.Context(), 2, topic); err != nil {
			t.Fatal(err)
		}
		b.await("new partition", func() error {
			return b.cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: 1, Value: []byte("before discovery")}).FirstErr()
		})
		var splits []exec.Split
		b.await("discovery", func() (err error) {
			if splits, err = s.src.Enumerate(t.Context()); err == nil && len(splits) != 2 {
				err = fmt.Errorf("%d splits", len(splits))
			}
			return err
		})
		if err := s.r.Assign([]exec.Split{s.src.Discovered(splits[1])}); err != nil {
			t.Fatal(err)
		}
		same(t, "rows", s.read(1), []string{"before discovery"})
		if s.batch.Split != 1 {
			t.Errorf("split %d", s.batch.Split)
		}
	})
}

func TestTopicPatternAndList(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		x, y := b.topic("px", 1), b.topic("py", 1)
		b.put(x, 0, "x")
		b.put(y, 0, "y")
		tab := b.table("", "topic-pattern", "p[xz]-"+b.suffix, "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset")
		delete(tab.Options, "topic")
		same(t, "pattern", newJob(t, "j").openScan(t, tab).read(-1), []string{"x"})
		both := newJob(t, "j").openScan(t, b.table(x+";"+y, "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset")).read(-1)
		slices.Sort(both)
		same(t, "list", both, []string{"x", "y"})
	})
}

func TestGroupOffsetsAreCommitted(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic, group := b.topic("in", 1), b.name("g")
		b.put(topic, 0, numbers(0, 3)...)
		s := newJob(t, "j").openScan(t, b.table(topic, "scan.startup.mode", "earliest-offset", "properties.group.id", group))
		s.read(3)
		splits, err := s.r.Positions()
		if err != nil {
			t.Fatal(err)
		}
		s.r.Committed(1, splits)
		b.await("group offset", func() error {
			got, err := b.adm.FetchOffsets(t.Context(), group)
			if err != nil {
				return err
			}
			if o, ok := got.Lookup(topic, 0); !ok || o.At != 3 {
				return fmt.Errorf("got %v", o)
			}
			return nil
		})
	})
}

func TestMetadataColumns(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("in", 1)
		at := time.Now().Truncate(time.Hour).Add(123 * time.Millisecond) // brokers delete old records at once
		rec := &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v"), Timestamp: at, Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("old")}, {Key: "h", Value: []byte("new")}}}
		if err := b.cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
		tab := b.table(topic, "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset")
		for _, k := range []string{"topic", "partition", "headers", "leader-epoch", "offset", "timestamp", "timestamp-type"} {
			tab.Metadata = append(tab.Metadata, connectors.MetaColumn{Name: k, Key: k, Type: readableMetadata[k]})
		}
		tab.Metadata = append(tab.Metadata, connectors.MetaColumn{Name: "local", Key: "timestamp", Type: types.TimestampT(6)})
		j := newJob(t, "j")
		j.env.TimeZone = "Europe/Berlin"
		s := j.openScan(t, tab)
		if st, err := s.r.Read(t.Context(), 10*time.Second, s.batch); err != nil || s.batch.Len() != 1 {
			t.Fatalf("status %d, %d rows, %v", st, s.batch.Len(), err)
		}
		c := s.batch.Cols
		got := fmt.Sprintf("%s %d %s=%s/%d %d %d %s %d", c[1].Bytes(0), vec.Values[int32](&c[2])[0], c[3].Kids[0].Bytes(0), c[3].Kids[1].Bytes(0), c[3].Off[1],
			vec.Values[int64](&c[5])[0], vec.Values[int64](&c[6])[0], c[7].Bytes(0), vec.Values[int64](&c[8])[0])
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		_, offset := at.In(berlin).Zone()
		want := fmt.Sprintf("%s 0 h=new/1 0 %d CreateTime %d", topic, at.UnixMilli(), (at.UnixMilli()+int64(offset)*1000)*1000)
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestBadRecordPolicies(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic, dlq := b.topic("in", 1), b.topic("dlq", 1)
		b.put(topic, 0, "a", "bad one", "b")
		base := []string{"scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset"}
		s := newJob(t, "j").openScan(t, b.table(topic, base...))
		got, err := s.tryRead(-1)
		wantError(t, err, exec.User, topic, "partition 0", "offset 1", "bad-records")
		if len(got) != 0 {
			t.Errorf("rows %v of a failed read", got)
		}
		j := newJob(t, "j")
		same(t, "skip", j.openScan(t, b.table(topic, append(base, "bad-records", "skip")...)).read(-1), []string{"a", "b"})
		if n := j.env.Metrics.BadRows.Load(); n != 1 {
			t.Errorf("%d bad rows counted", n)
		}
		// Without an exactly-once sink: written when the barrier passes, at least once.
		s = newJob(t, "j").openScan(t, b.table(topic, append(base, "bad-records", "dlq", "bad-records.dlq.topic", dlq)...))
		same(t, "dlq", s.read(-1), []string{"a", "b"})
		s.positions()
		letters := b.visible(dlq)
		if len(letters) != 1 || string(letters[0].Value) != "bad one" {
			t.Fatalf("dead letters %v", letters)
		}
		var headers []string
		for _, h := range letters[0].Headers {
			headers = append(headers, h.Key+"="+string(h.Value))
		}
		text := strings.Join(headers, " ")
		for _, want := range []string{"__src_topic=" + topic, "__src_partition=0", "__src_offset=1", "__err_msg=found 'bad' (byte 0", "__pipeline=test job"} {
			if !strings.Contains(text, want) {
				t.Errorf("headers %q lack %q", text, want)
			}
		}
	})
}

// F51: a dead letter topic that is not there stops the job.
func TestDeadLetterTopicMissing(t *testing.T) {
	b := fakeBroker(t, 2)
	topic := b.topic("in", 1)
	b.put(topic, 0, "bad")
	s := newJob(t, "j").openScan(t, b.table(topic, "scan.startup.mode", "earliest-offset", "bad-records", "dlq", "bad-records.dlq.topic", "nowhere"))
	_, err := s.tryRead(1)
	wantError(t, err, exec.User, topic, "offset 0", "nowhere", "does not exist")
}

func TestUpsertSource(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("up", 1)
		for _, kv := range [][2]string{{"k", "k,1"}, {"k", "k,2"}, {"k", ""}} {
			r := &kgo.Record{Topic: topic, Key: []byte(kv[0])}
			if kv[1] != "" {
				r.Value = []byte(kv[1])
			}
			if err := b.cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		s := newJob(t, "j").openScanOf(t, upsertConnector(), b.upsertTable(topic, "scan.bounded.mode", "latest-offset"), nil)
		var got []string
		for {
			st, err := s.r.Read(t.Context(), time.Second, s.batch)
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.batch.Len() {
				v := "NULL"
				if !s.batch.Cols[1].IsNull(i) {
					v = string(s.batch.Cols[1].Bytes(i))
				}
				got = append(got, vec.KindText(s.batch.Kind(i))+string(s.batch.Cols[0].Bytes(i))+","+v)
			}
			if st == exec.ReadEnd {
				break
			}
		}
		same(t, "changes", got, []string{"+Uk,1", "+Uk,2", "-Dk,NULL"})
	})
}

func (b *broker) upsertTable(topic string, options ...string) connectors.Table {
	tab := b.table(topic, options...)
	tab.Options["connector"] = "upsert-kafka"
	tab.Options["key.format"] = "text"
	tab.Physical = types.Schema{{Name: "k", Type: types.StringT.NotNullable()}, {Name: "v", Type: types.StringT}}
	tab.PrimaryKey = []string{"k"}
	return tab
}

func TestPositionIsStableJSON(t *testing.T) {
	p := position{Topic: "a-b", TopicID: "00ff", Partition: 3, Next: 7, LeaderEpoch: 2, Stop: noStop}
	s := p.split()
	if s.ID != "a-b-3" || string(s.Position) != `{"topic":"a-b","topicId":"00ff","partition":3,"next":7,"leaderEpoch":2,"stop":-1}` {
		t.Errorf("split %s %s", s.ID, s.Position)
	}
	if back, err := parsePosition(s); err != nil || back != p {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, bad := range []string{`{}`, `{"topic":"x","partition":3}`, `[`, `{"topic":"a-b","partition":3,"next":-9}`} {
		if _, err := parsePosition(exec.Split{ID: "a-b-3", Position: []byte(bad)}); err == nil {
			t.Errorf("position %s was accepted", bad)
		}
	}
	var m map[string]any
	if err := json.Unmarshal(s.Position, &m); err != nil || len(m) != 6 {
		t.Error(err, m)
	}
}
