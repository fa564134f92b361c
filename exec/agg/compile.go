package agg

import (
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/sql/expr"
)

// compiler lays out the slots and tables of a program.
type compiler struct {
	p        *Program
	filterID map[string]int
}

func (c *compiler) aggregate(i int, a *expr.Aggregate) error {
	f, err := lookup(a.Name)
	if err != nil {
		return err
	}
	col := &column{arg: noColumn, source: source{values: -1}, typ: a.Typ, inOrder: f.inOrder}
	for _, e := range a.Args {
		arg, ok := e.(*expr.Column)
		if !ok {
			return fmt.Errorf("%s: an argument of an aggregate must be a column of its input, found %T", a.Name, e)
		}
		col.arg = arg.Index
	}
	if len(a.Args) < f.MinArgs || len(a.Args) > f.MaxArgs || a.Distinct && len(a.Args) == 0 {
		return fmt.Errorf("%s takes %s, found %d", a.Name, argCount(f), len(a.Args))
	}
	if col.source.filter, err = c.filter(i, a); err != nil {
		return err
	}
	col.kernel, err = f.kernel(shape{agg: a, retract: c.p.opt.Retract})
	if err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	col.variable, _ = col.kernel.(varKernel)
	col.values = isExtreme(col.kernel)
	switch {
	case col.values, a.Distinct && f.distinct:
		if err := c.values(i, col, a); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	case col.arg == noColumn && a.Filter == nil && !c.p.opt.Retract:
		c.p.always = true // only where rows are taken away may a batch net out to nothing
	}
	col.slot = c.p.layout.add(col.kernel.size(), col.kernel.fields())
	c.p.layout.Slots = append(c.p.layout.Slots, col.slot)
	c.p.columns = append(c.p.columns, col)
	return nil
}

// filter numbers the different filters.
func (c *compiler) filter(i int, a *expr.Aggregate) (int, error) {
	if a.Filter == nil {
		return noFilter, nil
	}
	if i >= len(c.p.opt.Filters) || c.p.opt.Filters[i] == nil {
		return 0, fmt.Errorf("%s: its FILTER was not compiled", a.Name)
	}
	text := columnText(a.Filter)
	id, ok := c.filterID[text]
	if !ok {
		id = len(c.p.uniq)
		c.filterID[text] = id
		c.p.uniq = append(c.p.uniq, c.p.opt.Filters[i])
	}
	return id, nil
}

func columnText(e expr.Expr) string {
	return expr.Canonical(e, func(c *expr.Column) string { return fmt.Sprint("$", c.Index) })
}

// values attaches aggregate i to the table of its argument's values.
func (c *compiler) values(i int, col *column, a *expr.Aggregate) error {
	p := c.p
	at := slices.IndexFunc(p.vals, func(v *values) bool { return v.Arg == col.arg })
	if at < 0 {
		at = len(p.vals)
		arg := a.Args[0].(*expr.Column)
		v := &values{aux: aux{
			Table:  Table{Name: "values of " + arg.Name, Arg: col.arg, Type: arg.Typ, Prefix: 8},
			window: p.opt.Window, counter: -1,
		}}
		if !p.opt.Retract && !p.opt.Window {
			v.Prefix = 0 // nothing ever scans them
		}
		p.vals = append(p.vals, v)
	}
	v := p.vals[at]
	f, err := v.filter(col.source.filter)
	if err != nil {
		return err
	}
	v.Aggs, v.Used = append(v.Aggs, i), append(v.Used, f)
	if p.opt.Retract {
		v.Counts = len(v.filters)
	} else {
		v.Bits = len(v.filters)
	}
	if col.values {
		v.extremes[f] = append(v.extremes[f], col)
	} else {
		col.source.values, col.source.bit = at, f
	}
	return nil
}

// counters gives every auxiliary table whose entries may outlive their group's rows a
// counter in the record, so that the end of a group costs a scan only when there is
// something to find.
func (c *compiler) counters() {
	p := c.p
	for _, a := range p.vals {
		if p.opt.Retract && !p.opt.Window {
			a.counter = p.layout.Stride
			p.layout.Stride += 8
		}
		p.layout.Entries = append(p.layout.Entries, a.counter)
	}
}
