package job

import (
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// counting is a plan of a source and a GROUP BY, changed by edit.
func counting(edit func(*plan.Job)) *plan.Job {
	p := &plan.Job{SQL: "SELECT ..", MaxParallel: 128, Nodes: []*plan.Node{
		{ID: 0, UID: "src", Name: "Source(t)", Op: &plan.Source{}, Parallelism: 1, Fingerprint: "f0"},
		{ID: 1, UID: "grp", Name: "GroupAggregate(a)", Op: &plan.GroupAggregate{}, Parallelism: 2, Fingerprint: "f1",
			State: []plan.StateTable{{ID: 0, Name: "groups", Size: 16, Slots: []plan.Slot{{ID: "s1", Kind: plan.SlotAggregate, Size: 8}}}}},
	}}
	if edit != nil {
		edit(p)
	}
	return p
}

func TestWhatACheckpointIsRefusedFor(t *testing.T) {
	was := recordPlan(counting(nil))
	m := &checkpoint.Manifest{Plan: was.hash, MaxParallelism: 128, Operators: was.operators, Epoch: 3}
	for _, tt := range []struct {
		name  string
		edit  func(*plan.Job)
		allow evolve.Allow
		want  []string
	}{
		{name: "nothing"},
		{name: "the text of the query, which may be laid out anew", edit: func(p *plan.Job) { p.SQL = "select .." }},
		{name: "a name, which is for people", edit: func(p *plan.Job) { p.Nodes[1].Name = "GroupAggregate(a AS b)" }},
		{name: "parallelism", edit: func(p *plan.Job) { p.Nodes[1].Parallelism = 7 }},
		{name: "how long state lives", edit: func(p *plan.Job) { p.Nodes[1].State[0].TTL = 5 }},
		{name: "the number of key groups", edit: func(p *plan.Job) { p.MaxParallel = 64 },
			want: []string{"pipeline.max-parallelism is 64; the checkpoint has 128 key groups, which is fixed for its life"}},
		{name: "a filter below", edit: func(p *plan.Job) { p.Nodes[1].Fingerprint = "f2" },
			want: []string{"GroupAggregate(a) (uid grp): SEMANTICS-CHANGED: other rows reach it: a filter or watermark below has changed (allow it with --accept grp)",
				"to go on all the same add: --accept grp"}},
		{name: "a filter below that is accepted", edit: func(p *plan.Job) { p.Nodes[1].Fingerprint = "f2" }, allow: evolve.Allow{Accept: []string{"grp"}}},
		{name: "a name that is of nothing", edit: func(p *plan.Job) { p.Nodes[1].Fingerprint = "f2" }, allow: evolve.Allow{Accept: []string{"grp", "gr"}},
			want: []string{"neither the snapshot nor the query has gr, named with --drop or --accept; 'sqlstream diff' lists the names"}},
		{name: "a name that is of nothing any more", allow: evolve.Allow{Drop: []string{"old"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := counting(tt.edit)
			h := &home{h: &Handle{plan: p, cfg: Config{Allow: tt.allow}}, plan: recordPlan(p)}
			if got := h.refusals(m); !slices.Equal(got, tt.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
		})
	}
}

func TestTablesOfAPlan(t *testing.T) {
	r := recordPlan(counting(nil))
	if !r.hasTable("grp", 0) || r.hasTable("grp", 2) || r.hasTable("src", 0) {
		t.Error("a table is there that the plan does not have, or the other way round")
	}
}
