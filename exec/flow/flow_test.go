package flow

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

var oneBigint = types.Schema{{Name: "n", Type: types.BigIntT}}

// counter is a Reader of one split that returns 1, 2, 3, .. in small batches.
type counter struct {
	next, end int64
	perRead   int
	idle      bool // after end: idle instead of the end
}

func (c *counter) Assign([]exec.Split) error { return nil }

func (c *counter) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	if c.next > c.end {
		if !c.idle {
			return exec.ReadEnd, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		return exec.ReadIdle, nil
	}
	for i := 0; i < c.perRead && c.next <= c.end; i++ {
		vec.Append(&b.Cols[0], c.next)
		b.AddKind(vec.Insert)
		c.next++
	}
	return exec.ReadRows, nil
}

func (c *counter) Positions() ([]exec.Split, error) {
	return []exec.Split{{ID: "s", Position: []byte{byte(c.next)}}}, nil
}
func (c *counter) Ended(int) bool                      { return !c.idle && c.next > c.end }
func (c *counter) Committed(state.Epoch, []exec.Split) {}
func (c *counter) Lag() int64                          { return c.end - c.next + 1 }
func (c *counter) Close() error                        { return nil }

// recorder is an operator that remembers what it saw, as text.
type recorder struct {
	mu     sync.Mutex
	log    []string
	mark   exec.Watermark // the last one
	sum    int64
	rows   int
	sums   map[state.Epoch]int64
	fail   error
	panics bool
	closed int
	out    exec.Collector
}

func (r *recorder) Open(ctx *exec.Context) error {
	r.sums, r.out = map[state.Epoch]int64{}, ctx.Out
	return nil
}

func (r *recorder) Process(_ int, b *vec.Batch) error {
	if r.panics {
		panic("boom")
	}
	if r.fail != nil {
		return r.fail
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range b.Len() {
		r.sum += vec.Values[int64](&b.Cols[0])[b.Row(i)]
		r.rows++
	}
	return r.out.Emit(b)
}

func (r *recorder) Watermark(w exec.Watermark) (exec.Watermark, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mark = w
	if w == exec.MaxWatermark {
		r.log = append(r.log, "watermark max")
	}
	return w, nil
}

func (r *recorder) Barrier(e state.Epoch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sums[e] = r.sum
	return nil
}

func (r *recorder) Finish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, "finish")
	return nil
}

func (r *recorder) Close() error { r.closed++; return nil }

// watcher is an Events that lets a test wait.
type watcher struct {
	acks    chan Ack
	drained chan int
	failed  chan error
}

func newWatcher() *watcher {
	return &watcher{make(chan Ack, 100), make(chan int, 100), make(chan error, 100)}
}

func (w *watcher) Acked(a Ack)             { w.acks <- a }
func (w *watcher) Drained(task int)        { w.drained <- task }
func (w *watcher) Failed(_ int, err error) { w.failed <- err }

func opContext(uid string) *exec.Context {
	return &exec.Context{UID: uid, Log: slog.New(slog.DiscardHandler), Metrics: &exec.Metrics{}}
}

func sourceTask(subtask int, r exec.Reader, outs ...Edge) Task {
	return Task{Name: "source", Subtask: subtask, Source: &Source{
		Reader: r, Read: oneBigint, Name: "Source", Ctx: opContext("src"), Outs: outs,
		Transform: func(in *vec.Batch) (*vec.Batch, error) { return in, nil },
		EventTime: func(b *vec.Batch) (exec.Watermark, bool, error) {
			v := vec.Values[int64](&b.Cols[0])
			return v[len(v)-1], true, nil
		},
		Splits: []exec.Split{{ID: "s"}},
	}}
}

// byParity routes odd numbers to subtask 1.
func byParity() Route {
	return func(b *vec.Batch, dst []int32) ([]int32, error) {
		for i := range b.Len() {
			dst = append(dst, int32(vec.Values[int64](&b.Cols[0])[b.Row(i)]&1))
		}
		return dst, nil
	}
}

// start runs a graph in the bubble; stop ends it and waits.
func start(t *testing.T, ev Events, specs ...Task) (g *Graph, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	g, err := NewGraph(ctx, specs, Options{Clock: exec.SystemClock{}, Events: ev})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { g.Run(ctx); close(done) }()
	return g, func() { cancel(); <-done }
}

