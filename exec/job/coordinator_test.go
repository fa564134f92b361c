package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

// bench runs a coordinator between tasks, a committer and a storage that do what a test says,
// in virtual time, and remembers in which order things happened.
type bench struct {
	t *testing.T
	c *coordinator

	mu       sync.Mutex
	log      []string
	held     []flow.Ack // of tasks that do not answer yet
	released int
	sealed   int
	inFlight []flow.InFlight // of each task in each epoch

	// What a test changes. Each is called with the epoch.
	answers    func(task int, e state.Epoch) bool // nil: all answer at once
	prepare    func(ctx context.Context, e state.Epoch) error
	publish    func(e state.Epoch) error
	commit     func(ctx context.Context, e state.Epoch) error
	writeState func(e state.Epoch) error
}

func newBench(t *testing.T, cfg checkpointing) *bench {
	b := &bench{t: t}
	var epoch state.Epoch
	b.c = &coordinator{
		cfg: cfg, clock: exec.SystemClock{}, log: slog.New(slog.DiscardHandler), tasks: b, committers: []exec.Committer{b},
		failPoint: func(string) {}, stat: &checkpointStatus{}, inbox: newInbox(), lastly: true,
		next: func() state.Epoch { epoch++; return epoch },
		publish: func(_ context.Context, s *snapshot) error {
			var err error
			if b.publish != nil {
				err = b.publish(s.Epoch)
			}
			names := make([]string, len(s.Files))
			for i, f := range s.Files {
				names[i] = f.Name
			}
			b.note("publish %d [%s] %s", s.Epoch, strings.Join(names, " "), failed(err))
			return err
		},
		settled: func(_ context.Context, s *snapshot) error { b.note("settled %d", s.Epoch); return nil },
	}
	return b
}

func failed(err error) string {
	if err != nil {
		return "failed"
	}
	return "ok"
}

func (b *bench) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// want compares what happened since the last call.
func (b *bench) want(lines ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.log, lines) {
		b.t.Errorf("got\n  %s\nwant\n  %s", strings.Join(b.log, "\n  "), strings.Join(lines, "\n  "))
	}
	b.log = nil
}

// The tasks: two, each with keyed state.

func (b *bench) Tasks() int { return 2 }

func (b *bench) Resume()                { b.note("resume") }
func (b *bench) Overtake(e state.Epoch) { b.note("overtake %d", e) }

func (b *bench) Barrier(bar flow.Barrier) {
	e := bar.Epoch
	b.note("barrier %d%s", e, [...]string{"", " suspend", " drain"}[bar.Stop])
	for i := range b.Tasks() {
		b.mu.Lock()
		b.sealed++
		b.mu.Unlock()
		a := flow.Ack{Task: i, Epoch: e, Sealed: &sealed{b: b, name: fmt.Sprintf("t%d-e%d", i, e), epoch: e}, InFlight: b.inFlight}
		if b.answers == nil || b.answers(i, e) {
			b.c.inbox.Acked(a)
		} else {
			b.mu.Lock()
			b.held = append(b.held, a)
			b.mu.Unlock()
		}
	}
}

// answer lets the tasks answer that did not yet.
func (b *bench) answer() {
	b.mu.Lock()
	held := b.held
	b.held = nil
	b.mu.Unlock()
	for _, a := range held {
		b.c.inbox.Acked(a)
	}
	synctest.Wait()
}

func (b *bench) Durable(e state.Epoch)                          { b.note("durable %d", e) }
func (b *bench) Committed(t int, e state.Epoch, _ []exec.Split) { b.note("committed %d to %d", e, t) }
func (b *bench) Assign(int, []exec.Split)                       {}

type sealed struct {
	b     *bench
	name  string
	epoch state.Epoch
}

func (s *sealed) Write(state.Files) ([]state.File, error) {
	if s.b.writeState != nil {
		if err := s.b.writeState(s.epoch); err != nil {
			return nil, err
		}
	}
	return []state.File{{Name: s.name}}, nil
}
func (s *sealed) Merge() error { return errors.New("not used") }
func (s *sealed) Release() {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.released++
}

// The committer.

func (b *bench) Name() string { return "kafka" }
func (b *bench) Adopt(context.Context, state.Epoch, exec.Token) (exec.Recovery, error) {
	return exec.Recovery{}, nil
}
func (b *bench) Recover(context.Context, state.Epoch, exec.Token) (exec.Recovery, error) {
	return exec.Recovery{}, nil
}
func (b *bench) Begin(context.Context) error { return nil }
func (b *bench) Close() error                { return nil }

