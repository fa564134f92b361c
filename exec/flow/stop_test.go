package flow

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// acksOf waits for the answers of n tasks and returns how many rows the positions cover.
func acksOf(t *testing.T, w *watcher, n int, e state.Epoch) (sum int64) {
	t.Helper()
	for range n {
		select {
		case a := <-w.acks:
			if a.Epoch != e {
				t.Errorf("answer for epoch %d, want %d", a.Epoch, e)
			}
			for _, s := range a.Splits {
				p := int64(s.Position[0]) - 1
				sum += p * (p + 1) / 2
			}
		case err := <-w.failed:
			t.Fatal(err)
		}
	}
	return sum
}

// ticker counts the calls of its timer, which is due every millisecond.
type ticker struct {
	recorder
	ctx   *exec.Context
	ticks int
}

func (o *ticker) Open(ctx *exec.Context) error {
	o.ctx = ctx
	ctx.WakeAt(0)
	return o.recorder.Open(ctx)
}

func (o *ticker) OnTimer(now int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ticks++
	o.ctx.WakeAt(now + 1)
	return nil
}

func (o *ticker) seen() (rows, ticks int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rows, o.ticks
}

func TestNothingHappensAfterABarrierThatSuspendsUntilTheTasksResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &Exchange{Schema: oneBigint, Producers: 1, Consumers: 1}
		last, w := &ticker{}, newWatcher()
		// One row a read, so that there is always more to come.
		slow := &paced{counter: counter{next: 1, end: 200, perRead: 1}}
		g, stop := start(t, w, sourceTask(0, slow, Edge{Exchange: x}),
			Task{Name: "sum", Inputs: []*Exchange{x}, Root: &Op{Operator: last, Name: "Sum", Ctx: opContext("sum")}})
		time.Sleep(50 * time.Millisecond) // virtual
		g.Barrier(Barrier{Epoch: 1, Stop: Suspend})
		covered := acksOf(t, w, 2, 1)
		rows, ticks := last.seen()
		if rows == 0 || ticks == 0 || last.sums[1] != covered {
			t.Errorf("%d rows and %d ticks before the barrier; state %d, positions %d", rows, ticks, last.sums[1], covered)
		}
		time.Sleep(time.Minute) // virtual
		if r, n := last.seen(); r != rows || n != ticks {
			t.Errorf("%d rows and %d ticks after the barrier", r-rows, n-ticks)
		}
		g.Resume()
		for range 2 {
			<-w.drained
		}
		if r, n := last.seen(); r != 200 || n == ticks {
			t.Errorf("%d rows of 200 in the end, %d ticks more", r, n-ticks)
		}
		stop()
	})
}

func TestABarrierThatDrainsComesAfterTheEndOfTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		specs, recs := twoByTwo(200, true)
		w := newWatcher()
		g, stop := start(t, w, specs...)
		g.Barrier(Barrier{Epoch: 1, Stop: Drain})
		covered := acksOf(t, w, len(specs), 1)
		if len(w.drained) != len(specs) {
			t.Errorf("%d of %d tasks are at their end", len(w.drained), len(specs))
		}
		for _, r := range recs {
			if len(r.log) != 2 || r.log[0] != "watermark max" || r.log[1] != "finish" {
				t.Errorf("signals %q", r.log)
			}
		}
		if got := recs[0].sums[1] + recs[1].sums[1]; got != covered {
			t.Errorf("state holds %d, positions cover %d", got, covered)
		}
		g.Barrier(Barrier{Epoch: 2, Stop: Drain}) // tried again
		if again := acksOf(t, w, len(specs), 2); again != covered || len(w.drained) != len(specs) {
			t.Errorf("positions moved from %d to %d, %d ends", covered, again, len(w.drained))
		}
		stop()
	})
}
