package job

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// listing is an exec.Source that only lists splits.
type listing struct {
	exec.Source
	every time.Duration

	mu  sync.Mutex
	ids []string
	err error
}

// set changes what is there, and what listing it says.
func (l *listing) set(err error, ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids, l.err = ids, err
}

func (l *listing) Enumerate(context.Context) ([]exec.Split, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []exec.Split
	for _, id := range l.ids {
		out = append(out, exec.Split{ID: id, Position: []byte("configured")})
	}
	return out, l.err
}

func (l *listing) Discovered(s exec.Split) exec.Split { s.Position = []byte("beginning"); return s }

func (l *listing) DiscoverEvery() time.Duration { return l.every }

func nodeOf(l *listing, parallelism int) *sourceNode {
	return &sourceNode{node: &plan.Node{Name: "Source(t)", Parallelism: parallelism}, source: l}
}

// shown writes the splits of each subtask as text.
func shown(s *sourceNode) []string {
	var out []string
	for _, list := range s.start {
		var parts []string
		for _, sp := range list {
			parts = append(parts, sp.ID+"@"+string(sp.Position))
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

func TestSplitsAreDealtOutInTheirOrder(t *testing.T) {
	at := func(id string) splitState {
		return splitState{exec.Split{ID: id, Position: []byte("saved")}, 7}
	}
	for _, tt := range []struct {
		name        string
		found       []string
		parallelism int
		restored    []splitState
		fresh       bool
		want        []string
	}{
		{"a fresh start begins as configured", []string{"t-10", "t-9", "t-1"}, 2, nil, true,
			[]string{"t-1@configured t-10@configured", "t-9@configured"}},
		{"a restart goes on, and reads new splits from their beginning", []string{"t-0", "t-1", "t-2"}, 2, []splitState{at("t-1"), at("t-0")}, false,
			[]string{"t-0@saved t-2@beginning", "t-1@saved"}},
		{"a split that is gone is still asked for", []string{"t-1"}, 1, []splitState{at("t-0")}, false, []string{"t-0@saved t-1@beginning"}},
		{"more subtasks than splits", []string{"t-0"}, 3, nil, true, []string{"t-0@configured", "", ""}},
		{"a checkpoint from before the first split", []string{"t-0"}, 1, []splitState{}, false, []string{"t-0@beginning"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := nodeOf(&listing{ids: tt.found}, tt.parallelism)
			if err := s.openSplits(t.Context(), tt.restored, tt.fresh); err != nil {
				t.Fatal(err)
			}
			if got := shown(s); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for _, list := range s.start {
				for _, sp := range list {
					if saved := string(sp.Position) == "saved"; saved && sp.Watermark != 7 || !saved && sp.Watermark != exec.MinWatermark {
						t.Errorf("split %s begins with watermark %d", sp.ID, sp.Watermark)
					}
				}
			}
		})
	}
}

func TestSplitsThatCannotBeListed(t *testing.T) {
	down := exec.Externalf("broker down")
	err := nodeOf(&listing{err: down}, 1).openSplits(t.Context(), nil, true)
	if !errors.Is(err, down) || !strings.Contains(err.Error(), "Source(t)") {
		t.Errorf("error %v", err)
	}
}

func TestNewSplitsAreFoundAndGivenOutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listing{ids: []string{"t-0"}, every: time.Minute}
		s := nodeOf(l, 2)
		if err := s.openSplits(t.Context(), nil, true); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var given []string
		var failures []error
		got := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(given) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.discover(ctx, exec.SystemClock{}, func(subtask int, splits []exec.Split) {
				mu.Lock()
				defer mu.Unlock()
				for _, sp := range splits {
					given = append(given, string(rune('0'+subtask))+":"+sp.ID+"@"+string(sp.Position))
				}
			}, func(err error) { mu.Lock(); defer mu.Unlock(); failures = append(failures, err) })
		}()
		elapse(time.Minute)
		if found := got(); found != nil {
			t.Errorf("found %q, but nothing is new", found)
		}
		l.set(nil, "t-10", "t-2", "t-0")
		elapse(59 * time.Second)
		if found := got(); found != nil {
			t.Errorf("found %q too early", found)
		}
		elapse(time.Second)
		l.set(errors.New("broker down"), "t-10", "t-2", "t-0")
		elapse(time.Minute)
		l.set(nil, "t-10", "t-2", "t-0")
		elapse(time.Minute)
		cancel()
		<-done
		if want := []string{"1:t-2@beginning", "0:t-10@beginning"}; !slices.Equal(given, want) {
			t.Errorf("got %q, want %q", given, want)
		}
		if len(failures) != 1 || !strings.Contains(failures[0].Error(), "Source(t): looking for new splits: broker down") {
			t.Errorf("failures %v", failures)
		}
	})
}

func TestASourceWithoutDiscoveryIsNotLookedAt(t *testing.T) {
	s := nodeOf(&listing{err: errors.New("asked")}, 1)
	s.discover(t.Context(), exec.SystemClock{}, nil, func(err error) { t.Error(err) }) // returns at once
}

func TestNaturalOrder(t *testing.T) {
	ordered := []string{"", "a", "a-1", "a-1-x", "a-2", "a-10", "a-b", "a01b", "a1c", "b", "p-99999999999999999998", "p-99999999999999999999"}
	for i, x := range ordered {
		for j, y := range ordered {
			if got := naturalLess(x, y); got != (i < j) {
				t.Errorf("%q before %q: %v", x, y, got)
			}
		}
	}
}
