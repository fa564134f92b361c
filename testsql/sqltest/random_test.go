package sqltest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/testsql/random"
)

var (
	seeds     = flag.Int("seeds", 150, "random queries to run")
	firstSeed = flag.Uint64("first-seed", 1, "seed of the first random query")
)

// miniBatch is put before some of the queries: it changes nothing about what is left.
const miniBatch = "SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '3 s'; SET 'table.exec.mini-batch.size' = '7';\n"

// randomCase writes a random query as a case.
func randomCase(t *testing.T, q *random.Query, set string) *Case {
	t.Helper()
	dir := t.TempDir()
	var lines strings.Builder
	for _, r := range q.Rows {
		lines.WriteString(random.JSON(r) + "\n")
	}
	if err := os.WriteFile(filepath.Join(dir, "t.jsonl"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Case{
		Name: "random", Dir: dir, Arrival: slices.Repeat([]string{"t.jsonl"}, len(q.Rows)),
		Script: set + random.TableDDL() + " WITH ('connector' = 'filesystem', 'path' = '${DIR}/t.jsonl', 'format' = 'json');\n" + q.SQL + ";\n",
	}
}

// rowTexts writes folded result rows as random.Text does.
func rowTexts(t *testing.T, changes []string) []string {
	t.Helper()
	rows, err := fold(changes, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rows {
		d := json.NewDecoder(strings.NewReader(r))
		d.UseNumber()
		var vals []any
		if err := d.Decode(&vals); err != nil {
			t.Fatal(err)
		}
		parts := make([]string, len(vals))
		for i, v := range vals {
			parts[i] = random.Text(v)
		}
		out = append(out, strings.Join(parts, ", "))
	}
	sort.Strings(out)
	return out
}

// plain drops the quotes that tell a BIGINT, a text in the results, from an INT: the naive
// evaluator does not know which it is.
func plain(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.ReplaceAll(l, `"`, "")
	}
	sort.Strings(out)
	return out
}

// TestRandomQueries compares random queries with the naive evaluator: straight through, and
// killed and rescaled.
func TestRandomQueries(t *testing.T) {
	for i := range uint64(*seeds) {
		seed := *firstSeed + i
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			q := random.New(seed)
			want := plain(q.Want)
			set := ""
			if seed%3 == 0 {
				set = miniBatch
			}
			modes := []Mode{
				{Seed: seed, Parallelism: []int{1}},
				{Seed: seed, Parallelism: []int{2, 1, 3}, Kills: 2},
			}
			if seed%2 == 0 {
				modes = append(modes, overtaking(seed))
			}
			for _, m := range modes {
				out, err := bubble(t, randomCase(t, q, set), m)
				if err != nil {
					t.Fatalf("%s\n%v", q.SQL, err)
				}
				if got := plain(rowTexts(t, out.Changes["result"])); !slices.Equal(got, want) {
					t.Errorf("%s\nkills %d, parallelism %v\n got %s\nwant %s", q.SQL, m.Kills, m.Parallelism, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
				}
			}
		})
	}
}
