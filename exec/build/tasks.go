package build

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Parts are what tasks are made of besides the plan: everything that touches the world
// outside. The functions are called once per node (or chain) and subtask.
type Parts struct {
	Job     *plan.Job
	Eval    eval.Env
	Zone    *time.Location
	Clock   exec.Clock
	Log     *slog.Logger
	Metrics func(node *plan.Node, subtask int) *exec.Metrics
	// Reader opens the reader of a source node with the splits it starts with.
	Reader func(node *plan.Node, subtask int) (exec.Reader, []exec.Split, []exec.Watermark, error)
	// Writer opens the writer of a sink node.
	Writer func(node *plan.Node, subtask int) (exec.Writer, error)
	// WriterContext bounds the waiting of writers.
	WriterContext context.Context
	// Store opens the keyed state of a chain.
	Store func(c *Chain, subtask int) (state.Store, error)
	// InFlight are the rows in flight of the checkpoint to restore, oldest first per subtask.
	InFlight []flow.InFlight
}

// Tasks makes all tasks of the plan, not opened yet. On an error what was made is closed.
func Tasks(p *Parts) (tasks []flow.Task, err error) {
	b := &builder{Parts: p}
	defer func() {
		if err != nil {
			for _, c := range b.closers {
				err = errors.Join(err, c())
			}
			tasks = nil
		}
	}()
	b.chains, b.chain = Chains(p.Job)
	b.exchanges, b.given = map[edge]*flow.Exchange{}, map[int]bool{}
	for _, n := range p.Job.Nodes {
		for port, in := range n.Inputs {
			if b.chain[n.ID] != b.chain[in.Node] {
				x, err := b.exchange(n, port)
				if err != nil {
					return nil, err
				}
				b.exchanges[edge{n.ID, port}] = x
			}
		}
	}
	if err := b.checkInFlight(); err != nil {
		return nil, err
	}
	for _, c := range b.chains {
		for sub := range c.Parallelism() {
			t, err := b.task(c, sub)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Head().Name, err)
			}
			tasks = append(tasks, t)
		}
	}
	if err := b.allGiven(); err != nil {
		return nil, err
	}
	return tasks, nil
}

type builder struct {
	*Parts
	chains, chain []*Chain
	exchanges     map[edge]*flow.Exchange
	given         map[int]bool   // rows in flight of a source that some subtask has
	closers       []func() error // of operators, readers and stores that no graph has taken over
}

// edge is input port of node.
type edge struct{ node, port int }

func (b *builder) exchange(n *plan.Node, port int) (*flow.Exchange, error) {
	in := n.Inputs[port]
	from := b.Job.Nodes[in.Node]
	x := &flow.Exchange{Schema: from.Schema, Producers: from.Parallelism, Consumers: n.Parallelism}
	switch in.Exchange {
	case plan.Forward:
		x.Pairwise = true
		if x.Producers != x.Consumers {
			return nil, fmt.Errorf("internal error: forward edge between parallelism %d and %d", x.Producers, x.Consumers)
		}
	case plan.Hash:
		x.NewRoute = func() flow.Route { return b.hashRoute(in.Keys, n.Parallelism) }
	case plan.Rebalance:
		x.NewRoute = func() flow.Route { return rebalance(n.Parallelism) }
	case plan.Single:
		x.NewRoute = func() flow.Route { return single }
	}
	return x, nil
}

// hashRoute sends a row to the subtask that owns the key group of its key.
func (b *builder) hashRoute(keys []int, parallelism int) flow.Route {
	enc := rowkey.New(keys)
	var groups []state.KeyGroup
	var all []int32
	maxp := b.Job.MaxParallel
	return func(batch *vec.Batch, dst []int32) ([]int32, error) {
		enc.Encode(batch, batch.Rows(&all))
		groups = enc.Groups(groups[:0], maxp)
		for _, g := range groups {
			dst = append(dst, int32(state.SubtaskOf(g, parallelism, maxp)))
		}
		return dst, nil
	}
}

// rebalance deals batches out in turn, a whole one to each subtask.
func rebalance(parallelism int) flow.Route {
	next := int32(0)
	return func(batch *vec.Batch, dst []int32) ([]int32, error) {
		for range batch.Len() {
			dst = append(dst, next)
		}
		next = (next + 1) % int32(parallelism)
		return dst, nil
	}
}

// single sends everything to subtask 0.
func single(batch *vec.Batch, dst []int32) ([]int32, error) {
	return append(dst, make([]int32, batch.Len())...), nil
}

