package build

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/calcop"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/groupop"
	"github.com/sqlstream/sqlstream/exec/sinkop"
	"github.com/sqlstream/sqlstream/exec/unionop"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/exec/windowop"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// operator is the one place that maps plan nodes to operators.
func (b *builder) operator(n *plan.Node, sub int) (exec.Operator, error) {
	switch op := n.Op.(type) {
	case *plan.Calc:
		return b.calc(op)
	case *plan.Union:
		return &unionop.Union{}, nil
	case *plan.GroupAggregate:
		filters, err := b.filters(op.Aggs)
		if err != nil {
			return nil, err
		}
		o, err := groupop.New(groupop.Config{
			Keys: op.Keys, Aggs: op.Aggs, Filters: filters, Out: n.Schema,
			Retract: op.Retract, UpdateBefore: op.UpdateBefore, TTL: op.TTL, Tables: tableNames(n),
			MiniBatch: op.MiniBatch.Rows > 0, Bundle: op.MiniBatch.Rows, Latency: op.MiniBatch.Latency, In: b.Job.Nodes[n.Inputs[0].Node].Schema,
		})
		if err != nil {
			return nil, err
		}
		return o, checkLayout(n, o.Program())
	case *plan.WindowAssign:
		return windowop.NewAssign(windowop.AssignConfig{Window: b.window(op.Window), In: b.Job.Nodes[n.Inputs[0].Node].Schema, Out: n.Schema})
	case *plan.WindowAggregate:
		filters, err := b.filters(op.Aggs)
		if err != nil {
			return nil, err
		}
		w := b.window(op.Window)
		w.Attached, w.Start, w.End = op.Attached, op.Start, op.End
		cfg := windowop.Config{
			Window: w, Keys: op.Keys, Aggs: op.Aggs, Filters: filters, Retract: op.Retract,
			In: b.Job.Nodes[n.Inputs[0].Node].Schema, Out: n.Schema, Tables: tableNames(n),
		}
		for _, p := range op.Props {
			cfg.Props = append(cfg.Props, map[plan.WindowProp]windowop.Prop{
				plan.WindowStart: windowop.Start, plan.WindowEnd: windowop.End, plan.WindowTime: windowop.Time}[p])
		}
		o, err := windowop.New(cfg)
		if err != nil {
			return nil, err
		}
		if err := checkWindows(n, o.Panes()); err != nil {
			return nil, err
		}
		return o, checkLayout(n, o.Program())
	case *plan.Sink:
		w, err := b.Writer(n, sub)
		if err != nil {
			return nil, err
		}
		return sinkop.New(b.WriterContext, w, n), nil
	}
	return nil, fmt.Errorf("internal error: no operator runs a plan node of kind %s", n.Op.Kind())
}

// window is a plan's window as its operators take it.
func (b *builder) window(w plan.Window) windowop.Window {
	out := windowop.Window{Size: w.Size, Slide: w.Slide, Offset: w.Offset, Time: w.Time, Processing: w.Processing}
	if w.LTZ {
		out.Zone = b.Zone
	}
	return out
}

// filters compiles the FILTER conditions of aggregates.
func (b *builder) filters(aggs []expr.Aggregate) ([]agg.Predicate, error) {
	out := make([]agg.Predicate, len(aggs))
	for i := range aggs {
		if aggs[i].Filter == nil {
			continue
		}
		p, err := eval.CompilePredicate(aggs[i].Filter, b.Eval)
		if err != nil {
			return nil, err
		}
		out[i] = &rowFilter{pred: p}
	}
	return out, nil
}

// rowFilter lets a predicate look at given rows of a batch instead of the selected ones.
type rowFilter struct {
	pred *eval.Predicate
	sel  []int32
	view vec.Batch
}

// Select implements agg.Predicate.
func (f *rowFilter) Select(b *vec.Batch, rows []int32) ([]int32, error) {
	f.view = *b
	f.view.Sel = rows
	var err error
	f.sel, err = f.pred.Select(&f.view, f.sel)
	return f.sel, err
}

// calc compiles a Calc.
func (b *builder) calc(op *plan.Calc) (exec.Operator, error) {
	prog, err := eval.Compile(op.Exprs, b.Eval)
	if err != nil {
		return nil, err
	}
	if op.Filter == nil {
		return calcop.New(nil, prog), nil
	}
	pred, err := eval.CompilePredicate(op.Filter, b.Eval)
	if err != nil {
		return nil, err
	}
	return calcop.New(pred, prog), nil
}
