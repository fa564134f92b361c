package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// breakable is a connector whose writers fail with err while it is set.
type breakable struct {
	connectors.Connector
	err atomic.Pointer[error]
}

func (b *breakable) Sink(ctx context.Context, t connectors.Table, env connectors.Env) (exec.Sink, error) {
	s, err := b.Connector.Sink(ctx, t, env)
	return &breakableSink{s, b}, err
}

type breakableSink struct {
	exec.Sink
	of *breakable
}

func (s *breakableSink) Writer(ctx context.Context, sub int, env exec.ConnEnv) (exec.Writer, error) {
	w, err := s.Sink.Writer(ctx, sub, env)
	return &breakableWriter{w, s.of}, err
}

type breakableWriter struct {
	exec.Writer
	of *breakable
}

func (w *breakableWriter) Write(ctx context.Context, b *vec.Batch) error {
	if err := w.of.err.Load(); err != nil {
		return *err
	}
	return w.Writer.Write(ctx, b)
}

// rig runs jobs of the real connectors in directories of a test.
type rig struct {
	t      *testing.T
	dir    string // of the job
	sink   *breakable
	conn   connectors.Registry
	point  func(string)
	random func() float64
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "job"), conn: all.Connectors(io.Discard, io.Discard), sink: &breakable{}}
	var err error
	if r.sink.Connector, err = r.conn.Lookup("filesystem"); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) lookup(name string) (connectors.Connector, error) {
	if name == "filesystem" {
		return r.sink, nil
	}
	return r.conn.Lookup(name)
}

// script counts numbers by their last digit into transactional files; source has the options
// of the numbers.
const script = `
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '%s', 'rows-per-second' = '%s');
CREATE TABLE even (n BIGINT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'csv');
CREATE TABLE digits (d BIGINT, c BIGINT, PRIMARY KEY (d) NOT ENFORCED) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO even SELECT n, n + 1 FROM numbers WHERE MOD(n, 2) = 0;
INSERT INTO digits SELECT MOD(n, 10), COUNT(*) FROM numbers GROUP BY MOD(n, 10);
END;`

const (
	endless = "1000000000"
	bounded = "100"
)

func (r *rig) out() string { return filepath.Join(filepath.Dir(r.dir), "out") }

// plan makes the job of script.
func (r *rig) plan(last string, set ...string) *plan.Job {
	r.t.Helper()
	text := "SET 'execution.checkpointing.interval' = '1 h';\n"
	for i := 0; i < len(set); i += 2 {
		text += fmt.Sprintf("SET '%s' = '%s';\n", set[i], set[i+1])
	}
	rate := "0"
	if last == endless {
		rate = "1000"
	}
	return r.compile(text + fmt.Sprintf(script, last, rate, r.out()))
}

// compile makes the one job of a text.
func (r *rig) compile(text string) *plan.Job {
	r.t.Helper()
	results, err := engine.NewSession(r.lookup).Execute("job.sql", text)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, x := range results {
		if x.Job != nil {
			return x.Job
		}
	}
	r.t.Fatal("no job")
	return nil
}

