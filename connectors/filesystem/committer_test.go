package filesystem

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/csv"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/connectors/format/raw"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

var formats = format.Set{json.New(), csv.New(), raw.New()}

// crash is what a fail point panics with.
type crash struct{ at string }

// job is a sink of one BIGINT column with two writers, and its committer, in a folder.
type job struct {
	t         *testing.T
	dir       string
	failAt    string // "point#n": the n-th call of the point crashes
	calls     map[string]int
	committer exec.Committer
	sink      exec.Sink
	writers   []exec.Writer
	epoch     state.Epoch
	token     exec.Token // of epoch, when it was decided
	durable   []int64    // rows of decided epochs
	pending   []int64    // rows that no decided epoch covers
}

func (j *job) start(e state.Epoch, tok exec.Token) exec.Recovery {
	j.t.Helper()
	j.committer, j.sink, j.writers, j.pending = nil, nil, nil, nil
	j.calls = map[string]int{}
	env := connectors.Env{ConnEnv: exec.ConnEnv{JobID: "job-1"}}
	env.Committers = func(_ string, mk func() (exec.Committer, error)) (exec.Committer, error) {
		if j.committer == nil {
			c, err := mk()
			if err != nil {
				return nil, err
			}
			j.committer = c
		}
		return j.committer, nil
	}
	env.FailPoint = func(name string) {
		j.calls[name]++
		if fmt.Sprintf("%s#%d", name, j.calls[name]) == j.failAt {
			panic(crash{name})
		}
	}
	table := connectors.Table{Name: "t", Physical: types.Schema{{Name: "n", Type: types.BigIntT}}, Options: connectors.Options{"connector": "filesystem", optPath: j.dir, optFormat: "csv", optFileSize: "20 b"}}
	info, err := New(formats).SinkInfo(table)
	if err != nil || !info.Transactional {
		j.t.Fatal(info, err)
	}
	if j.sink, err = New(formats).Sink(j.t.Context(), table, env); err != nil {
		j.t.Fatal(err)
	}
	if j.committer.Name() != info.Committer {
		j.t.Fatalf("the committer is called %s, SinkInfo says %s", j.committer.Name(), info.Committer)
	}
	r, err := j.committer.Recover(j.t.Context(), e, tok)
	if err != nil {
		j.t.Fatal(err)
	}
	if r.Outcome == exec.OutcomeUnknown {
		return r
	}
	if err := j.committer.Begin(j.t.Context()); err != nil {
		j.t.Fatal(err)
	}
	for i := range 2 {
		w, err := j.sink.Writer(j.t.Context(), i, exec.ConnEnv{JobID: "job-1", Metrics: &exec.Metrics{}})
		if err != nil {
			j.t.Fatal(err)
		}
		j.writers = append(j.writers, w)
	}
	return r
}

func (j *job) write(rows ...int64) {
	j.t.Helper()
	for _, n := range rows {
		b := vec.NewBatch(types.Schema{{Name: "n", Type: types.BigIntT}})
		vec.Append(&b.Cols[0], n)
		b.N = 1
		if err := j.writers[n%2].Write(j.t.Context(), b); err != nil {
			j.t.Fatal(err)
		}
		j.pending = append(j.pending, n)
	}
}

// checkpoint runs one epoch; decided says whether its manifest is written. after are rows that
// writers get between barrier and decision.
func (j *job) checkpoint(decided bool, after ...int64) {
	j.t.Helper()
	ctx := j.t.Context()
	j.epoch++
	for _, w := range j.writers {
		if err := w.Barrier(ctx, j.epoch); err != nil {
			j.t.Fatal(err)
		}
	}
	before := len(j.pending)
	j.write(after...)
	tok, err := j.committer.Prepare(ctx, j.epoch)
	if err != nil {
		j.t.Fatal(err)
	}
	if decided { // the manifest is written here
		j.token = tok
		j.durable = append(j.durable, j.pending[:before]...)
		j.pending = j.pending[before:]
	}
	if err := j.committer.Decided(j.epoch, decided); err != nil {
		j.t.Fatal(err)
	}
	if decided {
		if err := j.committer.Commit(ctx, j.epoch, tok); err != nil {
			j.t.Fatal(err)
		}
	}
}

