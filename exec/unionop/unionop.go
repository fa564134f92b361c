// Package unionop owns UNION ALL: rows of all inputs pass through as they come. Everything
// else about several inputs is the runtime's (exec/flow).
package unionop

import (
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// Union is the operator of one subtask.
type Union struct{ out exec.Collector }

var _ exec.Operator = (*Union)(nil)

// Open implements exec.Operator.
func (u *Union) Open(ctx *exec.Context) error {
	u.out = ctx.Out
	return nil
}

// Process implements exec.Operator.
func (u *Union) Process(_ int, b *vec.Batch) error { return u.out.Emit(b) }

// Watermark implements exec.Operator.
func (u *Union) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, nil }

// Barrier implements exec.Operator.
func (u *Union) Barrier(state.Epoch) error { return nil }

// Finish implements exec.Operator.
func (u *Union) Finish() error { return nil }

// Close implements exec.Operator.
func (u *Union) Close() error { return nil }
