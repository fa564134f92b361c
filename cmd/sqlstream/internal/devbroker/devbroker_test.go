package devbroker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
)

func start(t *testing.T, cfg Config) *Broker {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	b, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func client(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addr))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestTopicsAndRecordsSurviveARestart(t *testing.T) {
	ctx, dir := deadline(t), t.TempDir()
	b := start(t, Config{Dir: dir, Topics: []Topic{{"a", 4}}})
	cl := client(t, b.Addr())
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "a", Key: []byte("k"), Value: []byte("v")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, Config{Dir: dir, Topics: []Topic{{"a", 4}, {"b", 1}}})
	defer b.Close()
	cl = client(t, b.Addr(), kgo.ConsumeTopics("a"))
	topics, err := kadm.NewClient(cl).ListTopics(ctx)
	if err != nil || len(topics["a"].Partitions) != 4 || len(topics["b"].Partitions) != 1 {
		t.Errorf("topics after the restart: %v, %v", topics.Names(), err)
	}
	fetches := cl.PollFetches(ctx)
	if r := fetches.Records(); len(r) != 1 || string(r[0].Value) != "v" {
		t.Errorf("records after the restart: %v, %v", r, fetches.Errors())
	}
}

func TestSecondBrokerIsRefused(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Config{Dir: dir})
	defer b.Close()
	if _, err := Start(Config{Dir: dir, Log: slog.New(slog.DiscardHandler)}); exitcode.Of(err) != exitcode.Locked {
		t.Errorf("same directory: %v, want exit code %d", err, exitcode.Locked)
	}
	var port int
	for _, c := range b.Addr()[len("127.0.0.1:"):] {
		port = port*10 + int(c-'0')
	}
	if _, err := Start(Config{Dir: t.TempDir(), Port: port, Log: slog.New(slog.DiscardHandler)}); exitcode.Of(err) != exitcode.Locked {
		t.Errorf("same port: %v, want exit code %d", err, exitcode.Locked)
	}
}

func TestRetentionDropsOldRecords(t *testing.T) {
	ctx := deadline(t)
	b := start(t, Config{Dir: t.TempDir(), Topics: []Topic{{"a", 1}}, RetainFor: time.Millisecond, RetentionEvery: 10 * time.Millisecond})
	defer b.Close()
	cl := client(t, b.Addr())
	big := make([]byte, 512<<10)
	for range 2 * segmentBytes / len(big) {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "a", Value: big, Timestamp: time.Now().Add(-time.Hour)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	adm := kadm.NewClient(cl)
	for {
		starts, err := adm.ListStartOffsets(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		if o, _ := starts.Lookup("a", 0); o.Offset > 0 {
			return
		}
	}
}
