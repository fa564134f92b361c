// Package calcop owns filter and projection. exec/build makes its operators from compiled
// expressions (exec/eval); it imports exec, exec/vec and state only.
package calcop

import (
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// Predicate is a compiled condition.
type Predicate interface {
	// Select returns the selected rows of b for which the condition is TRUE, in the memory
	// of scratch when that is large enough.
	Select(b *vec.Batch, scratch []int32) ([]int32, error)
}

// Exprs is a compiled projection.
type Exprs interface {
	// Eval computes its columns for the selected rows of b: b.N physical rows each, to be
	// used with b.Sel, valid until the next call or the end of b.
	Eval(b *vec.Batch) ([]*vec.Vec, error)
}

// Operator filters, then projects. Row kinds pass through, and so do, without copying,
// columns that are projected as they are: a filter only narrows the selection.
type Operator struct {
	filter Predicate
	exprs  Exprs
	out    exec.Collector
	sel    []int32
	in     vec.Batch // the input with the narrower selection
	result vec.Batch
}

var _ exec.Operator = (*Operator)(nil)

// New makes an operator; filter may be nil (all rows), and so may exprs (all columns).
func New(filter Predicate, exprs Exprs) *Operator { return &Operator{filter: filter, exprs: exprs} }

// Open implements exec.Operator.
func (o *Operator) Open(ctx *exec.Context) error {
	o.out = ctx.Out
	return nil
}

// Process implements exec.Operator.
func (o *Operator) Process(_ int, b *vec.Batch) error {
	o.in = *b
	if o.filter != nil {
		sel, err := o.filter.Select(b, o.sel)
		if err != nil {
			return err
		}
		if o.sel = sel; len(sel) == 0 {
			return nil
		}
		if o.in.Sel = sel; len(sel) == b.N {
			o.in.Sel = nil
		}
	}
	if o.exprs == nil {
		return o.out.Emit(&o.in)
	}
	cols, err := o.exprs.Eval(&o.in)
	if err != nil {
		return err
	}
	r := &o.result
	r.N, r.Sel, r.Kinds, r.Split = o.in.N, o.in.Sel, o.in.Kinds, o.in.Split
	if cap(r.Cols) < len(cols) {
		r.Cols = make([]vec.Vec, len(cols))
	}
	r.Cols = r.Cols[:len(cols)]
	for i, c := range cols {
		r.Cols[i] = *c
	}
	return o.out.Emit(r)
}

// Watermark implements exec.Operator.
func (o *Operator) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, nil }

// Barrier implements exec.Operator: there is no state.
func (o *Operator) Barrier(state.Epoch) error { return nil }

// Finish implements exec.Operator.
func (o *Operator) Finish() error { return nil }

// Close implements exec.Operator.
func (o *Operator) Close() error { return nil }
