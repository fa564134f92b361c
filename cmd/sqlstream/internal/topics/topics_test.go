package topics

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/exec"
)

func cluster(t *testing.T) (*Cluster, string, context.Context) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	addr := fake.ListenAddrs()[0]
	c, err := Dial(ctx, map[string]string{"bootstrap.servers": addr}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, addr, ctx
}

func create(t *testing.T, c *Cluster, s Spec) {
	t.Helper()
	if _, err := c.Create(t.Context(), s, false); err != nil {
		t.Fatal(err)
	}
}

func TestLifeOfATopic(t *testing.T) {
	c, _, ctx := cluster(t)
	create(t, c, Spec{Name: "orders", Partitions: 3, Configs: map[string]string{"retention.ms": "1000"}})
	if _, err := c.Create(ctx, Spec{Name: "orders"}, false); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("creating twice: %v", err)
	}
	if created, err := c.Create(ctx, Spec{Name: "orders"}, true); created || err != nil {
		t.Errorf("creating if missing: %v, %v", created, err)
	}
	n, err := c.Produce(ctx, Produce{Topic: "orders", KeySeparator: ":", Partition: 1}, strings.NewReader("a:1\nb:2\n"))
	if n != 2 || err != nil {
		t.Errorf("produce: %d, %v", n, err)
	}
	list, err := c.List(ctx)
	if want := (Info{"orders", 3, 1, 2}); err != nil || len(list) != 1 || list[0] != want {
		t.Errorf("list: %+v, %v; want %+v", list, err, want)
	}
	d, err := c.Describe(ctx, "orders")
	if err != nil || len(d.Partitions) != 3 || d.Partitions[1].End != 2 || d.Partitions[1].Stable != 2 || d.Configs["retention.ms"] != "1000" {
		t.Errorf("describe: %+v, %v", d, err)
	}
	if err := c.Delete(ctx, "orders"); err != nil {
		t.Error(err)
	}
	if err := c.Delete(ctx, "orders"); err == nil || err.Error() != "no topic orders" {
		t.Errorf("deleting twice: %v", err)
	}
}

func TestUnknownTopicNamesTheNearest(t *testing.T) {
	c, _, ctx := cluster(t)
	create(t, c, Spec{Name: "orders"})
	_, err := c.Describe(ctx, "order")
	if err == nil || err.Error() != "no topic order; did you mean orders?" || exec.ClassOf(err) != exec.User {
		t.Errorf("describe: %v", err)
	}
	if _, err := c.Consume(ctx, Consume{Topic: "order"}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "orders") {
		t.Errorf("consume: %v", err)
	}
}

func TestProduceAndConsume(t *testing.T) {
	c, _, ctx := cluster(t)
	create(t, c, Spec{Name: "t", Partitions: 1})
	p := Produce{Topic: "t", KeySeparator: "\t", Partition: -1, EmptyIsNull: true, Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("x")}}}
	if _, err := c.Produce(ctx, p, strings.NewReader("k1\tone\nk2\t\nk3\tthree")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		spec Consume
		want string
	}{
		{"values", Consume{UntilEnd: true}, "one\n\nthree\n"},
		{"keys", Consume{UntilEnd: true, Format: KeyFormat}, "k1\tone\nk2\tNULL\nk3\tthree\n"},
		{"max", Consume{Max: 1}, "one\n"},
		{"from an offset", Consume{UntilEnd: true, From: From{fromOffset, 2}}, "three\n"},
		{"from the end", Consume{UntilEnd: true, From: Latest}, ""},
		{"until nothing comes", Consume{Timeout: time.Second}, "one\n\nthree\n"},
		{"from a time", Consume{UntilEnd: true, From: From{fromMilli, 0}}, "one\n\nthree\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Topic = "t"
			var out bytes.Buffer
			n, err := c.Consume(ctx, tt.spec, &out)
			if err != nil || out.String() != tt.want || n != int64(strings.Count(tt.want, "\n")) {
				t.Errorf("got %q, %d, %v; want %q", out.String(), n, err, tt.want)
			}
		})
	}
	var out bytes.Buffer
	if _, err := c.Consume(ctx, Consume{Topic: "t", Max: 1, Format: JSONFormat}, &out); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"topic":"t","partition":0,"offset":0,`, `"key":"k1","value":"one","headers":[{"key":"h","value":"x"}]}`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("json: %s lacks %s", out.String(), part)
		}
	}
}

func TestProduceNamesTheBadLine(t *testing.T) {
	c, _, ctx := cluster(t)
	create(t, c, Spec{Name: "t", Partitions: 1})
	_, err := c.Produce(ctx, Produce{Topic: "t", KeySeparator: ":", Partition: -1}, strings.NewReader("a:1\nb\n"))
	if err == nil || err.Error() != `line 2 has no key separator ":"` {
		t.Errorf("got %v", err)
	}
}

// A read_committed reader sees committed transactions only, and ends although the last
// offsets of the partition are an aborted transaction.
func TestConsumeReadsCommittedRecordsOnly(t *testing.T) {
	c, addr, ctx := cluster(t)
	create(t, c, Spec{Name: "t", Partitions: 1})
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := cl.ProduceSync(ctx, kgo.StringRecord([]string{"committed", "aborted"}[i])).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := cl.EndTransaction(ctx, end); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := c.Consume(ctx, Consume{Topic: "t", UntilEnd: true}, &out); err != nil || out.String() != "committed\n" {
		t.Errorf("committed: %q, %v", out.String(), err)
	}
	out.Reset()
	if _, err := c.Consume(ctx, Consume{Topic: "t", UntilEnd: true, Uncommitted: true}, &out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Fields(out.String()); !slices.Equal(lines, []string{"committed", "aborted"}) {
		t.Errorf("uncommitted: %v", lines)
	}
}

func TestParseFrom(t *testing.T) {
	for text, want := range map[string]From{
		"earliest": Earliest, "latest": Latest, "42": {fromOffset, 42}, "@5": {fromMilli, 5},
		"2024-02-29T12:00:00Z": {fromMilli, 1709208000000},
	} {
		if got, err := ParseFrom(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "early", "@", "2024-02-29"} {
		if got, err := ParseFrom(text); err == nil {
			t.Errorf("%s: %v, want an error", text, got)
		}
	}
}
