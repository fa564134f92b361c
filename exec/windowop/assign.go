package windowop

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// AssignConfig is a WindowAssign of a plan: the window table function by itself.
type AssignConfig struct {
	Window Window
	In     types.Schema
	Out    types.Schema // In, then window_start, window_end, window_time
}

// Assign appends to every row the bounds of its window: once per window, the newest window
// first. It waits for nothing and drops no late rows. A row without time is left out and
// counted among the bad rows, as in Flink.
type Assign struct {
	span
	out  *vec.Batch
	all  []int32
	ctx  *exec.Context
	ms   []int64
	from []int32
	at   []int64 // starts of the windows

	kinds []vec.Kind
}

var _ exec.Operator = (*Assign)(nil)

// NewAssign checks the configuration.
func NewAssign(cfg AssignConfig) (*Assign, error) {
	if len(cfg.Out) != len(cfg.In)+3 {
		return nil, fmt.Errorf("a window function over %d columns has %d, not %d", len(cfg.In), len(cfg.In)+3, len(cfg.Out))
	}
	s, err := cfg.Window.span(cfg.In)
	return &Assign{span: s, out: vec.NewBatch(cfg.Out)}, err
}

// Open implements exec.Operator.
func (a *Assign) Open(ctx *exec.Context) error {
	a.ctx = ctx
	return nil
}

// Process implements exec.Operator.
func (a *Assign) Process(_ int, b *vec.Batch) error {
	rows := b.Rows(&a.all)
	a.ms = grow(a.ms, len(rows))
	rows = a.times(b, rows)
	a.from, a.at = a.from[:0], a.at[:0]
	for i, r := range rows {
		ms := a.ms[i]
		for start := a.start(ms, a.slide); start > ms-a.size; start -= a.slide {
			a.from, a.at = append(a.from, r), append(a.at, start)
			if len(a.from) == vec.MaxRows {
				if err := a.flush(b); err != nil {
					return err
				}
			}
		}
	}
	return a.flush(b)
}

// times computes the local times of the rows and returns those that have one.
func (a *Assign) times(b *vec.Batch, rows []int32) []int32 {
	if a.Processing {
		now := a.zone.local(a.ctx.Clock.Now().UnixMilli())
		for i := range a.ms {
			a.ms[i] = now
		}
		return rows
	}
	if a.locals(b, rows, a.ms) < 0 {
		return rows
	}
	kept := make([]int32, 0, len(rows))
	for _, r := range rows {
		if b.Cols[a.Time].IsNull(int(r)) {
			a.ctx.Metrics.BadRows.Add(1)
		} else {
			kept = append(kept, r)
		}
	}
	a.locals(b, kept, a.ms)
	return kept
}

// flush emits the assignments made so far.
func (a *Assign) flush(b *vec.Batch) error {
	n := len(a.from)
	if n == 0 {
		return nil
	}
	out := a.out
	out.Reset()
	out.N = n
	in := len(b.Cols)
	for c := range b.Cols {
		out.Cols[c].AppendRows(&b.Cols[c], a.from)
	}
	if b.Kinds != nil {
		a.kinds = grow(a.kinds, n)
		for i, r := range a.from {
			a.kinds[i] = b.Kinds[r]
		}
		out.Kinds = a.kinds
	}
	for _, start := range a.at {
		appendTime(&out.Cols[in], start, &a.zone)
		appendTime(&out.Cols[in+1], start+a.size, &a.zone)
		appendTime(&out.Cols[in+2], start+a.size-1, &a.zone)
	}
	a.from, a.at = a.from[:0], a.at[:0]
	return a.ctx.Out.Emit(out)
}

// appendTime appends a local time to a column: as it is to a TIMESTAMP, as an instant to a
// TIMESTAMP_LTZ.
func appendTime(v *vec.Vec, local int64, z *zone) {
	if v.Type.Kind == types.TimestampLTZ {
		local = z.instant(local)
	}
	vec.Append(v, local*(v.Type.UnitsPerSecond()/1000))
}

// Watermark implements exec.Operator.
func (a *Assign) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, nil }

// Barrier implements exec.Operator: there is no state.
func (a *Assign) Barrier(state.Epoch) error { return nil }

// Finish implements exec.Operator.
func (a *Assign) Finish() error { return nil }

// Close implements exec.Operator.
func (a *Assign) Close() error { return nil }
