package windowop

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Prop is a result column made of the window's bounds.
type Prop uint8

// The properties. Time is the window's last millisecond.
const (
	Start Prop = iota
	End
	Time
)

// Config is a WindowAggregate of a plan.
type Config struct {
	Window  Window
	Keys    []int // columns of the input
	Aggs    []expr.Aggregate
	Filters []agg.Predicate // one per aggregate, nil where it has none
	Props   []Prop
	In      types.Schema
	Out     types.Schema // keys, aggregates, props
	Retract bool         // the input has -U or -D
	Tables  []string     // names of the tables of the aggregates, see agg.Options.Names
}

// Operator is the operator of one subtask.
type Operator struct {
	span
	cfg   Config
	prog  *agg.Program
	ctx   *exec.Context
	panes bool // records are those of panes, merged when a window fires

	pending  []int64        // ends of the windows (panes) that have records, ascending
	progress exec.Watermark // windows whose trigger is at most this have fired
	saved    exec.Watermark // the progress in the table
	floor    *floor         // nil: all key groups are as far
	marks    state.Table    // the table of layout.Progress

	enc    *rowkey.Encoder
	groups []state.KeyGroup
	u      agg.Updates
	all    []int32
	rows   []int32
	ends   []int64
	target []uint64
	refs   []state.Ref
	merge  merger
	out    *vec.Batch
}

var _ exec.TimerOperator = (*Operator)(nil)

// New checks the configuration and lays out the state.
func New(cfg Config) (*Operator, error) {
	if len(cfg.Out) != len(cfg.Keys)+len(cfg.Aggs)+len(cfg.Props) {
		return nil, fmt.Errorf("window aggregate: %d keys, %d aggregates and %d window columns make no output of %d columns",
			len(cfg.Keys), len(cfg.Aggs), len(cfg.Props), len(cfg.Out))
	}
	s, err := cfg.Window.span(cfg.In)
	if err != nil {
		return nil, err
	}
	if s.size%s.slide != 0 {
		return nil, fmt.Errorf("HOP: the size %s must be a multiple of the slide %s", cfg.Window.Size, cfg.Window.Slide)
	}
	keyTypes := make([]types.Type, len(cfg.Keys))
	for i := range keyTypes {
		keyTypes[i] = cfg.Out[i].Type
	}
	prog, err := agg.Compile(cfg.Aggs, agg.Options{Retract: cfg.Retract, Window: true, KeyTypes: keyTypes, Filters: cfg.Filters, Names: cfg.Tables})
	if err != nil {
		return nil, err
	}
	o := &Operator{
		span: s, cfg: cfg, prog: prog, panes: s.windows() > 1 && prog.Layout().Mergeable(), progress: exec.MinWatermark, saved: exec.MinWatermark,
		enc: rowkey.NewPrefixed(cfg.Keys), out: vec.NewBatch(cfg.Out),
	}
	o.merge.merged = prog.NewMerged()
	return o, nil
}

// Program is the aggregates, for what it says about the state's layout.
func (o *Operator) Program() *agg.Program { return o.prog }

// Panes reports whether the records are those of panes instead of windows.
func (o *Operator) Panes() bool { return o.panes }

// prefix is the first 8 bytes of the keys of a window, in the order of ends.
func prefix(end int64) uint64 { return uint64(end) ^ 1<<63 }

func prefixBytes(end int64) []byte { return binary.BigEndian.AppendUint64(nil, prefix(end)) }

// Open implements exec.Operator. Windows that were open go on.
func (o *Operator) Open(ctx *exec.Context) error {
	o.ctx = ctx
	if err := o.prog.Open(ctx.State, ctx.UID, 0); err != nil {
		return err
	}
	var err error
	if o.marks, err = ctx.State.Table(state.Spec{UID: ctx.UID, Name: layout.ProgressName, ID: layout.Progress}); err != nil {
		return err
	}
	if err := o.restoreProgress(); err != nil {
		return err
	}
	o.saved = o.progress
	err = o.prog.Records().Prefixes(func(p []byte) error {
		o.pending = append(o.pending, int64(binary.BigEndian.Uint64(p)^1<<63))
		return nil
	})
	slices.Sort(o.pending)
	o.wake()
	return err
}

// fired reports whether the window ending at end has fired.
func (o *Operator) fired(end int64) bool { return o.trigger(end) <= o.progress }

// Process implements exec.Operator.
func (o *Operator) Process(_ int, b *vec.Batch) error {
	rows := b.Rows(&o.all)
	o.ends = grow(o.ends, len(rows))
	if err := o.span.ends(b, rows, o.now(), o.ends); err != nil {
		return err
	}
	o.dropLate(rows)
	if len(o.rows) == 0 {
		return nil
	}
	if err := o.prog.Filter(b, o.rows); err != nil {
		return err
	}
	if o.panes || o.windows() == 1 {
		return o.add(b, o.rows, o.ends)
	}
	return o.addToEach(b)
}

