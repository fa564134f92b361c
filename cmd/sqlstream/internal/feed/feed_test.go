package feed

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/topics"
)

func number(dst []byte, s int64) []byte { return strconv.AppendInt(dst, s, 10) }

// A run that was cut short leaves partitions of different lengths; the next run fills them
// up, in order and without repeating one.
func TestTopicGoesOnWhereItStopped(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	addr := fake.ListenAddrs()[0]
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for _, s := range []int64{0, 1, 2, 3, 6} { // partition 0 is ahead, 1 and 2 are behind
		if err := cl.ProduceSync(ctx, &kgo.Record{Partition: int32(s % 3), Value: number(nil, s)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	props := map[string]string{"bootstrap.servers": addr}
	for _, want := range []struct{ events, found, written int64 }{{1000, 5, 995}, {1000, 1000, 0}, {1001, 1000, 1}} {
		p := &Progress{}
		if err := Topic(ctx, Config{Events: want.events, Make: number}, "t", props, log, p); err != nil {
			t.Fatal(err)
		}
		if p.Found.Load() != want.found || p.Written.Load() != want.written {
			t.Errorf("%d events: found %d, wrote %d; want %d, %d", want.events, p.Found.Load(), p.Written.Load(), want.found, want.written)
		}
	}
	c, err := topics.Dial(ctx, props, log)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out bytes.Buffer
	if _, err := c.Consume(ctx, topics.Consume{Topic: "t", UntilEnd: true}, &out); err != nil {
		t.Fatal(err)
	}
	last := []int64{-3, -2, -1}
	var all []int64
	for _, line := range strings.Fields(out.String()) {
		s, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if s != last[s%3]+3 {
			t.Fatalf("event %d follows %d in partition %d", s, last[s%3], s%3)
		}
		last[s%3] = s
		all = append(all, s)
	}
	slices.Sort(all)
	if len(all) != 1001 || all[1000] != 1000 {
		t.Errorf("%d events, the last %v", len(all), all[len(all)-1])
	}
}

func TestFileGoesOnWhereItStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	if err := os.WriteFile(path, []byte("0\n1\n2"), 0o600); err != nil { // the last line is cut
		t.Fatal(err)
	}
	p := &Progress{}
	if err := File(t.Context(), Config{Events: 5, Make: func(dst []byte, s int64) []byte { return number(dst, s*1) }}, path, p); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "0\n1\n2\n3\n4\n" || p.Found.Load() != 2 || p.Written.Load() != 3 {
		t.Errorf("%q, %v; found %d, wrote %d", b, err, p.Found.Load(), p.Written.Load())
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		start := time.Now()
		if err := Writer(t.Context(), Config{Events: 5000, Rate: 1000, Make: number}, 0, &out, &Progress{}); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d < 4900*time.Millisecond || d > 5*time.Second {
			t.Errorf("5,000 events at 1,000 a second took %v", d)
		}
	})
}

func TestWithoutEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &Progress{}
	err := Writer(ctx, Config{Make: func(dst []byte, s int64) []byte {
		if s == 3000 {
			cancel()
		}
		return number(dst, s)
	}}, 0, &bytes.Buffer{}, p)
	if !errors.Is(err, context.Canceled) || p.Written.Load() < 3000 {
		t.Errorf("%v after %d events", err, p.Written.Load())
	}
}