// twoByTwo is two sources of n rows, an exchange by parity, two recorders.
func twoByTwo(n int64, idle bool) ([]Task, [2]*recorder) {
	x := &Exchange{Schema: oneBigint, Producers: 2, Consumers: 2, NewRoute: byParity}
	recs := [2]*recorder{{}, {}}
	specs := []Task{
		sourceTask(0, &counter{next: 1, end: n, perRead: 7, idle: idle}, Edge{Exchange: x}),
		sourceTask(1, &counter{next: 1, end: n, perRead: 3, idle: idle}, Edge{Exchange: x}),
	}
	for i, r := range recs {
		specs = append(specs, Task{Name: "sum", Subtask: i, Inputs: []*Exchange{x}, Root: &Op{Operator: r, Name: "Sum", Ctx: opContext("sum")}})
	}
	return specs, recs
}

func TestRowsArriveOnceAndInputsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		specs, recs := twoByTwo(10_000, false)
		w := newWatcher()
		_, stop := start(t, w, specs...)
		for range specs {
			select {
			case <-w.drained:
			case err := <-w.failed:
				t.Fatal(err)
			}
		}
		stop()
		if got := recs[0].sum + recs[1].sum; got != 2*10_000*10_001/2 || recs[0].rows != 10_000 {
			t.Errorf("sum %d of %d and %d rows", got, recs[0].rows, recs[1].rows)
		}
		for _, r := range recs {
			if got := strings.Join(r.log, ", "); got != "watermark max, finish" || r.closed != 1 {
				t.Errorf("signals %q, closed %d times", got, r.closed)
			}
		}
	})
}

func TestABarrierCutsAllInputsAtTheSamePositions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 200 // positions fit a byte
		specs, recs := twoByTwo(n, true)
		w := newWatcher()
		g, stop := start(t, w, specs...)
		for e := state.Epoch(1); e <= 20; e++ {
			g.Barrier(Barrier{Epoch: e})
			var read int64
			for range specs {
				a := <-w.acks
				if a.Epoch != e {
					t.Fatalf("answer for epoch %d, want %d", a.Epoch, e)
				}
				for _, s := range a.Splits {
					p := int64(s.Position[0]) - 1
					read += p * (p + 1) / 2
				}
			}
			recs[0].mu.Lock()
			recs[1].mu.Lock()
			if got := recs[0].sums[e] + recs[1].sums[e]; got != read {
				t.Errorf("epoch %d: state holds %d, positions cover %d", e, got, read)
			}
			recs[0].mu.Unlock()
			recs[1].mu.Unlock()
		}
		stop()
	})
}

func TestBarriersStillPassAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		specs, _ := twoByTwo(5, false)
		w := newWatcher()
		g, stop := start(t, w, specs...)
		for range specs {
			<-w.drained
		}
		g.Barrier(Barrier{Epoch: 7})
		for range specs {
			if a := <-w.acks; a.Epoch != 7 {
				t.Errorf("epoch %d", a.Epoch)
			}
		}
		stop()
	})
}

func TestErrorsAndPanicsNameTheOperator(t *testing.T) {
	for _, c := range []struct {
		name string
		rec  *recorder
		want string
		cls  exec.Class
	}{
		{"error", &recorder{fail: exec.Userf("bad row")}, "Sum: bad row", exec.User},
		{"panic", &recorder{panics: true}, "internal error: boom", exec.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatcher()
				_, stop := start(t, w, sourceTask(0, &counter{next: 1, end: 10, perRead: 5},
					Edge{Op: &Op{Operator: c.rec, Name: "Sum", Ctx: opContext("sum")}}))
				err := <-w.failed
				stop()
				if !strings.Contains(err.Error(), c.want) || exec.ClassOf(err) != c.cls {
					t.Errorf("error %q class %d", err, exec.ClassOf(err))
				}
				if e, ok := errors.AsType[*exec.Error](err); c.name == "error" && (!ok || e.UID != "sum") {
					t.Errorf("no uid in %#v", err)
				}
			})
		})
	}
}

