package evolve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/checkpoint/snapshots"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/testsql/sqltest"
)

// The rows of the tables: so many are read before the query is edited, and so many after.
const before, after = 150, 90

// columns are those of every table. Rows number themselves in seq: a query can tell which came before the edit.
const columns = `(seq INT, auction INT, bidder BIGINT, price INT, cost DECIMAL(10, 2), channel VARCHAR(9), f FLOAT, d DATE, made TIMESTAMP(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)`

func tableText(name, file, columns string) string {
	return fmt.Sprintf("CREATE TABLE %s %s WITH ('connector' = 'filesystem', 'path' = '%s.jsonl', 'format' = 'json');\n", name, columns, file)
}

// schema has the tables b and c, and the sinks out, out2 and wins, which take anything.
func schema(columns string) string {
	return tableText("b", "b", columns) + tableText("c", "c", columns) + sinks
}

const sinks = `CREATE TABLE plain (k STRING, a STRING, b STRING, c STRING, d STRING, e STRING) WITH ('connector' = 'golden');
CREATE TABLE plain2 (k STRING, a STRING, b STRING, c STRING, d STRING, e STRING) WITH ('connector' = 'golden');
CREATE TABLE upserts (k INT, a STRING, b STRING, c STRING, d STRING, e STRING, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'golden', 'changes' = 'upsert');
`

