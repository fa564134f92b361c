package build

import (
	"slices"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

func newBuilder() *builder {
	return &builder{Parts: &Parts{Eval: eval.Env{Clock: exec.SystemClock{}}}}
}

func above(n int64) expr.Expr {
	return &expr.Call{Name: ">", Args: []expr.Expr{column(0), &expr.Literal{Value: n, Typ: types.BigIntT}}, Typ: types.BooleanT}
}

func TestASourceProjectsThenFilters(t *testing.T) {
	sum := &expr.Call{Name: "+", Args: []expr.Expr{column(0), column(0)}, Typ: types.BigIntT}
	f, err := newBuilder().transform(&plan.Source{Columns: []expr.Expr{sum, column(0)}, Filter: above(5)})
	if err != nil {
		t.Fatal(err)
	}
	in := numbers(1, 2, 3, 4)
	in.Split = 7
	in.Kinds = []vec.Kind{vec.Insert, vec.Delete, vec.Insert, vec.Delete}
	for range 2 { // the second time with buffers in use
		out, err := f(in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out.Sel, []int32{2, 3}) || !slices.Equal(vec.Values[int64](&out.Cols[0]), []int64{2, 4, 6, 8}) || len(out.Cols) != 2 {
			t.Errorf("rows %v of %v", out.Sel, vec.Values[int64](&out.Cols[0]))
		}
		if out.Split != 7 || out.N != 4 || out.Kind(3) != vec.Delete {
			t.Errorf("split %d, %d rows, kind %d", out.Split, out.N, out.Kind(3))
		}
	}
	none, err := f(numbers(1))
	if err != nil || none.Len() != 0 {
		t.Errorf("%d rows pass, %v", none.Len(), err)
	}
}

func TestEventTimeIsTheLargestWatermark(t *testing.T) {
	for _, tt := range []struct {
		name   string
		typ    types.Type
		values []int64 // NULL: -1
		want   exec.Watermark
		ok     bool
	}{
		{"milliseconds", types.TimestampT(3), []int64{3, 9, 4}, 9, true},
		{"microseconds are rounded down", types.TimestampT(6), []int64{1_999, 1_500}, 1, true},
		{"nanoseconds", types.TimestampLTZT(9), []int64{2_999_999}, 2, true},
		{"NULL has none", types.TimestampT(3), []int64{-1, 5, -1}, 5, true},
		{"nothing but NULL", types.TimestampT(3), []int64{-1, -1}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := newBuilder().eventTime(&plan.Watermark{Expr: &expr.Column{Typ: tt.typ}})
			if err != nil {
				t.Fatal(err)
			}
			b := numbers(tt.values...)
			b.Cols[0].Type = tt.typ
			if got, ok, err := f(b); err != nil || got != tt.want || ok != tt.ok {
				t.Errorf("got %d %v %v, want %d %v", got, ok, err, tt.want, tt.ok)
			}
		})
	}
}

func TestTimePassesForRowsThatAreFilteredOutToo(t *testing.T) {
	cased := &expr.Case{Whens: []expr.Expr{above(5)}, Thens: []expr.Expr{column(0)}, Else: column(1), Typ: types.BigIntT}
	f, err := newBuilder().eventTime(&plan.Watermark{Expr: cased})
	if err != nil {
		t.Fatal(err)
	}
	b := numbers(3, 9)
	b.Cols = append(b.Cols, numbers(1, 2).Cols[0])
	b.Sel = []int32{0}
	if got, ok, err := f(b); err != nil || got != 9 || !ok {
		t.Errorf("got %d %v %v, want 9", got, ok, err)
	}
	if !slices.Equal(b.Sel, []int32{0}) {
		t.Error("the batch was changed")
	}
}

// Before 1970, too, a watermark promises no more than is true.
func TestFloorDiv(t *testing.T) {
	for _, c := range [][3]int64{{0, 1000, 0}, {999, 1000, 0}, {1000, 1000, 1}, {-1, 1000, -1}, {-1000, 1000, -1}, {-1001, 1000, -2}, {-5, 1, -5}} {
		if got := floorDiv(c[0], c[1]); got != c[2] {
			t.Errorf("%d / %d = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestFiltersOfAggregatesLookAtTheRowsTheyAreGiven(t *testing.T) {
	filters, err := newBuilder().filters([]expr.Aggregate{{Name: "COUNT"}, {Name: "COUNT", Filter: above(2)}})
	if err != nil {
		t.Fatal(err)
	}
	if filters[0] != nil {
		t.Error("an aggregate without FILTER has one")
	}
	b := numbers(1, 3, 5, -1, 7)
	b.Sel = []int32{0, 1, 2, 3}
	for _, c := range []struct{ rows, want []int32 }{{[]int32{0, 1, 3}, []int32{1}}, {[]int32{2, 4}, []int32{2, 4}}, {[]int32{0}, nil}} {
		if got, err := filters[1].Select(b, c.rows); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("of rows %v pass %v, %v; want %v", c.rows, got, err, c.want)
		}
	}
	if !slices.Equal(b.Sel, []int32{0, 1, 2, 3}) {
		t.Error("the batch was changed")
	}
}
