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
			if err := in.gates[0].put(t.Context(), 0, batchOf(1), newUrgency()); err != nil {
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

// unopened is an operator that does not open.
type unopened struct{ recorder }

func (*unopened) Open(*exec.Context) error { return exec.Userf("no") }

func TestAGraphThatDoesNotOpenClosesEverythingOnce(t *testing.T) {
	opens, bad, never := &recorder{}, &unopened{}, &recorder{}
	op := func(o exec.Operator, outs ...Edge) Edge {
		return Edge{Op: &Op{Operator: o, Name: "Sum", Ctx: opContext("sum"), Outs: outs}}
	}
	_, err := NewGraph(t.Context(), []Task{
		sourceTask(0, &counter{}, op(opens)),
		sourceTask(1, &counter{}, op(bad), op(never)),
	}, Options{Clock: exec.SystemClock{}, Events: newWatcher()})
	if e, ok := errors.AsType[*exec.Error](err); !ok || e.UID != "sum" || e.Class != exec.User {
		t.Errorf("error %#v", err)
	}
	if opens.closed != 1 || bad.closed != 1 || never.closed != 1 {
		t.Errorf("closed %d, %d and %d times", opens.closed, bad.closed, never.closed)
	}
}