func (b *builder) task(c *Chain, sub int) (flow.Task, error) {
	t := flow.Task{Name: fmt.Sprintf("%s (%d/%d)", c.Head().Name, sub+1, c.Parallelism()), Subtask: sub}
	ops := map[int]*flow.Op{}
	// Consumers first, so that edges have something to point at.
	for i := len(c.Nodes) - 1; i >= 0; i-- {
		n := c.Nodes[i]
		if reads(n) {
			continue
		}
		op, err := b.operator(n, sub)
		if err != nil {
			return t, err
		}
		b.closers = append(b.closers, op.Close)
		ops[n.ID] = &flow.Op{Operator: op, Name: n.Name, Ctx: b.context(n, sub), Outs: b.outs(n, ops)}
	}
	head := c.Head()
	if reads(head) {
		s, err := b.source(head, sub)
		if err != nil {
			return t, err
		}
		s.Outs = b.outs(head, ops)
		t.Source = s
	} else {
		t.Root = ops[head.ID]
		for port := range head.Inputs {
			t.Inputs = append(t.Inputs, b.exchanges[edge{head.ID, port}])
		}
	}
	if err := b.restore(c, sub, ops, &t); err != nil {
		return t, err
	}
	if len(c.UIDs()) > 0 {
		store, err := b.Store(c, sub)
		if err != nil {
			return t, err
		}
		b.closers = append(b.closers, store.Close)
		t.Store = newDeclared(store, c)
	}
	return t, nil
}

// outs lists where the rows of n go.
func (b *builder) outs(n *plan.Node, ops map[int]*flow.Op) []flow.Edge {
	var outs []flow.Edge
	for _, to := range b.Job.Nodes {
		for port, in := range to.Inputs {
			if in.Node != n.ID {
				continue
			}
			if x := b.exchanges[edge{to.ID, port}]; x != nil {
				outs = append(outs, flow.Edge{Exchange: x})
			} else {
				outs = append(outs, flow.Edge{Op: ops[to.ID], Port: port})
			}
		}
	}
	return outs
}

func (b *builder) context(n *plan.Node, sub int) *exec.Context {
	return &exec.Context{
		UID: n.UID, Subtask: sub, Parallelism: n.Parallelism, MaxParallel: b.Job.MaxParallel,
		Groups:  state.RangeOf(sub, n.Parallelism, b.Job.MaxParallel),
		Clock:   b.Clock,
		Log:     b.Log.With("uid", n.UID, "subtask", sub),
		Metrics: b.Metrics(n, sub),
	}
}

// reads reports whether a node has a reader instead of inputs.
func reads(n *plan.Node) bool {
	switch n.Op.(type) {
	case *plan.Source, *plan.Values:
		return true
	}
	return false
}

// source makes the top of a source chain: reader, projection and computed columns, filter,
// event time.
func (b *builder) source(n *plan.Node, sub int) (*flow.Source, error) {
	reader, splits, times, err := b.Reader(n, sub)
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, reader.Close)
	s := &flow.Source{Reader: reader, Read: n.Schema, Name: n.Name, Ctx: b.context(n, sub), Splits: splits, Watermarks: times}
	src, ok := n.Op.(*plan.Source)
	if !ok {
		s.Transform = func(in *vec.Batch) (*vec.Batch, error) { return in, nil }
		return s, nil
	}
	s.Read = readSchema(src)
	if s.Transform, err = b.transform(src); err != nil {
		return nil, err
	}
	if w := src.Watermark; w != nil {
		s.IdleTimeout = w.IdleTimeout
		if s.EventTime, err = b.eventTime(w); err != nil {
			return nil, err
		}
		if w.MaxFuture > 0 && w.Column >= 0 {
			f := b.future(w, n.Schema[w.Column].Type, s.Ctx.Metrics)
			s.Transform, s.EventTime = f.transform(s.Transform), f.eventTime(s.EventTime)
		}
	}
	return s, nil
}

// readSchema is what the reader of a source fills.
func readSchema(src *plan.Source) types.Schema {
	all := append(types.Schema{}, src.Table.Physical...)
	for _, m := range src.Table.Metadata {
		all = append(all, types.Field{Name: m.Name, Type: m.Type})
	}
	out := make(types.Schema, len(src.Read))
	for i, c := range src.Read {
		out[i] = all[c]
	}
	return out
}