func TestWatermarksMergeTheSmallestActiveInput(t *testing.T) {
	w := newWatermarks(2)
	if _, adv, _ := w.merge(); adv {
		t.Error("advanced without input")
	}
	w.advance(0, 10)
	if got, adv, _ := w.merge(); adv {
		t.Errorf("advanced to %d while input 1 has none", got)
	}
	w.advance(1, 5)
	if got, adv, _ := w.merge(); !adv || got != 5 {
		t.Errorf("got %d %v, want 5", got, adv)
	}
	w.setIdle(1, true)
	if got, adv, _ := w.merge(); !adv || got != 10 {
		t.Errorf("idle input still counts: %d %v", got, adv)
	}
	w.advance(1, 7) // active again, behind: the merged watermark never goes back
	if got, adv, _ := w.merge(); adv || got != 10 {
		t.Errorf("went to %d %v", got, adv)
	}
	w.advance(0, exec.MaxWatermark) // the end of one input is not the end of time
	w.setIdle(1, true)
	if got, adv, idle := w.merge(); adv || !idle || got != 10 {
		t.Errorf("one ended, one idle: %d %v %v", got, adv, idle)
	}
	w.end(1)
	if _, _, idle := w.merge(); idle {
		t.Error("ended inputs are not idle")
	}
	w = newWatermarks(2)
	w.setIdle(0, true)
	w.setIdle(1, true)
	if _, _, idle := w.merge(); !idle {
		t.Error("all inputs are idle")
	}
}

func TestAFullQueueBlocksItsProducerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 2)
		for range 2 {
			if err := g.put(t.Context(), 0, elem{kind: elemBatch}, newUrgency()); err != nil {
				t.Fatal(err)
			}
		}
		blocked := make(chan error)
		go func() { blocked <- g.put(t.Context(), 0, elem{kind: elemBatch}, newUrgency()) }()
		synctest.Wait()
		if err := g.put(t.Context(), 1, elem{kind: elemBatch}, newUrgency()); err != nil {
			t.Fatal(err)
		}
		if err := g.put(t.Context(), 0, elem{kind: elemWatermark, time: 1}, newUrgency()); err != nil {
			t.Fatal(err) // signals never wait
		}
		select {
		case <-blocked:
			t.Fatal("a third batch went into a queue of two")
		default:
		}
		for range 2 {
			if _, _, ok, err := g.take(t.Context(), nil, exec.SystemClock{}, time.Second); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if err := <-blocked; err != nil {
			t.Fatal(err)
		}
	})
}

// feedGate runs one gate task with two inputs whose queues the test fills by hand.
func feedGate(t *testing.T, o Options, rec *recorder) (g *Graph, put func(q int, e elem), stop func()) {
	t.Helper()
	x := &Exchange{Schema: oneBigint, Producers: 2, Consumers: 1}
	o.Clock = exec.SystemClock{}
	ctx, cancel := context.WithCancel(t.Context())
	g, err := NewGraph(ctx, []Task{{Name: "sum", Inputs: []*Exchange{x}, Root: &Op{Operator: rec, Name: "Sum", Ctx: opContext("sum")}}}, o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { g.Run(ctx); close(done) }()
	return g, func(q int, e elem) {
		if err := x.gates[0].put(ctx, q, e, newUrgency()); err != nil {
			t.Fatal(err)
		}
	}, func() { cancel(); <-done }
}

func batchOf(n int64) elem {
	b := vec.NewBatch(oneBigint)
	vec.Append(&b.Cols[0], n)
	b.AddKind(vec.Insert)
	return elem{kind: elemBatch, batch: b, pool: &batchPool{}}
}

func TestASourceSubtaskWithoutSplitsHoldsBackNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		specs, recs := twoByTwo(100, true)
		specs[1].Source.Splits = nil // more subtasks than partitions
		specs[1].Source.Reader = &counter{next: 1, end: 0, idle: true}
		w := newWatcher()
		g, stop := start(t, w, specs...)
		synctest.Wait()
		time.Sleep(time.Second) // virtual
		recs[0].mu.Lock()
		if recs[0].mark != 100 {
			t.Errorf("watermark %d, want 100", recs[0].mark)
		}
		recs[0].mu.Unlock()
		// A split that is found later counts from then on.
		g.Assign(1, []exec.Split{{ID: "late"}})
		synctest.Wait()
		stop()
	})
}
