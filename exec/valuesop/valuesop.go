// Package valuesop owns VALUES and SELECT without FROM: a bounded source of constant rows.
package valuesop

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Source implements exec.Source with one split whose position is the next row's number.
type Source struct {
	schema types.Schema
	values *plan.Values
	env    eval.Env
}

// New makes the source of a Values node.
func New(node *plan.Node, env eval.Env) *Source {
	return &Source{schema: node.Schema, values: node.Op.(*plan.Values), env: env}
}

// Enumerate implements exec.Source.
func (s *Source) Enumerate(context.Context) ([]exec.Split, error) {
	return []exec.Split{{ID: "values", Position: []byte("0")}}, nil
}

// Discovered implements exec.Source.
func (s *Source) Discovered(sp exec.Split) exec.Split { return sp }

// DiscoverEvery implements exec.Source.
func (s *Source) DiscoverEvery() time.Duration { return 0 }

// Bounded implements exec.Source.
func (s *Source) Bounded() bool { return true }

// Close implements exec.Source.
func (s *Source) Close() error { return nil }

// Reader implements exec.Source.
func (s *Source) Reader(context.Context, int, exec.ConnEnv) (exec.Reader, error) {
	r := &reader{source: s, one: &vec.Batch{N: 1}}
	for _, row := range s.values.Rows {
		p, err := eval.Compile(row, s.env)
		if err != nil {
			return nil, err
		}
		r.rows = append(r.rows, p)
	}
	return r, nil
}

type reader struct {
	source *Source
	rows   []*eval.Program
	one    *vec.Batch
	mine   bool // the split is ours, not another subtask's
	next   int
}

// Assign implements exec.Reader.
func (r *reader) Assign(splits []exec.Split) error {
	for _, s := range splits {
		n, err := strconv.Atoi(string(s.Position))
		if err != nil || n < 0 || n > len(r.rows) {
			return fmt.Errorf("position %q of VALUES is none of its %d rows", s.Position, len(r.rows))
		}
		r.mine, r.next = true, n
	}
	return nil
}

// Read implements exec.Reader.
func (r *reader) Read(_ context.Context, _ time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	for ; r.mine && r.next < len(r.rows) && b.N < vec.MaxRows; r.next++ {
		cols, err := r.rows[r.next].Eval(r.one)
		if err != nil {
			return 0, err
		}
		for i, c := range cols {
			b.Cols[i].AppendFrom(c, 0)
		}
		b.AddKind(vec.Insert)
	}
	if b.N == 0 {
		return exec.ReadEnd, nil
	}
	return exec.ReadRows, nil
}

// Positions implements exec.Reader.
func (r *reader) Positions() ([]exec.Split, error) {
	if !r.mine {
		return nil, nil
	}
	return []exec.Split{{ID: "values", Position: []byte(strconv.Itoa(r.next))}}, nil
}

// Ended implements exec.Reader.
func (r *reader) Ended(int) bool { return r.next == len(r.rows) }

// Committed implements exec.Reader.
func (r *reader) Committed(state.Epoch, []exec.Split) {}

// Lag implements exec.Reader.
func (r *reader) Lag() int64 { return int64(len(r.rows) - r.next) }

// Close implements exec.Reader.
func (r *reader) Close() error { return nil }