// writeRows makes the files.
func writeRows(t testing.TB, dir string) {
	for seed, name := range []string{"b", "c", "b2"} {
		rnd := rand.New(rand.NewPCG(7, uint64(seed)))
		var b bytes.Buffer
		for i := range before + after {
			channel := fmt.Sprintf("%q", strings.Repeat(string(rune('a'+rnd.IntN(5))), 1+rnd.IntN(9)))
			price := fmt.Sprint(rnd.IntN(12))
			if rnd.IntN(9) == 0 {
				channel, price = "null", "null"
			}
			fmt.Fprintf(&b, `{"seq":%d,"auction":%d,"bidder":%d,"price":%s,"cost":%d.%02d,"channel":%s,"f":%d.%d,"d":"2024-01-%02d","made":"2024-02-03 04:05:%02d.%03d","ts":"2024-01-01 00:%02d:%02d.%03d"}`+"\n",
				i, rnd.IntN(7), rnd.IntN(5), price, rnd.IntN(40), rnd.IntN(100), channel, rnd.IntN(8), rnd.IntN(2)*5, 1+rnd.IntN(28), rnd.IntN(60), rnd.IntN(1000), i/60, i%60, rnd.IntN(1000))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// edit is an edit of a query and what is expected of it.
type edit struct {
	name     string
	tables   [2]string // before and after; "" the same as schema(columns)
	old, now string    // SELECTs or whole INSERTs
	allow    func(m *checkpoint.Manifest) evolve.Allow
	verdict  evolve.Verdict
	refused  string // what the refusal says
	// The rows after the edit are those of expect (now, if it is ""), run over all input at once; those columns
	// of fresh, however, are those of now run over what came after the edit.
	expect string
	fresh  []int
	counts []int  // those of fresh that are 0 and not NULL where nothing came
	sink   string // the table to look at, plain if it is ""
}

func insert(query string) string {
	if strings.Contains(query, "INSERT") {
		return query
	}
	return "INSERT INTO plain " + query
}

// world is the systems outside and where a job keeps its state.
type world struct {
	t      *testing.T
	feed   sqltest.Feed
	golden *sqltest.Golden
	dir    string
	second string // directory of a second job
}

func newWorld(t *testing.T, rows string) *world {
	return &world{t: t, feed: sqltest.NewFeed(rows), golden: sqltest.NewGolden(), dir: t.TempDir()}
}

func (w *world) lookup(name string) (connectors.Connector, error) {
	switch name {
	case "filesystem":
		return w.feed, nil
	case "golden":
		return w.golden, nil
	}
	return nil, fmt.Errorf("no connector '%s'", name)
}

func (w *world) plan(text string, parallelism int) *plan.Job {
	s := engine.NewSession(w.lookup)
	results, err := s.Execute("", fmt.Sprintf("SET 'execution.checkpointing.interval' = '1 h'; SET 'parallelism.default' = '%d'; SET 'pipeline.name' = 'j';\n", parallelism)+text)
	if err != nil {
		w.t.Fatalf("%s\n%v", text, err)
	}
	for _, r := range results {
		if r.Job != nil {
			return r.Job
		}
	}
	w.t.Fatal("no job")
	return nil
}

func (w *world) run(p *plan.Job, from string, allow evolve.Allow) (*job.Handle, error) {
	return job.Run(w.t.Context(), p, job.Config{Dir: w.dir, From: from, Allow: allow, Connectors: w.lookup, Version: "test"})
}

func (w *world) release(n int) {
	for _, f := range []string{"b.jsonl", "c.jsonl", "b2.jsonl"} {
		for range n {
			w.feed.Release(f, 1)
			synctest.Wait()
		}
	}
}

// finish reads everything to its end.
func (w *world) finish(h *job.Handle) {
	w.feed.End()
	if err := h.Wait(); err != nil {
		w.t.Fatal(err)
	}
}

// table is what is left of a changelog: the last row of each key, which is the first column; nil where it was
// taken away.
type table map[string][]any

func read(t *testing.T, lines []string) table {
	out := table{}
	for _, l := range lines {
		var row []any
		d := json.NewDecoder(strings.NewReader(l))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		switch row[0] {
		case "+I", "+U":
			out[fmt.Sprint(row[1])] = row[2:]
		case "-D":
			out[fmt.Sprint(row[1])] = nil
		}
	}
	return out
}

// whole runs a query over all input of rows from seq on.
func whole(t *testing.T, rows, tables, query, sink string, from int) table {
	dir := rows
	if from > 0 {
		dir = t.TempDir()
		for _, f := range []string{"b.jsonl", "c.jsonl", "b2.jsonl"} {
			b, err := os.ReadFile(filepath.Join(rows, f))
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.SplitAfter(b, []byte("\n"))
			if err := os.WriteFile(filepath.Join(dir, f), bytes.Join(lines[from:], nil), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := newWorld(t, dir)
	h, err := w.run(w.plan(tables+query, 1), "", evolve.Allow{})
	if err != nil {
		t.Fatal(err)
	}
	w.release(before + after - from)
	w.finish(h)
	return read(t, w.golden.Rows(sink))
}

// ways are the ways from one run to the next.
var ways = []struct {
	name   string
	layout string // of the savepoint; "": the same job directory
	was    int    // parallelism
	is     int
}{{"restart", "", 1, 2}, {"canonical", checkpoint.Canonical, 2, 1}, {"native", checkpoint.Native, 3, 2}}

// TestEditedQueriesGoOn runs the old query, edits it, restores, runs on and compares with the expectation.
func TestEditedQueriesGoOn(t *testing.T) {
	rows := t.TempDir()
	writeRows(t, rows)
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			for _, way := range ways {
				t.Run(way.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { e.run(t, rows, way.layout, way.was, way.is) })
				})
			}
		})
	}
}

func (e *edit) texts() (old, now, expect string) {
	tables := e.tables
	for i := range tables {
		if tables[i] == "" {
			tables[i] = schema(columns)
		}
	}
	expect = e.expect
	if expect == "" {
		expect = e.now
	}
	return tables[0] + insert(e.old), tables[1] + insert(e.now), tables[1] + insert(expect)
}

func (e *edit) run(t *testing.T, rows, layout string, was, is int) {
	sink := e.sink
	if sink == "" {
		sink = "plain"
	}
	oldText, nowText, expectText := e.texts()
	w := newWorld(t, rows)
	h, err := w.run(w.plan(oldText, was), "", evolve.Allow{})
	if err != nil {
		t.Fatal(err)
	}
	w.release(before)
	snap, man, held := w.snapshot(h, layout)

	p := w.plan(nowText, is)
	allow := evolve.Allow{}
	if e.allow != nil {
		allow = e.allow(man)
	}
	report := evolve.Compare(man, job.Target(p), allow)
	if report.Verdict != e.verdict {
		t.Errorf("verdict %s, expected %s\n%s", report.Verdict, e.verdict, strings.Join(report.Reasons(), "\n"))
	}
	old := read(t, w.golden.Rows(sink))
	if layout != "" { // another job, which writes elsewhere
		w.golden, w.dir = sqltest.NewGolden(), t.TempDir()
	}
	seen := len(w.golden.Rows(sink))
	h, err = w.run(p, snap, allow)
	if e.refused != "" {
		if report.Err() == nil || err == nil || !strings.Contains(err.Error(), e.refused) || !strings.Contains(report.Err().Error(), e.refused) {
			t.Errorf("refused with %v, said beforehand %v, expected %q", err, report.Err(), e.refused)
		}
		return
	}
	if err != nil || report.Err() != nil {
		t.Fatalf("refused with %v, said beforehand %v", err, report.Err())
	}
	if _, err := h.Checkpoint(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	w.sameAsSaid(report, man, held)
	w.release(after / 2)
	// The same command line again, flags and all, goes on from the job's own checkpoint.
	w.suspend(h)
	if h, err = w.run(w.plan(nowText, is), snap, allow); err != nil {
		t.Fatal(err)
	}
	w.release(after)
	w.finish(h)
	got := read(t, w.golden.Rows(sink)[seen:])
	want := whole(t, rows, "", expectText, sink, 0)
	late := table{}
	if e.fresh != nil {
		late = whole(t, rows, "", nowText, sink, before)
	}
	if len(got) == 0 {
		t.Fatal("nothing came after the edit")
	}
	for k, row := range got {
		exp := want[k]
		if row == nil && exp == nil {
			continue
		}
		exp = append(make([]any, 0, 5), exp...)
		for _, c := range e.fresh {
			switch exp[c] = nil; {
			case late[k] != nil:
				exp[c] = late[k][c]
			case slices.Contains(e.counts, c):
				exp[c] = "0"
			}
		}
		if fmt.Sprint(row) != fmt.Sprint(exp) {
			t.Errorf("key %s: got %v, expected %v", k, row, exp)
		}
	}
	for k, row := range want {
		if row != nil && got[k] == nil && old[k] == nil && (e.fresh == nil || late[k] != nil) {
			t.Errorf("key %s: nothing came, expected %v", k, want[k])
		}
	}
}

// suspend ends the job as its process would, with a last checkpoint.
func (w *world) suspend(h *job.Handle) {
	if _, err := h.Checkpoint(w.t.Context(), false); err != nil {
		w.t.Fatal(err)
	}
	h.Suspend()
	if err := h.Wait(); err != nil && !errors.Is(err, job.ErrCancelled) {
		w.t.Fatal(err)
	}
}

// snapshot ends the job and returns what the next one begins from: "" for its own directory.
func (w *world) snapshot(h *job.Handle, layout string) (path string, m *checkpoint.Manifest, c contents) {
	if layout == "" {
		w.suspend(h)
		m, c = w.newest()
		return "", m, c
	}
	sp, err := h.NewSavepoint(job.SavepointRequest{Dir: w.t.TempDir(), Layout: layout})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := sp.Take(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	h.Cancel()
	if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
		w.t.Fatal(err)
	}
	s, err := snapshots.Open(w.t.Context(), sp.Status().Path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	content, err := s.Content()
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Path, s.Manifest, dump(w.t, content, s.Manifest)
}
