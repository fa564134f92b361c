package kill

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"time"
)

// output is what a read_committed reader saw, in partition order.
type output struct {
	rows    []outRow
	counts  []outCount
	windows []outWindow
	letters [][]byte
}

type outRow struct {
	Seq int64  `json:"seq"`
	K   string `json:"k"`
	V2  int64  `json:"v2"`
}

type outCount struct {
	K string `json:"k"`
	N int64  `json:"n"`
}

type outWindow struct {
	K     string `json:"k"`
	W     string `json:"w"`
	Total int64  `json:"total"`
	N     int64  `json:"n"`
}

// add decodes one record of a topic.
func (o *output) add(t topics, topic string, value []byte) error {
	var err error
	switch topic {
	case t.rows():
		var r outRow
		err = json.Unmarshal(value, &r)
		o.rows = append(o.rows, r)
	case t.counts():
		var r outCount
		err = json.Unmarshal(value, &r)
		o.counts = append(o.counts, r)
	case t.letters():
		o.letters = append(o.letters, slices.Clone(value))
	case t.windows():
		var r outWindow
		err = json.Unmarshal(value, &r)
		o.windows = append(o.windows, r)
	}
	if err != nil {
		return fmt.Errorf("output record %q of %s: %w", value, topic, err)
	}
	return nil
}

// expectedRows and expectedWindows are what an input of n rows must give. The last windows
// are left out: only the flush record at the end closes them.
func expectedRows(n int64) int {
	count := 0
	for s := range n {
		if !poisoned(s) && rowOf(s).passes() {
			count++
		}
	}
	return count
}

func expectedLetters(n int64) int { return int((n + poisonEvery/2 - 1) / poisonEvery) }

func expectedWindows(n int64) map[string]outWindow {
	out := map[string]outWindow{}
	for s := range n {
		if poisoned(s) {
			continue
		}
		r := rowOf(s)
		w := eventTime(s).Truncate(window).Format("2006-01-02 15:04:05.000")
		x := out[r.K+" "+w]
		x.K, x.W = r.K, w
		x.Total += r.V
		x.N++
		out[r.K+" "+w] = x
	}
	return out
}

// Findings are the differences between what a reader saw and what it should have seen.
type Findings struct {
	Lost, Duplicated, Wrong int
	Examples                []string
}

func (f *Findings) note(n *int, format string, args ...any) {
	*n++
	if len(f.Examples) < 20 {
		f.Examples = append(f.Examples, fmt.Sprintf(format, args...))
	}
}

// OK reports that there is no difference.
func (f *Findings) OK() bool { return f.Lost+f.Duplicated+f.Wrong == 0 }

// check compares the output with an input of n rows, each read exactly once.
//
// O1: every row once. O2: the counts of a key are 1, 2, 3, .. in the order of its partition.
// O3: every window once, with its sum. O7: every undecodable record once in the dead letters.
func check(o *output, n int64) *Findings {
	f := &Findings{}
	seen := map[int64]int{}
	for _, r := range o.rows {
		seen[r.Seq]++
		if want := rowOf(r.Seq); r.K != want.K || r.V2 != 2*want.V || !want.passes() || poisoned(r.Seq) {
			f.note(&f.Wrong, "row %+v", r)
		}
	}
	for s := range n {
		switch c := seen[s]; {
		case c == 0 && rowOf(s).passes() && !poisoned(s):
			f.note(&f.Lost, "row %d lost", s)
		case c > 1:
			f.note(&f.Duplicated, "row %d came %d times", s, c)
		}
	}
	last := map[string]int64{}
	for _, c := range o.counts {
		if c.K == flushKey {
			continue
		}
		if c.N != last[c.K]+1 {
			f.note(&f.Wrong, "count of %s went from %d to %d", c.K, last[c.K], c.N)
		}
		last[c.K] = c.N
	}
	total := map[string]int64{}
	for s := range n {
		if !poisoned(s) {
			total[rowOf(s).K]++
		}
	}
	for k, want := range total {
		if last[k] != want {
			f.note(&f.Wrong, "count of %s ends at %d, want %d", k, last[k], want)
		}
	}
	f.checkWindows(o.windows, expectedWindows(n))
	f.checkLetters(o.letters, n)
	return f
}

func (f *Findings) checkLetters(got [][]byte, n int64) {
	seen := map[string]int{}
	for _, l := range got {
		seen[string(l)]++
	}
	for s := int64(poisonEvery / 2); s < n; s += poisonEvery {
		l := string(inputOf(s))
		switch c := seen[l]; {
		case c == 0:
			f.note(&f.Lost, "dead letter %s lost", l)
		case c > 1:
			f.note(&f.Duplicated, "dead letter %s came %d times", l, c)
		}
		delete(seen, l)
	}
	for l := range seen {
		f.note(&f.Wrong, "dead letter %q", l)
	}
}

func (f *Findings) checkWindows(got []outWindow, want map[string]outWindow) {
	seen := map[string]int{}
	for _, w := range got {
		if w.K == flushKey {
			continue
		}
		key := w.K + " " + normalTime(w.W)
		seen[key]++
		x, ok := want[key]
		w.W = normalTime(w.W)
		if !ok || w != x {
			f.note(&f.Wrong, "window %+v, want %+v", w, x)
		}
	}
	names := make([]string, 0, len(want))
	for key := range want {
		names = append(names, key)
	}
	sort.Strings(names)
	for _, key := range names {
		switch c := seen[key]; {
		case c == 0:
			f.note(&f.Lost, "window %s lost", key)
		case c > 1:
			f.note(&f.Duplicated, "window %s came %d times", key, c)
		}
	}
}

// normalTime gives a timestamp three fraction digits.
func normalTime(s string) string {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format("2006-01-02 15:04:05.000")
		}
	}
	return s
}
