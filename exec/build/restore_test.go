package build

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/exec/inflight"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// flying are rows in flight as a checkpoint has them.
func flying(uid string, subtask, of int, values ...int64) flow.InFlight {
	b := numbers(values...)
	var all []int32
	return flow.InFlight{UID: uid, Subtask: subtask, Parallelism: of, Rows: int64(b.N), Data: inflight.Append(inflight.Header(b), b, b.Rows(&all))}
}

// restored lists, by task, the values that it goes through first.
func restored(tasks []flow.Task) map[string][]int64 {
	out := map[string][]int64{}
	for _, t := range tasks {
		for _, r := range t.Restored {
			at := t.Name
			if r.Op != nil && r.Op != t.Root {
				at += " in " + r.Op.Name
			}
			for i := range r.Batch.Len() {
				out[at] = append(out[at], vec.Values[int64](&r.Batch.Cols[0])[r.Batch.Row(i)])
			}
		}
	}
	return out
}

// piped is a source, an operator behind an exchange, and a sink.
func piped(x plan.Exchange, sources, par int) *plan.Job {
	calc := &plan.Calc{Exprs: []expr.Expr{column(0)}}
	job := jobOf(node(source(), sources), node(calc, par, from(0, x)), node(&plan.Sink{Accepts: plan.AllChanges}, par, from(1, plan.Forward)))
	job.Nodes[0].UID, job.Nodes[1].UID, job.Nodes[2].UID = "src", "calc", "sink"
	return job
}

func TestRowsInFlightGoWhereRowsThatComeThatWayGo(t *testing.T) {
	route := routeOf(t, plan.Hash, 3)
	byKey := map[string][]int64{}
	values := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}
	dest, err := route(numbers(values...), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, to := range dest {
		name := fmt.Sprintf("Calc (%d/3)", to+1)
		byKey[name] = append(byKey[name], values[i])
	}
	for _, c := range []struct {
		name string
		job  *plan.Job
		rows []flow.InFlight
		want map[string][]int64
	}{
		{"by key", piped(plan.Hash, 2, 3), []flow.InFlight{flying("calc", 0, 4, 1, 2, 3, 4, 5), flying("calc", 3, 4, 6, 7, 8, 9)}, byKey},
		{"where one subtask has all keys, into the middle of its chain, the farthest first", piped(plan.Hash, 1, 1),
			[]flow.InFlight{flying("calc", 0, 4, 1, 2), flying("calc", 3, 4, 3), flying("sink", 0, 1, 4)},
			map[string][]int64{"Source (1/1) in Sink": {4}, "Source (1/1) in Calc": {1, 2, 3}}},
		{"spread already", piped(plan.Forward, 3, 3), []flow.InFlight{flying("calc", 0, 1, values...)},
			map[string][]int64{"Source (1/3) in Calc": byKey["Calc (1/3)"], "Source (2/3) in Calc": byKey["Calc (2/3)"], "Source (3/3) in Calc": byKey["Calc (3/3)"]}},
		{"dealt out", piped(plan.Rebalance, 1, 2), []flow.InFlight{flying("calc", 0, 3, 1, 2), flying("calc", 1, 3, 3), flying("calc", 2, 3, 4)},
			map[string][]int64{"Calc (1/2)": {1, 2, 4}, "Calc (2/2)": {3}}},
		{"to one subtask", piped(plan.Single, 1, 2), []flow.InFlight{flying("calc", 1, 2, 1, 2)}, map[string][]int64{"Calc (1/2)": {1, 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			closed := 0
			p := parts(c.job, &closed)
			p.InFlight = c.rows
			tasks, err := Tasks(p)
			if err != nil {
				t.Fatal(err)
			}
			got := restored(tasks)
			for at := range c.want {
				if !slices.Equal(got[at], c.want[at]) {
					t.Errorf("%s: %v, want %v", at, got[at], c.want[at])
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestRowsOfASourceGoWhereTheirSplitIs(t *testing.T) {
	closed := 0
	p := parts(piped(plan.Hash, 3, 1), &closed) // split i is in subtask i
	f := flying("src", 0, 1, 7)
	f.Split = "2"
	p.InFlight = []flow.InFlight{f}
	tasks, err := Tasks(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := tasks[2].Restored; len(got) != 1 || got[0].Op != nil || got[0].Split != "2" || len(restored(tasks)) != 1 {
		t.Errorf("%v", restored(tasks))
	}
	p.InFlight[0].Split = "9"
	if _, err := Tasks(p); err == nil || !strings.Contains(err.Error(), "which no subtask reads") {
		t.Error(err)
	}
}

// pairs is two sources and their union in each of several subtasks.
func pairs(par int) *plan.Job {
	job := jobOf(node(source(), par), node(source(), par), node(&plan.Union{}, par, plan.Input{Node: 0, Exchange: plan.Forward}, plan.Input{Node: 1, Exchange: plan.Forward}),
		node(&plan.Sink{Accepts: plan.AllChanges}, par, plan.Input{Node: 2, Exchange: plan.Forward}))
	job.Nodes[0].UID, job.Nodes[1].UID, job.Nodes[2].UID = "a", "b", "union"
	return job
}

func TestRowsOnAForwardEdge(t *testing.T) {
	changes := flying("union", 1, 2, 1)
	b := numbers(1)
	b.Kinds = []vec.Kind{vec.UpdateAfter}
	changes.Data = inflight.Append(inflight.Header(b), b, []int32{0})
	keyed := pairs(4)
	keyed.Nodes[3].State = []plan.StateTable{{ID: 1}}
	for _, c := range []struct {
		name string
		job  *plan.Job
		row  flow.InFlight
		want string // the task, or an error
	}{
		{"stay in their subtask", pairs(2), changes, "Union (2/2)"},
		{"come to the one of the first subtasks that has more of them", pairs(4), flying("union", 1, 2, 1), "Union (3/4)"},
		{"or less", pairs(2), flying("union", 3, 4, 1), "Union (2/2)"},
		{"or to the only one", pairs(1), changes, "Union (1/1)"},
		{"are refused when their order with others matters", pairs(4), changes, "start the job with the parallelism it had"},
		{"or their place", keyed, flying("union", 1, 2, 1), "start the job with the parallelism it had"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closed := 0
			p := parts(c.job, &closed)
			p.InFlight = []flow.InFlight{c.row}
			tasks, err := Tasks(p)
			if err != nil {
				if !strings.Contains(err.Error(), c.want) || exec.ClassOf(err) != exec.User {
					t.Error(err)
				}
				return
			}
			if got := restored(tasks); len(got) != 1 || got[c.want] == nil {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}

func TestRowsThatHaveNoPlaceAreRefused(t *testing.T) {
	for _, c := range []struct {
		row  flow.InFlight
		want string
	}{
		{flying("gone", 0, 1, 1), "uid gone, which the query does not have"},
		{flow.InFlight{UID: "calc", Port: 1, Rows: 3, Parallelism: 1}, "input 1"},
		{flow.InFlight{UID: "calc", Rows: 3, Parallelism: 1, Data: []byte("x")}, "damaged"},
	} {
		closed := 0
		p := parts(piped(plan.Hash, 1, 2), &closed)
		p.InFlight = []flow.InFlight{c.row}
		if _, err := Tasks(p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
