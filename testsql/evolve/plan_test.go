// Package evolve tests edits of real queries: what the comparison says about them beforehand, and that a restore
// does the same. Only tests live here.
package evolve

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/testsql/sqltest"
)

// planOf plans a text with one job.
func planOf(t testing.TB, text string) *plan.Job {
	t.Helper()
	s := engine.NewSession(lookup)
	results, err := s.Execute("", "SET 'execution.checkpointing.interval' = '1 h';\n"+text)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	var jobs []*plan.Job
	for _, r := range results {
		if r.Job != nil {
			jobs = append(jobs, r.Job)
		}
	}
	if len(jobs) != 1 {
		t.Fatalf("%d jobs, 1 expected\n%s", len(jobs), text)
	}
	return jobs[0]
}

var golden = sqltest.NewGolden()

func lookup(name string) (connectors.Connector, error) {
	if name == "golden" {
		return golden, nil
	}
	return real(name)
}

// TestEdits runs testdata/edits: "tables" sets the tables, "query" the old query, "edit" prints what becomes
// of its state under the new one. A line "-- drop NAME", "-- accept NAME" or "-- all" is what is allowed; UIDs are
// numbered in the order in which they are first seen.
func TestEdits(t *testing.T) {
	datadriven.Walk(t, "testdata/edits", func(t *testing.T, path string) {
		tables, query := "", ""
		u := &uids{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "tables":
				tables = d.Input
				return ""
			case "query":
				query = d.Input
				u = &uids{}
				for _, o := range job.Target(planOf(t, tables+query)).Operators {
					if o.Kind == "Source" || len(o.Tables) > 0 {
						u.number(o.UID)
					}
				}
				return ""
			}
			sql, allow := u.flags(d.Input)
			if !strings.Contains(sql, "CREATE TABLE") || d.HasArg("add") {
				sql = tables + sql
			}
			old, now := job.Target(planOf(t, tables+query)), job.Target(planOf(t, sql))
			m := old.Manifest()
			m.Epoch, m.JobName = 7, "j"
			r := evolve.Compare(m, now, allow)
			return u.print(r)
		})
	})
}

// uids gives UIDs short names.
type uids struct{ seen []string }

func (u *uids) number(uid string) string {
	if uid == "" {
		return "-"
	}
	if !slices.Contains(u.seen, uid) {
		u.seen = append(u.seen, uid)
	}
	return fmt.Sprintf("u%d", slices.Index(u.seen, uid)+1)
}

// uid is the way back, also inside "u1/slot".
func (u *uids) uid(name string) string {
	short, slot, found := strings.Cut(name, "/")
	for i, uid := range u.seen {
		if short == fmt.Sprintf("u%d", i+1) {
			short = uid
			break
		}
	}
	if found {
		return short + "/" + slot
	}
	return short
}

// flags takes the comments with what is allowed out of a text.
func (u *uids) flags(text string) (sql string, a evolve.Allow) {
	for line := range strings.Lines(text) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- drop ")
		if ok {
			a.Drop = append(a.Drop, u.uid(name))
		} else if name, ok = strings.CutPrefix(strings.TrimSpace(line), "-- accept "); ok {
			a.Accept = append(a.Accept, u.uid(name))
		} else if strings.TrimSpace(line) == "-- all" {
			a.All = true
		} else {
			sql += line
		}
	}
	return sql, a
}

func (u *uids) print(r *evolve.Report) string {
	var b strings.Builder
	for _, x := range r.Rows {
		name := u.number(x.UID)
		if x.NowUID != "" {
			name += " -> " + u.number(x.NowUID)
		}
		what, _, _ := strings.Cut(x.Operator, "(")
		if x.Slot != "" {
			name, what = "  "+name, x.Slot+" "+x.Type
		}
		fmt.Fprintf(&b, "%s %s: %s, %s", name, what, x.Verdict, x.Because)
		if x.Needs != "" {
			flag, of, _ := strings.Cut(x.Needs, " ")
			uid, slot, found := strings.Cut(of, "/")
			of = u.number(uid)
			if found {
				of += "/" + slot
			}
			fmt.Fprintf(&b, " [%s %s: %v]", flag, of, x.Allowed)
		}
		b.WriteByte('\n')
	}
	for _, n := range r.Unknown {
		fmt.Fprintf(&b, "unknown: %s\n", n)
	}
	fmt.Fprintf(&b, "exit %d\n", r.ExitCode())
	return b.String()
}

func real(name string) (connectors.Connector, error) { return registry.Lookup(name) }

var registry = all.Connectors(io.Discard, io.Discard)
