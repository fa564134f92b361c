package planner

import (
	"errors"
	"fmt"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

var (
	count     = types.BigIntT.NotNullable()
	instant   = types.BigIntT.NotNullable()
	groupHash = plan.KeyPart{Name: "hash", Type: types.BigIntT.NotNullable(), Form: plan.KeyHash}
)

// groupState declares the tables of an unbounded GROUP BY.
func (b *builder) groupState(n *plan.Node, op *plan.GroupAggregate) error {
	l, err := b.layout(n, op.Aggs, layout.Options{Retract: op.Retract})
	if err != nil {
		return err
	}
	d := b.declarer(n, op.Keys, op.Aggs, l)
	d.groups(d.keys, 0)
	for i := range l.Tables {
		key := d.keys
		if l.Tables[i].Prefix > 0 {
			key = append([]plan.KeyPart{groupHash}, key...)
		}
		d.values(i, key)
	}
	for i := range n.State {
		n.State[i].TTL = op.TTL
	}
	return nil
}

// windowState declares the tables of a GROUP BY over windows.
func (b *builder) windowState(n *plan.Node, op *plan.WindowAggregate) error {
	l, err := b.layout(n, op.Aggs, layout.Options{Retract: op.Retract, Window: true})
	if err != nil {
		return err
	}
	end := plan.WindowEndPart
	if w := &op.Window; !op.Attached && w.Kind == plan.Hop && w.Slide != w.Size && l.Mergeable() {
		end = plan.PaneEndPart
	}
	d := b.declarer(n, op.Keys, op.Aggs, l)
	key := append([]plan.KeyPart{{Name: end, Type: instant, Form: plan.KeyOrdered}}, d.keys...)
	d.groups(key, 8)
	for i := range l.Tables {
		d.values(i, key)
	}
	n.State = append(n.State, plan.StateTable{
		ID: layout.Progress, Name: layout.ProgressName, Size: 8,
		Key:   []plan.KeyPart{{Name: "key_group", Type: types.SmallIntT.NotNullable(), Form: plan.KeyGroup}},
		Slots: []plan.Slot{newSlot(plan.SlotTime, "fired up to", "fired up to", instant, 0, 8)},
	})
	return nil
}

// layout lays out the aggregates of n.
func (b *builder) layout(n *plan.Node, aggs []expr.Aggregate, opt layout.Options) (*layout.Layout, error) {
	l, err := layout.Of(aggs, opt)
	if e, ok := errors.AsType[*layout.Error](err); ok {
		pos := aggs[e.Agg].Offset
		if pos < 0 {
			pos = b.facts[n.ID].pos
		}
		return nil, b.errorf(pos, "%s", e)
	}
	return l, err
}

func newSlot(kind plan.SlotKind, name, text string, t types.Type, off, size int) plan.Slot {
	return plan.Slot{ID: hash(text, shortLength), Name: name, Text: text, Type: t, Kind: kind, Off: off, Size: size}
}

// declarer writes down the tables of one node.
type declarer struct {
	n       *plan.Node
	aggs    []expr.Aggregate
	l       *layout.Layout
	columns []string // origins of the input's
	name    func(*expr.Column) string
	keys    []plan.KeyPart // the columns of GROUP BY
}

func (b *builder) declarer(n *plan.Node, keys []int, aggs []expr.Aggregate, l *layout.Layout) *declarer {
	in := b.input(n).Schema
	d := &declarer{n: n, aggs: aggs, l: l, columns: b.inputFacts(n).id.columns, name: b.argName(n)}
	for _, k := range keys {
		d.keys = append(d.keys, d.key(k, in[k].Name, in[k].Type))
	}
	return d
}

func (d *declarer) key(column int, name string, t types.Type) plan.KeyPart {
	return plan.KeyPart{ID: hash(d.columns[column], shortLength), Name: name, Text: d.columns[column], Type: t.WithoutAttr(), Form: plan.KeyColumn}
}

func (d *declarer) origin(c *expr.Column) string { return d.columns[c.Index] }

// groups declares the table of records.
func (d *declarer) groups(key []plan.KeyPart, prefix int) {
	t := plan.StateTable{ID: layout.Groups, Name: layout.GroupsName, Prefix: prefix, Key: key, Size: d.l.Stride}
	if d.l.Rows {
		t.Slots = append(t.Slots, newSlot(plan.SlotRows, "rows", "rows", count, 0, 8))
	}
	for i, at := range d.l.Slots {
		a := &d.aggs[i]
		s := newSlot(plan.SlotAggregate, a.Text(d.name), a.Canonical(d.origin), a.Typ, at.Off, at.Size)
		s.Fields = at.Fields
		t.Slots = append(t.Slots, s)
	}
	for i, off := range d.l.Entries {
		if off != layout.None {
			arg := d.argument(i)
			t.Slots = append(t.Slots, newSlot(plan.SlotEntries, "entries of "+d.valuesName(i), "entries of "+expr.Canonical(arg, d.origin), count, off, 8))
		}
	}
	d.n.State = append(d.n.State, t)
}

// argument is the column whose values table of values i has.
func (d *declarer) argument(i int) expr.Expr { return d.aggs[d.l.Tables[i].Aggs[0]].Args[0] }

func (d *declarer) valuesName(i int) string { return "values of " + expr.Text(d.argument(i), d.name) }

// values declares table of values i; key is what stands before the value.
func (d *declarer) values(i int, key []plan.KeyPart) {
	v, arg := &d.l.Tables[i], d.argument(i)
	t := plan.StateTable{ID: uint8(1 + i), Name: d.valuesName(i), Prefix: v.Prefix, Size: v.Size()}
	t.Key = append(t.Key, key...)
	t.Key = append(t.Key, d.key(v.Arg, expr.Text(arg, d.name), v.Type))
	for use, f := range v.Filters {
		title, text := "", " of "+expr.Canonical(arg, d.origin)
		if f != layout.None {
			cond := d.aggs[d.l.Filters[f]].Filter
			title = fmt.Sprintf(" FILTER (WHERE %s)", expr.Text(cond, d.name))
			text += " where " + expr.Canonical(cond, d.origin)
		}
		if v.Counts > 0 {
			t.Slots = append(t.Slots, newSlot(plan.SlotCount, "count"+title, "count"+text, count, 8*use, 8))
			continue
		}
		s := newSlot(plan.SlotSeen, "seen"+title, "seen"+text, types.BooleanT.NotNullable(), use/8, 0)
		s.Bit = use % 8
		t.Slots = append(t.Slots, s)
	}
	d.n.State = append(d.n.State, t)
}
