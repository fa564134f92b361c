package job

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// sourceNode is a source of the plan with its splits spread over subtasks.
type sourceNode struct {
	node   *plan.Node
	source exec.Source
	known  map[string]bool
	next   int            // subtask that gets the next split
	start  [][]splitState // per subtask, what its reader starts with
}

// openSplits decides what each subtask of a source starts with. restored is nil at a fresh
// start; otherwise splits that it does not know appeared while the job was down and are
// read from their beginning.
func (s *sourceNode) openSplits(ctx context.Context, restored []splitState, fresh bool) error {
	found, err := s.source.Enumerate(ctx)
	if err != nil {
		return fmt.Errorf("%s: listing what there is to read: %w", s.node.Name, err)
	}
	s.known = map[string]bool{}
	s.start = make([][]splitState, s.node.Parallelism)
	all := append([]splitState{}, restored...)
	for _, sp := range restored {
		s.known[sp.ID] = true
	}
	for _, sp := range found {
		if s.known[sp.ID] {
			continue
		}
		s.known[sp.ID] = true
		if !fresh {
			sp = s.source.Discovered(sp)
		}
		all = append(all, splitState{sp, exec.MinWatermark})
	}
	sort.Slice(all, func(i, j int) bool { return naturalLess(all[i].ID, all[j].ID) })
	for _, sp := range all {
		s.start[s.next] = append(s.start[s.next], sp)
		s.next = (s.next + 1) % s.node.Parallelism
	}
	return nil
}

// discover looks for new splits every DiscoverEvery until ctx ends and gives them out by
// assign. A look that fails is logged by report and tried again next time.
func (s *sourceNode) discover(ctx context.Context, clock exec.Clock, assign func(subtask int, splits []exec.Split), report func(error)) {
	every := s.source.DiscoverEvery()
	if every <= 0 {
		return
	}
	timer := clock.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		found, err := s.source.Enumerate(ctx)
		if err != nil && ctx.Err() == nil {
			report(fmt.Errorf("%s: looking for new splits: %w", s.node.Name, err))
		}
		sort.Slice(found, func(i, j int) bool { return naturalLess(found[i].ID, found[j].ID) })
		for _, sp := range found {
			if !s.known[sp.ID] {
				s.known[sp.ID] = true
				assign(s.next, []exec.Split{s.source.Discovered(sp)})
				s.next = (s.next + 1) % s.node.Parallelism
			}
		}
		timer.Reset(every)
	}
}

// naturalLess orders texts with numbers in them by the numbers: p-2 before p-10.
func naturalLess(a, b string) bool {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			x, y := trimZeros(a[:da]), trimZeros(b[:db])
			if len(x) != len(y) {
				return len(x) < len(y)
			}
			if x != y {
				return x < y
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return a[0] < b[0]
		}
		a, b = a[1:], b[1:]
	}
	return len(a) < len(b)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func trimZeros(s string) string {
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return s
}

// backoff is the pause before restart n (from 0) of a job: Flink's exponential delay.
func backoff(n int) time.Duration {
	d := time.Second
	for range n {
		if d = d * 3 / 2; d >= time.Minute {
			return time.Minute
		}
	}
	return d
}
