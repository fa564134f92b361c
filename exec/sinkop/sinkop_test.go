package sinkop_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/sinkop"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

var schema = types.Schema{{Name: "k", Type: types.BigIntT.NotNullable()}, {Name: "v", Type: types.StringT.NotNullable()}, {Name: "w", Type: types.StringT}}

// writer remembers the rows it is given as text, and everything else by its name.
type writer struct {
	log  []string
	fail error
}

func (w *writer) Write(_ context.Context, b *vec.Batch) error {
	for i := range b.Len() {
		r := b.Row(i)
		row := vec.KindText(b.Kind(r))
		for c := range b.Cols {
			row += " " + optest.FormatCell(&b.Cols[c], r)
		}
		w.log = append(w.log, row)
	}
	return w.fail
}

func (w *writer) Barrier(_ context.Context, e state.Epoch) error {
	w.log = append(w.log, "barrier")
	return w.fail
}

func (w *writer) Close() error { w.log = append(w.log, "close"); return w.fail }

// batch reads rows "+I 1 a b".
func batch(t *testing.T, rows ...string) *vec.Batch {
	t.Helper()
	b := vec.NewBatch(schema)
	for _, row := range rows {
		cells := strings.Fields(row)
		for c := range b.Cols {
			if err := optest.ParseCell(&b.Cols[c], cells[c+1]); err != nil {
				t.Fatal(err)
			}
		}
		b.AddKind(map[string]vec.Kind{"+I": vec.Insert, "-U": vec.UpdateBefore, "+U": vec.UpdateAfter, "-D": vec.Delete}[cells[0]])
	}
	return b
}

func open(t *testing.T, op plan.Sink, w *writer) (*sinkop.Sink, *exec.Metrics) {
	t.Helper()
	op.Table.Path = "c.d.t"
	s, m := sinkop.New(t.Context(), w, &plan.Node{Op: &op, Schema: schema}), &exec.Metrics{}
	if err := s.Open(&exec.Context{Metrics: m}); err != nil {
		t.Fatal(err)
	}
	return s, m
}

func TestATableGetsTheKindsItTakes(t *testing.T) {
	rows := []string{"+I 1 a x", "-U 1 a x", "+U 1 b x", "-D 1 b x"}
	for _, tt := range []struct {
		name string
		op   plan.Sink
		sel  []int32
		want []string
	}{
		{"all changes", plan.Sink{Accepts: plan.AllChanges}, nil, rows},
		{"upserts", plan.Sink{Accepts: plan.UpsertMode}, nil, []string{"+I 1 a x", "+U 1 b x", "-D 1 b x"}},
		{"upserts, where -U may be the end of a row", plan.Sink{Accepts: plan.UpsertMode, RetractAsDelete: true}, nil,
			[]string{"+I 1 a x", "-D 1 a x", "+U 1 b x", "-D 1 b x"}},
		{"inserts", plan.Sink{Accepts: plan.AppendOnly}, nil, []string{"+I 1 a x"}},
		{"selected rows only", plan.Sink{Accepts: plan.UpsertMode}, []int32{1, 3}, []string{"-D 1 b x"}},
		{"nothing is left", plan.Sink{Accepts: plan.AppendOnly}, []int32{1}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &writer{}
			s, m := open(t, tt.op, w)
			b := batch(t, rows...)
			b.Sel = tt.sel
			before := slices.Clone(b.Kinds)
			if err := s.Process(0, b); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(w.log, tt.want) {
				t.Errorf("got %q, want %q", w.log, tt.want)
			}
			if n := m.RowsOut.Load(); n != int64(len(tt.want)) {
				t.Errorf("%d rows counted", n)
			}
			if !slices.Equal(b.Kinds, before) || !slices.Equal(b.Sel, tt.sel) {
				t.Error("a borrowed batch was changed")
			}
		})
	}
}

func TestNotNull(t *testing.T) {
	rows := []string{"+I 1 a NULL", "+I NULL NULL x", "+I 2 NULL x", "+I 3 c x"}
	for _, tt := range []struct {
		name string
		op   plan.Sink
		sel  []int32
		want []string
		bad  int64
		err  string
	}{
		{"the job fails", plan.Sink{NotNull: plan.NotNullError}, nil, nil, 0, "table c.d.t: column `k` is NOT NULL"},
		{"at the first row that is selected", plan.Sink{NotNull: plan.NotNullError}, []int32{0, 2}, nil, 0, "column `v` is NOT NULL"},
		{"rows are dropped and counted once each", plan.Sink{NotNull: plan.NotNullDrop}, nil, []string{"+I 1 a NULL", "+I 3 c x"}, 2, ""},
		{"all of them", plan.Sink{NotNull: plan.NotNullDrop}, []int32{1, 2}, nil, 2, ""},
		{"rows that are not selected do not matter", plan.Sink{NotNull: plan.NotNullError}, []int32{0, 3}, []string{"+I 1 a NULL", "+I 3 c x"}, 0, ""},
		{"a client sees what there is", plan.Sink{NotNull: plan.NotNullError, Collect: true}, []int32{1}, []string{"+I NULL NULL x"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.op.Accepts = plan.AllChanges
			w := &writer{}
			s, m := open(t, tt.op, w)
			b := batch(t, rows...)
			b.Sel = tt.sel
			err := s.Process(0, b)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || exec.ClassOf(err) != exec.User) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if !slices.Equal(w.log, tt.want) {
				t.Errorf("got %q, want %q", w.log, tt.want)
			}
			if n := m.BadRows.Load(); n != tt.bad {
				t.Errorf("%d rows counted as dropped, want %d", n, tt.bad)
			}
		})
	}
}

func TestBatchesOfOneSinkDoNotMix(t *testing.T) {
	w := &writer{}
	s, _ := open(t, plan.Sink{Accepts: plan.UpsertMode, NotNull: plan.NotNullDrop, RetractAsDelete: true}, w)
	for _, b := range []*vec.Batch{batch(t, "-U 1 a x", "+U NULL a x", "+U 2 a x"), batch(t, "+I 3 a x"), batch(t, "+I NULL a x")} {
		if err := s.Process(0, b); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"-D 1 a x", "+U 2 a x", "+I 3 a x"}; !slices.Equal(w.log, want) {
		t.Errorf("got %q, want %q", w.log, want)
	}
}

func TestTheWriterHearsOfBarrierAndEnd(t *testing.T) {
	w := &writer{fail: errors.New("full")}
	s, _ := open(t, plan.Sink{Accepts: plan.AllChanges}, w)
	if err := s.Process(0, batch(t, "+I 1 a x")); !errors.Is(err, w.fail) {
		t.Error(err)
	}
	if err := s.Barrier(1); !errors.Is(err, w.fail) {
		t.Error(err)
	}
	if err := s.Close(); !errors.Is(err, w.fail) {
		t.Error(err)
	}
	if want := []string{"+I 1 a x", "barrier", "close"}; !slices.Equal(w.log, want) {
		t.Errorf("got %q, want %q", w.log, want)
	}
}
