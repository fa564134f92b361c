package sqltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/exec/job"
)

// windowed counts 20 rows by windows of a second; a row is 100 ms of event time.
func windowed(t *testing.T) *Case {
	t.Helper()
	dir := t.TempDir()
	var lines strings.Builder
	for i := range 20 {
		fmt.Fprintf(&lines, `{"k":"k%d","ts":"2024-01-01 00:00:0%d.%d00"}`+"\n", i%2, i/10, i%10)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.jsonl"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Case{
		Name: "stop", Dir: dir, Arrival: slices.Repeat([]string{"t.jsonl"}, 20),
		Script: `CREATE TABLE t (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '${DIR}/t.jsonl', 'format' = 'json');
SELECT k, window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end;
`,
	}
}

// stopper runs a case by hand.
func stopper(c *Case, dir string, set map[string]string, perRow time.Duration) *runner {
	r := &runner{c: c, mode: Mode{Parallelism: []int{2}, Set: set}, dir: dir, rng: rand.New(rand.NewPCG(1, 1)),
		feed: newFeed(format.Set{json.New()}, c.Dir), golden: NewGolden(), out: &Outcome{Headers: map[string]string{}}}
	r.golden.perRow = perRow
	return r
}

func (r *runner) begin(ctx context.Context, t *testing.T) *job.Handle {
	t.Helper()
	jobs, err := r.plans(2)
	if err != nil {
		t.Fatal(err)
	}
	h, err := r.start(ctx, jobs[0])
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// result is what a reader sees.
func (r *runner) result() []string {
	got := r.golden.Rows("result")
	for i := range got {
		got[i] = Normal(got[i])
	}
	slices.Sort(got)
	return got
}

// newest reads the newest checkpoint of a job that has ended.
func newest(t *testing.T, dir string) *checkpoint.Manifest {
	t.Helper()
	j, err := checkpoint.ReadJob(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.OpenDir(filepath.Join(dir, "checkpoints"), j.ID, checkpoint.DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	epochs, err := s.Epochs()
	if err != nil || len(epochs) == 0 {
		t.Fatal(epochs, err)
	}
	m, err := checkpoint.Read(s, epochs[0], j.ID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAJobThatIsStoppedGoesOnWhereItWas(t *testing.T) {
	for name, set := range map[string]map[string]string{"aligned": nil, "unaligned": {"execution.checkpointing.unaligned.enabled": "true"}} {
		t.Run(name, func(t *testing.T) {
			dir, c := t.TempDir(), windowed(t)
			synctest.Test(t, func(t *testing.T) {
				r := stopper(c, dir, set, 10*time.Millisecond)
				h := r.begin(t.Context(), t)
				for n := range 4 {
					r.releaseNext(5*n, 5)
					epoch, err := h.Stop(t.Context(), false)
					if err != nil {
						t.Fatal(err)
					}
					if err := h.Wait(); err != nil || h.Status().State != job.Finished {
						t.Fatal(err, h.Status().State)
					}
					m := newest(t, dir)
					if m.Epoch != epoch || len(m.Channels) > 0 || m.Drained {
						t.Errorf("checkpoint %d, stopped with %d: %d files in flight, drained %v", m.Epoch, epoch, len(m.Channels), m.Drained)
					}
					h = r.begin(t.Context(), t)
				}
				r.feed.end("t.jsonl")
				if err := h.Wait(); err != nil {
					t.Fatal(err)
				}
				var want []string
				for _, s := range []string{"0", "1"} {
					for _, k := range []string{"k0", "k1"} {
						want = append(want, Normal(fmt.Sprintf(`["+I",%q,"2024-01-01T00:00:0%s.000","5"]`, k, s)))
					}
				}
				slices.Sort(want)
				if got := r.result(); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

func TestAJobThatIsDrainedFiresItsWindows(t *testing.T) {
	dir, c := t.TempDir(), windowed(t)
	synctest.Test(t, func(t *testing.T) {
		r := stopper(c, dir, nil, 0)
		h := r.begin(t.Context(), t)
		r.releaseNext(0, 4) // of the first window
		synctest.Wait()
		epoch, err := h.Stop(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Wait(); err != nil || h.Status().State != job.Finished {
			t.Fatal(err, h.Status().State)
		}
		if m := newest(t, dir); m.Epoch != epoch || !m.Drained {
			t.Errorf("checkpoint %d, drained %v; stopped with %d", m.Epoch, m.Drained, epoch)
		}
		want := []string{Normal(`["+I","k0","2024-01-01T00:00:00.000","2"]`), Normal(`["+I","k1","2024-01-01T00:00:00.000","2"]`)}
		if got := r.result(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if _, err := h.Stop(t.Context(), true); err == nil {
			t.Error("a job that has ended is stopped once more")
		}
	})
}

// inFlight runs a job behind a slow sink until a checkpoint has rows in flight, cancels it and
// returns the checkpoint's directory.
func inFlight(t *testing.T, r *runner) string {
	t.Helper()
	h := r.begin(t.Context(), t)
	for n := range 20 {
		r.releaseNext(n, 1)
		synctest.Wait()
	}
	if _, err := h.Checkpoint(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if h.Status().Checkpoints.LastInFlight == 0 {
		t.Fatal("nothing is in flight")
	}
	h.Cancel()
	if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
		t.Fatal(err)
	}
	m := newest(t, r.dir)
	if rows, _ := m.InFlight(); rows == 0 || m.Dataflow == "" {
		t.Errorf("%d rows in flight, of %q", rows, m.Dataflow)
	}
	return filepath.Join(r.dir, "checkpoints", m.JobID, fmt.Sprint("chk-", m.Epoch))
}

// plainly counts the rows by key, so that each one is a change that a slow sink takes its time for.
func plainly(t *testing.T) *Case {
	c := windowed(t)
	c.Script = strings.Replace(c.Script, c.Script[strings.Index(c.Script, "SELECT"):], "SELECT k, COUNT(*) AS n FROM t GROUP BY k;\n", 1)
	return c
}

func TestAJobBeginsWithTheRowsInFlightOfAnothersCheckpoint(t *testing.T) {
	dir, other, c := t.TempDir(), t.TempDir(), plainly(t)
	synctest.Test(t, func(t *testing.T) {
		r := stopper(c, dir, map[string]string{"execution.checkpointing.unaligned.enabled": "true"}, 50*time.Millisecond)
		path := inFlight(t, r)
		for n := range 2 { // and again from its very first checkpoint, which has them too
			jobs, err := r.plans(3)
			if err != nil {
				t.Fatal(err)
			}
			h, err := job.Run(t.Context(), jobs[0], job.Config{Dir: other, Connectors: r.lookup, Version: "test", From: path, AllowDuplicates: true})
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				h.Cancel()
			} else {
				r.feed.end("t.jsonl")
			}
			if err := h.Wait(); err != nil && !errors.Is(err, job.ErrCancelled) {
				t.Fatal(err)
			}
		}
		var rows []string
		for _, l := range r.golden.Rows("result") {
			rows = append(rows, Normal(l))
		}
		got, err := fold(rows, nil)
		if want := []string{`["k0","10"]`, `["k1","10"]`}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	})
}

func TestRowsInFlightDoNotFitAnotherQuery(t *testing.T) {
	dir, c := t.TempDir(), plainly(t)
	synctest.Test(t, func(t *testing.T) {
		r := stopper(c, dir, map[string]string{"execution.checkpointing.unaligned.enabled": "true"}, 50*time.Millisecond)
		inFlight(t, r)
		was := c.Script
		c.Script = strings.Replace(was, "COUNT(*) AS n", "COUNT(*) AS n, MAX(ts) AS m", 1)
		jobs, err := r.plans(2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.start(t.Context(), jobs[0]); err == nil || !strings.Contains(err.Error(), "rows are in flight (execution.checkpointing.unaligned.enabled), which only fit the query as it was") {
			t.Errorf("error %v", err)
		}
		c.Script = was
		h := r.begin(t.Context(), t)
		r.feed.end("t.jsonl")
		if err := h.Wait(); err != nil {
			t.Error(err)
		}
	})
}
