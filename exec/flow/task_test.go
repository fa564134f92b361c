package flow

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
)

// failing is a Reader whose reads fail.
type failing struct {
	counter
	err error
}

func (f *failing) Read(context.Context, time.Duration, *vec.Batch) (exec.ReadStatus, error) {
	return 0, f.err
}

// A client that gave up a request of its own says the same as one that was cancelled.
func TestACancellationThatNobodyAskedForIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatcher()
		_, stop := start(t, w, sourceTask(0, &failing{err: context.Canceled},
			Edge{Op: &Op{Operator: &recorder{}, Name: "Sum", Ctx: opContext("sum")}}))
		if err := <-w.failed; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		stop()
	})
}

func TestTheEndOfTheGraphIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		specs, _ := twoByTwo(100, true)
		w := newWatcher()
		_, stop := start(t, w, specs...)
		synctest.Wait()
		stop()
		select {
		case err := <-w.failed:
			t.Error(err)
		default:
		}
	})
}

// Between two tasks a row waits at most linger in a batch that is not full, also when so much
// comes in that the task is never idle.
func TestRowsDoNotWaitForAQuietMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &Exchange{Schema: oneBigint, Producers: 1, Consumers: 1}
		between := &Exchange{Schema: oneBigint, Producers: 1, Consumers: 1}
		last, w := &recorder{}, newWatcher()
		_, stop := start(t, w,
			Task{Name: "pass", Inputs: []*Exchange{in}, Root: &Op{Operator: &recorder{}, Name: "Pass", Ctx: opContext("pass"), Outs: []Edge{{Exchange: between}}}},
			Task{Name: "sum", Inputs: []*Exchange{between}, Root: &Op{Operator: last, Name: "Sum", Ctx: opContext("sum")}})
		for i := range 100 {
			if err := in.gates[0].put(t.Context(), 0, batchOf(1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond) // virtual; less than linger
			synctest.Wait()
			last.mu.Lock()
			if waiting := i + 1 - last.rows; waiting > int(linger/time.Millisecond) {
				t.Errorf("%d rows wait after %d ms", waiting, i+1)
				last.mu.Unlock()
				break
			}
			last.mu.Unlock()
		}
		stop()
	})
}
