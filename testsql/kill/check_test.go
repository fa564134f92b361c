package kill

import (
	"slices"
	"testing"
)

// right is the output of a job that has made no mistake with n rows.
func right(n int64) *output {
	o := &output{}
	counts := map[string]int64{}
	for s := range n {
		if poisoned(s) {
			o.letters = append(o.letters, inputOf(s))
			continue
		}
		r := rowOf(s)
		if r.passes() {
			o.rows = append(o.rows, outRow{s, r.K, 2 * r.V})
		}
		counts[r.K]++
		o.counts = append(o.counts, outCount{r.K, counts[r.K]})
	}
	for _, w := range expectedWindows(n) {
		o.windows = append(o.windows, w)
	}
	return o
}

// The checker sees each mistake, and names its kind.
func TestTheCheckerSeesMistakes(t *testing.T) {
	const n = 1000
	for name, tc := range map[string]struct {
		make                    func(o *output)
		lost, duplicated, wrong int
	}{
		"nothing wrong":               {func(*output) {}, 0, 0, 0},
		"a row is missing":            {func(o *output) { o.rows = o.rows[1:] }, 1, 0, 0},
		"a row comes twice":           {func(o *output) { o.rows = append(o.rows, o.rows[7]) }, 0, 1, 0},
		"a row has another value":     {func(o *output) { o.rows[3].V2++ }, 0, 0, 1},
		"a row that the filter drops": {func(o *output) { o.rows = append(o.rows, outRow{3, rowOf(3).K, 6}) }, 0, 0, 1},
		"a count is repeated":         {func(o *output) { o.counts = append(o.counts, o.counts[len(o.counts)-1]) }, 0, 0, 1},
		"counts are out of order": {func(o *output) {
			i := slices.IndexFunc(o.counts, func(c outCount) bool { return c.K == "k7" })
			j := i + 1 + slices.IndexFunc(o.counts[i+1:], func(c outCount) bool { return c.K == "k7" })
			o.counts[i], o.counts[j] = o.counts[j], o.counts[i]
		}, 0, 0, 3},
		"the last count is missing":      {func(o *output) { o.counts = o.counts[:len(o.counts)-1] }, 0, 0, 1},
		"a window is missing":            {func(o *output) { o.windows = o.windows[1:] }, 1, 0, 0},
		"a window comes twice":           {func(o *output) { o.windows = append(o.windows, o.windows[0]) }, 0, 1, 0},
		"a window has another sum":       {func(o *output) { o.windows[0].Total++ }, 0, 0, 1},
		"a dead letter is missing":       {func(o *output) { o.letters = o.letters[1:] }, 1, 0, 0},
		"a dead letter comes twice":      {func(o *output) { o.letters = append(o.letters, o.letters[0]) }, 0, 1, 0},
		"a dead letter of a good record": {func(o *output) { o.letters = append(o.letters, inputOf(1)) }, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := right(n)
			tc.make(o)
			f := check(o, n)
			if f.Lost != tc.lost || f.Duplicated != tc.duplicated || f.Wrong != tc.wrong {
				t.Errorf("%d lost, %d duplicated, %d wrong; want %d, %d, %d: %q", f.Lost, f.Duplicated, f.Wrong, tc.lost, tc.duplicated, tc.wrong, f.Examples)
			}
			if f.OK() != (tc.lost+tc.duplicated+tc.wrong == 0) {
				t.Errorf("OK is %v", f.OK())
			}
		})
	}
}

// Two readers that saw other things, or the same in another place, are told apart (O4).
func TestReadersAreCompared(t *testing.T) {
	tp := topics{"x"}
	mk := func(entries ...entry) *reader {
		return &reader{topics: tp, seen: map[string][]entry{partitionName(tp.rows(), 1): entries}}
	}
	a := mk(entry{0, 1}, entry{1, 2})
	for name, tc := range map[string]struct {
		b    *reader
		want int
	}{
		"the same":       {mk(entry{0, 1}, entry{1, 2}), 0},
		"one less":       {mk(entry{0, 1}), 1},
		"other content":  {mk(entry{0, 1}, entry{1, 3}), 1},
		"another offset": {mk(entry{0, 1}, entry{2, 2}), 1},
	} {
		if got := a.differences(tc.b); len(got) != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
