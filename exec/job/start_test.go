package job

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// unstartable is a job whose only connector answers with what fail returns.
func unstartable(t *testing.T, fail func() error) (*plan.Job, Config) {
	p := &plan.Job{Name: "j", Nodes: []*plan.Node{{Op: &plan.Source{Table: plan.Table{Path: "t", Connector: "x"}}, Parallelism: 1}}}
	return p, Config{Dir: t.TempDir(), Connectors: func(string) (connectors.Connector, error) { return nil, fail() }}
}

func TestStartGivesUp(t *testing.T) {
	down := exec.Externalf("the broker is down")
	for _, tt := range []struct {
		name     string
		timeout  time.Duration
		err      error
		min, max time.Duration
	}{
		{"a system outside is tried again for 30 s", 0, down, 20 * time.Second, 30 * time.Second},
		{"or as long as configured", 5 * time.Second, down, 3 * time.Second, 5 * time.Second},
		{"the user's mistake is told at once", 0, exec.Userf("no such topic"), 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				p, cfg := unstartable(t, func() error { tries++; return tt.err })
				cfg.StartTimeout = tt.timeout
				start := time.Now()
				_, err := Run(t.Context(), p, cfg)
				if !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if took := time.Since(start); took < tt.min || took > tt.max {
					t.Errorf("gave up after %v, want between %v and %v", took, tt.min, tt.max)
				}
				if (tries > 1) != exec.Retryable(tt.err) {
					t.Errorf("%d tries", tries)
				}
			})
		})
	}
}

func TestStartIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p, cfg := unstartable(t, func() error { return exec.Externalf("the broker is down") })
		time.AfterFunc(2500*time.Millisecond, cancel)
		start := time.Now()
		_, err := Run(ctx, p, cfg)
		if !errors.Is(err, ErrCancelled) {
			t.Errorf("error %v, want %v", err, ErrCancelled)
		}
		if took := time.Since(start); took != 2500*time.Millisecond {
			t.Errorf("ended after %v, want at the cancellation", took)
		}
	})
}

// The log says that the job never ran: there is no checkpoint it could restart from.
func TestStartSaysThatItTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		p, cfg := unstartable(t, func() error { return exec.Externalf("the broker is down") })
		cfg.Log, cfg.StartTimeout = slog.New(slog.NewTextHandler(&log, nil)), 3*time.Second
		if _, err := Run(t.Context(), p, cfg); err == nil {
			t.Fatal("the job started")
		}
		if got := log.String(); !strings.Contains(got, "job cannot start yet, trying again") || strings.Contains(got, "restarting") {
			t.Errorf("log: %s", got)
		}
	})
}