func (r *rig) start(p *plan.Job) *job.Handle {
	r.t.Helper()
	h, err := job.Run(r.t.Context(), p, job.Config{Dir: r.dir, Connectors: r.lookup, Version: "test", FailPoint: r.point, Random: r.random})
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

// left lists what there is of checkpoints and state files below the job directory.
func (r *rig) left() (checkpoints, files []string) {
	r.t.Helper()
	root := os.DirFS(r.dir)
	for pattern, list := range map[string]*[]string{"checkpoints/*/chk-*/MANIFEST": &checkpoints, "checkpoints/*/shared/*": &files} {
		found, err := fs.Glob(root, pattern)
		if err != nil {
			r.t.Fatal(err)
		}
		*list = found
	}
	return checkpoints, files
}

// ends are the ways a job ends, each from a running job with a checkpoint.
var ends = []struct {
	name string
	last string
	do   func(r *rig, h *job.Handle)
	want func(err error) bool
}{
	{"finished", bounded, func(*rig, *job.Handle) {}, func(err error) bool { return err == nil }},
	{"cancelled", endless, func(_ *rig, h *job.Handle) { h.Cancel() }, func(err error) bool { return errors.Is(err, job.ErrCancelled) }},
	{"failed", endless, func(r *rig, _ *job.Handle) { err := exec.Userf("a bad row"); r.sink.err.Store(&err) },
		func(err error) bool { return err != nil && strings.Contains(err.Error(), "a bad row") }},
	{"stopped", endless, func(r *rig, h *job.Handle) {
		if _, err := h.Stop(r.t.Context(), false); err != nil {
			r.t.Error(err)
		}
	}, func(err error) bool { return err == nil }},
	{"drained", endless, func(r *rig, h *job.Handle) {
		if _, err := h.Stop(r.t.Context(), true); err != nil {
			r.t.Error(err)
		}
	}, func(err error) bool { return err == nil }},
	{"suspended", endless, func(_ *rig, h *job.Handle) { h.Suspend() }, func(err error) bool { return errors.Is(err, job.ErrCancelled) }},
}

func TestWhatStaysOfCheckpoints(t *testing.T) {
	for retention, stays := range map[string]map[string]bool{
		"":                            {"finished": true, "cancelled": true, "failed": true, "suspended": true, "stopped": true, "drained": true},
		"RETAIN_ON_CANCELLATION":      {"finished": true, "cancelled": true, "failed": true, "suspended": true, "stopped": true, "drained": true},
		"DELETE_ON_CANCELLATION":      {"finished": false, "cancelled": false, "failed": true, "suspended": true, "stopped": true, "drained": false},
		"NO_EXTERNALIZED_CHECKPOINTS": {"finished": false, "cancelled": false, "failed": false, "suspended": true, "stopped": true, "drained": false},
	} {
		for _, e := range ends {
			t.Run(retention+" "+e.name, func(t *testing.T) {
				r := newRig(t)
				var set []string
				if retention != "" {
					set = []string{"execution.checkpointing.externalized-checkpoint-retention", retention}
				}
				h := r.start(r.plan(e.last, set...))
				if e.last == endless {
					if _, err := h.Checkpoint(t.Context(), false); err != nil {
						t.Fatal(err)
					}
				}
				id := h.Status().ID
				e.do(r, h)
				if err := h.Wait(); !e.want(err) {
					t.Fatalf("the job ended with %v", err)
				}
				checkpoints, files := r.left()
				if got := len(checkpoints) > 0; got != stays[e.name] || !got && len(files) > 0 {
					t.Fatalf("there are checkpoints %v and files %v", checkpoints, files)
				}
				// The next run goes on, or begins anew as another job, and is never refused.
				r.sink.err.Store(nil)
				h = r.start(r.plan(e.last, set...))
				st := h.Status()
				if got := st.RestoredFrom > 0; got != stays[e.name] || got != (st.ID == id) {
					t.Errorf("the next run is job %s from checkpoint %d, the first was %s", st.ID, st.RestoredFrom, id)
				}
				h.Suspend()
				if err := h.Wait(); err != nil && !errors.Is(err, job.ErrCancelled) {
					t.Error(err)
				}
			})
		}
	}
}

// A kill while checkpoints are deleted leaves a directory that the next run makes a new job of.
func TestAKillWhileCheckpointsAreDeleted(t *testing.T) {
	for _, point := range []string{"discarded", "mid_discard"} {
		t.Run(point, func(t *testing.T) {
			r := newRig(t)
			killed := filepath.Join(t.TempDir(), "killed")
			r.point = func(name string) {
				if name == point {
					if err := os.CopyFS(killed, os.DirFS(r.dir)); err != nil {
						t.Error(err)
					}
				}
			}
			retention := []string{"execution.checkpointing.externalized-checkpoint-retention", "DELETE_ON_CANCELLATION"}
			h := r.start(r.plan(endless, retention...))
			if _, err := h.Checkpoint(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			id := h.Status().ID
			h.Cancel()
			if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
				t.Fatal(err)
			}
			r.dir, r.point = killed, nil
			if checkpoints, _ := r.left(); len(checkpoints) == 0 {
				t.Fatal("there is nothing left to delete")
			}
			h = r.start(r.plan(endless, retention...))
			st := h.Status()
			h.Suspend()
			if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
				t.Fatal(err)
			}
			if st.RestoredFrom != 0 || st.ID == id {
				t.Errorf("the next run is job %s from checkpoint %d", st.ID, st.RestoredFrom)
			}
			checkpoints, _ := r.left()
			for _, c := range checkpoints {
				if strings.Contains(c, id) {
					t.Errorf("%s is still there", c)
				}
			}
		})
	}
}

// Output that may not be visible yet keeps its checkpoint: deleting it would lose the output.
func TestCheckpointsStayWhileTheirOutputIsNotVisible(t *testing.T) {
	r := newRig(t)
	retention := []string{"execution.checkpointing.externalized-checkpoint-retention", "NO_EXTERNALIZED_CHECKPOINTS"}
	r.point = func(name string) {
		if name != "filesystem.rename" { // decided, not yet visible
			return
		}
		parts, err := filepath.Glob(filepath.Join(r.out(), ".*"))
		if err != nil || len(parts) == 0 {
			t.Error("no parts", err)
		}
		for _, p := range parts {
			if err := os.Remove(p); err != nil {
				t.Error(err)
			}
		}
	}
	h := r.start(r.plan(endless, retention...))
	for err := error(nil); err == nil; _, err = h.Checkpoint(t.Context(), false) { // without rows there is nothing to commit
	}
	if err := h.Wait(); err == nil || errors.Is(err, job.ErrCancelled) {
		t.Fatal(err)
	}
	if checkpoints, _ := r.left(); len(checkpoints) == 0 {
		t.Error("the checkpoints are gone")
	}
}
