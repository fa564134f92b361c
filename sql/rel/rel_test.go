package rel

import (
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// rows is a relation k, ts (a time attribute), v.
func rows() *Values {
	ts := types.TimestampLTZT(6)
	ts.Attr = types.RowTime
	return &Values{Out: types.Schema{{Name: "k", Type: types.BigIntT}, {Name: "ts", Type: ts}, {Name: "v", Type: types.StringT}}, Offset: 5}
}

func tumble(in Node, size time.Duration) *Window {
	return NewWindow(Window{Input: in, Kind: Tumble, Time: 1, Size: size})
}

func TestAWindowAppendsItsBounds(t *testing.T) {
	in := rows()
	w := tumble(in, time.Minute)
	if got := summary(w); got != "k BIGINT, ts TIMESTAMP_LTZ(6) *ROWTIME*, v STRING, window_start TIMESTAMP(3) NOT NULL, "+
		"window_end TIMESTAMP(3) NOT NULL, window_time TIMESTAMP_LTZ(3) NOT NULL *ROWTIME*" {
		t.Error(got)
	}
	if len(in.Out) != 3 {
		t.Error("the input has other columns now")
	}
}

func summary(n Node) string {
	var parts []string
	for _, f := range n.Schema() {
		parts = append(parts, f.Name+" "+f.Type.Summary())
	}
	return strings.Join(parts, ", ")
}

// Columns of the window relation: 3 start, 4 end, 5 time.
func TestWindowPropertiesGoWithTheirColumns(t *testing.T) {
	w := tumble(rows(), time.Minute)
	moved := Select(&Filter{Input: w, Cond: Ref(w.Out, 0)}, []int{4, 0, 3})
	shifted := NewProject(w, []expr.Expr{&expr.Call{Name: "+", Args: []expr.Expr{Ref(w.Out, 3)}, Typ: w.Out[3].Type}}, []string{"window_start"}, -1)
	for _, c := range []struct {
		name string
		n    Node
		want map[int]Bound
	}{
		{"of a window function", w, map[int]Bound{3: Start, 4: End, 5: Time}},
		{"through filter and projection", moved, map[int]Bound{0: End, 2: Start}},
		{"not through an expression", shifted, nil},
		{"of equal windows", &Union{In: []Node{w, tumble(rows(), time.Minute)}, Out: w.Out}, map[int]Bound{3: Start, 4: End, 5: Time}},
		{"not of windows of other sizes", &Union{In: []Node{w, tumble(rows(), time.Hour)}, Out: w.Out}, nil},
		{"of a group by both bounds", NewAggregate(Aggregate{Input: w, Keys: []int{0, 4, 3}}, nil), map[int]Bound{1: End, 2: Start}},
		{"not of a group by one", NewAggregate(Aggregate{Input: w, Keys: []int{0, 3}}, nil), nil},
		{"of no window", rows(), nil},
		{"of a window aggregate", &WindowAggregate{Input: rows(), Keys: []int{0}, Aggs: make([]expr.Aggregate, 2), Bounds: []Bound{End, Time}}, map[int]Bound{3: End, 4: Time}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Properties(c.n)
			for i, p := range got {
				if want, ok := c.want[i]; !ok || want != p.Bound {
					t.Errorf("column %d is bound %d", i, p.Bound)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAGroupIsWindowedByBothBoundsOfOneWindow(t *testing.T) {
	props := map[int]Property{1: {Start, "a", 0}, 2: {End, "a", 0}, 3: {Start, "b", 0}, 4: {End, "b", 0}, 5: {Time, "a", 0}}
	for _, c := range []struct {
		keys []int
		want bool
	}{{[]int{1, 2}, true}, {[]int{2, 0, 1}, true}, {[]int{1, 4}, false}, {[]int{1, 5}, false}, {[]int{2}, false}, {nil, false}, {[]int{1, 3, 4}, true}} {
		if got := IsWindowed(c.keys, props); got != c.want {
			t.Errorf("keys %v: %v", c.keys, got)
		}
	}
}

// Flink: grouping by a time attribute makes it an ordinary column, unless it is a window's.
func TestTimeAttributesOfAGroup(t *testing.T) {
	w := tumble(rows(), time.Minute)
	count := []expr.Aggregate{{Name: "COUNT", Typ: types.BigIntT.NotNullable()}}
	for _, c := range []struct {
		keys []int
		want string
	}{
		{[]int{1}, "ts TIMESTAMP_LTZ(6), n BIGINT NOT NULL"},
		{[]int{3, 4, 5}, "window_start TIMESTAMP(3) NOT NULL, window_end TIMESTAMP(3) NOT NULL, window_time TIMESTAMP_LTZ(3) NOT NULL *ROWTIME*, n BIGINT NOT NULL"},
		{[]int{3, 5}, "window_start TIMESTAMP(3) NOT NULL, window_time TIMESTAMP_LTZ(3) NOT NULL, n BIGINT NOT NULL"},
		{nil, "n BIGINT NOT NULL"},
	} {
		if got := summary(NewAggregate(Aggregate{Input: w, Keys: c.keys, Aggs: count}, []string{"n"})); got != c.want {
			t.Errorf("keys %v: %s, want %s", c.keys, got, c.want)
		}
	}
	a := NewWindowAggregate(WindowAggregate{Input: rows(), Keys: []int{1}, Aggs: count, Bounds: []Bound{End, Time}}, []string{"n"}, w.Out[1].Type)
	if got := summary(a); got != "ts TIMESTAMP_LTZ(6), n BIGINT NOT NULL, window_end TIMESTAMP(3) NOT NULL, window_time TIMESTAMP_LTZ(3) NOT NULL *ROWTIME*" {
		t.Error(got)
	}
}

func TestSelectOfAllColumnsIsNoProjection(t *testing.T) {
	in := rows()
	if Select(in, []int{0, 1, 2}) != Node(in) {
		t.Error("a projection that changes nothing")
	}
	for _, cols := range [][]int{{0, 1}, {1, 0, 2}, {0, 0, 1, 2}} {
		p, ok := Select(in, cols).(*Project)
		if !ok || len(p.Out) != len(cols) || p.Out[1].Name != in.Out[cols[1]].Name || p.Pos() != 5 {
			t.Errorf("columns %v: %v", cols, p)
		}
	}
}

// all has every kind of node that has inputs.
func all() Node {
	w := tumble(rows(), time.Minute)
	group := NewAggregate(Aggregate{Input: &Filter{Input: w, Cond: Ref(w.Out, 0)}, Keys: []int{0}}, nil)
	return &Union{In: []Node{Select(group, []int{0, 0}), &WindowAggregate{Input: rows()}}}
}

func TestWalkAndRewriteReachEveryNode(t *testing.T) {
	var down []string
	Walk(all(), func(n Node) { down = append(down, kind(n)) })
	if got := strings.Join(down, " "); got != "Union Project Aggregate Filter Window Values WindowAggregate Values" {
		t.Errorf("walked %s", got)
	}
	root := all()
	var up []string
	same := Rewrite(root, func(n Node) Node { up = append(up, kind(n)); return n })
	if got := strings.Join(up, " "); got != "Values Window Filter Aggregate Project Values WindowAggregate Union" || same != root {
		t.Errorf("rewrote %s, a new tree: %v", got, same != root)
	}
	before := Print(&Sink{}, root)
	changed := Rewrite(root, func(n Node) Node {
		if v, ok := n.(*Values); ok && v.Offset == 5 {
			c := *v
			c.Offset = 6
			return &c
		}
		return n
	})
	offsets := 0
	Walk(changed, func(n Node) {
		if v, ok := n.(*Values); ok {
			offsets += v.Offset
		}
	})
	if offsets != 12 || Print(&Sink{}, root) != before || Print(&Sink{}, changed) != before {
		t.Errorf("offsets %d; was\n%sis\n%s", offsets, before, Print(&Sink{}, changed))
	}
	Walk(root, func(n Node) {
		if v, ok := n.(*Values); ok && v.Offset != 5 {
			t.Error("the old tree was changed")
		}
	})
}

func kind(n Node) string { s, _, _ := strings.Cut(Line(n), "("); return s }

func TestPrint(t *testing.T) {
	in := rows()
	for range maxRows + 2 {
		in.Rows = append(in.Rows, []expr.Expr{&expr.Literal{Value: int64(len(in.Rows)), Typ: types.BigIntT}})
	}
	w := NewWindow(Window{Input: in, Kind: Hop, Time: 1, Slide: time.Second, Size: time.Minute, Shift: -time.Second})
	helper := NewProject(w, []expr.Expr{Ref(w.Out, 0), &expr.Call{Name: "UPPER", Args: []expr.Expr{Ref(w.Out, 2)}, Typ: types.StringT}}, []string{"k", HelperName + "0"}, -1)
	group := NewAggregate(Aggregate{Input: helper, Keys: []int{0}, Aggs: []expr.Aggregate{{Name: "MAX", Args: []expr.Expr{Ref(helper.Out, 1)}, Typ: types.StringT}}}, []string{"m"})
	got := Print(&Sink{Table: &catalog.Table{Path: catalog.Path{Catalog: catalog.DefaultCatalog, Database: catalog.DefaultDatabase, Name: "out"}}}, &Union{In: []Node{group, in}, Out: group.Out})
	want := `Insert(out)
└─ Union(all)
   ├─ Aggregate(by k: MAX(UPPER(v)) AS m)
   │  └─ Project(k, UPPER(v) AS $f0)
   │     └─ Window(HOP(ts, slide 1s, size 1m0s, offset -1s))
   │        └─ Values((0), (1), (2), (3), (4), (5), (6), (7), 2 more)
   └─ Values((0), (1), (2), (3), (4), (5), (6), (7), 2 more)
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := Print(&Sink{}, in); !strings.HasPrefix(got, "Select(k, ts, v)\n└─ Values(") {
		t.Error(got)
	}
	if got := Line(NewAggregate(Aggregate{Input: rows()}, nil)); got != "Aggregate(all rows)" {
		t.Error(got)
	}
}
