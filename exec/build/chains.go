// Package build turns a physical plan into tasks: it cuts the plan into chains and makes
// one operator per node and subtask, in the single type switch from plan nodes to operator
// families. It imports planner/plan, exec/eval, exec/agg, all operator families and
// exec/flow; connectors reach it through functions.
package build

import "github.com/sqlstream/sqlstream/planner/plan"

// Chain is a tree of plan nodes that run in one goroutine per subtask. The head is a source,
// or reads from exchanges.
type Chain struct {
	ID    int
	Nodes []*plan.Node // the head first, inputs before consumers
}

// Head is the first node.
func (c *Chain) Head() *plan.Node { return c.Nodes[0] }

// Parallelism is the number of tasks.
func (c *Chain) Parallelism() int { return c.Nodes[0].Parallelism }

// UIDs lists the nodes of the chain that keep keyed state.
func (c *Chain) UIDs() []string {
	var uids []string
	for _, n := range c.Nodes {
		if len(n.State) > 0 {
			uids = append(uids, n.UID)
		}
	}
	return uids
}

// Chains cuts a plan: a node joins the chain of its input when it has one input that needs
// no exchange. The result is in topological order, and chain[i] is the chain of node i.
func Chains(job *plan.Job) (chains []*Chain, chain []*Chain) {
	chain = make([]*Chain, len(job.Nodes))
	for i, n := range job.Nodes {
		if len(n.Inputs) == 1 && chained(job, n) {
			c := chain[n.Inputs[0].Node]
			c.Nodes = append(c.Nodes, n)
			chain[i] = c
			continue
		}
		c := &Chain{ID: len(chains), Nodes: []*plan.Node{n}}
		chains = append(chains, c)
		chain[i] = c
	}
	return chains, chain
}

// chained reports whether the only input of n reaches it without an exchange.
func chained(job *plan.Job, n *plan.Node) bool {
	in := n.Inputs[0]
	from := job.Nodes[in.Node]
	if from.Parallelism != n.Parallelism {
		return false
	}
	return in.Exchange == plan.Forward || n.Parallelism == 1
}
