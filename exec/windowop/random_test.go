package windowop_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/exec/windowop"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
)

// point is an input row of the random test.
type point struct {
	k, v int64
	ms   int64
	sign int
}

// shown collects rows as text.
type shown []string

func (s *shown) Emit(b *vec.Batch) error {
	for i := range b.Len() {
		r := b.Row(i)
		var cells []string
		for c := range b.Cols {
			cells = append(cells, optest.FormatCell(&b.Cols[c], r))
		}
		*s = append(*s, strings.Join(cells, " | "))
	}
	return nil
}

// TestRandomWindowsAgainstAModel keeps all rows and computes each window from scratch.
func TestRandomWindowsAgainstAModel(t *testing.T) {
	for seed := range uint64(120) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { randomRun(t, seed) })
	}
}

func randomRun(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 11))
	slide := []int64{1000, 2000, 7000}[r.IntN(3)]
	size := slide * []int64{1, 1, 2, 5}[r.IntN(4)]
	offset := []int64{0, 0, 300, -1700}[r.IntN(4)]
	retract, distinct := r.IntN(2) == 0, r.IntN(2) == 0
	in, err := optest.ParseSchema("k BIGINT, v BIGINT, ts TIMESTAMP")
	if err != nil {
		t.Fatal(err)
	}
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	cfg := windowop.Config{
		Window: windowop.Window{Size: ms(size), Slide: ms(slide), Offset: ms(offset), Time: 2}, Keys: []int{0}, In: in, Retract: retract,
		Props: []windowop.Prop{windowop.Start, windowop.End}, Out: types.Schema{in[0]},
	}
	calls := []string{"COUNT(*)", "SUM(v)", "MAX(v)"}
	if distinct {
		calls = append(calls, "COUNT(DISTINCT v)")
	}
	for _, text := range calls {
		a, _, err := optest.ParseAggregate(in, text, true)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Aggs, cfg.Filters = append(cfg.Aggs, a), append(cfg.Filters, agg.Predicate(nil))
		cfg.Out = append(cfg.Out, types.Field{Name: text, Type: a.Typ})
	}
	cfg.Out = append(cfg.Out, types.Field{Name: "s", Type: types.TimestampT(3)}, types.Field{Name: "e", Type: types.TimestampT(3)})
	op, err := windowop.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out shown
	metrics := &exec.Metrics{}
	err = op.Open(&exec.Context{
		UID: "uid", Parallelism: 1, MaxParallel: 128, Groups: state.Range{Hi: 128}, Out: &out, State: memstate.New(), Clock: exec.SystemClock{},
		Log: slog.New(slog.DiscardHandler), Metrics: metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	windows := map[int64][]point{} // by end
	wm, late := exec.MinWatermark, int64(0)
	live := []point{}
	now := int64(-3000)
	for range 60 {
		b := vec.NewBatch(in)
		for range r.IntN(12) {
			p := point{r.Int64N(4), r.Int64N(5), now + r.Int64N(9000) - 6000, 1}
			if retract && len(live) > 0 && r.IntN(3) == 0 {
				at := r.IntN(len(live))
				p = live[at]
				p.sign = -1
				live = slices.Delete(live, at, at+1)
			} else {
				live = append(live, p)
			}
			vec.Append(&b.Cols[0], p.k)
			vec.Append(&b.Cols[1], p.v)
			vec.Append(&b.Cols[2], p.ms)
			b.AddKind(map[int]vec.Kind{1: vec.Insert, -1: vec.Delete}[p.sign])
			taken := false
			for end := p.ms + 1; end <= p.ms+size; end++ {
				if (end-offset)%slide == 0 && end-1 > wm {
					windows[end] = append(windows[end], p)
					taken = true
				}
			}
			if !taken {
				late++
			}
		}
		if b.N > 0 {
			if err := op.Process(0, b); err != nil {
				t.Fatal(err)
			}
		}
		if now += r.Int64N(1500); now-2000 <= wm {
			continue
		}
		wm = now - 2000
		out = out[:0]
		if _, err := op.Watermark(wm); err != nil {
			t.Fatal(err)
		}
		want := fireModel(windows, wm, size, distinct)
		got := slices.Clone(out)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal([]string(got), want) {
			t.Fatalf("size %d slide %d offset %d retract %v: at %d emitted\n%s\nexpected\n%s", size, slide, offset, retract, wm, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if got := metrics.LateRows.Load(); got != late {
		t.Fatalf("%d late rows were counted, expected %d", got, late)
	}
}

// fireModel computes and removes the windows that are complete at wm.
func fireModel(windows map[int64][]point, wm, size int64, distinct bool) []string {
	var out []string
	at := vec.New(types.TimestampT(3))
	text := func(ms int64) string {
		at.Reset()
		vec.Append(&at, ms)
		return optest.FormatCell(&at, 0)
	}
	for end, points := range windows {
		if end-1 > wm {
			continue
		}
		delete(windows, end)
		for k := range int64(4) {
			rows, sum := 0, int64(0)
			values := map[int64]int{}
			for _, p := range points {
				if p.k == k {
					rows += p.sign
					sum += int64(p.sign) * p.v
					values[p.v] += p.sign
				}
			}
			if rows == 0 {
				continue
			}
			best, different := int64(-1), 0
			for v, n := range values {
				if n > 0 {
					best = max(best, v)
					different++
				}
			}
			row := fmt.Sprintf("%d | %d | %d | %d", k, rows, sum, best)
			if distinct {
				row += fmt.Sprintf(" | %d", different)
			}
			out = append(out, row+" | "+text(end-size)+" | "+text(end))
		}
	}
	return out
}
