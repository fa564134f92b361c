//go:build unix

package windowop_test

import (
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/exec/windowop"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/badgerstate"
)

type counter struct{ rows int }

func (c *counter) Emit(b *vec.Batch) error {
	c.rows += b.Len()
	return nil
}

// BenchmarkWindow has 10,000 rows a second of event time, half of them of 100 keys, the rest
// of 20,000.
func BenchmarkWindow(b *testing.B) {
	for _, c := range []struct {
		name        string
		size, slide time.Duration
		aggs        []string
	}{
		{"tumble-10s/count-sum", 10 * time.Second, 0, []string{"COUNT(*)", "SUM(v)"}},
		{"hop-10s-2s/count", 10 * time.Second, 2 * time.Second, []string{"COUNT(*)"}},
		{"tumble-10s/count-distinct", 10 * time.Second, 0, []string{"COUNT(DISTINCT v)"}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, c.size, c.slide, c.aggs) })
	}
}

func benchmark(b *testing.B, size, slide time.Duration, aggs []string) {
	in, err := optest.ParseSchema("k BIGINT NOT NULL, v BIGINT NOT NULL, ts TIMESTAMP NOT NULL")
	if err != nil {
		b.Fatal(err)
	}
	cfg := windowop.Config{
		Window: windowop.Window{Size: size, Slide: slide, Time: 2}, Keys: []int{0}, In: in, Out: types.Schema{in[0]},
		Props: []windowop.Prop{windowop.Start},
	}
	for _, text := range aggs {
		a, _, err := optest.ParseAggregate(in, text, true)
		if err != nil {
			b.Fatal(err)
		}
		cfg.Aggs, cfg.Out = append(cfg.Aggs, a), append(cfg.Out, types.Field{Name: text, Type: a.Typ})
	}
	cfg.Out = append(cfg.Out, types.Field{Name: "start", Type: types.TimestampT(3)})
	op, err := windowop.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	all := state.Range{Lo: 0, Hi: 128}
	store, err := badgerstate.Open(badgerstate.Options{Dir: b.TempDir(), Range: all, MaxParallelism: 128, MinFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	err = op.Open(&exec.Context{
		UID: "uid", Parallelism: 1, MaxParallel: 128, Groups: all, Out: &counter{}, State: store, Clock: exec.SystemClock{},
		Log: slog.New(slog.DiscardHandler), Metrics: &exec.Metrics{},
	})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	batch := vec.NewBatch(in)
	for range vec.MaxRows {
		k := r.Int64N(100)
		if r.IntN(2) == 0 {
			k = r.Int64N(20_000)
		}
		vec.Append(&batch.Cols[0], k)
		vec.Append(&batch.Cols[1], r.Int64N(1000))
		vec.Append(&batch.Cols[2], int64(0))
		batch.N++
	}
	ts := vec.Values[int64](&batch.Cols[2])
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	n := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range ts {
			ts[i] = n / 10
			n++
		}
		if err := op.Process(0, batch); err != nil {
			b.Fatal(err)
		}
		if _, err := op.Watermark(n/10 - 1000); err != nil {
			b.Fatal(err)
		}
		if err := store.Trim(); err != nil {
			b.Fatal(err)
		}
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(used)/float64(n), "cpu-ns/row")
}
