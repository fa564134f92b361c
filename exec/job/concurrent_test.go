package job

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

var twoEverySecond = checkpointing{Interval: time.Second, Timeout: 10 * time.Second, Concurrent: 2}

func TestABarrierDoesNotWaitForTheCheckpointBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, twoEverySecond)
		b.answers = func(int, state.Epoch) bool { return false }
		_ = b.run(func(context.Context, chan request) {
			elapse(4 * time.Second)
			b.want("barrier 1", "barrier 2") // and no third
			if s := b.c.stat.get(); s.InProgress != 1 {
				t.Errorf("%+v", s)
			}
			b.answers = nil
			b.answer()
			elapse(time.Millisecond)
			// The third begins as soon as there is space; each is committed before the next
			// manifest.
			b.want("prepare 1 ok", "publish 1 [t0-e1 t1-e1] ok", "durable 1", "decided 1 true", "commit 1 ok", "settled 1",
				"barrier 3", "prepare 2 ok", "publish 2 [t0-e2 t1-e2] ok", "durable 2", "decided 2 true", "commit 2 ok", "settled 2",
				"prepare 3 ok", "publish 3 [t0-e3 t1-e3] ok", "durable 3", "decided 3 true", "commit 3 ok", "settled 3")
		})
	})
}

func TestALaterCheckpointWaitsForTheCommitOfTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, twoEverySecond)
		b.commit = func(_ context.Context, e state.Epoch) error {
			if e == 1 {
				time.Sleep(3 * time.Second) // virtual
			}
			return nil
		}
		_ = b.run(func(context.Context, chan request) {
			elapse(3 * time.Second)
			b.want("barrier 1", "prepare 1 ok", "publish 1 [t0-e1 t1-e1] ok", "durable 1", "decided 1 true", "barrier 2")
			elapse(time.Second)
			b.want("commit 1 ok", "settled 1", "barrier 3", "prepare 2 ok", "publish 2 [t0-e2 t1-e2] ok", "durable 2", "decided 2 true", "commit 2 ok", "settled 2",
				"prepare 3 ok", "publish 3 [t0-e3 t1-e3] ok", "durable 3", "decided 3 true", "commit 3 ok", "settled 3")
		})
	})
}

func TestWhatAFailedCheckpointSealedGoesIntoTheOneUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(b *bench)
		want []string
	}{
		"its state cannot be written": {
			func(b *bench) {
				calls := 0
				b.writeState = func(e state.Epoch) error {
					if calls++; calls == 2 {
						return errors.New("disk full")
					}
					return nil
				}
			},
			// One file of epoch 1 was written; it is listed, the other is written again.
			[]string{"decided 1 false", "prepare 2 ok", "publish 2 [t0-e1 t0-e2 t1-e1 t1-e2] ok"},
		},
		"its manifest cannot be written": {
			func(b *bench) {
				b.publish = func(e state.Epoch) error {
					if e == 1 {
						return errors.New("no space left")
					}
					return nil
				}
			},
			[]string{"prepare 1 ok", "publish 1 [t0-e1 t1-e1] failed", "decided 1 false", "prepare 2 ok", "publish 2 [t0-e1 t1-e1 t0-e2 t1-e2] ok"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := twoEverySecond
				cfg.Tolerable = 1
				b := newBench(t, cfg)
				c.fail(b)
				b.answers = func(int, state.Epoch) bool { return false }
				_ = b.run(func(context.Context, chan request) {
					elapse(2 * time.Second)
					b.want("barrier 1", "barrier 2")
					b.answer()
					var got []string
					b.mu.Lock()
					for _, l := range b.log {
						if len(got) < len(c.want) && l != "barrier 3" {
							got = append(got, l)
						}
					}
					b.log = got
					b.mu.Unlock()
					b.want(c.want...)
					b.answer()
					b.log = nil
				})
				if s := b.c.stat.get(); s.Failed != 1 || s.Completed < 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestBothCheckpointsUnderWayExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := twoEverySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		b.answers = func(int, state.Epoch) bool { return false }
		err := b.run(func(context.Context, chan request) {
			elapse(time.Minute)
			b.want("barrier 1", "barrier 2")
			b.answer()
			b.want("decided 1 false", "decided 2 false")
		})
		wantError(t, err, "2 checkpoints failed in a row")
	})
}

func TestASuccessEndsARowOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		b.publish = func(e state.Epoch) error {
			if e%2 == 1 {
				return errors.New("now and then")
			}
			return nil
		}
		err := b.run(func(context.Context, chan request) { elapse(21 * time.Second) })
		if s := b.c.stat.get(); !errors.Is(err, ErrCancelled) || s.Failed != 11 || s.Completed != 10 {
			t.Errorf("%v, %+v", err, s)
		}
	})
}

func TestAStopWaitsUntilNothingElseIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, twoEverySecond)
		b.answers = func(_ int, e state.Epoch) bool { return e > 1 }
		err := b.run(func(_ context.Context, demand chan request) {
			elapse(time.Second)
			done := ask(demand, request{stop: flow.Suspend})
			elapse(5 * time.Second)
			b.want("barrier 1")
			b.answer()
			if a := <-done; a.err != nil || a.epoch != 2 {
				t.Error(a)
			}
			synctest.Wait()
			b.want(append(b.whole(1, "t0-e1 t1-e1")[1:], with("barrier 2 suspend", b.whole(2, "t0-e2 t1-e2"))...)...)
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// overtaking are tasks with rows in flight when barriers overtake.
func (b *bench) overtaking(t *testing.T) *checkpoint.Dir {
	d, err := checkpoint.OpenDir(t.TempDir(), localID, checkpoint.DirOptions{Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	b.c.files = d
	b.inFlight = []flow.InFlight{{UID: "agg", Subtask: 1, Parallelism: 2, Rows: 3, Data: []byte("rows")}}
	return d
}

func names(t *testing.T, d *checkpoint.Dir) int {
	list, err := d.Names()
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestBarriersOvertakeWhenTheyHaveWaitedLongEnough(t *testing.T) {
	for _, c := range []struct {
		timeout time.Duration
		aligned bool
		want    []string
	}{
		{0, false, []string{"barrier 1", "overtake 1"}},
		{3 * time.Second, false, []string{"barrier 1", "overtake 1"}},
		{10 * time.Second, false, []string{"barrier 1"}},
		{0, true, []string{"barrier 1"}}, // a savepoint
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, checkpointing{Timeout: time.Minute, Unaligned: true, AlignedTimeout: c.timeout})
			b.answers = func(int, state.Epoch) bool { return false }
			_ = b.run(func(_ context.Context, demand chan request) {
				ask(demand, request{aligned: c.aligned})
				if c.timeout > 0 {
					b.want("barrier 1")
					c.want = c.want[1:]
				}
				elapse(5 * time.Second)
				b.want(c.want...)
				b.answer()
				b.log = nil
			})
		})
	}
}

func TestAStoppedJobHasNothingInFlight(t *testing.T) {
	for _, stop := range []flow.Stop{flow.Suspend, flow.Drain} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, checkpointing{Timeout: time.Minute, Unaligned: true})
			_ = b.run(func(_ context.Context, demand chan request) {
				<-ask(demand, request{stop: stop})
				for _, l := range b.log {
					if l == "overtake 1" {
						t.Error(b.log)
					}
				}
				b.log = nil
			})
		})
	}
}

func TestRowsInFlightGoWithTheirCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, checkpointing{Timeout: time.Minute, Unaligned: true, Tolerable: 5})
		d := b.overtaking(t)
		defer d.Close()
		var published []checkpoint.Channel
		publish := b.c.publish
		b.c.publish = func(ctx context.Context, s *snapshot) error {
			published = s.Channels
			return publish(ctx, s)
		}
		b.publish = func(e state.Epoch) error {
			if n := names(t, d); n != 2 { // one of each task
				t.Errorf("%d files when checkpoint %d is published", n, e)
			}
			if e == 1 {
				return errors.New("no space left")
			}
			return nil
		}
		_ = b.run(func(_ context.Context, demand chan request) {
			if a := <-ask(demand, request{}); a.err == nil {
				t.Error("no error")
			}
			if n := names(t, d); n != 0 {
				t.Errorf("%d files of a checkpoint that failed", n)
			}
			if a := <-ask(demand, request{}); a.err != nil {
				t.Error(a.err)
			}
			if len(published) != 2 || names(t, d) != 2 {
				t.Fatalf("%d files, published %+v", names(t, d), published)
			}
			if c := published[0]; c.UID != "agg" || c.Subtask != 1 || c.Parallelism != 2 || c.Rows != 3 {
				t.Errorf("%+v", c)
			}
			if data, err := checkpoint.ReadChannel(d, published[0]); err != nil || string(data) != "rows" {
				t.Errorf("%q, %v", data, err)
			}
		})
		if s := b.c.stat.get(); s.LastInFlight != 6 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAManifestThatMayBeThereKeepsItsRowsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, checkpointing{Timeout: time.Minute, Unaligned: true})
		d := b.overtaking(t)
		defer d.Close()
		b.publish = func(state.Epoch) error { return checkpoint.ErrUndecided }
		err := b.run(func(_ context.Context, demand chan request) { <-ask(demand, request{}) })
		if !errors.Is(err, checkpoint.ErrUndecided) || !exec.Retryable(err) || names(t, d) != 2 {
			t.Errorf("%v, %d files", err, names(t, d))
		}
	})
}