// visible returns the rows of the files a reader sees.
func (j *job) visible() []int64 {
	j.t.Helper()
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		j.t.Fatal(err)
	}
	var rows []int64
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(j.dir, e.Name()))
		if err != nil {
			j.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var n int64
			if _, err := fmt.Sscanf(line, "%d\n", &n); err != nil {
				j.t.Fatalf("%s holds %q: %v", e.Name(), line, err)
			}
			rows = append(rows, n)
		}
	}
	slices.Sort(rows)
	return rows
}

func (j *job) leftovers() (names []string) {
	entries, _ := os.ReadDir(j.dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".inprogress") {
			names = append(names, e.Name())
		}
	}
	return names
}

// run calls f and reports whether a fail point ended it.
func (j *job) run(f func()) (crashed bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			crashed = true
		}
	}()
	f()
	return false
}

func TestRowsAppearWithTheirCheckpoint(t *testing.T) {
	j := &job{t: t, dir: t.TempDir()}
	j.start(0, nil)
	j.write(1, 2, 3)
	if got := j.visible(); len(got) != 0 {
		t.Errorf("visible before the checkpoint: %v", got)
	}
	j.checkpoint(true, 4)
	if got := j.visible(); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("after the first checkpoint: %v", got)
	}
	j.write(5)
	j.checkpoint(false, 6)
	if got := j.visible(); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("after a failed checkpoint: %v", got)
	}
	j.checkpoint(true)
	if got := j.visible(); !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("rows of a failed checkpoint do not come with the next one: %v", got)
	}
	j.checkpoint(true)
	if j.token != nil {
		t.Errorf("an epoch without rows has the token %s", j.token)
	}
	j.write(7)
	for _, w := range j.writers {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left := j.leftovers(); len(left) != 0 {
		t.Errorf("Close left %v", left)
	}
}

// TestCrashAtEveryStep ends the job at each step of the protocol, also while it recovers, and
// starts it again from the newest manifest: what is visible has to be what it covers.
func TestCrashAtEveryStep(t *testing.T) {
	points := []string{"prepare#1", "prepare#2", "rename#1", "rename#2", "rename#4", "rename#6", "renamed#1", "renamed#2", "before_ledger#1", "before_ledger#2", "committed#1", "committed#2"}
	for _, point := range points {
		for _, again := range []string{"", "rename#1", "rename#2", "before_ledger#1", "committed#1", "remove#1", "remove#2"} {
			t.Run(point+"/"+again, func(t *testing.T) {
				j := &job{t: t, dir: t.TempDir(), failAt: "filesystem." + point}
				var last state.Epoch
				crashed := j.run(func() {
					j.start(0, nil)
					j.write(1, 2, 3, 4, 1_000_000_001, 1_000_000_002, 1_000_000_003, 1_000_000_004)
					j.checkpoint(true, 5, 6)
					j.write(7, 8)
					j.checkpoint(false, 9)
					j.write(10)
					j.checkpoint(true, 11, 12)
					j.write(13, 14)
				})
				if !crashed {
					t.Fatalf("the fail point was not reached: %v", j.calls)
				}
				tok := j.token
				if last = j.epoch; tok == nil && len(j.durable) > 0 {
					t.Fatal("rows without a token")
				}
				// The newest manifest may be older than the epoch that was being prepared.
				if tok != nil && strings.HasPrefix(point, "prepare") {
					last = 1
				}
				durable := slices.Clone(j.durable)
				slices.Sort(durable)
				if tok == nil {
					last = 0
				}
				j.failAt = "filesystem." + again
				j.run(func() { j.start(last, tok) })
				j.failAt = ""
				r := j.start(last, tok)
				if tok != nil && (r.Outcome != exec.OutcomeCommitted || r.Ledger != last) {
					t.Errorf("recovery says %+v, want epoch %d committed", r, last)
				}
				if got := j.visible(); !slices.Equal(got, durable) {
					t.Errorf("visible after recovery: %v, want %v", got, durable)
				}
				if left := j.leftovers(); len(left) != 0 {
					t.Errorf("recovery left %v", left)
				}
				j.epoch = last
				j.write(20, 21)
				j.checkpoint(true)
				durable = append(durable, 20, 21)
				slices.Sort(durable)
				if got := j.visible(); !slices.Equal(got, durable) {
					t.Errorf("visible after going on: %v, want %v", got, durable)
				}
			})
		}
	}
}

