package build

import (
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// transform turns what a reader read into the rows of the source node.
func (b *builder) transform(src *plan.Source) (func(*vec.Batch) (*vec.Batch, error), error) {
	prog, err := eval.Compile(src.Columns, b.Eval)
	if err != nil {
		return nil, err
	}
	out := &vec.Batch{Cols: make([]vec.Vec, len(src.Columns))}
	var filter *eval.Predicate
	if src.Filter != nil {
		if filter, err = eval.CompilePredicate(src.Filter, b.Eval); err != nil {
			return nil, err
		}
	}
	var sel []int32
	return func(in *vec.Batch) (*vec.Batch, error) {
		cols, err := prog.Eval(in)
		if err != nil {
			return nil, err
		}
		out.N, out.Sel, out.Kinds, out.Split = in.N, in.Sel, in.Kinds, in.Split
		for i, c := range cols {
			out.Cols[i] = *c
		}
		if filter != nil {
			if sel, err = filter.Select(out, sel[:0]); err != nil {
				return nil, err
			}
			out.Sel = sel
		}
		return out, nil
	}, nil
}

// eventTime finds the largest watermark of a batch. Rows the filter took out count too:
// time passes for them as well, as in Flink, where the watermark is assigned before any
// filter of the query.
func (b *builder) eventTime(w *plan.Watermark) (func(*vec.Batch) (exec.Watermark, bool, error), error) {
	prog, err := eval.Compile([]expr.Expr{w.Expr}, b.Eval)
	if err != nil {
		return nil, err
	}
	perMilli := w.Expr.Type().UnitsPerSecond() / 1000
	return func(rows *vec.Batch) (exec.Watermark, bool, error) {
		all := *rows
		all.Sel = nil
		cols, err := prog.Eval(&all)
		if err != nil {
			return 0, false, err
		}
		col := cols[0]
		high, ok := exec.MinWatermark, false
		for i, v := range vec.Values[int64](col) {
			if !col.IsNull(i) && (!ok || v > high) {
				high, ok = v, true
			}
		}
		if !ok {
			return 0, false, nil
		}
		return floorDiv(high, perMilli), true, nil
	}, nil
}

// floorDiv rounds towards minus infinity: a watermark must not promise too much.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
