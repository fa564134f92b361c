package job

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

// ask makes a request of the coordinator and returns where its answer comes.
func ask(demand chan request, r request) chan answer {
	done := make(chan answer, 1)
	r.done = done
	demand <- r
	synctest.Wait()
	return done
}

// with replaces the first line of what a whole checkpoint does.
func with(first string, lines []string) []string {
	return append([]string{first}, lines[1:]...)
}

func TestAStopEndsTheJobWithItsCheckpoint(t *testing.T) {
	for stop, barrier := range map[flow.Stop]string{flow.Suspend: "barrier 2 suspend", flow.Drain: "barrier 2 drain"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, everySecond)
			err := b.run(func(_ context.Context, demand chan request) {
				elapse(time.Second)
				b.want(b.whole(1, "t0-e1 t1-e1")...)
				if a := <-ask(demand, request{stop: stop}); a.err != nil || a.epoch != 2 {
					t.Error(a)
				}
				elapse(time.Hour)
				b.want(with(barrier, b.whole(2, "t0-e2 t1-e2"))...)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestASnapshotSaysWhetherTheInputEndedBefore(t *testing.T) {
	for name, c := range map[string]struct {
		r       request
		ended   bool
		drained bool
		full    bool
	}{
		"on demand": {r: request{}},
		"full":      {r: request{full: true}, full: true},
		"suspended": {r: request{stop: flow.Suspend}},
		"drained":   {r: request{stop: flow.Drain}, drained: true},
		"at an end": {ended: true, drained: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, checkpointing{Timeout: time.Minute})
				var s snapshot
				b.c.settled = func(_ context.Context, got *snapshot) error { s = *got; return nil }
				_ = b.run(func(_ context.Context, demand chan request) {
					if c.ended {
						b.c.inbox.Drained(0)
						b.c.inbox.Drained(1)
						synctest.Wait()
						return
					}
					<-ask(demand, c.r)
				})
				if s.Epoch != 1 || s.Drained != c.drained || s.Full != c.full {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestAJobThatCouldNotBeSuspendedGoesOn(t *testing.T) {
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
		_ = b.run(func(_ context.Context, demand chan request) {
			if a := <-ask(demand, request{stop: flow.Suspend}); a.err == nil || a.epoch != 0 {
				t.Error(a)
			}
			b.want("barrier 1 suspend", "prepare 1 ok", "publish 1 [t0-e1 t1-e1] failed", "resume", "decided 1 false")
			elapse(time.Second)
			b.want(b.whole(2, "t0-e1 t1-e1 t0-e2 t1-e2")...)
		})
	})
}

func TestTheCheckpointOfADrainedJobIsTakenAgain(t *testing.T) {
	for _, tolerable := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			cfg := everySecond
			cfg.Tolerable = tolerable
			b := newBench(t, cfg)
			b.publish = func(e state.Epoch) error {
				if e == 1 {
					return errors.New("no space left")
				}
				return nil
			}
			var a answer
			err := b.run(func(_ context.Context, demand chan request) {
				done := ask(demand, request{stop: flow.Drain})
				b.c.inbox.Drained(0)
				b.c.inbox.Drained(1)
				a = <-done
			})
			first := []string{"barrier 1 drain", "prepare 1 ok", "publish 1 [t0-e1 t1-e1] failed", "decided 1 false"}
			if tolerable == 0 {
				// The state has seen an end that will not be: back to the checkpoint before.
				if a.err == nil || !exec.Retryable(err) {
					t.Error(a, err)
				}
				b.want(first...)
				return
			}
			if a.err != nil || a.epoch != 2 || err != nil {
				t.Error(a, err)
			}
			b.want(append(first, with("barrier 2 drain", b.whole(2, "t0-e1 t1-e1 t0-e2 t1-e2"))...)...)
		})
	}
}

func TestRequestsThatFitTogetherShareACheckpoint(t *testing.T) {
	goOn, suspend, drain := request{}, request{stop: flow.Suspend}, request{stop: flow.Drain}
	for _, c := range []struct{ list, now, later string }{
		{"", "", ""}, {"..", "..", ""}, {".s.", ".s.", ""}, {"sds", "ss", "d"}, {"ds.", "d.", "s"},
	} {
		var list []request
		for _, r := range c.list {
			list = append(list, map[rune]request{'.': goOn, 's': suspend, 'd': drain}[r])
		}
		text := func(list []request) string {
			var b strings.Builder
			for _, r := range list {
				b.WriteByte(".sd"[r.stop])
			}
			return b.String()
		}
		if now, later := together(list); text(now) != c.now || text(later) != c.later {
			t.Errorf("%s: now %s, later %s", c.list, text(now), text(later))
		}
	}
}
