// Package job owns the life of one job: it locks the job directory, decides what to restore,
// opens connectors, settles transactions, builds and runs the tasks, takes checkpoints and
// restarts after failures. It is the place where plan, runtime, state, checkpoints and
// connectors meet, so it may import all of them; only cmd and tests import it.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// Config is what a job needs besides its plan.
type Config struct {
	// Dir is the job directory: lock, incarnation, local state, checkpoints by default. "" runs
	// without a directory, for a SELECT: no checkpoints, state in memory.
	Dir string
	// Fresh starts over: what an earlier run left is put aside and never restored.
	Fresh bool
	// Allow is what the user agreed to give up of the state, or to live with, where the query has changed.
	Allow evolve.Allow
	// From is the path of the snapshot that the job begins with: a savepoint, or a retained
	// checkpoint. A job that began with it before goes on from its own newest checkpoint. "": the
	// one of execution.state-recovery.path, if there is one.
	From string
	// AllowDuplicates restores a checkpoint older than output that is already visible.
	AllowDuplicates bool
	Connectors      func(name string) (connectors.Connector, error)
	Clock           exec.Clock   // nil: the system's
	Log             *slog.Logger // nil: discarded
	// Collect gets the rows of a SELECT, on a task goroutine; the batch is borrowed.
	Collect func(b *vec.Batch) error
	// Version of the engine, recorded in snapshots.
	Version string
	// FailPoint, for tests, is called at the named steps of a checkpoint and of recovery.
	FailPoint func(name string)
	// Random returns numbers in [0, 1) for the time before a restart; nil: math/rand/v2.
	Random func() float64
	// StartTimeout is how long a job that has not run yet is tried again when a system outside
	// is not there; 0: 30 s. A job that has run is restarted for as long as it takes.
	StartTimeout time.Duration
}

// startTimeout is long enough for a broker that restarts and short enough for a person who
// mistyped its address.
const startTimeout = 30 * time.Second

// Handle is a running job.
type Handle struct {
	plan   *plan.Job
	cfg    Config
	opts   *options
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error
	demand chan request
	ckpt   checkpointStatus
	meters *meters

	mu           sync.Mutex
	id           string
	state        State
	started      time.Time
	incarnation  uint64
	restoredFrom uint64
	restarts     int
	lastErr      error
	home         *home      // nil until its directory is locked
	savepoint    *Savepoint // the newest
}

// ErrCancelled is what Wait returns for a job that was cancelled.
var ErrCancelled = errors.New("the job was cancelled")

// Run starts a job and returns when it runs or cannot: errors of the user's making (options,
// a locked directory, a snapshot that does not fit) are returned here at once, those of
// systems outside after cfg.StartTimeout. Cancelling ctx is Suspend, also while Run waits.
func Run(ctx context.Context, p *plan.Job, cfg Config) (*Handle, error) {
	opts, err := readOptions(p.Options)
	if err != nil {
		return nil, exec.Userf("%w", err)
	}
	if cfg.From == "" {
		cfg.From = opts.from
	}
	cfg.Allow.All = cfg.Allow.All || opts.nonRestored
	if cfg.Clock == nil {
		cfg.Clock = exec.SystemClock{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.FailPoint == nil {
		cfg.FailPoint = func(string) {}
	}
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = startTimeout
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	ctx, cancel := context.WithCancelCause(ctx)
	h := &Handle{
		plan: p, cfg: cfg, opts: opts, cancel: cancel, done: make(chan struct{}), demand: make(chan request),
		meters: newMeters(p), state: Created, started: cfg.Clock.Now(),
	}
	started := make(chan error, 1)
	go h.run(ctx, started)
	if err := <-started; err != nil {
		<-h.done
		return nil, err
	}
	return h, nil
}

// Wait returns when the job has ended: nil when its input ended and its output is
// committed, ErrCancelled, or why it failed.
func (h *Handle) Wait() error {
	<-h.done
	return h.err
}

// Done is closed when the job has ended.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Cancel asks the job to end. Whether its checkpoints stay, so that the next run goes on from
// the newest, its options say (externalized-checkpoint-retention); by default they do.
func (h *Handle) Cancel() {
	h.cancelling()
	h.cancel(ErrCancelled)
}

func (h *Handle) cancelling() {
	h.set(func() {
		if h.state == Running || h.state == Restarting || h.state == Created {
			h.state = Cancelling
		}
	})
}

func (h *Handle) currentHome() *home {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.home
}

func (h *Handle) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// run is the job's goroutine: incarnation after incarnation until the job ends.
func (h *Handle) run(ctx context.Context, started chan<- error) {
	defer close(h.done)
	defer h.cancel(nil)
	err := h.incarnations(ctx, started)
	h.set(func() {
		h.err = err
		switch {
		case err == nil:
			h.state = Finished
		case errors.Is(err, ErrCancelled):
			h.state = Cancelled
		default:
			h.state, h.lastErr = Failed, err
		}
	})
	select {
	case started <- err:
	default:
	}
}

func (h *Handle) incarnations(ctx context.Context, started chan<- error) (err error) {
	home, err := openHome(ctx, h)
	if err != nil {
		return err
	}
	h.set(func() { h.home = home })
	tries, ran := 0, false
	defer func() {
		home.released() // savepoints are made of its checkpoints
		home.end(err, context.Cause(ctx), ran)
		home.Close()
	}()
	restarts := h.opts.restart.restarts(h.opts.checkpoints.Interval > 0, h.cfg.Random)
	giveUp := h.cfg.Clock.Now().Add(h.cfg.StartTimeout)
	for {
		ready := func() {
			ran = true
			h.set(func() {
				if h.state != Cancelling {
					h.state = Running
				}
			})
			select {
			case started <- nil:
			default:
			}
		}
		err := unavailable(h.live(ctx, home, ready))
		if ctx.Err() != nil {
			return ErrCancelled
		}
		if err == nil || !exec.Retryable(err) || !home.durable() {
			return err
		}
		var pause time.Duration
		what := "job failed, restarting from its last checkpoint"
		if ran {
			var end string
			if pause, end = restarts.failed(h.cfg.Clock.Now()); end != "" {
				return fmt.Errorf("%s; the last failure: %w", end, err)
			}
		} else {
			what = "job cannot start yet, trying again"
			pause = backoff(tries)
			if tries++; h.cfg.Clock.Now().Add(pause).After(giveUp) {
				return err
			}
		}
		h.set(func() {
			h.lastErr, h.restarts = err, h.restarts+1
			if h.state != Cancelling {
				h.state = Restarting
			}
		})
		h.cfg.Log.Warn(what, "err", err, "in", pause)
		timer := h.cfg.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ErrCancelled
		case <-timer.C:
		}
	}
}
