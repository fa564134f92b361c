package build

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/exec/inflight"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Rows in flight belong to an input of a node, or to a source. They are routed as rows that come
// that way are today: at another parallelism to another subtask, and into the middle of a chain
// where there is no exchange any more. A subtask goes through what it has before anything else
// comes to it, the farthest node first, as those rows are the oldest.

// checkInFlight refuses rows that the plan has no place for.
func (b *builder) checkInFlight() error {
	nodes := map[string]*plan.Node{}
	for _, n := range b.Job.Nodes {
		nodes[n.UID] = n
	}
	for _, f := range b.InFlight {
		if n := nodes[f.UID]; n == nil || !reads(n) && f.Port >= len(n.Inputs) {
			return exec.Userf("the checkpoint has %d rows in flight to input %d of an operator with uid %s, which the query does not have; "+
				"restore a savepoint, which has none in flight", f.Rows, f.Port, f.UID)
		}
	}
	return nil
}

// restore gives a task its share of the rows in flight.
func (b *builder) restore(c *Chain, sub int, ops map[int]*flow.Op, t *flow.Task) error {
	if len(b.InFlight) == 0 {
		return nil
	}
	for i := len(c.Nodes) - 1; i >= 0; i-- {
		n := c.Nodes[i]
		if reads(n) {
			if err := b.restoreSource(n, t); err != nil {
				return err
			}
			continue
		}
		for port := range n.Inputs {
			if err := b.restoreInput(c, n, port, sub, ops[n.ID], t); err != nil {
				return fmt.Errorf("rows in flight to %s: %w", n.Name, err)
			}
		}
	}
	return nil
}

// restoreSource takes the rows that splits of this subtask had given.
func (b *builder) restoreSource(n *plan.Node, t *flow.Task) error {
	for i, f := range b.InFlight {
		if f.UID != n.UID {
			continue
		}
		for _, s := range t.Source.Splits {
			if s.ID != f.Split {
				continue
			}
			batches, err := inflight.Decode(f.Data, n.Schema)
			if err != nil {
				return fmt.Errorf("rows in flight of %s: %w", n.Name, err)
			}
			for _, batch := range batches {
				t.Restored = append(t.Restored, flow.Restored{Split: f.Split, Batch: batch})
			}
			b.given[i] = true
		}
	}
	return nil
}

// allGiven makes sure that the rows of every split found the subtask that reads it.
func (b *builder) allGiven() error {
	for i, f := range b.InFlight {
		for _, n := range b.Job.Nodes {
			if n.UID == f.UID && reads(n) && !b.given[i] {
				return fmt.Errorf("internal error: %d rows in flight are of split %s of %s, which no subtask reads", f.Rows, f.Split, n.Name)
			}
		}
	}
	return nil
}

func (b *builder) restoreInput(c *Chain, n *plan.Node, port, sub int, op *flow.Op, t *flow.Task) error {
	route := b.restoredRoute(n, port)
	for _, f := range b.InFlight {
		if f.UID != n.UID || f.Port != port {
			continue
		}
		batches, err := inflight.Decode(f.Data, b.inputSchema(n, port))
		if err != nil {
			return err
		}
		if route == nil { // pairwise
			to, err := pair(c, n, f, batches)
			if err != nil {
				return err
			}
			if to != sub {
				continue
			}
		}
		for _, batch := range batches {
			if route != nil {
				if batch, err = flow.Share(batch, route, sub); err != nil {
					return err
				}
			}
			if batch != nil {
				t.Restored = append(t.Restored, flow.Restored{Op: op, Port: port, Batch: batch})
			}
		}
	}
	return nil
}

func (b *builder) inputSchema(n *plan.Node, port int) types.Schema {
	return b.Job.Nodes[n.Inputs[port].Node].Schema
}

// restoredRoute is how rows come to the subtasks of n; nil: from the subtask of the same number.
func (b *builder) restoredRoute(n *plan.Node, port int) flow.Route {
	in := n.Inputs[port]
	switch {
	case n.Parallelism == 1:
		return single
	case in.Exchange == plan.Rebalance:
		return rebalance(n.Parallelism)
	case in.Exchange == plan.Single:
		return single
	case len(in.Keys) > 0: // by hash, or spread like that already
		return b.hashRoute(in.Keys, n.Parallelism)
	}
	return nil
}

// pair returns the subtask that gets rows on a forward edge. With as many subtasks as before it
// is the same one. With others, nothing in a row says where its successors will come, so rows whose
// order or place matters cannot be restored: changes of a row that is already known, and rows on
// their way to keyed state behind the edge.
func pair(c *Chain, n *plan.Node, f flow.InFlight, batches []*vec.Batch) (int, error) {
	if f.Parallelism == n.Parallelism {
		return f.Subtask, nil
	}
	order := len(c.UIDs()) > 0
	for _, b := range batches {
		for i := range b.Len() {
			order = order || b.Kind(b.Row(i)) != vec.Insert
		}
	}
	if order {
		return 0, exec.Userf("the checkpoint has %d rows in flight on a forward edge to subtask %d of %d, and what they change lies elsewhere with %d subtasks; "+
			"start the job with the parallelism it had, or restore a savepoint, which has no rows in flight", f.Rows, f.Subtask, f.Parallelism, n.Parallelism)
	}
	return f.Subtask * n.Parallelism / f.Parallelism, nil
}
