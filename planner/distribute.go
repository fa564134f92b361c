package planner

import (
	"slices"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// distribute decides, inputs first, the parallelism of each node and how rows reach it.
// Sources and everything behind a keyed exchange run with the job's parallelism; constants,
// aggregates without keys and results of a SELECT in one subtask; the rest like its input.
func (b *builder) distribute() {
	for _, n := range b.job.Nodes {
		f := b.facts[n.ID]
		switch op := n.Op.(type) {
		case *plan.Source:
		case *plan.Values:
			n.Parallelism = 1
		case *plan.Calc:
			b.follow(n)
			f.spread = through(op.Exprs, b.inputFacts(n).spread)
		case *plan.WindowAssign:
			b.follow(n)
			f.spread = b.inputFacts(n).spread
		case *plan.Union:
			b.gather(n)
		case *plan.GroupAggregate:
			b.keyed(n, op.Keys)
		case *plan.WindowAggregate:
			b.keyed(n, op.Keys)
		case *plan.Sink:
			b.follow(n)
			if op.Collect {
				b.single(n)
			}
		}
	}
}

func (b *builder) inputFacts(n *plan.Node) *facts { return b.facts[n.Inputs[0].Node] }

// follow runs n in the subtasks of its input.
func (b *builder) follow(n *plan.Node) {
	n.Parallelism = b.job.Nodes[n.Inputs[0].Node].Parallelism
	n.Inputs[0].Exchange = plan.Forward
}

// single runs n in one subtask.
func (b *builder) single(n *plan.Node) {
	n.Parallelism = 1
	n.Inputs[0].Exchange = plan.Single
	if b.job.Nodes[n.Inputs[0].Node].Parallelism == 1 {
		n.Inputs[0].Exchange = plan.Forward
	}
}

// keyed brings rows with equal keys to one subtask: the one that owns their key group.
func (b *builder) keyed(n *plan.Node, keys []int) {
	if len(keys) == 0 {
		b.single(n)
		return
	}
	in, f := &n.Inputs[0], b.inputFacts(n)
	from := b.job.Nodes[in.Node].Parallelism
	n.Parallelism = b.job.Parallelism
	in.Exchange, in.Keys = plan.Hash, keys
	// Rows that are spread by exactly these keys already are where they belong. A part of
	// the keys is not enough: the key group is made of all of them, in this order.
	if from == n.Parallelism && (from == 1 || slices.Equal(f.spread, keys)) {
		in.Exchange = plan.Forward
	}
	b.facts[n.ID].spread = upTo(len(keys))
}

// gather joins the inputs of a union, each in its own order per key.
func (b *builder) gather(n *plan.Node) {
	n.Parallelism = 1
	same := true
	for _, in := range n.Inputs {
		p := b.job.Nodes[in.Node].Parallelism
		same = same && p == b.job.Nodes[n.Inputs[0].Node].Parallelism
		n.Parallelism = max(n.Parallelism, p)
	}
	spread := b.inputFacts(n).spread
	for _, in := range n.Inputs {
		if !slices.Equal(b.facts[in.Node].spread, spread) {
			spread = nil
		}
	}
	if same {
		b.facts[n.ID].spread = spread
		return
	}
	for i := range n.Inputs {
		in := &n.Inputs[i]
		if b.job.Nodes[in.Node].Parallelism == n.Parallelism {
			continue
		}
		// One subtask's rows go to one subtask: changes of one key stay in order.
		in.Exchange = plan.Single
	}
}

// through maps columns of the input to those of a projection that passes them on; nil when
// one is lost.
func through(exprs []expr.Expr, cols []int) []int {
	if cols == nil {
		return nil
	}
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = slices.IndexFunc(exprs, func(e expr.Expr) bool {
			col, ok := e.(*expr.Column)
			return ok && col.Index == c
		})
		if out[i] < 0 {
			return nil
		}
	}
	return out
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