// now is processing time, which never goes back to where windows have fired.
func (o *Operator) now() int64 {
	if !o.Processing {
		return 0
	}
	return max(o.ctx.Clock.Now().UnixMilli(), o.progress+1, o.floor.highest()+1)
}

// dropLate leaves in o.rows and o.ends the rows that have a window to come.
func (o *Operator) dropLate(rows []int32) {
	o.rows = o.rows[:0]
	last, late := int64(0), false
	for i, end := range o.ends {
		if i == 0 || end != last {
			last, late = end, o.fired(end+o.size-o.slide)
		}
		if late {
			continue
		}
		o.ends[len(o.rows)] = end
		o.rows = append(o.rows, rows[i])
	}
	if n := len(rows) - len(o.rows); n > 0 {
		o.ctx.Metrics.LateRows.Add(int64(n))
	}
	o.ends = o.ends[:len(o.rows)]
}

// addToEach puts every row into each of its windows, one window after the other, so that
// the rows of a window stay in order.
func (o *Operator) addToEach(b *vec.Batch) error {
	rows, panes := slices.Clone(o.rows), slices.Clone(o.ends)
	var windows []int64
	for i, pane := range panes {
		if i > 0 && pane == panes[i-1] {
			continue
		}
		for end := pane; end < pane+o.size; end += o.slide {
			if at, found := slices.BinarySearch(windows, end); !found && !o.fired(end) {
				windows = slices.Insert(windows, at, end)
			}
		}
	}
	for _, end := range windows {
		o.rows, o.ends = o.rows[:0], o.ends[:0]
		for i, pane := range panes {
			if pane <= end && pane > end-o.size {
				o.rows, o.ends = append(o.rows, rows[i]), append(o.ends, end)
			}
		}
		if err := o.add(b, o.rows, o.ends); err != nil {
			return err
		}
	}
	return nil
}

// add updates the records of the given windows (or panes).
func (o *Operator) add(b *vec.Batch, rows []int32, ends []int64) error {
	if len(rows) == 0 {
		return nil
	}
	o.target = grow(o.target, len(rows))
	for i, end := range ends {
		o.target[i] = prefix(end)
		if i == 0 || end != ends[i-1] {
			o.expect(end)
		}
	}
	o.enc.EncodePrefixed(b, rows, o.target)
	o.groups = o.enc.Groups(o.groups[:0], o.ctx.MaxParallel)
	u := &o.u
	u.Rows, u.Kinds, u.Keys, u.Hash, u.Groups = rows, b.Kinds, o.enc.Keys, o.enc.Hash, o.groups
	if err := o.prog.Begin(u); err != nil {
		return err
	}
	o.prog.CountRows(u)
	return o.prog.Update(b, u, false)
}

// expect notes that a window (or pane) has records.
func (o *Operator) expect(end int64) {
	i, found := slices.BinarySearch(o.pending, end)
	if found {
		return
	}
	o.pending = slices.Insert(o.pending, i, end)
	if i == 0 {
		o.wake()
	}
}

// wake asks for the timer of the next window in processing time.
func (o *Operator) wake() {
	if o.Processing && len(o.pending) > 0 {
		o.ctx.WakeAt(o.trigger(o.next()) + 1)
	}
}

// OnTimer implements exec.TimerOperator.
func (o *Operator) OnTimer(now int64) error {
	if o.Processing {
		if err := o.fire(now - 1); err != nil {
			return err
		}
		o.wake()
	}
	return nil
}

// Watermark implements exec.Operator.
func (o *Operator) Watermark(w exec.Watermark) (exec.Watermark, error) {
	if o.Processing {
		return w, nil
	}
	return w, o.fire(w)
}

// Barrier implements exec.Operator: how far windows have fired goes into the state, once per
// key group so that it is there whoever restores it.
func (o *Operator) Barrier(state.Epoch) error {
	o.ctx.Metrics.StateRows.Store(int64(o.prog.Records().Len()))
	if o.saved == o.progress {
		return nil
	}
	value := make([]byte, 8)
	for g := o.ctx.Groups.Lo; g < o.ctx.Groups.Hi; g++ {
		key := binary.BigEndian.AppendUint16(nil, uint16(g))
		ref, err := o.marks.Upsert(g, rowkey.Hash(key), key)
		if err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(value, uint64(max(o.progress, o.floor.of(g))))
		if err := o.marks.Set(ref, value); err != nil {
			return err
		}
	}
	o.saved = o.progress
	return nil
}

// Finish implements exec.Operator. The last watermark has fired all event-time windows;
// processing-time windows that are open do not fire, as in Flink.
func (o *Operator) Finish() error { return nil }

// Close implements exec.Operator.
func (o *Operator) Close() error { return nil }

// grow returns s with length n; its content is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
