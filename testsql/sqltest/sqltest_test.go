package sqltest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	only    = flag.String("case", "", "run only this case")
	rewrite = flag.Bool("rewrite", false, "write the list of cases that pass")
)

const (
	queries = "../testdata/queries"
	// passing lists the cases whose results are Flink's; a case may be added, never lost.
	passing = "../testdata/queries.passing"
)

func cases(t *testing.T) []*Case {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(queries, "*", "query.sql"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases in %s: %v", queries, err)
	}
	var list []*Case
	for _, d := range dirs {
		c, err := Load(filepath.Dir(d))
		if err != nil {
			t.Fatal(err)
		}
		if *only == "" || c.Name == *only {
			list = append(list, c)
		}
	}
	return list
}

// bubble runs a case in virtual time.
func bubble(t *testing.T, c *Case, m Mode) (out *Outcome, err error) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { out, err = Run(t.Context(), c, m, dir) })
	return out, err
}

// difference says in what an outcome is not the golden one; "" when it is.
func difference(c *Case, out *Outcome, err error, exact bool) string {
	if c.Error != nil {
		if err == nil {
			return fmt.Sprintf("Flink fails (%s: %s), here it runs", c.Error.Phase, c.Error.Message)
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	for sink, want := range c.Results {
		got := out.Changes[sink]
		if h := out.Headers[sink]; h != "" && h != want.Header {
			return fmt.Sprintf("columns of %s\n got %s\nwant %s", sink, h, want.Header)
		}
		if exact && !slices.Equal(got, want.Changes) && !sameWindows(got, want.Changes) {
			return fmt.Sprintf("changes of %s\n got %s\nwant %s", sink, strings.Join(got, "\n     "), strings.Join(want.Changes, "\n     "))
		}
		final, err := fold(got, keyOf(c, got))
		if err != nil {
			return err.Error()
		}
		if !slices.Equal(final, want.Final) {
			return fmt.Sprintf("rows left of %s\n got %s\nwant %s", sink, strings.Join(final, "\n     "), strings.Join(want.Final, "\n     "))
		}
	}
	return ""
}

// keyOf is the key for folding: none where -U takes rows away.
func keyOf(c *Case, changes []string) []int {
	for _, l := range changes {
		if strings.HasPrefix(l, `["-U"`) {
			return nil
		}
	}
	return c.Key
}

// sameWindows allows what Flink leaves to chance: the order of rows of one window, which come
// out in hash order of their keys. All rows must be insertions.
func sameWindows(got, want []string) bool {
	inserts := func(l []string) bool {
		return !slices.ContainsFunc(l, func(s string) bool { return !strings.HasPrefix(s, `["+I"`) })
	}
	return inserts(got) && inserts(want) && slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
}

// TestQueriesAsFlink runs every golden query one line at a time and compares its changelog
// with Flink's, change by change.
func TestQueriesAsFlink(t *testing.T) {
	known := map[string]bool{}
	if b, err := os.ReadFile(passing); err == nil {
		for name := range strings.FieldsSeq(string(b)) {
			known[name] = true
		}
	}
	var passed, unsupported []string
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			out, err := bubble(t, c, Mode{Step: true})
			diff := ""
			if errors.Is(err, ErrUnsupported) {
				unsupported = append(unsupported, c.Name)
				if !known[c.Name] {
					t.Skip(err)
				}
				diff = err.Error()
			} else {
				// What a bundle of mini-batch holds is no part of Flink's semantics; its two phases
				// make other ones.
				exact := !strings.Contains(c.Script, "'table.exec.mini-batch.enabled' = 'true'")
				diff = difference(c, out, err, exact)
			}
			switch {
			case diff == "":
				passed = append(passed, c.Name)
			case known[c.Name]:
				t.Errorf("no longer as Flink: %s", diff)
			default:
				t.Logf("not yet as Flink: %s", diff)
			}
		})
	}
	t.Logf("%d as Flink, %d refused as not supported yet, of %d", len(passed), len(unsupported), len(cases(t)))
	if *rewrite && *only == "" {
		slices.Sort(passed)
		if err := os.WriteFile(passing, []byte(strings.Join(passed, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// overtaking is a mode in which barriers overtake rows that a slow sink makes wait.
func overtaking(seed uint64) Mode {
	return Mode{Kills: 5, Seed: seed, Parallelism: []int{1, 4, 3, 1}, PerRow: 50 * time.Millisecond,
		Set: map[string]string{"execution.checkpointing.unaligned.enabled": "true"}}
}

// TestQueriesKilledAndRescaled runs the passing queries with kills at seeded points, at
// parallelism 1 and at 1, 2, 3 in turn: the rows left in the end are the same.
func TestQueriesKilledAndRescaled(t *testing.T) {
	b, err := os.ReadFile(passing)
	if err != nil {
		t.Fatal(err)
	}
	inFlight, refused := int64(0), 0
	defer func() { t.Logf("%d rows in flight; %d restarts at another parallelism refused", inFlight, refused) }()
	for _, c := range cases(t) {
		if !slices.Contains(strings.Fields(string(b)), c.Name) || c.Error != nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			for _, m := range []Mode{
				{Kills: 3, Seed: 1, Parallelism: []int{1}},
				{Kills: 4, Seed: 2, Parallelism: []int{1, 2, 3}},
				overtaking(3),
				{Kills: 3, Seed: 4, Parallelism: []int{2}, PerRow: 5 * time.Millisecond,
					Set: map[string]string{"execution.checkpointing.max-concurrent-checkpoints": "3", "execution.checkpointing.interval": "20 ms"}},
			} {
				out, err := bubble(t, c, m)
				inFlight, refused = inFlight+out.InFlight, refused+out.Refused
				if d := difference(c, out, err, false); d != "" {
					t.Errorf("%d kills at parallelism %v, seed %d: %s", m.Kills, m.Parallelism, m.Seed, d)
				}
			}
		})
	}
}
