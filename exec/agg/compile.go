package agg

import (
	"errors"
	"fmt"

	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// Compile makes a program. Arguments must be columns; filters come compiled in opt.
func Compile(aggs []expr.Aggregate, opt Options) (*Program, error) {
	for i := range aggs {
		a := &aggs[i]
		f, err := lookup(a.Name)
		if err != nil {
			return nil, err
		}
		if len(a.Args) < f.MinArgs || len(a.Args) > f.MaxArgs || a.Distinct && len(a.Args) == 0 {
			return nil, fmt.Errorf("%s takes %s, found %d", a.Name, argCount(f), len(a.Args))
		}
		if a.Filter != nil && (i >= len(opt.Filters) || opt.Filters[i] == nil) {
			return nil, fmt.Errorf("%s: its FILTER was not compiled", a.Name)
		}
	}
	l, err := layout.Of(aggs, layout.Options{Retract: opt.Retract, Window: opt.Window})
	if err != nil {
		return nil, err
	}
	if opt.Names != nil && len(opt.Names) != 1+len(l.Tables) {
		return nil, fmt.Errorf("internal error: %d names for %d tables of state", len(opt.Names), 1+len(l.Tables))
	}
	p := &Program{opt: opt, layout: l, name: layout.GroupsName}
	if opt.Names != nil {
		p.name = opt.Names[0]
	}
	for _, f := range l.Filters {
		p.uniq = append(p.uniq, opt.Filters[f])
	}
	for i, t := range l.Tables {
		if opt.Names != nil {
			t.Name = opt.Names[1+i]
		}
		n := len(t.Filters)
		p.vals = append(p.vals, &values{
			aux:     aux{Table: t, window: opt.Window, counter: l.Entries[i]},
			filters: t.Filters, extremes: make([][]*column, n), signs: make([][]int8, n),
		})
	}
	for i := range aggs {
		c, err := p.column(&aggs[i], &l.Slots[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", aggs[i].Name, err)
		}
		p.columns = append(p.columns, c)
		if c.variable != nil || c.values {
			p.records.varOffs = append(p.records.varOffs, c.slot.Off)
		}
	}
	p.movers = len(p.records.varOffs) > 0
	p.records.stride = l.Stride
	p.zero = make([]byte, l.Stride)
	p.pass = make([][]uint64, len(p.uniq))
	p.signs = make([][]int8, len(p.uniq))
	return p, nil
}

var errLayout = errors.New("internal error: its kernel does not have the slot of the layout")

// column makes an aggregate's kernel and attaches it to what it shares with others.
func (p *Program) column(a *expr.Aggregate, s *layout.Slot) (*column, error) {
	f, err := lookup(a.Name)
	if err != nil {
		return nil, err
	}
	c := &column{slot: s, arg: s.Arg, source: source{filter: s.Filter, values: layout.None}, typ: a.Typ}
	if c.kernel, err = f.kernel(shape{agg: a, retract: p.opt.Retract}); err != nil {
		return nil, err
	}
	c.variable, _ = c.kernel.(varKernel)
	c.values = isExtreme(c.kernel)
	if c.kernel.size() != s.Size || c.values != s.Extreme {
		return nil, errLayout
	}
	switch {
	case s.Extreme:
		v := p.vals[s.Values]
		v.extremes[s.Use] = append(v.extremes[s.Use], c)
	case s.Values != layout.None:
		c.source.values, c.source.bit = s.Values, s.Use
	case s.Arg == layout.None && a.Filter == nil && !p.opt.Retract:
		p.always = true // only where rows are taken away may a batch net out to nothing
	}
	return c, nil
}
