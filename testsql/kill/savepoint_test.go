package kill

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint/snapshots"
)

// command runs a command of the program to its end and returns what it printed.
func (f *fixture) command(args ...string) string {
	f.t.Helper()
	p, err := start(f.o.Binary, f.environment(f.o), args...)
	f.must(err)
	<-p.done
	if p.err != nil {
		f.t.Fatalf("%v: %v\n%s", args, p.err, p.text())
	}
	return p.output.String()
}

// savepoint takes a savepoint of the running job, or stops it with one, and returns its path.
func (f *fixture) savepoint(args ...string) string {
	f.t.Helper()
	var out struct {
		Path      string
		Savepoint struct{ Path string }
	}
	f.must(json.Unmarshal([]byte(f.command(append(args, "--dir", f.jobDir(), "--format", "json")...)), &out))
	return out.Path + out.Savepoint.Path
}

// Two jobs from one savepoint: neither disturbs the other, each result of the parent is there
// exactly once, and the fork's output goes on exactly where the savepoint is.
func TestAForkRunsBesideItsParent(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(200)
	parent := f.launch()
	f.visible(parent)
	path := f.savepoint("savepoint", "kill", f.savepointDir())
	at := f.sent
	snap, err := snapshots.Open(t.Context(), path, nil)
	f.must(err)
	if len(snap.Transactions) > 0 {
		t.Errorf("the savepoint holds transactions: %v", snap.Transactions)
	}
	f.must(snap.Close())

	mine := topics{prefix: f.topics.prefix + "-fork"}
	created, err := f.broker.admin.CreateTopics(t.Context(), partitions, 1, nil, mine.outs()...)
	f.must(err)
	f.must(created.Error())
	r, err := newReader(f.broker, mine)
	f.must(err)
	defer r.close()
	f.change = func(sql string) string {
		for i, out := range f.topics.outs() {
			sql = strings.ReplaceAll(sql, "'"+out+"'", "'"+mine.outs()[i]+"'")
		}
		return sql
	}
	dir := f.ops.dir
	f.ops.dir = filepath.Join(f.o.Dir, "fork")
	fork := f.launch("-s", path)
	f.change, f.ops.dir = nil, dir
	for range 20 {
		f.rows(20)
		sleep(t.Context(), tickEvery)
	}
	want := expectedRows(f.sent) - expectedRows(at)
	for begin := time.Now(); ; sleep(t.Context(), tickEvery) {
		r.mu.Lock()
		n := len(r.out.rows)
		r.mu.Unlock()
		if n >= want {
			break
		}
		if fork.ended() || time.Since(begin) > time.Minute {
			t.Fatalf("%d of %d rows of the fork are visible: %v\n%s", n, want, fork.err, fork.text())
		}
	}
	f.must(fork.stop(t.Context()))
	f.must(r.toEnd(t.Context(), f.broker))
	r.mu.Lock()
	seen := map[int64]int{}
	for _, row := range r.out.rows {
		seen[row.Seq]++
	}
	counts := map[string]int64{}
	for _, c := range r.out.counts {
		counts[c.K] = max(counts[c.K], c.N)
	}
	r.mu.Unlock()
	expected := map[string]int64{}
	for s := range f.sent {
		if poisoned(s) {
			continue
		}
		row := rowOf(s)
		expected[row.K]++
		n := 0
		if s >= at && row.passes() {
			n = 1
		}
		if seen[s] != n {
			t.Errorf("row %d is in the fork's output %d times, want %d", s, seen[s], n)
		}
	}
	for s := at; s < f.sent; s++ {
		if k := rowOf(s).K; !poisoned(s) && counts[k] != expected[k] {
			t.Errorf("the fork counts %d rows of %s, want %d", counts[k], k, expected[k])
		}
	}
	f.visible(parent)
	f.must(parent.stop(t.Context()))
	f.exact()
}

