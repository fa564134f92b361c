package valuesop_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/valuesop"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

var schema = types.Schema{{Name: "a", Type: types.BigIntT}, {Name: "b", Type: types.StringT}}

// values is a node of n rows (1, 'r1'), (2, 'r2'), .., every third with NULL.
func values(n int) *plan.Node {
	rows := make([][]expr.Expr, n)
	for i := range rows {
		text := &expr.Literal{Value: fmt.Sprintf("r%d", i+1), Typ: types.StringT}
		if i%3 == 2 {
			text.Value = nil
		}
		rows[i] = []expr.Expr{&expr.Literal{Value: int64(i + 1), Typ: types.BigIntT}, text}
	}
	return &plan.Node{Schema: schema, Op: &plan.Values{Rows: rows}}
}

func reader(t *testing.T, n int) exec.Reader {
	t.Helper()
	r, err := valuesop.New(values(n), eval.Env{Clock: exec.SystemClock{}}).Reader(t.Context(), 0, exec.ConnEnv{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// read returns the rows of the next batch.
func read(t *testing.T, r exec.Reader) ([]string, exec.ReadStatus) {
	t.Helper()
	b := vec.NewBatch(schema)
	status, err := r.Read(t.Context(), 0, b)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range b.N {
		out = append(out, vec.KindText(b.Kind(i))+" "+optest.FormatCell(&b.Cols[0], i)+" "+optest.FormatCell(&b.Cols[1], i))
	}
	return out, status
}

func TestRowsThenTheEnd(t *testing.T) {
	r := reader(t, 4)
	if err := r.Assign([]exec.Split{{ID: "values", Position: []byte("0")}}); err != nil {
		t.Fatal(err)
	}
	if r.Ended(0) || r.Lag() != 4 {
		t.Errorf("ended %v, %d rows to come", r.Ended(0), r.Lag())
	}
	got, status := read(t, r)
	if want := []string{"+I 1 r1", "+I 2 r2", "+I 3 NULL", "+I 4 r4"}; !slices.Equal(got, want) || status != exec.ReadRows {
		t.Errorf("got %q status %d, want %q", got, status, want)
	}
	if got, status := read(t, r); got != nil || status != exec.ReadEnd || !r.Ended(0) || r.Lag() != 0 {
		t.Errorf("behind the end: %q status %d", got, status)
	}
}

func TestARestartGoesOnAtThePosition(t *testing.T) {
	const n = vec.MaxRows + 2
	first := reader(t, n)
	if err := first.Assign([]exec.Split{{ID: "values", Position: []byte("0")}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := read(t, first); len(got) != vec.MaxRows {
		t.Errorf("a batch of %d rows", len(got))
	}
	at, err := first.Positions()
	if err != nil || len(at) != 1 || at[0].ID != "values" || string(at[0].Position) != "4096" {
		t.Fatalf("positions %q, %v", at, err)
	}
	second := reader(t, n)
	if err := second.Assign(at); err != nil {
		t.Fatal(err)
	}
	if got, _ := read(t, second); !slices.Equal(got, []string{"+I 4097 r4097", "+I 4098 NULL"}) {
		t.Errorf("after the restart: %q", got)
	}
}

func TestASubtaskWithoutTheSplitHasNoRows(t *testing.T) {
	r := reader(t, 2)
	if got, status := read(t, r); got != nil || status != exec.ReadEnd {
		t.Errorf("%q status %d", got, status)
	}
	if at, err := r.Positions(); at != nil || err != nil {
		t.Errorf("positions %q, %v", at, err)
	}
}

func TestPositionsThatCannotBe(t *testing.T) {
	for _, p := range []string{"", "x", "-1", "3"} {
		err := reader(t, 2).Assign([]exec.Split{{ID: "values", Position: []byte(p)}})
		if err == nil || !strings.Contains(err.Error(), "none of its 2 rows") {
			t.Errorf("position %q: %v", p, err)
		}
	}
}

func TestTheSourceIsBoundedAndHasOneSplit(t *testing.T) {
	s := valuesop.New(values(1), eval.Env{})
	splits, err := s.Enumerate(t.Context())
	if err != nil || len(splits) != 1 || !s.Bounded() || s.DiscoverEvery() != 0 {
		t.Errorf("%q %v bounded %v every %s", splits, err, s.Bounded(), s.DiscoverEvery())
	}
}
