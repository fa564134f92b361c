package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/types"
)

// changelog decides which row kinds every node emits: what may occur and the upsert keys
// from the sources down, then from the sinks up who needs -U, then the modes.
func (b *builder) changelog() error {
	nodes := b.job.Nodes
	for _, n := range nodes {
		b.kinds(n)
		b.upsertKeys(n)
	}
	needBefore := make([]bool, len(nodes))
	for _, n := range slices.Backward(nodes) {
		if err := b.require(n, needBefore); err != nil {
			return err
		}
	}
	// half[i]: a filter of node i or below may let one half of an update through and not
	// the other, so that a -U there is the end of the row it names.
	half := make([]bool, len(nodes))
	for _, n := range nodes {
		for _, in := range n.Inputs {
			half[n.ID] = half[n.ID] || half[in.Node]
		}
		switch op := n.Op.(type) {
		case *plan.Source:
			half[n.ID] = b.splitsUpdates(n)
		case *plan.Values:
		case *plan.GroupAggregate:
			half[n.ID] = false
			op.UpdateBefore = needBefore[n.ID]
			if !op.UpdateBefore {
				n.Mode &^= plan.HasUpdateBefore
			}
			op.Retract = b.input(n).Mode != plan.AppendOnly
		case *plan.WindowAggregate:
			half[n.ID] = false
			op.Retract = b.input(n).Mode != plan.AppendOnly
		case *plan.Sink:
			in := b.input(n)
			n.Mode = in.Mode
			op.Accepts = plan.AllChanges
			if !op.Collect {
				op.Accepts = b.facts[n.ID].dest.Accepts
			}
			op.RetractAsDelete = op.Accepts == plan.UpsertMode && (half[in.ID] || b.facts[n.ID].otherKey) && in.Mode&plan.HasUpdateBefore != 0
		default:
			n.Mode = 0
			for _, in := range n.Inputs {
				n.Mode |= nodes[in.Node].Mode
			}
			if b.splitsUpdates(n) {
				half[n.ID] = true
			}
		}
	}
	return nil
}

func (b *builder) input(n *plan.Node) *plan.Node { return b.job.Nodes[n.Inputs[0].Node] }

// kinds sets what may occur, every update with both halves.
func (b *builder) kinds(n *plan.Node) {
	n.Mode = plan.AppendOnly
	switch op := n.Op.(type) {
	case *plan.Source:
		n.Mode = b.facts[n.ID].source.Changes
	case *plan.GroupAggregate:
		in := b.input(n).Mode
		// DISTINCT never updates a row. (Flink's planner says it may, and so refuses to write
		// one to a sink that only takes inserts.)
		if len(op.Aggs) > 0 {
			n.Mode |= plan.HasUpdateBefore | plan.HasUpdateAfter
		}
		if in&^plan.AppendOnly != 0 {
			n.Mode |= plan.HasDelete
		}
	case *plan.Calc, *plan.Union, *plan.WindowAssign, *plan.Sink:
		n.Mode = 0
		for _, in := range n.Inputs {
			n.Mode |= b.job.Nodes[in.Node].Mode
		}
	}
}

// upsertKeys sets the columns that tell the rows of a node's result apart.
func (b *builder) upsertKeys(n *plan.Node) {
	switch op := n.Op.(type) {
	case *plan.Source:
		if f := b.facts[n.ID]; len(f.table.PrimaryKey) > 0 {
			key := make([]int, len(f.table.PrimaryKey))
			for i, k := range f.table.PrimaryKey {
				key[i] = n.Schema.Index(k)
			}
			if !slices.Contains(key, -1) {
				n.UpsertKeys = [][]int{key}
			}
		}
	case *plan.Calc:
		for _, k := range b.input(n).UpsertKeys {
			if mapped := through(op.Exprs, k); mapped != nil {
				slices.Sort(mapped)
				n.UpsertKeys = append(n.UpsertKeys, mapped)
			}
		}
	case *plan.Sink:
		n.UpsertKeys = b.input(n).UpsertKeys
	case *plan.GroupAggregate:
		n.UpsertKeys = [][]int{upTo(len(op.Keys))}
	case *plan.WindowAggregate:
		key := upTo(len(op.Keys))
		for i, p := range op.Props {
			if p != plan.WindowTime {
				key = append(key, len(op.Keys)+len(op.Aggs)+i)
			}
		}
		if slices.Contains(op.Props, plan.WindowStart) || slices.Contains(op.Props, plan.WindowEnd) {
			n.UpsertKeys = [][]int{key}
		}
	}
}

