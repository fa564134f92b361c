package sqltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/csv"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/connectors/format/raw"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// Mode is how a case is run.
type Mode struct {
	// Step releases one line at a time and waits until it has gone through everything:
	// then the changelog is exactly Flink's. Otherwise lines come in bursts.
	Step bool
	// Kills is how often the job is stopped without notice and started again; each time at
	// the next parallelism of Parallelism.
	Kills       int
	Parallelism []int
	Seed        uint64
	// Set are more session options.
	Set map[string]string
	// PerRow is how long a sink takes for a row: queues are full.
	PerRow time.Duration
	// Checkpointed, when not nil, is called with the job's directory after each of its checkpoints
	// that are asked for.
	Checkpointed func(dir string) error
}

// Outcome is what a run gave.
type Outcome struct {
	Headers map[string]string
	Changes map[string][]string // as committed, by sink
	Kills   int
	Refused int // restarts at another parallelism
	// InFlight is how many rows checkpoints had in flight.
	InFlight int64
}

// ErrUnsupported is wrapped when the engine refuses a script by name as not supported yet.
var ErrUnsupported = errors.New("not supported yet")

// runner runs one case in one bubble of virtual time.
type runner struct {
	c      *Case
	mode   Mode
	dir    string // for the job
	rng    *rand.Rand
	feed   *feed
	golden *Golden
	out    *Outcome
}

// Run runs a case inside a synctest bubble; dir is an empty directory for the job.
func Run(ctx context.Context, c *Case, mode Mode, dir string) (*Outcome, error) {
	r := &runner{
		c: c, mode: mode, dir: dir, rng: rand.New(rand.NewPCG(mode.Seed, 3)),
		feed: newFeed(format.Set{json.New(), csv.New(), raw.New()}, c.Dir), golden: NewGolden(),
		out: &Outcome{Headers: map[string]string{}, Changes: map[string][]string{}},
	}
	r.golden.perRow = mode.PerRow
	if len(r.mode.Parallelism) == 0 {
		r.mode.Parallelism = []int{1}
	}
	return r.out, r.run(ctx)
}

func (r *runner) lookup(name string) (connectors.Connector, error) {
	switch name {
	case "filesystem":
		return r.feed, nil
	case "golden":
		return r.golden, nil
	}
	return nil, fmt.Errorf("connector '%s': tests have filesystem and golden", name)
}

// plans compiles the script for a parallelism.
func (r *runner) plans(parallelism int) ([]*plan.Job, error) {
	s := engine.NewSession(r.lookup)
	text := fmt.Sprintf("SET 'parallelism.default' = '%d'; SET 'execution.checkpointing.interval' = '1 h';\n", parallelism)
	for k, v := range r.mode.Set {
		text += fmt.Sprintf("SET '%s' = '%s';\n", k, v)
	}
	text += strings.ReplaceAll(r.c.Script, "${DIR}", r.c.Dir)
	results, err := s.Execute(r.c.Name+".sql", text)
	if err != nil {
		if strings.Contains(err.Error(), "not supported yet") {
			err = fmt.Errorf("%w: %w", ErrUnsupported, err)
		}
		return nil, err
	}
	var jobs []*plan.Job
	for _, res := range results {
		if res.Job != nil {
			jobs = append(jobs, res.Job)
			if h := Collect(res.Job); h != "" {
				r.out.Headers["result"] = Normal(h)
			}
		}
	}
	return jobs, nil
}

func (r *runner) run(ctx context.Context) error {
	jobs, err := r.plans(r.mode.Parallelism[0])
	if err != nil {
		return err
	}
	if len(jobs) != 1 {
		return fmt.Errorf("the script has %d jobs, 1 expected", len(jobs))
	}
	h, err := r.start(ctx, jobs[0])
	if err != nil {
		return err
	}
	kills := map[int]bool{}
	for range r.mode.Kills {
		kills[r.rng.IntN(len(r.c.Arrival)+1)] = true
	}
	for i := 0; i < len(r.c.Arrival); {
		if kills[i] {
			delete(kills, i)
			if h, err = r.kill(ctx, h); err != nil {
				return err
			}
		}
		n := 1
		if !r.mode.Step {
			n = 1 + r.rng.IntN(4)
		}
		i += r.releaseNext(i, n)
		if r.mode.Step || r.rng.IntN(2) == 0 {
			synctest.Wait()
		}
		if !r.mode.Step && r.rng.IntN(5) == 0 {
			if _, err := h.Checkpoint(ctx, false); err != nil {
				return r.failed(h, err)
			}
			r.out.InFlight += h.Status().Checkpoints.LastInFlight
			if r.mode.Checkpointed != nil {
				if err := r.mode.Checkpointed(r.dir); err != nil {
					return err
				}
			}
		}
		select {
		case <-h.Done():
			return r.failed(h, errors.New("the job ended before its input"))
		default:
		}
	}
	// Sources end one after another, in the order of their first lines.
	seen := map[string]bool{}
	for _, name := range r.c.Arrival {
		if !seen[name] {
			seen[name] = true
			r.feed.end(name)
			synctest.Wait()
		}
	}
	if err := h.Wait(); err != nil {
		return err
	}
	for sink := range r.golden.committed {
		r.out.Changes[sink] = nil
		for _, l := range r.golden.Rows(sink) {
			r.out.Changes[sink] = append(r.out.Changes[sink], Normal(l))
		}
	}
	return nil
}

func (r *runner) failed(h *job.Handle, err error) error {
	select {
	case <-h.Done():
		if e := h.Wait(); e != nil {
			return e
		}
	default:
	}
	return err
}

// releaseNext releases up to n arrivals from i on; a case with one input lists it once.
func (r *runner) releaseNext(i, n int) int {
	n = min(n, len(r.c.Arrival)-i)
	for k := range n {
		r.feed.release(r.c.Arrival[i+k], 1)
	}
	return n
}

func (r *runner) start(ctx context.Context, p *plan.Job) (*job.Handle, error) {
	return job.Run(ctx, p, job.Config{Dir: r.dir, Connectors: r.lookup, Version: "test"})
}

// kill ends the job as a crash would: what was not committed is gone from memory and from the
// external system's open transaction.
func (r *runner) kill(ctx context.Context, h *job.Handle) (*job.Handle, error) {
	r.out.Kills++
	h.Cancel()
	if err := h.Wait(); err != nil && !errors.Is(err, job.ErrCancelled) {
		return nil, err
	}
	at := func(kill int) (*job.Handle, error) {
		jobs, err := r.plans(r.mode.Parallelism[kill%len(r.mode.Parallelism)])
		if err != nil {
			return nil, err
		}
		return r.start(ctx, jobs[0])
	}
	h, err := at(r.out.Kills)
	if err != nil && strings.Contains(err.Error(), "start the job with the parallelism it had") {
		r.out.Kills--
		h, err = at(r.out.Kills)
		r.out.Refused++
	}
	return h, err
}
