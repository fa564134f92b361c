package build

import (
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/state"
)

// What a manifest says about state it takes from the plan. So operators must store exactly
// what their nodes declare; that they do is checked whenever one is made and opened.

// tableNames are the names of the tables that aggregates keep.
func tableNames(n *plan.Node) []string {
	var names []string
	for _, t := range n.State {
		if t.ID != layout.Progress {
			names = append(names, t.Name)
		}
	}
	return names
}

// checkLayout compares what a node declares with how its operator lays out records.
func checkLayout(n *plan.Node, p *agg.Program) error {
	l := p.Layout()
	differs := func(format string, args ...any) error {
		return fmt.Errorf("internal error: the plan of %s (uid %s) declares other state than its operator keeps: %s", n.Name, n.UID, fmt.Sprintf(format, args...))
	}
	var tables []plan.StateTable
	for _, t := range n.State {
		if t.ID != layout.Progress {
			tables = append(tables, t)
		}
	}
	if len(tables) != 1+len(l.Tables) {
		return differs("%d tables, the operator has %d", len(tables), 1+len(l.Tables))
	}
	if tables[0].Size != l.Stride {
		return differs("records of %d bytes, the operator's have %d", tables[0].Size, l.Stride)
	}
	var aggs, counters []plan.Slot
	for _, s := range tables[0].Slots {
		switch s.Kind {
		case plan.SlotAggregate:
			aggs = append(aggs, s)
		case plan.SlotEntries:
			counters = append(counters, s)
		}
	}
	if !slices.EqualFunc(aggs, l.Slots, func(s plan.Slot, at layout.Slot) bool {
		return s.Off == at.Off && s.Size == at.Size && slices.EqualFunc(s.Fields, at.Fields, sameField)
	}) {
		return differs("aggregates %v, the operator has %v", aggs, l.Slots)
	}
	entries := slices.DeleteFunc(slices.Clone(l.Entries), func(off int) bool { return off == layout.None })
	if !slices.EqualFunc(counters, entries, func(s plan.Slot, off int) bool { return s.Off == off }) {
		return differs("counters %v, the operator has them at %v", counters, entries)
	}
	for i, t := range tables[1:] {
		if v := &l.Tables[i]; t.Size != v.Size() || t.Prefix != v.Prefix || len(t.Slots) != len(v.Filters) {
			return differs("table %q with %d slots in %d bytes behind %d, the operator has %d in %d behind %d",
				t.Name, len(t.Slots), t.Size, t.Prefix, len(v.Filters), v.Size(), v.Prefix)
		}
	}
	return nil
}

// checkWindows compares what the keys of records begin with.
func checkWindows(n *plan.Node, panes bool) error {
	if declared := n.State[0].Key[0].Name == plan.PaneEndPart; declared != panes {
		return fmt.Errorf("internal error: the plan of %s (uid %s) declares records by %s, the operator's are by pane: %t", n.Name, n.UID, n.State[0].Key[0].Name, panes)
	}
	return nil
}

func sameField(a, b layout.Field) bool {
	return a.Name == b.Name && a.Type.Same(b.Type) && a.Off == b.Off && a.Variable == b.Variable && a.Key == b.Key
}

// declared is a store that opens only tables that the plan declares, as it declares them,
// and seals nothing before all of them are open.
type declared struct {
	state.Store
	missing map[tableKey]plan.StateTable
}

type tableKey struct {
	uid string
	id  uint8
}

func newDeclared(s state.Store, c *Chain) *declared {
	d := &declared{Store: s, missing: map[tableKey]plan.StateTable{}}
	for _, n := range c.Nodes {
		for _, t := range n.State {
			d.missing[tableKey{n.UID, t.ID}] = t
		}
	}
	return d
}

// Table implements state.Store.
func (d *declared) Table(s state.Spec) (state.Table, error) {
	key := tableKey{s.UID, s.ID}
	t, ok := d.missing[key]
	if !ok {
		return nil, fmt.Errorf("internal error: table %d %q of uid %s is not in the plan, or was opened before", s.ID, s.Name, s.UID)
	}
	if t.Name != s.Name || t.Prefix != s.Prefix || t.TTL != s.TTL {
		return nil, fmt.Errorf("internal error: table %d of uid %s is %q, prefix %d, time to live %s; in the plan it is %q, %d, %s",
			s.ID, s.UID, s.Name, s.Prefix, s.TTL, t.Name, t.Prefix, t.TTL)
	}
	delete(d.missing, key)
	return d.Store.Table(s)
}

// Seal implements state.Store.
func (d *declared) Seal(e state.Epoch) (state.Sealed, error) {
	for key, t := range d.missing {
		return nil, fmt.Errorf("internal error: table %d %q of uid %s is in the plan, but was not opened", key.id, t.Name, key.uid)
	}
	return d.Store.Seal(e)
}