// require tells the inputs of n whether they must emit -U, and checks sinks.
func (b *builder) require(n *plan.Node, need []bool) error {
	var before bool
	switch op := n.Op.(type) {
	case *plan.GroupAggregate, *plan.WindowAggregate:
		before = true // a value can only be replaced by taking the old one away
	case *plan.Calc:
		// A filter that does not decide by the key alone may drop +U and must then let -U
		// through, or the old row would stay.
		before = need[n.ID] || b.splitsUpdates(n)
	case *plan.Sink:
		var err error
		if before, err = b.sinkNeeds(n, op); err != nil {
			return err
		}
	default:
		before = need[n.ID]
	}
	for _, in := range n.Inputs {
		need[in.Node] = need[in.Node] || before
	}
	return nil
}

// splitsUpdates reports whether the filter of n may let only one half of an update through:
// whether it reads columns outside of every key.
func (b *builder) splitsUpdates(n *plan.Node) bool {
	var filter expr.Expr
	in := n
	switch op := n.Op.(type) {
	case *plan.Source:
		filter = op.Filter
	case *plan.Calc:
		filter, in = op.Filter, b.input(n)
	}
	if filter == nil || in.Mode&plan.HasUpdateAfter == 0 {
		return false
	}
	reads := map[int]bool{}
	expr.Walk(filter, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok {
			reads[c.Index] = true
		}
		return true
	})
	return !slices.ContainsFunc(in.UpsertKeys, func(key []int) bool {
		inKey := 0
		for _, k := range key {
			if reads[k] {
				inKey++
			}
		}
		return inKey == len(reads)
	})
}

// sinkNeeds checks that the sink can take what the query produces, and says whether it
// needs -U.
func (b *builder) sinkNeeds(n *plan.Node, op *plan.Sink) (bool, error) {
	in := b.input(n)
	if op.Collect {
		return true, nil
	}
	f := b.facts[n.ID]
	switch f.dest.Accepts {
	case plan.AllChanges:
		return true, nil
	case plan.AppendOnly:
		if in.Mode == plan.AppendOnly {
			return false, nil
		}
		from := b.updates(in)
		b.describeNode(from)
		return false, b.errorf(f.pos, "table %s takes inserts only, it doesn't support consuming update changes which is produced by node %s", shortPath(op.Table.Path), from.Name).
			WithHint("use a sink that takes updates (upsert-kafka with a PRIMARY KEY), or an aggregate over a window")
	}
	if in.Mode == plan.AppendOnly || len(op.Key) == 0 {
		return false, nil
	}
	key := slices.Sorted(slices.Values(op.Key))
	if slices.ContainsFunc(in.UpsertKeys, func(k []int) bool { return slices.Equal(k, key) }) {
		return false, nil
	}
	if b.Settings.Get(settings.UpsertMaterialize) == "NONE" {
		f.otherKey = true
		return true, nil // a row may move from one key to another: the old one must go
	}
	return false, b.errorf(f.pos, "the PRIMARY KEY (%s) of table %s is not the key of the query, %s; SinkUpsertMaterializer is not supported yet",
		columnNames(n.Schema, key), shortPath(op.Table.Path), keysText(in.Schema, in.UpsertKeys)).
		WithHint("use the query's key as PRIMARY KEY, or SET '%s' = 'NONE' if the order of changes of one key does not matter", settings.UpsertMaterialize)
}

// updates is the node that makes the updates which reach n.
func (b *builder) updates(n *plan.Node) *plan.Node {
	for {
		var next *plan.Node
		for _, in := range n.Inputs {
			if m := b.job.Nodes[in.Node]; m.Mode != plan.AppendOnly {
				next = m
				break
			}
		}
		if _, made := n.Op.(*plan.GroupAggregate); made || next == nil {
			return n
		}
		n = next
	}
}

func columnNames(s types.Schema, cols []int) string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = s[c].Name
	}
	return strings.Join(names, ", ")
}

func keysText(s types.Schema, keys [][]int) string {
	if len(keys) == 0 {
		return "which has none in its result"
	}
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("(%s)", columnNames(s, k))
		if len(k) == 0 {
			parts[i] = "which has a single row"
		}
	}
	return strings.Join(parts, " or ")
}
