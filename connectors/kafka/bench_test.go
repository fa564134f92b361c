package kafka

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// The benchmarks need a broker in another process (KAFKA_BROKERS), so that its CPU stays out
// of the figures. They report ns of CPU of this process per record of 331 bytes.

const benchRecords = 400_000

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchValue() string { return strings.Repeat("nexmark-bid ", 28)[:331] }

// ownGC is the engine's GC policy: a target well above the live heap.
func ownGC(b *testing.B) {
	old := debug.SetGCPercent(400)
	b.Cleanup(func() { debug.SetGCPercent(old) })
}

func fill(b *testing.B, br *broker, topic string, codec kgo.CompressionCodec) {
	b.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(br.addrs, ",")...), kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	p := kgo.AbortingFirstErrPromise(cl)
	for i := range benchRecords {
		cl.Produce(b.Context(), &kgo.Record{Value: fmt.Appendf(nil, "%09d%s", i, benchValue()[9:])}, p.Promise())
	}
	if err := cl.Flush(b.Context()); err != nil || p.Err() != nil {
		b.Fatal(err, p.Err())
	}
}

func BenchmarkSource(b *testing.B) {
	for name, codec := range map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "snappy": kgo.SnappyCompression()} {
		b.Run(name, func(b *testing.B) {
			ownGC(b)
			br := realBroker(b)
			topic := br.topic("bench", 4)
			fill(b, br, topic, codec)
			var spent time.Duration
			for b.Loop() {
				s := newJob(b, "bench").openScan(b, br.table(topic, "scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset"))
				before := cpu()
				n := 0
				for {
					st, err := s.r.Read(b.Context(), time.Second, s.batch)
					if err != nil {
						b.Fatal(err)
					}
					n += s.batch.Len()
					if st == exec.ReadEnd {
						break
					}
				}
				spent += cpu() - before
				if n != benchRecords {
					b.Fatalf("%d records", n)
				}
				_ = s.r.Close()
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*benchRecords), "cpu-ns/record")
		})
	}
}

func BenchmarkSink(b *testing.B) {
	for _, codec := range []string{"none", "snappy", "lz4"} {
		for _, guarantee := range []string{atLeastOnce, exactlyOnce} {
			b.Run(codec+"/"+guarantee, func(b *testing.B) {
				ownGC(b)
				br := realBroker(b)
				topic := br.topic("bench", 4)
				j := newJob(b, br.name("bench"))
				j.env.FailPoint, j.env.Log = nil, slog.New(slog.DiscardHandler)
				o := j.openSink(b, br.table(topic, "sink.delivery-guarantee", guarantee, "properties.compression.type", codec))
				if o.c != nil {
					o.start(0, nil)
				} else {
					o.open()
				}
				batch := vec.NewBatch(types.Schema{{Name: "v", Type: types.StringT}})
				for i := range vec.MaxRows {
					batch.Cols[0].AppendString(fmt.Sprintf("%09d%s", i, benchValue()[9:]))
					batch.N++
				}
				var spent time.Duration
				n, e := 0, state.Epoch(0)
				for b.Loop() {
					before := cpu()
					for range benchRecords / vec.MaxRows {
						if err := o.w.Write(b.Context(), batch); err != nil {
							b.Fatal(err)
						}
						n += vec.MaxRows
					}
					e++
					if o.c == nil {
						o.barrier(e)
					} else {
						o.epoch(e)
					}
					spent += cpu() - before
				}
				b.ReportMetric(float64(spent.Nanoseconds())/float64(n), "cpu-ns/record")
			})
		}
	}
}
