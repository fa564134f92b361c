package agg

import (
	"fmt"

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
	col := &column{arg: noColumn, source: source{distinct: -1}, typ: a.Typ, inOrder: f.inOrder}
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
	switch {
	case isExtreme(col.kernel):
		col.values = true
		c.values(col, a)
	case a.Distinct && f.distinct:
		if err := c.distinct(col, a); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	case col.arg == noColumn && a.Filter == nil && !c.p.opt.Retract:
		c.p.always = true // a batch may net out to nothing only where rows are taken away
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

// distinct attaches an aggregate to the distinct table of its argument.
func (c *compiler) distinct(col *column, a *expr.Aggregate) error {
	p := c.p
	at := -1
	for k, d := range p.dist {
		if d.Arg == col.arg {
			at = k
		}
	}
	if at < 0 {
		at = len(p.dist)
		d := &distinct{aux: c.aux("distinct ", col, a)}
		if !p.opt.Retract && !p.opt.Window {
			d.Prefix = 0 // nothing ever scans them
		}
		p.dist = append(p.dist, d)
	}
	d := p.dist[at]
	bit, err := d.bit(col.source.filter)
	if err != nil {
		return err
	}
	if col.source.distinct, col.source.bit = at, bit; p.opt.Retract {
		d.Counts = len(d.filters)
	} else {
		d.Bits = len(d.filters)
	}
	return nil
}

// values attaches a MIN or MAX to the table of its argument and filter.
func (c *compiler) values(col *column, a *expr.Aggregate) {
	for _, v := range c.p.vals {
		if v.Arg == col.arg && v.filter == col.source.filter {
			v.users = append(v.users, col)
			return
		}
	}
	v := &values{aux: c.aux("values ", col, a), filter: col.source.filter, users: []*column{col}}
	v.Counts = 1
	c.p.vals = append(c.p.vals, v)
}

func (c *compiler) aux(kind string, col *column, a *expr.Aggregate) aux {
	arg := a.Args[0].(*expr.Column)
	return aux{
		Table:   Table{Name: kind + arg.Name, Arg: col.arg, Type: arg.Typ, Prefix: 8},
		window:  c.p.opt.Window,
		counter: -1,
	}
}

// counters gives every auxiliary table whose entries may outlive their group's rows a
// counter in the record, so that the end of a group costs a scan only when there is
// something to find.
func (c *compiler) counters() {
	p := c.p
	for _, a := range p.auxes() {
		if p.opt.Retract && !p.opt.Window {
			a.counter = p.layout.Stride
			p.layout.Stride += 8
		}
		p.layout.Entries = append(p.layout.Entries, a.counter)
	}
}
