// Package suggest owns the "did you mean" of error messages: which of the names that exist
// are near to the one a user wrote. It is pure and imports nothing; anybody may import it.
package suggest

import (
	"sort"
	"strings"
)

// maxNames is how many names a message offers at most.
const maxNames = 3

// Nearest returns up to three candidates near to name, nearest first: those that differ in
// case only, then by edit distance (at most a third of the name's length, at least 1, and
// none for names of one or two letters), then those that contain the name or are contained
// in it.
func Nearest(name string, candidates []string) []string {
	type scored struct {
		name string
		dist int
	}
	limit := 0
	if n := len([]rune(name)); n > 2 {
		limit = max(1, n/3)
	}
	lower := strings.ToLower(name)
	var found []scored
	seen := map[string]bool{}
	for _, c := range candidates {
		if c == name || seen[c] {
			continue
		}
		seen[c] = true
		lc := strings.ToLower(c)
		d := distance(lower, lc)
		switch {
		case lc == lower:
			d = 0
		case d <= limit:
		case len(lower) >= 3 && (strings.Contains(lc, lower) || len(lc) >= 3 && strings.Contains(lower, lc)):
			d += limit
		default:
			continue
		}
		found = append(found, scored{c, d})
	}
	sort.SliceStable(found, func(i, j int) bool {
		if found[i].dist != found[j].dist {
			return found[i].dist < found[j].dist
		}
		return found[i].name < found[j].name
	})
	var out []string
	for _, f := range found[:min(len(found), maxNames)] {
		if f.dist > found[0].dist+1 {
			break // a much better one was found already
		}
		out = append(out, f.name)
	}
	return out
}

// Hint returns "; did you mean a, b or c?" for the nearest candidates, "" when none is near.
func Hint(name string, candidates []string) string {
	near := Nearest(name, candidates)
	switch len(near) {
	case 0:
		return ""
	case 1:
		return "; did you mean " + near[0] + "?"
	}
	last := len(near) - 1
	return "; did you mean " + strings.Join(near[:last], ", ") + " or " + near[last] + "?"
}

// distance is the edit distance with neighbouring transpositions counted once (optimal
// string alignment), over code points.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}
