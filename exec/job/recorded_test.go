package job

import (
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// counting is a plan of a source and a GROUP BY, changed by edit.
func counting(edit func(*plan.Job)) *plan.Job {
	p := &plan.Job{SQL: "SELECT ..", MaxParallel: 128, Nodes: []*plan.Node{
		{ID: 0, UID: "src", Name: "Source(t)", Op: &plan.Source{}, Parallelism: 1, Fingerprint: "f0"},
		{ID: 1, UID: "grp", Name: "GroupAggregate(a)", Op: &plan.GroupAggregate{}, Parallelism: 2, Fingerprint: "f1",
			State: []plan.StateTable{{ID: 1, Name: "groups", Size: 16, Slots: []plan.Slot{{ID: "s1", Kind: plan.SlotAggregate, Size: 8}}}}},
	}}
	if edit != nil {
		edit(p)
	}
	return p
}

func TestWhatHasChangedSinceACheckpoint(t *testing.T) {
	was := recordPlan(counting(nil))
	m := &checkpoint.Manifest{Plan: was.hash, MaxParallelism: 128, Operators: was.operators}
	for _, tt := range []struct {
		name string
		edit func(*plan.Job)
		maxp int
		want []string
	}{
		{"nothing", nil, 128, nil},
		{"the text of the query, which may be laid out anew", func(p *plan.Job) { p.SQL = "select .." }, 128, nil},
		{"parallelism", func(p *plan.Job) { p.Nodes[1].Parallelism = 7 }, 128, nil},
		{"how long state lives", func(p *plan.Job) { p.Nodes[1].State[0].TTL = 5 }, 128, nil},
		{"the number of key groups", nil, 64, []string{"pipeline.max-parallelism is 64; the checkpoint has 128 key groups, which is fixed for its life"}},
		{"a filter below", func(p *plan.Job) { p.Nodes[1].Fingerprint = "f2" }, 128,
			[]string{"other rows reach it, a filter or watermark below has changed: GroupAggregate(a) (uid grp)"}},
		{"the state of an operator", func(p *plan.Job) { p.Nodes[1].State[0].Slots[0].ID = "s2" }, 128,
			[]string{"keeps other state: GroupAggregate(a), was GroupAggregate(a) (uid grp)"}},
		{"what an operator does", func(p *plan.Job) { p.Nodes[1].Name = "GroupAggregate(a, b)" }, 128,
			[]string{"changed: GroupAggregate(a, b), was GroupAggregate(a) (uid grp)"}},
		{"which operators there are", func(p *plan.Job) { p.Nodes[1].UID, p.Nodes[0].UID = "y", "x" }, 128,
			[]string{"gone: Source(t) (uid src)", "gone: GroupAggregate(a) (uid grp)", "new: GroupAggregate(a) (uid y)", "new: Source(t) (uid x)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := recordPlan(counting(tt.edit))
			if got := now.differences(m, tt.maxp); !slices.Equal(got, tt.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
		})
	}
}

func TestTablesOfAPlan(t *testing.T) {
	r := recordPlan(counting(nil))
	if !r.hasTable("grp", 1) || r.hasTable("grp", 2) || r.hasTable("src", 1) {
		t.Error("a table is there that the plan does not have, or the other way round")
	}
}