func TestPartsTakenAway(t *testing.T) {
	j := &job{t: t, dir: t.TempDir(), failAt: "filesystem.renamed#2"}
	j.run(func() {
		j.start(0, nil)
		j.write(1)
		j.checkpoint(true)
		j.write(2)
		j.checkpoint(true)
	})
	first, err := filepath.Glob(filepath.Join(j.dir, "part-*"))
	if err != nil || len(first) != 2 {
		t.Fatal(first, err)
	}
	for _, f := range first {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if r := j.start(2, j.token); r.Outcome != exec.OutcomeUnknown || !strings.Contains(r.Detail, "has neither") {
		t.Errorf("a part was taken before the ledger said it was committed: %+v", r)
	}
	if r := j.start(1, exec.Token(`{"parts":["part-job_1-x-0-0"],"ledger":0}`)); r.Outcome != exec.OutcomeCommitted || r.Ledger != 1 {
		t.Errorf("a part was taken after the commit: %+v", r)
	}
	if err := os.Remove(filepath.Join(j.dir, ".sqlstream-job_1.ledger")); err != nil {
		t.Fatal(err)
	}
	if r := j.start(2, exec.Token(`{"parts":[],"ledger":1}`)); !r.LedgerMissing {
		t.Errorf("the ledger is gone: %+v", r)
	}
}

func TestOtherJobsAreLeftAlone(t *testing.T) {
	j := &job{t: t, dir: t.TempDir()}
	other := filepath.Join(j.dir, ".part-job_10-abc-0-0.inprogress")
	own := filepath.Join(j.dir, ".part-job_1-abc-0-0.inprogress")
	for _, f := range []string{other, own} {
		if err := os.WriteFile(f, []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j.start(0, nil)
	if left := j.leftovers(); !slices.Equal(left, []string{filepath.Base(other)}) {
		t.Errorf("left: %v, want the other job's part alone", left)
	}
}

func TestForeignToken(t *testing.T) {
	c := newCommitter(t.TempDir(), connectors.Env{})
	for _, tok := range []string{`{"parts":["../evil"]}`, `{"parts":["part-/../../evil"]}`, `{`} {
		if _, err := c.Recover(context.Background(), 1, exec.Token(tok)); err == nil {
			t.Errorf("token %s is accepted", tok)
		}
	}
}

// A job that begins from another's checkpoint commits the parts that it decided, and no others.
func TestAdoptCommitsTheDecidedPartsOfAnotherJob(t *testing.T) {
	j := &job{t: t, dir: t.TempDir(), failAt: "filesystem.rename#2"}
	if !j.run(func() { j.start(0, nil); j.write(1, 2, 3, 4); j.checkpoint(true); j.write(5) }) {
		t.Fatal("the fail point was not reached")
	}
	other := newCommitter(j.dir, connectors.Env{ConnEnv: exec.ConnEnv{JobID: "job-2"}})
	for range 2 {
		if r, err := other.Adopt(t.Context(), 1, j.token); err != nil || r.Outcome != exec.OutcomeCommitted {
			t.Fatalf("adopting: %+v, %v", r, err)
		}
	}
	if got := j.visible(); !slices.Equal(got, []int64{1, 2, 3, 4}) {
		t.Errorf("visible: %v", got)
	}
	r, err := other.Adopt(t.Context(), 1, exec.Token(`{"parts":["part-job_1-gone"]}`))
	if err != nil || r.Outcome != exec.OutcomeUnknown || !strings.Contains(r.Detail, "part-job_1-gone") {
		t.Errorf("a part that is nowhere: %+v, %v", r, err)
	}
}
