package build

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

var bigint = types.Schema{{Name: "n", Type: types.BigIntT}}

func node(op plan.Op, parallelism int, inputs ...plan.Input) *plan.Node {
	return &plan.Node{Name: op.Kind(), Op: op, Inputs: inputs, Schema: bigint, Parallelism: parallelism, UID: op.Kind()}
}

func jobOf(nodes ...*plan.Node) *plan.Job {
	for i, n := range nodes {
		n.ID = i
	}
	return &plan.Job{Nodes: nodes, MaxParallel: 128}
}

func from(n int, x plan.Exchange) plan.Input { return plan.Input{Node: n, Exchange: x, Keys: []int{0}} }

// shape writes the chains of a plan: "0 1 | 2".
func shape(job *plan.Job) string {
	chains, of := Chains(job)
	var out []string
	for i, c := range chains {
		var ids []string
		for _, n := range c.Nodes {
			ids = append(ids, fmt.Sprint(n.ID))
			if of[n.ID] != c {
				ids = append(ids, "of another chain")
			}
		}
		if c.ID != i {
			ids = append(ids, "out of order")
		}
		out = append(out, strings.Join(ids, " "))
	}
	return strings.Join(out, " | ")
}

func TestChainsAreCutAtExchanges(t *testing.T) {
	src, calc, sink := &plan.Source{}, &plan.Calc{}, &plan.Sink{}
	for _, tt := range []struct {
		name string
		job  *plan.Job
		want string
	}{
		{"forward", jobOf(node(src, 2), node(calc, 2, from(0, plan.Forward)), node(sink, 2, from(1, plan.Forward))), "0 1 2"},
		{"by key", jobOf(node(src, 2), node(calc, 2, from(0, plan.Hash)), node(sink, 2, from(1, plan.Forward))), "0 | 1 2"},
		{"by key, where one subtask has all keys", jobOf(node(src, 1), node(calc, 1, from(0, plan.Hash)), node(sink, 1, from(1, plan.Single))), "0 1 2"},
		{"another parallelism", jobOf(node(src, 1), node(calc, 2, from(0, plan.Rebalance)), node(sink, 1, from(1, plan.Single))), "0 | 1 | 2"},
		{"one input, two consumers", jobOf(node(src, 2), node(sink, 2, from(0, plan.Forward)), node(sink, 2, from(0, plan.Hash))), "0 1 | 2"},
		{"several inputs", jobOf(node(src, 1), node(src, 1), node(&plan.Union{}, 1, from(0, plan.Forward), from(1, plan.Forward)), node(sink, 1, from(2, plan.Forward))), "0 | 1 | 2 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := shape(tt.job); got != tt.want {
				t.Errorf("chains %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUIDsOfAChainAreThoseWithState(t *testing.T) {
	withState := node(&plan.GroupAggregate{}, 1, from(0, plan.Forward))
	withState.State = []plan.StateTable{{ID: 1}}
	chains, _ := Chains(jobOf(node(&plan.Source{}, 1), withState, node(&plan.Sink{}, 1, from(1, plan.Forward))))
	if got := chains[0].UIDs(); !slices.Equal(got, []string{"GroupAggregate"}) {
		t.Errorf("uids %q", got)
	}
}

// thing is a reader and a writer that counts how often it is closed.
type thing struct {
	exec.Reader
	exec.Writer
	closed *int
}

func (c thing) Close() error { *c.closed++; return nil }

func parts(job *plan.Job, closed *int) *Parts {
	return &Parts{
		Job: job, Eval: eval.Env{Clock: exec.SystemClock{}}, Zone: time.UTC, Clock: exec.SystemClock{}, Log: slog.New(slog.DiscardHandler),
		Metrics:       func(*plan.Node, int) *exec.Metrics { return &exec.Metrics{} },
		WriterContext: context.Background(),
		Reader: func(_ *plan.Node, sub int) (exec.Reader, []exec.Split, []exec.Watermark, error) {
			return thing{closed: closed}, []exec.Split{{ID: fmt.Sprint(sub)}}, []exec.Watermark{int64(sub)}, nil
		},
		Writer: func(*plan.Node, int) (exec.Writer, error) { return thing{closed: closed}, nil },
	}
}

func column(i int) expr.Expr { return &expr.Column{Index: i, Typ: types.BigIntT} }

// source reads column n of a table whose metadata column comes second.
func source() *plan.Source {
	return &plan.Source{
		Table: plan.Table{Physical: bigint, Metadata: []plan.MetaColumn{{Name: "offset", Key: "offset", Type: types.BigIntT.NotNullable()}}},
		Read:  []int{1, 0}, Columns: []expr.Expr{column(1)},
	}
}

func TestTasksOfAPlan(t *testing.T) {
	calc := &plan.Calc{Exprs: []expr.Expr{column(0)}}
	job := jobOf(node(source(), 2), node(calc, 3, from(0, plan.Hash)), node(&plan.Sink{Accepts: plan.AllChanges}, 3, from(1, plan.Forward)))
	job.Nodes[0].UID = "src"
	closed := 0
	tasks, err := Tasks(parts(job, &closed))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, task := range tasks {
		names = append(names, task.Name)
	}
	if want := []string{"Source (1/2)", "Source (2/2)", "Calc (1/3)", "Calc (2/3)", "Calc (3/3)"}; !slices.Equal(names, want) {
		t.Errorf("tasks %q, want %q", names, want)
	}
	s := tasks[1].Source
	if got := s.Read.String(); got != "(`offset` BIGINT NOT NULL, `n` BIGINT)" {
		t.Errorf("the reader fills %s", got)
	}
	if s.Splits[0].ID != "1" || s.Watermarks[0] != 1 || s.EventTime != nil || s.Ctx.UID != "src" || s.Ctx.Subtask != 1 {
		t.Errorf("source of subtask 1: %+v", s)
	}
	x := s.Outs[0].Exchange
	if x == nil || x != tasks[0].Source.Outs[0].Exchange || x != tasks[4].Inputs[0] || x.Producers != 2 || x.Consumers != 3 || x.Pairwise {
		t.Errorf("exchange %+v", x)
	}
	root := tasks[4].Root
	if root.Name != "Calc" || root.Outs[0].Op == nil || root.Outs[0].Op.Name != "Sink" || root.Outs[0].Exchange != nil {
		t.Errorf("chain %+v", root)
	}
	if want := state.RangeOf(2, 3, 128); root.Ctx.Groups != want || root.Ctx.Parallelism != 3 {
		t.Errorf("key groups %v of %d, want %v", root.Ctx.Groups, root.Ctx.Parallelism, want)
	}
	if closed != 0 {
		t.Errorf("%d things closed that the graph has now", closed)
	}
}

func TestInputsKeepTheirPorts(t *testing.T) {
	job := jobOf(node(source(), 1), node(&plan.Union{}, 1, from(0, plan.Forward), from(0, plan.Forward)), node(&plan.Sink{}, 1, from(1, plan.Forward)))
	closed := 0
	tasks, err := Tasks(parts(job, &closed))
	if err != nil {
		t.Fatal(err)
	}
	outs, inputs := tasks[0].Source.Outs, tasks[1].Inputs
	if len(outs) != 2 || len(inputs) != 2 || inputs[0] == inputs[1] || outs[0].Exchange != inputs[0] || outs[1].Exchange != inputs[1] || !inputs[0].Pairwise {
		t.Errorf("edges %v, inputs %v", outs, inputs)
	}
}

func TestWhatWasMadeIsClosedWhenTheRestCannotBe(t *testing.T) {
	full := errors.New("no more")
	job := jobOf(node(source(), 1), node(&plan.Sink{}, 1, from(0, plan.Forward)), node(source(), 1), node(&plan.Sink{}, 1, from(2, plan.Forward)))
	closed, made := 0, 0
	p := parts(job, &closed)
	mk := p.Reader
	p.Reader = func(n *plan.Node, sub int) (exec.Reader, []exec.Split, []exec.Watermark, error) {
		if made++; made == 2 {
			return nil, nil, nil, full
		}
		return mk(n, sub)
	}
	tasks, err := Tasks(p)
	if !errors.Is(err, full) || tasks != nil || !strings.Contains(err.Error(), "Source: ") {
		t.Errorf("error %v, %d tasks", err, len(tasks))
	}
	if closed != 3 { // a reader and two writers
		t.Errorf("%d of 3 closed", closed)
	}
}

func TestAForwardEdgeNeedsEqualParallelism(t *testing.T) {
	closed := 0
	_, err := Tasks(parts(jobOf(node(source(), 1), node(&plan.Sink{}, 2, from(0, plan.Forward))), &closed))
	if err == nil || !strings.Contains(err.Error(), "internal error: forward edge between parallelism 1 and 2") {
		t.Errorf("error %v", err)
	}
}

// numbers is a batch of the values; -1 is NULL.
func numbers(values ...int64) *vec.Batch {
	b := vec.NewBatch(bigint)
	for _, v := range values {
		if v < 0 {
			b.Cols[0].AppendNull()
		} else {
			vec.Append(&b.Cols[0], v)
		}
		b.AddKind(vec.Insert)
	}
	return b
}

func routeOf(t *testing.T, x plan.Exchange, parallelism int) flow.Route {
	t.Helper()
	b := &builder{Parts: &Parts{Job: jobOf(node(source(), 1))}}
	ex, err := b.exchange(node(&plan.Sink{}, parallelism, from(0, x)), 0)
	if err != nil {
		t.Fatal(err)
	}
	return ex.NewRoute()
}

func TestRowsOfAKeyGoToOneSubtask(t *testing.T) {
	route := routeOf(t, plan.Hash, 3)
	values := make([]int64, 1000)
	for i := range values {
		values[i] = int64(i%100) - 1 // NULL is a key too
	}
	all, err := route(numbers(values...), nil)
	if err != nil {
		t.Fatal(err)
	}
	owner, used := map[int64]int32{}, map[int32]int{}
	for i, to := range all {
		if was, ok := owner[values[i]]; ok && was != to {
			t.Fatalf("key %d goes to %d and to %d", values[i], was, to)
		}
		owner[values[i]] = to
		used[to]++
	}
	if len(all) != len(values) || len(used) != 3 {
		t.Errorf("%d rows to %v", len(all), used)
	}
	some := numbers(values...)
	some.Sel = []int32{5, 17}
	if got, err := route(some, nil); err != nil || !slices.Equal(got, []int32{all[5], all[17]}) {
		t.Errorf("selected rows go to %v, %v", got, err)
	}
}

func TestBatchesAreDealtOutInTurn(t *testing.T) {
	route := routeOf(t, plan.Rebalance, 2)
	for i, want := range [][]int32{{0, 0}, {1, 1}, {0, 0}} {
		if got, err := route(numbers(1, 2), nil); err != nil || !slices.Equal(got, want) {
			t.Errorf("batch %d goes to %v, %v", i, got, err)
		}
	}
}

func TestSingleSendsEverythingToSubtaskZero(t *testing.T) {
	got, err := routeOf(t, plan.Single, 2)(numbers(1, 2, 3), []int32{})
	if err != nil || !slices.Equal(got, []int32{0, 0, 0}) {
		t.Errorf("to %v, %v", got, err)
	}
}
