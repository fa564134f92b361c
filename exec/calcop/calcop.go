// Package calcop owns Calc: filter, then project. Row kinds and columns that are only
// passed on are not copied. exec/build makes its operators; it imports exec and exec/vec.
package calcop

import (
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// Predicate selects rows: a compiled condition.
type Predicate interface {
	// Select returns the selected rows of b for which the condition is TRUE, in sel's memory
	// when it is large enough.
	Select(b *vec.Batch, sel []int32) ([]int32, error)
}

// Exprs computes columns: compiled expressions.
type Exprs interface {
	// Eval returns one column per expression, valid until the next call, for the selected
	// rows of b.
	Eval(b *vec.Batch) ([]*vec.Vec, error)
}

// Calc is the operator of one subtask.
type Calc struct {
	filter Predicate // nil: all rows
	exprs  Exprs
	ctx    *exec.Context
	in     vec.Batch
	out    vec.Batch
	sel    []int32
}

var _ exec.Operator = (*Calc)(nil)

// New makes the operator; filter may be nil.
func New(filter Predicate, exprs Exprs) *Calc { return &Calc{filter: filter, exprs: exprs} }

// Open implements exec.Operator.
func (c *Calc) Open(ctx *exec.Context) error {
	c.ctx = ctx
	return nil
}

// Process implements exec.Operator.
func (c *Calc) Process(_ int, b *vec.Batch) error {
	if c.filter != nil {
		var err error
		if c.sel, err = c.filter.Select(b, c.sel); err != nil {
			return err
		}
		if len(c.sel) == 0 {
			return nil
		}
		if len(c.sel) < b.Len() {
			c.in = *b
			c.in.Sel = c.sel
			b = &c.in
		}
	}
	cols, err := c.exprs.Eval(b)
	if err != nil {
		return err
	}
	c.out.N, c.out.Sel, c.out.Kinds, c.out.Split = b.N, b.Sel, b.Kinds, b.Split
	c.out.Cols = c.out.Cols[:0]
	for _, v := range cols {
		c.out.Cols = append(c.out.Cols, *v)
	}
	return c.ctx.Out.Emit(&c.out)
}

// Watermark implements exec.Operator.
func (c *Calc) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, nil }

// Barrier implements exec.Operator: there is no state.
func (c *Calc) Barrier(state.Epoch) error { return nil }

// Finish implements exec.Operator.
func (c *Calc) Finish() error { return nil }

// Close implements exec.Operator.
func (c *Calc) Close() error { return nil }
