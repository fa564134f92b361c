package flow

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// oneOfTwo is a reader whose rows all come from the second of two splits.
type oneOfTwo struct{ counter }

func (r *oneOfTwo) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	status, err := r.counter.Read(ctx, wait, b)
	b.Split = 1
	return status, err
}

// paced is a reader of one batch a millisecond.
type paced struct{ counter }

func (r *paced) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	time.Sleep(time.Millisecond) // virtual
	return r.counter.Read(ctx, wait, b)
}

// shy is a reader that gives nothing to those who do not wait.
type shy struct{ counter }

func (r *shy) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	if ctx.Err() != nil {
		b.Reset()
		return exec.ReadIdle, ctx.Err()
	}
	return r.counter.Read(ctx, wait, b)
}

// With several checkpoints under way there may always be one barrier more: a sink that waits in
// its barrier for the decision about the one before leaves no time in between.
func TestRowsAreReadBetweenBarriersHoweverFastTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, w := &recorder{}, newWatcher()
		g, stop := start(t, w, sourceTask(0, &shy{counter{next: 1, end: 1 << 40, perRead: 1}}, Edge{Op: &Op{Operator: rec, Name: "Sum", Ctx: opContext("sum")}}))
		g.tasks[0].mail.mu.Lock() // all at once
		for e := range state.Epoch(50) {
			g.tasks[0].mail.list = append(g.tasks[0].mail.list, command{barrier: Barrier{Epoch: e + 1}})
		}
		g.tasks[0].mail.mu.Unlock()
		for range 50 {
			<-w.acks
		}
		stop()
		for e := state.Epoch(2); e <= 50; e++ {
			if rec.sums[e] == rec.sums[e-1] {
				t.Errorf("nothing was read between barriers %d and %d", e-1, e)
			}
		}
	})
}

// tide remembers the newest watermark.
type tide struct {
	recorder
	at exec.Watermark
}

func (o *tide) Watermark(w exec.Watermark) (exec.Watermark, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = w
	return w, nil
}

// A topic is filled and then nothing comes: the split without rows fell silent first, so the
// other one moves the watermark, though one look at the clock finds both of them silent.
func TestTheLastSplitToFallSilentMovesTheWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := &tide{}
		source := sourceTask(0, &oneOfTwo{counter{next: 1, end: 3, perRead: 3, idle: true}},
			Edge{Op: &Op{Operator: last, Name: "Sum", Ctx: opContext("sum")}})
		source.Source.Splits = []exec.Split{{ID: "empty"}, {ID: "full"}}
		source.Source.IdleTimeout = time.Second
		_, stop := start(t, newWatcher(), source)
		time.Sleep(900 * time.Millisecond) // virtual
		synctest.Wait()
		last.mu.Lock()
		if last.at != 0 {
			t.Errorf("watermark %d while both splits count", last.at)
		}
		last.mu.Unlock()
		time.Sleep(2 * time.Second) // virtual
		synctest.Wait()
		stop()
		if last.at != 3 {
			t.Errorf("watermark %d after both splits fell silent, want 3", last.at)
		}
	})
}
