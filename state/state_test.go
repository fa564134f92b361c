package state

import "testing"

func TestEveryKeyGroupBelongsToOneSubtask(t *testing.T) {
	for _, groups := range []int{1, 2, 7, 128, 1000, 1 << 15} {
		for par := 1; par <= min(groups, 40); par++ {
			next := KeyGroup(0)
			for s := range par {
				r := RangeOf(s, par, groups)
				if r.Lo != next || r.Hi <= r.Lo {
					t.Fatalf("subtask %d of %d has [%d, %d) of %d, expected to begin at %d", s, par, r.Lo, r.Hi, groups, next)
				}
				if even := groups / par; int(r.Hi-r.Lo) < even || int(r.Hi-r.Lo) > even+1 {
					t.Fatalf("subtask %d of %d has %d of %d groups", s, par, r.Hi-r.Lo, groups)
				}
				for g := r.Lo; g < r.Hi; g++ {
					if got := SubtaskOf(g, par, groups); got != s {
						t.Fatalf("group %d of %d is of subtask %d, but in the range of %d of %d", g, groups, got, s, par)
					}
				}
				next = r.Hi
			}
			if int(next) != groups {
				t.Fatalf("%d subtasks have %d of %d groups", par, next, groups)
			}
		}
	}
}

// TestRangesAreFlinks compares with KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex.
func TestRangesAreFlinks(t *testing.T) {
	for _, c := range []struct{ subtask, par, groups, lo, last int }{
		{0, 1, 128, 0, 127}, {0, 3, 128, 0, 42}, {1, 3, 128, 43, 85}, {2, 3, 128, 86, 127}, {0, 3, 10, 0, 3}, {1, 3, 10, 4, 6}, {2, 3, 10, 7, 9},
	} {
		if r := RangeOf(c.subtask, c.par, c.groups); int(r.Lo) != c.lo || int(r.Hi) != c.last+1 {
			t.Errorf("subtask %d of %d: [%d, %d) of %d, expected %d to %d", c.subtask, c.par, r.Lo, r.Hi, c.groups, c.lo, c.last)
		}
	}
}

func TestGroupsStayBelowTheirNumber(t *testing.T) {
	for _, h := range []uint64{0, 1, 1<<32 - 1, 1 << 63, ^uint64(0)} {
		for _, n := range []int{1, 7, 128, 1 << 15} {
			if g := GroupOf(h, n); int(g) >= n {
				t.Errorf("hash %x has group %d of %d", h, g, n)
			}
		}
	}
}

func TestRangesOverlap(t *testing.T) {
	a := Range{4, 8}
	for b, want := range map[Range]bool{{0, 4}: false, {0, 5}: true, {5, 6}: true, {7, 9}: true, {8, 9}: false} {
		if a.Overlaps(b) != want || b.Overlaps(a) != want {
			t.Errorf("%v and %v", a, b)
		}
	}
	if a.Contains(3) || !a.Contains(4) || a.Contains(8) {
		t.Error("bounds")
	}
}
