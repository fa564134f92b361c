// Package groupop owns the unbounded GROUP BY: groups that live for ever (or as long as
// their time to live), whose results leave as a changelog. exec/build makes its operators;
// it imports exec, exec/agg, exec/rowkey, exec/vec, sql/expr, sql/types and state.
//
// # The changelog
//
// Row by row, as Flink without mini-batch: a group's first row gives +I, each later one -U
// and +U, nothing when the result is the same as before (except with a time to live, where
// the pair keeps records downstream from expiring), -D when its last row is taken away. The
// two halves of an update are two inputs. Rows taken from a group that does not exist are
// ignored. The global aggregate follows the same rules: over no input it emits nothing.
//
// With MiniBatch a group gives at most one change for all of its rows in a batch, or in a
// bundle of batches, which leaves when it is full, at its time, and before anything else does:
// a watermark, a barrier, the end.
package groupop

import (
	"fmt"
	"slices"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Config is a GroupAggregate of a plan.
type Config struct {
	Keys    []int // columns of the input; empty: one group
	Aggs    []expr.Aggregate
	Filters []agg.Predicate // one per aggregate, nil where it has none
	Out     types.Schema    // keys, then aggregates
	Retract bool            // the input has -U or -D
	// UpdateBefore: emit -U in front of +U.
	UpdateBefore bool
	MiniBatch    bool
	// Bundle is how many rows of several batches MiniBatch takes together, at most MaxBundle,
	// and Latency how long the first of them may wait; 0: each batch is for itself. In is the
	// input's schema.
	Bundle  int
	Latency time.Duration
	In      types.Schema
	TTL     time.Duration
	Tables  []string // names of the tables of state, see agg.Options.Names
}

// Operator is the operator of one subtask.
type Operator struct {
	cfg  Config
	prog *agg.Program
	ctx  *exec.Context

	enc     *rowkey.Encoder
	groups  []state.KeyGroup
	u       agg.Updates
	all     []int32
	out     *vec.Batch
	sel     []int32
	kinds   []vec.Kind
	twice   []int32
	changed []bool
	ended   []state.Ref
	mini    mini
	bundle  bundle
}

var _ exec.TimerOperator = (*Operator)(nil)

// New checks the configuration and lays out the state.
func New(cfg Config) (*Operator, error) {
	if len(cfg.Out) != len(cfg.Keys)+len(cfg.Aggs) {
		return nil, fmt.Errorf("GROUP BY: %d keys and %d aggregates make no output of %d columns", len(cfg.Keys), len(cfg.Aggs), len(cfg.Out))
	}
	keyTypes := make([]types.Type, len(cfg.Keys))
	for i := range keyTypes {
		keyTypes[i] = cfg.Out[i].Type
	}
	prog, err := agg.Compile(cfg.Aggs, agg.Options{Retract: cfg.Retract, KeyTypes: keyTypes, Filters: cfg.Filters, Names: cfg.Tables})
	if err != nil {
		return nil, err
	}
	o := &Operator{cfg: cfg, prog: prog, enc: rowkey.New(cfg.Keys), out: vec.NewBatch(cfg.Out)}
	if cfg.Bundle > 0 {
		o.cfg.Bundle = min(cfg.Bundle, MaxBundle)
		o.bundle.rows = vec.NewBatch(cfg.In)
	}
	return o, nil
}

// Program is the aggregates, for what it says about the state's layout.
func (o *Operator) Program() *agg.Program { return o.prog }

// Open implements exec.Operator.
func (o *Operator) Open(ctx *exec.Context) error {
	o.ctx = ctx
	return o.prog.Open(ctx.State, ctx.UID, o.cfg.TTL)
}

// chunk is how many input rows are worked on together: each may give two rows, and the
// slots before and after them should stay in the cache.
const chunk = vec.MaxRows / 4

// MaxBundle is the most rows that give one change per group: they are worked on together.
const MaxBundle = vec.MaxRows / 2

// Process implements exec.Operator.
func (o *Operator) Process(_ int, b *vec.Batch) error {
	rows := b.Rows(&o.all)
	if o.cfg.Bundle > 0 {
		return o.gather(b, rows)
	}
	return o.process(b, rows)
}

func (o *Operator) process(b *vec.Batch, rows []int32) error {
	if err := o.prog.Filter(b, rows); err != nil {
		return err
	}
	size := chunk
	if o.cfg.MiniBatch {
		size = MaxBundle
	}
	for len(rows) > 0 {
		n := min(size, len(rows))
		if err := o.rows(b, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (o *Operator) rows(b *vec.Batch, rows []int32) error {
	o.enc.Encode(b, rows)
	o.groups = o.enc.Groups(o.groups[:0], o.ctx.MaxParallel)
	u := &o.u
	u.Rows, u.Kinds, u.Keys, u.Hash, u.Groups = rows, b.Kinds, o.enc.Keys, o.enc.Hash, o.groups
	if err := o.prog.Begin(u); err != nil {
		return err
	}
	if o.cfg.MiniBatch {
		return o.netted(b)
	}
	o.prog.Acts(u)
	if err := o.prog.Update(b, u, true); err != nil {
		return err
	}
	if err := o.emit(b, rows, u.Act); err != nil {
		return err
	}
	return o.end(u.Refs, u.Act)
}

// emit sends a pair of results per entry of acts (nil: all are updates): before and after,
// as far as they are to be seen. keyRows are rows of b with the groups' keys.
func (o *Operator) emit(b *vec.Batch, keyRows []int32, acts []agg.Act) error {
	out, n := o.out, len(keyRows)
	out.Reset()
	out.N = 2 * n
	o.twice = o.twice[:0]
	for _, r := range keyRows {
		o.twice = append(o.twice, r, r)
	}
	for k, c := range o.cfg.Keys {
		out.Cols[k].AppendRows(&b.Cols[c], o.twice)
	}
	results := out.Cols[len(o.cfg.Keys):]
	o.prog.Results(2*n, results)
	compare := false
	if o.cfg.TTL == 0 || o.cfg.MiniBatch {
		o.changed = grow(o.changed, n)
		compare = o.prog.Changed(results, o.changed)
	}
	if acts == nil && !compare && o.cfg.UpdateBefore {
		out.Kinds = updates[:2*n]
		return o.ctx.Out.Emit(out)
	}
	o.kinds, o.sel = grow(o.kinds, 2*n), o.sel[:0]
	copy(o.kinds, updates[:2*n])
	for i := range n {
		before, after := int32(2*i), int32(2*i+1)
		act := agg.ActUpdate
		if acts != nil {
			act = acts[i]
		}
		switch act {
		case agg.ActFirst:
			o.kinds[after] = vec.Insert
			o.sel = append(o.sel, after)
		case agg.ActDelete:
			o.kinds[before] = vec.Delete
			o.sel = append(o.sel, before)
		case agg.ActUpdate:
			if compare && !o.changed[i] {
				continue
			}
			if o.cfg.UpdateBefore {
				o.sel = append(o.sel, before)
			}
			o.sel = append(o.sel, after)
		}
	}
	if len(o.sel) == 0 {
		return nil
	}
	out.Kinds, out.Sel = o.kinds, o.sel
	return o.ctx.Out.Emit(out)
}

// updates are the kinds of a run of updates.
var updates = func() []vec.Kind {
	k := make([]vec.Kind, vec.MaxRows)
	for i := range k {
		k[i] = vec.UpdateBefore + vec.Kind(i&1)
	}
	return k
}()

// end deletes the records of groups that have no rows any more.
func (o *Operator) end(refs []state.Ref, acts []agg.Act) error {
	if !o.cfg.Retract || acts == nil {
		return nil
	}
	o.ended = o.ended[:0]
	for i, a := range acts {
		if a == agg.ActDelete || a == agg.ActSkip {
			o.ended = append(o.ended, refs[i])
		}
	}
	slices.Sort(o.ended)
	for _, ref := range slices.Compact(o.ended) {
		if o.prog.Rows(ref) == 0 {
			if err := o.prog.Records().Delete(ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// Watermark implements exec.Operator: event time does not matter to groups, but what came
// before it leaves before it.
func (o *Operator) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, o.flush() }

// Barrier implements exec.Operator: everything is in the tables then.
func (o *Operator) Barrier(state.Epoch) error {
	if err := o.flush(); err != nil {
		return err
	}
	o.ctx.Metrics.StateRows.Store(int64(o.prog.Records().Len()))
	return nil
}

// Finish implements exec.Operator.
func (o *Operator) Finish() error { return o.flush() }

// Close implements exec.Operator.
func (o *Operator) Close() error { return nil }

// grow returns s with length n; its content is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
