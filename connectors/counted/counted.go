// Package counted owns sources whose rows are a function of their number: generators. It
// gives them splits, positions, bounds and a rate; the generator only fills columns. It
// imports exec and connectors; generators (datagen, nexmark) import it.
package counted

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// Filler fills columns with numbered rows. One goroutine uses it.
type Filler interface {
	// Fill appends the n rows first, first+step, ... to the empty batch and sets b.N. What a
	// row holds depends on its number only.
	Fill(b *vec.Batch, first, step int64, n int) error
}

// Source is a source of rows 0, 1, 2, ... Split k of s has the rows k, k+s, k+2s, ...: the
// splits depend on the table's options alone, so that positions fit any parallelism.
type Source struct {
	Rows   int64   // how many there are; negative: without end
	Splits int     // at least 1
	Rate   float64 // rows per second over all splits; 0: as fast as they are taken
	Make   func(exec.ConnEnv) (Filler, error)
}

// position is what a checkpoint holds for a split.
type position struct {
	Next int64 `json:"next"` // how many rows of the split were read
}

func (s *Source) split(k int, next int64) exec.Split {
	return exec.Split{ID: fmt.Sprintf("%d/%d", k, s.Splits), Position: fmt.Appendf(nil, `{"next":%d}`, next)}
}

// Enumerate implements exec.Source.
func (s *Source) Enumerate(context.Context) ([]exec.Split, error) {
	splits := make([]exec.Split, s.Splits)
	for k := range splits {
		splits[k] = s.split(k, 0)
	}
	return splits, nil
}

// Discovered implements exec.Source; splits never appear later.
func (s *Source) Discovered(sp exec.Split) exec.Split { return sp }

// DiscoverEvery implements exec.Source.
func (s *Source) DiscoverEvery() time.Duration { return 0 }

// Bounded implements exec.Source.
func (s *Source) Bounded() bool { return s.Rows >= 0 }

// Close implements exec.Source.
func (s *Source) Close() error { return nil }

// Reader implements exec.Source.
func (s *Source) Reader(_ context.Context, _ int, env exec.ConnEnv) (exec.Reader, error) {
	f, err := s.Make(env)
	if err != nil {
		return nil, err
	}
	clock := env.Clock
	if clock == nil {
		clock = exec.SystemClock{}
	}
	return &reader{source: s, fill: f, clock: clock}, nil
}

// rest returns how many rows split k has from position next on, a huge number without end.
func (s *Source) rest(k int, next int64) int64 {
	if s.Rows < 0 {
		return 1<<62 - next
	}
	n := int64(s.Splits)
	return max(0, (s.Rows-int64(k)+n-1)/n-next)
}

// reader takes the splits in turn.
type reader struct {
	source *Source
	fill   Filler
	clock  exec.Clock
	splits []progress
	turn   int
	since  time.Time // start of the rate's budget
	given  float64   // rows taken from it
}

type progress struct {
	k    int
	next int64
}

// burst bounds what a pause lets a rate-limited reader catch up at once.
const burst = time.Second

// Assign implements exec.Reader.
func (r *reader) Assign(splits []exec.Split) error {
	for _, sp := range splits {
		k, of, ok := strings.Cut(sp.ID, "/")
		number, err1 := strconv.Atoi(k)
		total, err2 := strconv.Atoi(of)
		if !ok || err1 != nil || err2 != nil || total != r.source.Splits || number < 0 || number >= total {
			return exec.Userf("split '%s' of the checkpoint does not fit the table, which has %d splits now; set the option 'splits' as it was", sp.ID, r.source.Splits)
		}
		var p position
		if err := json.Unmarshal(sp.Position, &p); err != nil || p.Next < 0 {
			return fmt.Errorf("position %q of split '%s': expected {\"next\": number}", sp.Position, sp.ID)
		}
		r.splits = append(r.splits, progress{number, p.Next})
	}
	r.since, r.given = r.clock.Now(), 0
	return nil
}

// Read implements exec.Reader.
func (r *reader) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	i := r.pick()
	if i < 0 {
		return exec.ReadEnd, nil
	}
	s := &r.splits[i]
	n := min(int64(vec.MaxRows), r.source.rest(s.k, s.next))
	if r.source.Rate > 0 {
		due, in := r.due()
		if due == 0 {
			return exec.ReadIdle, r.sleep(ctx, min(wait, in))
		}
		n = min(n, due)
	}
	step := int64(r.source.Splits)
	if err := r.fill.Fill(b, int64(s.k)+s.next*step, step, int(n)); err != nil {
		return exec.ReadRows, err
	}
	s.next += n
	r.given += float64(n)
	b.Split = i
	return exec.ReadRows, nil
}

// pick returns the next split that has rows, -1 when none has.
func (r *reader) pick() int {
	for range r.splits {
		i := r.turn
		r.turn = (r.turn + 1) % len(r.splits)
		if r.source.rest(r.splits[i].k, r.splits[i].next) > 0 {
			return i
		}
	}
	return -1
}

// due returns how many rows the rate allows now, or in how long it allows one.
func (r *reader) due() (rows int64, in time.Duration) {
	rate := r.source.Rate * float64(len(r.splits)) / float64(r.source.Splits)
	now := r.clock.Now()
	allowed := now.Sub(r.since).Seconds() * rate
	if behind := allowed - r.given; behind > rate*burst.Seconds() && behind > 1 {
		r.given = allowed - max(1, rate*burst.Seconds())
	}
	if rows = int64(allowed - r.given); rows > 0 {
		return rows, 0
	}
	return 0, max(time.Millisecond, time.Duration((1-(allowed-r.given))/rate*float64(time.Second)))
}

func (r *reader) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := r.clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Positions implements exec.Reader.
func (r *reader) Positions() ([]exec.Split, error) {
	out := make([]exec.Split, len(r.splits))
	for i, s := range r.splits {
		out[i] = r.source.split(s.k, s.next)
	}
	return out, nil
}

// Ended implements exec.Reader.
func (r *reader) Ended(split int) bool {
	s := r.splits[split]
	return r.source.rest(s.k, s.next) == 0
}

// Committed implements exec.Reader.
func (r *reader) Committed(state.Epoch, []exec.Split) {}

// Lag implements exec.Reader.
func (r *reader) Lag() int64 {
	if r.source.Rows < 0 {
		return -1
	}
	var lag int64
	for _, s := range r.splits {
		lag += r.source.rest(s.k, s.next)
	}
	return lag
}

// Close implements exec.Reader.
func (r *reader) Close() error { return nil }
