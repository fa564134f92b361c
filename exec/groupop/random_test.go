package groupop_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/groupop"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/badgerstate"
	"github.com/sqlstream/sqlstream/state/memstate"
)

const randomQuery = `in k INT, v INT, s STRING, f BOOLEAN
key k
agg SUM(v)
agg COUNT(v)
agg AVG(v)
agg MIN(v)
agg MAX(s)
agg COUNT(DISTINCT v)
agg SUM(DISTINCT v) FILTER f
agg MAX(v) FILTER f
agg COUNT(*) FILTER f
agg COUNT(DISTINCT s)
agg MIN(s)`

// row is a row of the random query's input as scripts write it.
type row struct{ k, v, s, f string }

func (r row) text(kind string) string {
	return strings.Join([]string{kind, r.k, r.v, r.s, r.f}, " | ")
}

// naive is a group: the rows it has.
type naive []row

func number(s string) int32 {
	var n int32
	fmt.Sscan(s, &n)
	return n
}

// result computes the aggregates from scratch.
func (g naive) result() string {
	var sum, distinctSum, count, filtered int32
	var vs, ss, fvs []string
	seen, seenF := map[string]bool{}, map[string]bool{}
	for _, r := range g {
		if r.f == "TRUE" {
			filtered++
		}
		if r.s != "NULL" {
			ss = append(ss, r.s)
		}
		if r.v == "NULL" {
			continue
		}
		count++
		sum += number(r.v)
		vs = append(vs, r.v)
		seen[r.v] = true
		if r.f == "TRUE" {
			fvs = append(fvs, r.v)
			if !seenF[r.v] {
				distinctSum += number(r.v)
			}
			seenF[r.v] = true
		}
	}
	byNumber := func(a, b string) int { return int(number(a)) - int(number(b)) }
	pick := func(some bool, v func() string) string {
		if !some {
			return "NULL"
		}
		return v()
	}
	cells := []string{
		pick(count > 0, func() string { return fmt.Sprint(sum) }),
		fmt.Sprint(count),
		pick(count > 0, func() string { return fmt.Sprint(sum / count) }),
		pick(count > 0, func() string { return slices.MinFunc(vs, byNumber) }),
		pick(len(ss) > 0, func() string { return slices.Max(ss) }),
		fmt.Sprint(len(seen)),
		pick(len(seenF) > 0, func() string { return fmt.Sprint(distinctSum) }),
		pick(len(fvs) > 0, func() string { return slices.MaxFunc(fvs, byNumber) }),
		fmt.Sprint(filtered),
	}
	distinct := slices.Clone(ss)
	slices.Sort(distinct)
	cells = append(cells, fmt.Sprint(len(slices.Compact(distinct))), pick(len(ss) > 0, func() string { return slices.Min(ss) }))
	return strings.Join(cells, " | ")
}

// model is what the operator should do, told row by row.
type model struct {
	groups map[string]naive
	mini   bool
}

func (m *model) apply(rows []row, kinds []string) []string {
	if m.mini {
		return m.batch(rows, kinds)
	}
	var out []string
	for i := range rows {
		out = append(out, m.batch(rows[i:i+1], kinds[i:i+1])...)
	}
	return out
}

func (m *model) batch(rows []row, kinds []string) []string {
	var order []string
	before := map[string]string{}
	for i, r := range rows {
		if _, known := before[r.k]; !known {
			order = append(order, r.k)
			before[r.k] = ""
			if g, ok := m.groups[r.k]; ok {
				before[r.k] = g.result()
			}
		}
		g, ok := m.groups[r.k]
		switch adds := kinds[i] == "+I" || kinds[i] == "+U"; {
		case adds:
			m.groups[r.k] = append(g, r)
		case ok:
			at := slices.Index(g, r)
			m.groups[r.k] = slices.Delete(slices.Clone(g), at, at+1)
		}
	}
	var out []string
	for _, k := range order {
		g, ok := m.groups[k]
		was := before[k]
		if ok && len(g) == 0 {
			delete(m.groups, k)
			if was != "" {
				out = append(out, "-D | "+k+" | "+was)
			}
			continue
		}
		switch now := g.result(); {
		case !ok:
		case was == "":
			out = append(out, "+I | "+k+" | "+now)
		case was != now:
			out = append(out, "-U | "+k+" | "+was, "+U | "+k+" | "+now)
		}
	}
	return out
}

