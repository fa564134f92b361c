package flow

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
)

// blocks is a Reader that returns the same rows over and over.
type blocks struct {
	counter
	batch *vec.Batch
	left  int
}

func (r *blocks) Read(_ context.Context, _ time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	if r.left == 0 {
		return exec.ReadEnd, nil
	}
	r.left--
	b.N = r.batch.N
	b.Cols[0].Resize(b.N)
	copy(b.Cols[0].Data, r.batch.Cols[0].Data)
	return exec.ReadRows, nil
}

// nothing is an operator that looks at every row.
type nothing struct {
	recorder
	n int64
}

func (o *nothing) Process(_ int, b *vec.Batch) error {
	v := vec.Values[int64](&b.Cols[0])
	for i := range b.Len() {
		o.n += v[b.Row(i)]
	}
	return nil
}

// BenchmarkExchange moves rows from two sources through a hash exchange to two operators; an
// operation is a batch that is read.
func BenchmarkExchange(b *testing.B) {
	for _, rows := range []int{vec.MaxRows, 100} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) { benchExchange(b, rows, Options{}) })
	}
}

func benchExchange(b *testing.B, rows int, o Options) {
	batch := vec.NewBatch(oneBigint)
	for i := range rows {
		vec.Append(&batch.Cols[0], int64(i))
	}
	batch.N = rows
	x := &Exchange{Schema: oneBigint, Producers: 2, Consumers: 2, NewRoute: byParity}
	specs := []Task{}
	for sub := range 2 {
		s := sourceTask(sub, &blocks{batch: batch, left: b.N / 2}, Edge{Exchange: x})
		s.Source.EventTime = nil
		specs = append(specs, s)
	}
	for sub := range 2 {
		specs = append(specs, Task{Name: "sum", Subtask: sub, Inputs: []*Exchange{x}, Root: &Op{Operator: &nothing{}, Name: "Sum", Ctx: opContext("sum")}})
	}
	w := newWatcher()
	o.Clock, o.Events = exec.SystemClock{}, w
	ctx, cancel := context.WithCancel(b.Context())
	g, err := NewGraph(ctx, specs, o)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	b.ResetTimer()
	go func() { g.Run(ctx); close(done) }()
	for range specs {
		select {
		case <-w.drained:
		case err := <-w.failed:
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	cancel()
	<-done
}

// BenchmarkExchangeUnaligned is the same where barriers may overtake: the operators' calls are
// timed.
func BenchmarkExchangeUnaligned(b *testing.B) {
	for _, rows := range []int{vec.MaxRows, 100} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) { benchExchange(b, rows, Options{Unaligned: true}) })
	}
}
