package job_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// manifests reads all checkpoints of the rig's job, newest first, and all of their files.
func (r *rig) manifests() []*checkpoint.Manifest {
	r.t.Helper()
	j, err := checkpoint.ReadJob(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := checkpoint.OpenDir(filepath.Join(r.dir, "checkpoints"), j.ID, checkpoint.DirOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	epochs, err := s.Epochs()
	if err != nil {
		r.t.Fatal(err)
	}
	var out []*checkpoint.Manifest
	for _, e := range epochs {
		v, err := checkpoint.Verify(r.t.Context(), s, e, j.ID)
		if err != nil || v.Problem() != nil {
			r.t.Fatal(err, v.Problem())
		}
		out = append(out, v.Manifest)
	}
	return out
}

// take runs a job for n checkpoints, from whatever there is.
func (r *rig) take(n int, set ...string) {
	r.t.Helper()
	h := r.start(r.plan(endless, set...))
	for range n {
		if _, err := h.Checkpoint(r.t.Context(), false); err != nil {
			r.t.Fatal(err)
		}
	}
	h.Suspend()
	if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
		r.t.Fatal(err)
	}
}

// checkFiles fails unless every state file is listed by a checkpoint.
func (r *rig) checkFiles(ms []*checkpoint.Manifest) {
	r.t.Helper()
	_, files := r.left()
	for _, f := range files {
		if !slices.ContainsFunc(ms, func(m *checkpoint.Manifest) bool {
			return slices.ContainsFunc(m.Files, func(x state.File) bool { return x.Name == filepath.Base(f) })
		}) {
			r.t.Errorf("no checkpoint lists %s", f)
		}
	}
}

func TestNumRetainedCheckpointsStay(t *testing.T) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRig(t)
			r.take(6, "execution.checkpointing.num-retained", fmt.Sprint(n))
			ms := r.manifests()
			if len(ms) != n {
				t.Errorf("%d checkpoints stay, want %d", len(ms), n)
			}
			r.checkFiles(ms)
		})
	}
}

func TestWithoutIncrementalEveryCheckpointHasFullFilesOfItsOwn(t *testing.T) {
	r := newRig(t)
	r.take(2) // changes, to begin with
	full := []string{"execution.checkpointing.incremental", "false", "execution.checkpointing.num-retained", "3"}
	ms := r.manifests()
	for len(ms) < 3 || len(ms[2].Files) == 0 { // until the oldest has seen rows
		r.take(4, full...)
		ms = r.manifests()
	}
	if len(ms) != 3 {
		t.Fatalf("%d checkpoints", len(ms))
	}
	seen := map[string]bool{}
	for _, m := range ms {
		if len(m.Files) == 0 {
			t.Errorf("checkpoint %d has no state", m.Epoch)
		}
		for _, f := range m.Files {
			if f.Kind != stf.Full || seen[f.Name] {
				t.Errorf("checkpoint %d lists %s, %s, shared: %t", m.Epoch, f.Name, f.Kind, seen[f.Name])
			}
			seen[f.Name] = true
		}
	}
	r.checkFiles(ms)
	r.take(2, "execution.checkpointing.num-retained", "1") // and changes again
	r.take(0)                                              // a start deletes what was rolled up last and is in no checkpoint
	r.checkFiles(r.manifests())
}

func TestChainsOfChangesAreRolledUp(t *testing.T) {
	r := newRig(t)
	h := r.start(r.plan(endless))
	rolled := func() bool {
		return slices.ContainsFunc(r.manifests()[0].Files, func(f state.File) bool { return f.Kind == stf.Full })
	}
	n := 1
	for ; n < 12 || !rolled(); n++ { // in the background: it is listed some checkpoints later
		if _, err := h.Checkpoint(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	h.Suspend()
	if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
		t.Fatal(err)
	}
	ms := r.manifests()
	if files := len(ms[0].Files); files > n-stf.DefaultPolicy.MaxDeltas {
		t.Errorf("checkpoint %d lists %d files", ms[0].Epoch, files)
	}
	r.take(0) // a start deletes what was rolled up last and is in no checkpoint
	r.checkFiles(r.manifests())
}

// groups is a job with one record of state for each of 100,000 numbers.
const groups = `
SET 'execution.checkpointing.interval' = '1 h'; %s
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000', 'rows-per-second' = '0');
CREATE TABLE counts (n BIGINT, c BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT n, COUNT(*) FROM numbers GROUP BY n;`

func TestStateBackends(t *testing.T) {
	for _, tc := range []struct {
		name, set string
		database  bool
	}{
		{"hashmap keeps everything in memory", "SET 'state.backend.type' = 'hashmap';", false},
		{"badger spills what does not fit", "SET 'state.backend.type' = 'badger'; SET 'state.backend.badger.memory' = '2 mb';", true},
		{"badger has no database for what fits", "", false},
		{"the memory is for all subtasks together", "SET 'parallelism.default' = '4'; SET 'state.backend.badger.memory' = '6 mb';", true},
		{"rocksdb is a name for it", "SET 'state.backend' = 'rocksdb'; SET 'state.backend.badger.memory' = '2 mb';", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t)
			var database atomic.Bool
			r.point = func(name string) {
				if name != "before_gc" {
					return
				}
				files, err := filepath.Glob(filepath.Join(r.dir, "state", "*", "*"))
				if err != nil {
					t.Error(err)
				}
				database.Store(database.Load() || len(files) > 0)
			}
			h := r.start(r.compile(fmt.Sprintf(groups, tc.set)))
			if err := h.Wait(); err != nil {
				t.Fatal(err)
			}
			if database.Load() != tc.database {
				t.Errorf("a database: %t, want %t", database.Load(), tc.database)
			}
			rows := int64(0)
			for _, f := range r.manifests()[0].Files {
				rows += f.Entries
			}
			if rows != 100_000 {
				t.Errorf("the last checkpoint has %d rows", rows)
			}
		})
	}
}

func TestCheckpointsAfterTasksFinish(t *testing.T) {
	const off = "execution.checkpointing.checkpoints-after-tasks-finish"
	r := newRig(t)
	h := r.start(r.compile(fmt.Sprintf(groups, "SET '"+off+"' = 'false';")))
	if err := h.Wait(); err != nil {
		t.Fatal(err)
	}
	if st := h.Status(); st.Checkpoints.Completed != 0 || st.State != job.Finished {
		t.Errorf("%s with %d checkpoints", st.State, st.Checkpoints.Completed)
	}

	r = newRig(t)
	_, err := job.Run(t.Context(), r.plan(bounded, off, "false"), job.Config{Dir: r.dir, Connectors: r.lookup})
	if err == nil || !strings.Contains(err.Error(), "'"+off+"' = 'false' in a job with input that ends and exactly-once sinks (filesystem:") {
		t.Errorf("error %v", err)
	}
}
