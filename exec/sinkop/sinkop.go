// Package sinkop owns the end of a plan: the operator that hands rows to a connector's
// writer, or back to the client for a SELECT. It enforces what a table promises: row kinds
// and NOT NULL.
package sinkop

import (
	"context"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Sink is an exec.Operator over an exec.Writer.
type Sink struct {
	ctx     context.Context
	writer  exec.Writer
	schema  types.Schema
	accepts plan.Mode
	policy  plan.NotNullPolicy
	table   string
	retract bool // -U goes out as -D

	notNull []int // columns that must not be NULL
	m       *exec.Metrics
	sel     []int32 // rows of kinds that are accepted; never nil, which would mean all
	keep    []int32 // rows without NULL where it may not be; never nil
	kinds   []vec.Kind
}

// New makes the operator. ctx bounds the writer's waiting.
func New(ctx context.Context, writer exec.Writer, node *plan.Node) *Sink {
	op := node.Op.(*plan.Sink)
	s := &Sink{ctx: ctx, writer: writer, schema: node.Schema, accepts: op.Accepts, policy: op.NotNull, table: op.Table.Path, retract: op.RetractAsDelete,
		sel: []int32{}, keep: []int32{}}
	if op.Collect {
		return s
	}
	for i, f := range node.Schema {
		if f.Type.NotNull {
			s.notNull = append(s.notNull, i)
		}
	}
	return s
}

// Open implements exec.Operator.
func (s *Sink) Open(ctx *exec.Context) error {
	s.m = ctx.Metrics
	return nil
}

// Process filters what the table does not take and writes the rest.
func (s *Sink) Process(_ int, b *vec.Batch) error {
	out := *b
	if b.Kinds != nil && s.retract {
		s.kinds = append(s.kinds[:0], b.Kinds...)
		for i, k := range s.kinds {
			if k == vec.UpdateBefore {
				s.kinds[i] = vec.Delete
			}
		}
		out.Kinds = s.kinds
	}
	if b.Kinds != nil && s.accepts != plan.AllChanges {
		s.sel = s.sel[:0]
		for i := range b.Len() {
			if r := b.Row(i); s.accepts&(1<<uint(out.Kind(r))) != 0 {
				s.sel = append(s.sel, int32(r))
			}
		}
		out.Sel = s.sel
	}
	if err := s.enforce(&out); err != nil {
		return err
	}
	if out.Len() == 0 {
		return nil
	}
	s.m.RowsOut.Add(int64(out.Len()))
	return s.writer.Write(s.ctx, &out)
}

// enforce applies table.exec.sink.not-null-enforcer: the job fails at the first NULL in a
// NOT NULL column, or the row is dropped (Flink drops silently; here it is counted).
func (s *Sink) enforce(b *vec.Batch) error {
	for _, c := range s.notNull {
		col := &b.Cols[c]
		if col.Valid == nil {
			continue
		}
		keep := s.keep[:0] // b.Sel may lie in it; a row is read before its place is written
		for i := range b.Len() {
			r := b.Row(i)
			if !col.IsNull(r) {
				keep = append(keep, int32(r))
				continue
			}
			if s.policy == plan.NotNullError {
				return exec.Userf("table %s: column %s is NOT NULL, but a NULL is being written into it; "+
					"SET 'table.exec.sink.not-null-enforcer' = 'DROP' drops such rows instead", s.table, types.QuoteIdent(s.schema[c].Name))
			}
			s.m.BadRows.Add(1)
		}
		if s.keep = keep; len(keep) < b.Len() {
			b.Sel = keep
		}
	}
	return nil
}

// Watermark implements exec.Operator.
func (s *Sink) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, nil }

// Barrier implements exec.Operator.
func (s *Sink) Barrier(e state.Epoch) error { return s.writer.Barrier(s.ctx, e) }

// Finish implements exec.Operator.
func (s *Sink) Finish() error { return nil }

// Close implements exec.Operator.
func (s *Sink) Close() error { return s.writer.Close() }

// Collect is an exec.Writer that gives every batch to a function: a SELECT's client.
type Collect func(b *vec.Batch) error

// Write implements exec.Writer.
func (c Collect) Write(_ context.Context, b *vec.Batch) error { return c(b) }

// Barrier implements exec.Writer.
func (Collect) Barrier(context.Context, state.Epoch) error { return nil }

// Close implements exec.Writer.
func (Collect) Close() error { return nil }