// random makes the next input row: one of the model's to take away, or a new one.
func (m *model) random(r *rand.Rand, retract bool, pending []row, kinds []string) (row, string) {
	if retract && r.IntN(100) < 45 {
		// What is there after the rows not yet applied.
		now := map[string]naive{}
		for k, g := range m.groups {
			now[k] = slices.Clone(g)
		}
		for i, p := range pending {
			if g := now[p.k]; kinds[i] == "+I" {
				now[p.k] = append(g, p)
			} else if at := slices.Index(g, p); at >= 0 {
				now[p.k] = slices.Delete(g, at, at+1)
			}
		}
		keys := []string{"0", "1", "2", "3", "NULL"}
		if g := now[keys[r.IntN(len(keys))]]; len(g) > 0 {
			return g[r.IntN(len(g))], []string{"-U", "-D"}[r.IntN(2)]
		}
		if m.mini {
			return row{"9", "1", "a", "TRUE"}, "-D" // a group that never is
		}
	}
	some := func(xs ...string) string { return xs[r.IntN(len(xs))] }
	return row{
		some("0", "1", "2", "3", "NULL"), some("NULL", "-3", "1", "2", "2147483647"), some("NULL", "a", "bb", "ccccccccccccccccccccccc"), some("TRUE", "FALSE", "NULL"),
	}, "+I"
}

func TestRandomRowsAgainstAModel(t *testing.T) {
	for seed := range uint64(24) {
		for _, retract := range []bool{false, true} {
			for _, mini := range []bool{false, true} {
				t.Run(fmt.Sprintf("seed=%d,retract=%v,mini=%v", seed, retract, mini), func(t *testing.T) { randomRun(t, seed, retract, mini) })
			}
		}
	}
}

func randomRun(t *testing.T, seed uint64, retract, mini bool) {
	cfg := groupop.Config{Retract: retract, MiniBatch: mini, UpdateBefore: true}
	in, err := parse(&cfg, randomQuery)
	if err != nil {
		t.Fatal(err)
	}
	op, err := groupop.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	all := state.Range{Hi: 128}
	var store state.Store = memstate.New()
	if seed%6 == 0 {
		if store, err = badgerstate.Open(badgerstate.Options{Dir: t.TempDir(), Range: all, MaxParallelism: 128, MinFree: 1}); err != nil {
			t.Fatal(err)
		}
	}
	defer store.Close()
	var out shown
	err = op.Open(&exec.Context{
		UID: "uid", Parallelism: 1, MaxParallel: 128, Groups: all, Out: &out, State: store, Clock: exec.SystemClock{},
		Log: slog.New(slog.DiscardHandler), Metrics: &exec.Metrics{},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 7))
	m := &model{groups: map[string]naive{}, mini: mini}
	for range 30 {
		var rows []row
		var kinds []string
		for range 1 + r.IntN(40) {
			x, k := m.random(r, retract, rows, kinds)
			rows, kinds = append(rows, x), append(kinds, k)
		}
		b := vec.NewBatch(in)
		for i, x := range rows {
			for c, cell := range []string{x.k, x.v, x.s, x.f} {
				if err := optest.ParseCell(&b.Cols[c], cell); err != nil {
					t.Fatal(err)
				}
			}
			b.AddKind(map[string]vec.Kind{"+I": vec.Insert, "-U": vec.UpdateBefore, "-D": vec.Delete}[kinds[i]])
		}
		out = out[:0]
		if err := op.Process(0, b); err != nil {
			t.Fatal(err)
		}
		if err := store.Trim(); err != nil {
			t.Fatal(err)
		}
		want := m.apply(rows, kinds)
		if !slices.Equal([]string(out), want) {
			var input []string
			for i := range rows {
				input = append(input, rows[i].text(kinds[i]))
			}
			t.Fatalf("after\n%s\nemitted\n%s\nexpected\n%s", strings.Join(input, "\n"), strings.Join(out, "\n"), strings.Join(want, "\n"))
		}
	}
}

// shown collects rows as text.
type shown []string

func (s *shown) Emit(b *vec.Batch) error {
	for i := range b.Len() {
		r := b.Row(i)
		cells := []string{vec.KindText(b.Kind(r))}
		for c := range b.Cols {
			cells = append(cells, optest.FormatCell(&b.Cols[c], r))
		}
		*s = append(*s, strings.Join(cells, " | "))
	}
	return nil
}
