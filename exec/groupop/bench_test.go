//go:build unix

package groupop_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/groupop"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/badgerstate"
)

// counter is a consumer that only counts.
type counter struct{ rows int }

func (c *counter) Emit(b *vec.Batch) error {
	c.rows += b.Len()
	return nil
}

// q15 has the shape of Nexmark q15: every DISTINCT over one of two columns.
const q15 = `in day STRING NOT NULL, bidder BIGINT NOT NULL, auction BIGINT NOT NULL, r1 BOOLEAN NOT NULL, r2 BOOLEAN NOT NULL, r3 BOOLEAN NOT NULL
key day
agg COUNT(*)
agg COUNT(*) FILTER r1
agg COUNT(*) FILTER r2
agg COUNT(*) FILTER r3
agg COUNT(DISTINCT bidder)
agg COUNT(DISTINCT bidder) FILTER r1
agg COUNT(DISTINCT bidder) FILTER r2
agg COUNT(DISTINCT bidder) FILTER r3
agg COUNT(DISTINCT auction)
agg COUNT(DISTINCT auction) FILTER r1
agg COUNT(DISTINCT auction) FILTER r2
agg COUNT(DISTINCT auction) FILTER r3`

// q17 has the shape of Nexmark q17: per auction and day.
const q17 = `in auction BIGINT NOT NULL, day STRING NOT NULL, price BIGINT NOT NULL, r1 BOOLEAN NOT NULL, r2 BOOLEAN NOT NULL, r3 BOOLEAN NOT NULL
key auction
key day
agg COUNT(*)
agg COUNT(*) FILTER r1
agg COUNT(*) FILTER r2
agg COUNT(*) FILTER r3
agg MIN(price)
agg MAX(price)
agg AVG(price)
agg SUM(price)`

const countSum = `in k BIGINT NOT NULL, v BIGINT NOT NULL
key k
agg COUNT(*)
agg SUM(v)`

// batches makes rows: BIGINT columns called bidder, auction or k are below keys, others random.
func batches(in types.Schema, keys int64, n int) []*vec.Batch {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]*vec.Batch, n)
	for i := range out {
		b := vec.NewBatch(in)
		for range vec.MaxRows {
			for c := range in {
				switch {
				case in[c].Type.Kind == types.Boolean:
					b.Cols[c].AppendBool(r.IntN(3) == 0)
				case in[c].Type.IsString():
					b.Cols[c].AppendString("2024-05-01")
				case in[c].Name == "price" || in[c].Name == "v":
					vec.Append(&b.Cols[c], r.Int64N(1_000_000))
				default:
					vec.Append(&b.Cols[c], r.Int64N(keys))
				}
			}
			b.N++
		}
		out[i] = b
	}
	return out
}

// cpu is the processor time used so far, in nanoseconds: other processes do not count.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkGroup(b *testing.B) {
	for _, c := range []struct {
		name, text string
		keys       []int64
	}{
		{"count-sum", countSum, []int64{1_000, 100_000, 1_000_000}},
		{"q17", q17, []int64{1_000, 100_000}},
		{"q15", q15, []int64{100_000}},
	} {
		for _, keys := range c.keys {
			for _, mini := range []bool{false, true} {
				mode := "rows"
				if mini {
					mode = "mini-batch"
				}
				b.Run(fmt.Sprintf("%s/%d/%s", c.name, keys, mode), func(b *testing.B) {
					benchmark(b, c.text, keys, mini)
				})
			}
		}
	}
}

func benchmark(b *testing.B, text string, keys int64, mini bool) {
	cfg := groupop.Config{MiniBatch: mini, UpdateBefore: true}
	in, err := parse(&cfg, text)
	if err != nil {
		b.Fatal(err)
	}
	op, err := groupop.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	all := state.Range{Lo: 0, Hi: 128}
	store, err := badgerstate.Open(badgerstate.Options{Dir: b.TempDir(), Range: all, MaxParallelism: 128, MinFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	out := &counter{}
	err = op.Open(&exec.Context{
		UID: "uid", Parallelism: 1, MaxParallel: 128, Groups: all, Out: out, State: store, Clock: exec.SystemClock{},
		Log: slog.New(slog.DiscardHandler), Metrics: &exec.Metrics{},
	})
	if err != nil {
		b.Fatal(err)
	}
	bs := batches(in, keys, 512)
	for _, x := range bs { // all groups exist
		if err := op.Process(0, x); err != nil {
			b.Fatal(err)
		}
	}
	out.rows = 0
	i := 0
	start := cpu(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := op.Process(0, bs[i%len(bs)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(i)/vec.MaxRows, "cpu-ns/row")
	b.ReportMetric(float64(out.rows)/float64(i)/vec.MaxRows, "out/in")
}