func (b *bench) Prepare(ctx context.Context, e state.Epoch) (exec.Token, error) {
	var err error
	if b.prepare != nil {
		err = b.prepare(ctx, e)
	}
	b.note("prepare %d %s", e, failed(err))
	return exec.Token("token"), err
}

func (b *bench) Decided(e state.Epoch, ok bool) error {
	b.note("decided %d %v", e, ok)
	return nil
}

func (b *bench) Commit(ctx context.Context, e state.Epoch, _ exec.Token) error {
	var err error
	if b.commit != nil {
		err = b.commit(ctx, e)
	}
	b.note("commit %d %s", e, failed(err))
	return err
}

// run runs f while the coordinator runs, then cancels it, and returns what run returned.
func (b *bench) run(f func(ctx context.Context, demand chan request)) error {
	ctx, cancel := context.WithCancelCause(b.t.Context())
	demand, done := make(chan request), make(chan error, 1)
	go func() { done <- b.c.run(ctx, demand) }()
	synctest.Wait()
	f(ctx, demand)
	cancel(ErrCancelled)
	err := <-done
	if b.released != b.sealed-len(b.held) {
		b.t.Errorf("%d changes were sealed, %d not yet answered, %d released", b.sealed, len(b.held), b.released)
	}
	if b.c.stat.get().InProgress != 0 {
		b.t.Error("a checkpoint is shown in progress after the end")
	}
	return err
}

func (b *bench) whole(e state.Epoch, files string) []string {
	return []string{
		fmt.Sprintf("barrier %d", e), fmt.Sprintf("prepare %d ok", e), fmt.Sprintf("publish %d [%s] ok", e, files), fmt.Sprintf("durable %d", e),
		fmt.Sprintf("decided %d true", e), fmt.Sprintf("commit %d ok", e), fmt.Sprintf("settled %d", e),
	}
}

func elapse(d time.Duration) {
	time.Sleep(d) // virtual
	synctest.Wait()
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want one with %q", err, text)
	}
}

var everySecond = checkpointing{Interval: time.Second, Timeout: 10 * time.Second}

func TestACheckpointGoesThroughItsStepsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		err := b.run(func(context.Context, chan request) {
			elapse(time.Second)
			b.want(b.whole(1, "t0-e1 t1-e1")...)
			elapse(time.Second)
			b.want(b.whole(2, "t0-e2 t1-e2")...)
		})
		if !errors.Is(err, ErrCancelled) {
			t.Error(err)
		}
		if s := b.c.stat.get(); s.Completed != 2 || s.LastID != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAnExpiredCheckpointIsGivenUpWhenAllHaveAnsweredAndItsStateIsCarriedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		b.answers = func(task int, e state.Epoch) bool { return task == 0 || e > 1 }
		_ = b.run(func(context.Context, chan request) {
			elapse(time.Minute)
			// Writers that have not seen the barrier go on in the transaction: nothing may be
			// said about it before.
			b.want("barrier 1")
			if s := b.c.stat.get(); s.Failed != 1 || !strings.Contains(s.LastError, "1 of 2 tasks answered within execution.checkpointing.timeout = 10s") {
				t.Errorf("%+v", s)
			}
			b.answer() // the next one is long due
			b.want(append([]string{"decided 1 false"}, b.whole(2, "t0-e1 t0-e2 t1-e1 t1-e2")...)...)
			elapse(time.Second)
			b.want(b.whole(3, "t0-e3 t1-e3")...)
		})
	})
}

func TestStateThatWasWrittenForAFailedCheckpointIsListedByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		b.publish = func(e state.Epoch) error {
			if e == 1 {
				return errors.New("no space left")
			}
			return nil
		}
		_ = b.run(func(context.Context, chan request) {
			elapse(time.Second)
			b.want("barrier 1", "prepare 1 ok", "publish 1 [t0-e1 t1-e1] failed", "decided 1 false")
			elapse(time.Second)
			b.want(b.whole(2, "t0-e1 t1-e1 t0-e2 t1-e2")...)
			elapse(time.Second)
			b.want(b.whole(3, "t0-e3 t1-e3")...)
		})
	})
}

