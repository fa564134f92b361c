package evolve

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/exec/job"
)

var seeds = flag.Int("seeds", 24, "how many random edits TestRandomEdits makes")

// pool are aggregates, written as slots are named.
var pool = []string{
	"COUNT(*)", "COUNT(price)", "COUNT(channel)", "SUM(price)", "SUM(cost)", "AVG(price)", "AVG(cost)", "MIN(price)", "MAX(price)", "MIN(channel)", "MAX(channel)",
	"MAX(cost)", "MIN(made)", "FIRST_VALUE(price)", "LAST_VALUE(channel)", "COUNT(DISTINCT price)", "SUM(DISTINCT price)", "AVG(DISTINCT price)",
	"COUNT(DISTINCT channel)", "COUNT(DISTINCT cost)", "SUM(DISTINCT cost)", "SUM(price) FILTER (WHERE bidder > 1)", "COUNT(DISTINCT price) FILTER (WHERE bidder > 1)",
	"SUM(DISTINCT price) FILTER (WHERE bidder > 1)", "MAX(channel) FILTER (WHERE bidder > 2)", "COUNT(*) FILTER (WHERE bidder > 2)",
}

// changed are those over a query whose rows are taken away: s is a number, c a string.
var changed = []string{
	"COUNT(*)", "COUNT(s)", "SUM(s)", "AVG(s)", "MIN(s)", "MAX(s)", "MIN(c)", "MAX(c)", "COUNT(DISTINCT s)", "SUM(DISTINCT s)", "COUNT(DISTINCT c)",
	"COUNT(DISTINCT s) FILTER (WHERE s > 5)", "SUM(DISTINCT s) FILTER (WHERE s > 5)", "MAX(s) FILTER (WHERE s > 5)",
}

// draw takes up to five aggregates.
func draw(rnd *rand.Rand, of []string) []string {
	out := slices.Clone(of)
	rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:1+rnd.IntN(5)]
}

// TestRandomEdits draws aggregates before and after an edit, and types: what the report says about each of them
// is what its column then shows.
func TestRandomEdits(t *testing.T) {
	rows := t.TempDir()
	writeRows(t, rows)
	for seed := range *seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(seed), 5))
			e := edit{allow: everything}
			query, aggs := by, pool
			switch rnd.IntN(4) {
			case 0:
				query, aggs = changelog, changed
			case 1:
				query = func(exprs ...string) string { return windowed(tumble, exprs...) }
			}
			was, is := draw(rnd, aggs), draw(rnd, aggs)
			e.old, e.now = query(was...), query(is...)
			e.tables[1] = []string{"", wide, wideKeys}[rnd.IntN(3)]
			way := ways[rnd.IntN(len(ways))]
			t.Logf("%s\n%s\n%s: %q", e.old, e.now, way.name, e.tables[1])
			synctest.Test(t, func(t *testing.T) { e.checkReport(t, rows, is, way.layout, way.was, way.is) })
		})
	}
}

// checkReport runs the edit as its report says it goes.
func (e *edit) checkReport(t *testing.T, rows string, aggs []string, layout string, was, is int) {
	oldText, nowText, _ := e.texts()
	w := newWorld(t, rows)
	r := evolve.Compare(job.Target(w.plan(oldText, was)).Manifest(), job.Target(w.plan(nowText, is)), evolve.Allow{All: true})
	e.verdict = r.Verdict
	if reasons := r.Reasons(); len(reasons) > 0 {
		e.refused = reasons[0][:strings.Index(reasons[0], " of operator")]
		for _, x := range r.Rows {
			if !x.Allowed && (x.Verdict != evolve.Incompatible || !strings.Contains(x.Because, "taken away")) {
				t.Errorf("%+v", x)
			}
		}
	}
	for i, a := range aggs {
		at := slices.IndexFunc(r.Rows, func(x evolve.Row) bool { return x.Slot == a && x.Verdict != evolve.Drop })
		// The last operator is the one with these aggregates; those below have other names, or the same verdict.
		if at < 0 {
			t.Fatalf("the report has no row of %s", a)
		}
		if r.Rows[at].Verdict == evolve.New {
			e.fresh = append(e.fresh, i)
			if strings.HasPrefix(a, "COUNT") {
				e.counts = append(e.counts, i)
			}
		}
	}
	e.run(t, rows, layout, was, is)
}
