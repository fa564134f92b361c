package job_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/job"
)

// A sink that is down for good: the job is restarted as its strategy says, then it has failed,
// with the strategy, the number of restarts and the cause in its error.
func TestAJobIsRestartedAsItsStrategySays(t *testing.T) {
	for _, tc := range []struct {
		name     string
		set      []string
		restarts int
		took     time.Duration
		want     string
	}{
		{"none", []string{"restart-strategy.type", "none"}, 0, 0,
			"not restarted: restart-strategy.type = none; the last failure: "},
		{"fixed delay", []string{"restart-strategy.type", "fixed-delay", "restart-strategy.fixed-delay.attempts", "3", "restart-strategy.fixed-delay.delay", "10 s"}, 3, 30 * time.Second,
			"failed after 3 restarts: restart-strategy.type = fixed-delay, restart-strategy.fixed-delay.attempts = 3; the last failure: "},
		{"failure rate", []string{"restart-strategy.type", "failure-rate", "restart-strategy.failure-rate.max-failures-per-interval", "2", "restart-strategy.failure-rate.delay", "5 s"}, 2, 10 * time.Second,
			"failed after 2 restarts, with 3 failures within 10s: restart-strategy.type = failure-rate, restart-strategy.failure-rate.max-failures-per-interval = 2, restart-strategy.failure-rate.failure-rate-interval = 1 min; the last failure: "},
		{"exponential delay", []string{"restart-strategy.exponential-delay.attempts-before-reset-backoff", "3"}, 3, 4750 * time.Millisecond,
			"failed after 3 restarts, none of them followed by 1 h without a failure: restart-strategy.type = exponential-delay, restart-strategy.exponential-delay.attempts-before-reset-backoff = 3; the last failure: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.random = func() float64 { return 0.5 }
				h := r.start(r.plan(endless, tc.set...))
				if _, err := h.Checkpoint(t.Context(), false); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				down := exec.Externalf("the disk is away")
				r.sink.err.Store(&down)
				err := h.Wait()
				if !errors.Is(err, down) || !strings.HasPrefix(err.Error(), tc.want) || exec.ClassOf(err) != exec.External {
					t.Errorf("error %v (class %v), want %s", err, exec.ClassOf(err), tc.want)
				}
				st := h.Status()
				if st.State != job.Failed || st.Restarts != tc.restarts {
					t.Errorf("%s after %d restarts, want %d", st.State, st.Restarts, tc.restarts)
				}
				// A run of a few rows lies between two failures.
				if took := time.Since(start); took < tc.took || took > tc.took+time.Second {
					t.Errorf("failed after %s, want about %s", took, tc.took)
				}
			})
		})
	}
}

func TestAJobThatIsRestartedGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		h := r.start(r.plan(endless))
		if _, err := h.Checkpoint(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		down := exec.Externalf("the disk is away")
		r.sink.err.Store(&down)
		time.Sleep(20 * time.Second) // virtual
		if s := h.Status(); s.State != job.Restarting && s.State != job.Running || s.Restarts == 0 {
			t.Errorf("%s after %d restarts", s.State, s.Restarts)
		}
		r.sink.err.Store(nil)
		time.Sleep(2 * time.Minute) // virtual
		if _, err := h.Checkpoint(t.Context(), false); err != nil {
			t.Error(err)
		}
		h.Cancel()
		if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
			t.Error(err)
		}
	})
}