func TestMoreFailuresInARowThanToleratedEndTheIncarnation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		calls := 0
		b.writeState = func(state.Epoch) error {
			// Checkpoint 1 fails, 2 writes its state and that of 1, the others fail.
			if calls++; calls == 1 || calls >= 6 {
				return errors.New("disk full")
			}
			return nil
		}
		err := b.run(func(context.Context, chan request) { elapse(10 * time.Second) })
		wantError(t, err, "2 checkpoints failed in a row, execution.checkpointing.tolerable-failed-checkpoints = 1: writing the state of task 0: disk full")
		if !exec.Retryable(err) {
			t.Error("the job would not restart")
		}
		if s := b.c.stat.get(); s.Failed != 3 || s.Completed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAManifestThatMayBeThereEndsTheIncarnation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 100
		b := newBench(t, cfg)
		b.publish = func(state.Epoch) error { return fmt.Errorf("fsync: %w", checkpoint.ErrUndecided) }
		err := b.run(func(context.Context, chan request) { elapse(time.Second) })
		if !errors.Is(err, checkpoint.ErrUndecided) || !exec.Retryable(err) {
			t.Error(err)
		}
		// No word to the committer: it must neither go on in the transaction nor abort it.
		b.want("barrier 1", "prepare 1 ok", "publish 1 [t0-e1 t1-e1] failed")
	})
}

func TestABrokenTransactionEndsTheIncarnation(t *testing.T) {
	for class, cause := range map[string]error{"external": exec.Externalf("broker"), "user": exec.Userf("record too large")} {
		t.Run(class, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := everySecond
				cfg.Tolerable = 100
				b := newBench(t, cfg)
				b.prepare = func(context.Context, state.Epoch) error { return cause }
				err := b.run(func(context.Context, chan request) { elapse(time.Second) })
				if !errors.Is(err, cause) || exec.ClassOf(err) != exec.ClassOf(cause) {
					t.Error(err)
				}
				b.want("barrier 1", "prepare 1 failed")
			})
		})
	}
}

func TestAPrepareThatTakesTooLongIsAFailedCheckpointOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		b.prepare = func(ctx context.Context, e state.Epoch) error {
			if e > 1 {
				return nil
			}
			<-ctx.Done()
			return exec.Externalf("%w", ctx.Err())
		}
		_ = b.run(func(context.Context, chan request) {
			elapse(11 * time.Second)
			b.want(append([]string{"barrier 1", "prepare 1 failed", "decided 1 false"}, b.whole(2, "t0-e1 t1-e1 t0-e2 t1-e2")...)...)
		})
	})
}

func TestNoManifestIsWrittenAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		b.prepare = func(_ context.Context, e state.Epoch) error {
			if e == 1 {
				time.Sleep(11 * time.Second) // virtual
			}
			return nil
		}
		_ = b.run(func(context.Context, chan request) {
			elapse(12 * time.Second)
			b.want(append([]string{"barrier 1", "prepare 1 ok", "decided 1 false"}, b.whole(2, "t0-e1 t1-e1 t0-e2 t1-e2")...)...)
		})
	})
}

func TestTheMinimumPauseCountsFromTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.MinPause = 3 * time.Second
		b := newBench(t, cfg)
		b.commit = func(context.Context, state.Epoch) error { time.Sleep(2 * time.Second); return nil }
		_ = b.run(func(context.Context, chan request) {
			elapse(3 * time.Second) // 1 s to the barrier, 2 s of commit
			b.want(b.whole(1, "t0-e1 t1-e1")...)
			elapse(3*time.Second - time.Millisecond)
			b.want()
			elapse(time.Millisecond)
			b.want("barrier 2", "prepare 2 ok", "publish 2 [t0-e2 t1-e2] ok", "durable 2", "decided 2 true")
			elapse(2 * time.Second)
		})
	})
}

func TestADemandDuringACheckpointIsAnsweredByTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, checkpointing{Timeout: time.Minute}) // on demand only
		b.answers = func(int, state.Epoch) bool { return false }
		_ = b.run(func(_ context.Context, demand chan request) {
			first, second := make(chan answer, 1), make(chan answer, 1)
			demand <- request{done: first}
			synctest.Wait()
			demand <- request{done: second}
			synctest.Wait()
			b.want("barrier 1")
			b.answer()
			if a := <-first; a.err != nil || a.epoch != 1 {
				t.Error(a)
			}
			select {
			case <-second:
				t.Error("answered by a checkpoint that began before")
			default:
			}
			b.answer()
			if a := <-second; a.err != nil || a.epoch != 2 {
				t.Error(a)
			}
			b.want(append(b.whole(1, "t0-e1 t1-e1")[1:], b.whole(2, "t0-e2 t1-e2")...)...)
		})
	})
}

func TestThoseWhoWaitHearOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, checkpointing{Timeout: time.Minute})
		b.answers = func(int, state.Epoch) bool { return false }
		first, second := make(chan answer, 1), make(chan answer, 1)
		boom := errors.New("boom")
		err := b.run(func(_ context.Context, demand chan request) {
			demand <- request{done: first}
			synctest.Wait()
			demand <- request{done: second}
			b.c.inbox.Failed(1, boom)
			synctest.Wait()
		})
		if !errors.Is(err, boom) {
			t.Error(err)
		}
		for _, w := range []chan answer{first, second} {
			if a := <-w; !errors.Is(a.err, errEnded) {
				t.Error(a)
			}
		}
	})
}

func TestABoundedJobEndsWithALastCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := everySecond
		cfg.Tolerable = 1
		b := newBench(t, cfg)
		b.publish = func(e state.Epoch) error {
			if e == 1 {
				return errors.New("not now")
			}
			return nil
		}
		err := b.run(func(context.Context, chan request) {
			b.c.inbox.Drained(0)
			synctest.Wait()
			b.want()
			b.c.inbox.Drained(1)
			synctest.Wait()
		})
		if err != nil {
			t.Error(err)
		}
		b.want(append([]string{"barrier 1", "prepare 1 ok", "publish 1 [t0-e1 t1-e1] failed", "decided 1 false"}, b.whole(2, "t0-e1 t1-e1 t0-e2 t1-e2")...)...)
	})
}

// checkpoints-after-tasks-finish = false: none after the first task has ended.
func TestNoCheckpointsAfterATaskHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		b.c.lastly = false
		err := b.run(func(context.Context, chan request) {
			elapse(time.Second)
			b.want(b.whole(1, "t0-e1 t1-e1")...)
			b.c.inbox.Drained(0)
			elapse(10 * time.Second)
			b.c.inbox.Drained(1)
			elapse(time.Second)
		})
		if err != nil {
			t.Error(err)
		}
		b.want()
	})
}

func TestACancelledJobStillCommitsWhatIsDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		b.commit = func(ctx context.Context, _ state.Epoch) error {
			select {
			case <-time.After(commitGrace / 2):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		err := b.run(func(context.Context, chan request) { elapse(time.Second) })
		if !errors.Is(err, ErrCancelled) {
			t.Error(err)
		}
		b.want(b.whole(1, "t0-e1 t1-e1")...)
	})
}

func TestACommitThatHangsDoesNotHoldUpACancelledJobForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		b.commit = func(ctx context.Context, _ state.Epoch) error { <-ctx.Done(); return context.Cause(ctx) }
		start := time.Now()
		err := b.run(func(context.Context, chan request) { elapse(time.Hour) })
		if !errors.Is(err, ErrCancelled) {
			t.Error(err)
		}
		if took := time.Since(start); took != time.Hour+commitGrace {
			t.Errorf("ended after %s", took)
		}
		b.want("barrier 1", "prepare 1 ok", "publish 1 [t0-e1 t1-e1] ok", "durable 1", "decided 1 true", "commit 1 failed")
	})
}

func TestACancelledJobGivesUpWhatIsNotDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		b.prepare = func(ctx context.Context, _ state.Epoch) error { <-ctx.Done(); return context.Cause(ctx) }
		err := b.run(func(context.Context, chan request) { elapse(time.Second) })
		if !errors.Is(err, ErrCancelled) {
			t.Error(err)
		}
		// Told, the committer may abort the transaction.
		b.want("barrier 1", "prepare 1 failed", "decided 1 false")
	})
}

func TestTheBackgroundPartEndsBeforeTheIncarnation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		boom := errors.New("boom")
		b.commit = func(context.Context, state.Epoch) error { time.Sleep(time.Second); return nil }
		err := b.run(func(context.Context, chan request) {
			elapse(time.Second)
			b.c.inbox.Failed(0, boom)
		})
		if !errors.Is(err, boom) {
			t.Error(err)
		}
		b.want(b.whole(1, "t0-e1 t1-e1")...)
	})
}

func TestAnAnswerNobodyAskedForIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		err := b.run(func(context.Context, chan request) {
			b.c.inbox.Acked(flow.Ack{Task: 1, Epoch: 7})
			synctest.Wait()
		})
		wantError(t, err, "internal error: task 1 answered checkpoint 7, which is not in progress")
	})
}

func TestRestartsAreSpacedLikeFlinks(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 1: 1500 * time.Millisecond, 2: 2250 * time.Millisecond, 20: time.Minute, 1000: time.Minute} {
		if got := backoff(n); got != want {
			t.Errorf("restart %d after %s, want %s", n, got, want)
		}
	}
}
