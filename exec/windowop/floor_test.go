package windowop_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/exec/windowop"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
)

// tables remembers the tables that are opened, and fills them before.
type tables struct {
	state.Store
	from []map[uint8]state.Table
	all  map[uint8]state.Table
}

func (s *tables) Table(spec state.Spec) (state.Table, error) {
	t, err := s.Store.Table(spec)
	if err != nil {
		return nil, err
	}
	s.all[spec.ID] = t
	for _, from := range s.from {
		src := from[spec.ID]
		err = src.Each(func(r state.Ref) error {
			key := slices.Clone(src.Key(r))
			to, err := t.Upsert(src.Group(r), rowkey.Hash(key), key)
			if err != nil {
				return err
			}
			return t.Set(to, src.Get(r))
		})
		if err != nil {
			return nil, err
		}
	}
	return t, err
}

// Two subtasks become one. At their barriers, which were not aligned, one had fired windows that
// the other had not: each key goes on from where it was.
func TestKeysGoOnFromWhereTheirSubtaskWas(t *testing.T) {
	for _, slide := range []int64{1000, 2000} { // HOP with panes, TUMBLE
		t.Run(fmt.Sprint("slide=", slide), func(t *testing.T) {
			in, err := optest.ParseSchema("k BIGINT, v BIGINT, ts TIMESTAMP")
			if err != nil {
				t.Fatal(err)
			}
			count, _, err := optest.ParseAggregate(in, "COUNT(*)", false)
			if err != nil {
				t.Fatal(err)
			}
			cfg := windowop.Config{
				Window: windowop.Window{Size: 2 * time.Second, Slide: time.Duration(slide) * time.Millisecond, Time: 2}, Keys: []int{0}, In: in,
				Aggs: []expr.Aggregate{count}, Filters: []agg.Predicate{nil}, Props: []windowop.Prop{windowop.End},
				Out: types.Schema{in[0], {Name: "n", Type: count.Typ}, {Name: "e", Type: types.TimestampT(3)}},
			}
			open := func(s *tables, groups state.Range) (*windowop.Operator, *shown) {
				op, err := windowop.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				out := &shown{}
				err = op.Open(&exec.Context{UID: "uid", Parallelism: 2, MaxParallel: 2, Groups: groups, Out: out, State: s,
					Clock: exec.SystemClock{}, Log: slog.New(slog.DiscardHandler), Metrics: &exec.Metrics{}})
				if err != nil {
					t.Fatal(err)
				}
				return op, out
			}
			// A key of each group.
			key := [2]int64{-1, -1}
			for k := int64(0); key[0] < 0 || key[1] < 0; k++ {
				b := vec.NewBatch(in)
				appendPoint(b, k, 0)
				enc := rowkey.New([]int{0})
				enc.Encode(b, []int32{0})
				key[enc.Groups(nil, 2)[0]] = k
			}
			give := func(op *windowop.Operator, k int64, ms ...int64) {
				b := vec.NewBatch(in)
				for _, at := range ms {
					appendPoint(b, k, at)
				}
				if err := op.Process(0, b); err != nil {
					t.Fatal(err)
				}
			}
			mark := func(op *windowop.Operator, w exec.Watermark) {
				if _, err := op.Watermark(w); err != nil {
					t.Fatal(err)
				}
			}
			stores := []*tables{}
			for g := range 2 {
				s := &tables{Store: memstate.New(), all: map[uint8]state.Table{}}
				op, _ := open(s, state.Range{Lo: state.KeyGroup(g), Hi: state.KeyGroup(g + 1)})
				give(op, key[g], 100, 2100, 4100)
				mark(op, []exec.Watermark{1999, 3999}[g]) // the second has fired a window more
				if err := op.Barrier(1); err != nil {
					t.Fatal(err)
				}
				stores = append(stores, s)
			}
			merged := &tables{Store: memstate.New(), from: []map[uint8]state.Table{stores[0].all, stores[1].all}, all: map[uint8]state.Table{}}
			op, _ := open(merged, state.Range{Hi: 2})
			// In flight: rows that come in time for the first key, too late for the second.
			give(op, key[0], 2200)
			give(op, key[1], 2300)
			if err := op.Barrier(2); err != nil { // and again from here
				t.Fatal(err)
			}
			merged = &tables{Store: memstate.New(), from: []map[uint8]state.Table{merged.all}, all: map[uint8]state.Table{}}
			last, out := open(merged, state.Range{Hi: 2})
			mark(last, 9999)
			got := slices.Sorted(slices.Values(*out))
			at := func(sec int) string { return fmt.Sprintf("1970-01-01 00:00:0%d.000", sec) }
			row := func(g, n, sec int) string { return fmt.Sprintf("%d | %d | %s", key[g], n, at(sec)) }
			want := []string{row(0, 2, 4), row(0, 1, 6), row(1, 1, 6)}
			if slide == 1000 {
				// A row at 2.3 is late for the windows up to 4, which is all it has.
				want = []string{row(0, 2, 3), row(0, 2, 4), row(0, 1, 5), row(0, 1, 6), row(1, 1, 5), row(1, 1, 6)}
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
		})
	}
}

func appendPoint(b *vec.Batch, k, ms int64) {
	vec.Append(&b.Cols[0], k)
	vec.Append(&b.Cols[1], int64(0))
	vec.Append(&b.Cols[2], ms)
	b.AddKind(vec.Insert)
}
