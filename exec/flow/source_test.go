package flow

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
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