// F61: an older savepoint of the job, when output after it is visible already. A savepoint may be
// moved before.
func TestAnOlderSavepointIsRefused(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(100)
	p := f.launch()
	f.visible(p)
	path := f.savepoint("stop", "kill", "--savepoint", f.savepointDir(), "--type", "native")
	<-p.done
	if p.err != nil {
		t.Fatalf("stopped, and ended with %v\n%s", p.err, p.text())
	}
	moved := filepath.Join(f.o.Dir, "moved")
	f.must(os.Rename(path, moved))
	f.rows(100)
	f.settle("-s", moved)
	f.rows(10)
	f.settle("-s", moved) // goes on from its own
	f.refused(78, []string{"-s", f.otherSavepoint(moved)}, "has gone on by itself", "--fresh -s")
	out := f.launch("-s", moved, "--fresh")
	for again := expectedRows(f.sent) + 50; ; sleep(t.Context(), tickEvery) {
		f.reader.mu.Lock()
		n := len(f.reader.out.rows)
		f.reader.mu.Unlock()
		if n >= again {
			break
		}
		if out.ended() {
			t.Fatalf("ended with %v\n%s", out.err, out.text())
		}
	}
	f.must(out.stop(t.Context()))
	wantTexts(t, out.text(), "is visible already and would be repeated")
}

// otherSavepoint copies a savepoint and makes it that of an earlier checkpoint.
func (f *fixture) otherSavepoint(path string) string {
	f.t.Helper()
	p := f.launch()
	f.rows(1)
	f.visible(p)
	other := f.savepoint("savepoint", "kill", f.savepointDir())
	f.must(p.stop(f.t.Context()))
	f.rows(1)
	f.settle()
	return other
}

// stop --drain ends the input: every window fires, and no transaction is left.
func TestDrainFiresAllWindows(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(300)
	p := f.launch()
	f.visible(p)
	f.command("stop", "kill", "--drain", "--dir", f.jobDir())
	<-p.done
	if p.err != nil {
		t.Fatalf("drained, and ended with %v\n%s", p.err, p.text())
	}
	f.must(f.reader.toEnd(t.Context(), f.broker))
	f.reader.mu.Lock()
	got := slices.Clone(f.reader.out.windows)
	f.reader.mu.Unlock()
	want := expectedWindows(f.sent)
	for _, w := range got {
		w.W = normalTime(w.W)
		key := w.K + " " + w.W
		if want[key] != w {
			t.Errorf("window %+v, want %+v", w, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("%d windows did not fire", len(want))
	}
	open, err := f.openTransactions(t.Context())
	f.must(err)
	if len(open) > 0 {
		t.Errorf("transactions are open: %v", open)
	}
	was, err := f.readDurable(t.Context())
	f.must(err)
	q := f.launch()
	for !q.ended() {
		if now, err := f.readDurable(t.Context()); err == nil && now.newest() > was.newest() {
			break
		}
		sleep(t.Context(), tickEvery)
	}
	f.must(q.stop(t.Context()))
	wantTexts(t, q.text(), "taken with --drain")
}

// The words of Flink's client do what its users expect.
func TestFlinksCommands(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(50)
	p := f.launch()
	f.visible(p)
	path := f.savepoint("flink", "savepoint", "kill", f.savepointDir(), "-type", "native")
	wantTexts(t, f.command("flink", "savepoint", "-d", path), "is deleted")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("%s is still there", path)
	}
	path = f.savepoint("flink", "stop", "-p", f.savepointDir(), "kill")
	<-p.done
	f.ops.dir = filepath.Join(f.o.Dir, "next")
	sql := filepath.Join(f.o.Dir, "job.sql")
	cmd := exec.Command(f.o.Binary, "flink", "run", "-s", path, "--dir", f.jobDir(), sql)
	cmd.Env = append(os.Environ(), f.environment(f.o)...)
	f.must(cmd.Start())
	f.rows(50)
	for begin := time.Now(); ; sleep(t.Context(), tickEvery) {
		f.reader.mu.Lock()
		n := len(f.reader.out.rows)
		f.reader.mu.Unlock()
		if n >= expectedRows(f.sent) {
			break
		}
		if time.Since(begin) > time.Minute {
			_ = cmd.Process.Kill()
			t.Fatalf("%d of %d rows are visible", n, expectedRows(f.sent))
		}
	}
	wantTexts(t, f.command("flink", "cancel", "kill", "--dir", f.jobDir()), "has ended")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	f.exact()
}
