package planner

import (
	"strconv"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/types"
)

// describe gives every node its line for people, in the manner of Flink's EXPLAIN.
func (b *builder) describe() {
	for _, n := range b.job.Nodes {
		b.describeNode(n)
	}
}

func (b *builder) describeNode(n *plan.Node) {
	var in types.Schema
	if len(n.Inputs) > 0 {
		in = b.input(n).Schema
	}
	name := func(c *expr.Column) string { return in[c.Index].Name }
	arg := b.argName(n)
	var parts []string
	part := func(key string, items ...string) { parts = append(parts, key+"=["+strings.Join(items, ", ")+"]") }
	switch op := n.Op.(type) {
	case *plan.Source:
		part("table", shortPath(op.Table.Path))
		part("fields", n.Schema.Names()...)
		if op.Watermark != nil {
			part("watermark", n.Schema[op.Watermark.Column].Name)
		}
		if op.Filter != nil {
			part("where", expr.Text(op.Filter, func(c *expr.Column) string { return n.Schema[c.Index].Name }))
		}
	case *plan.Values:
		part("rows", plural(len(op.Rows), "row"))
	case *plan.Calc:
		part("select", selectList(op.Exprs, n.Schema, name)...)
		if op.Filter != nil {
			part("where", expr.Text(op.Filter, name))
		}
	case *plan.Union:
		part("all", n.Schema.Names()...)
	case *plan.WindowAssign:
		part("window", WindowText(&op.Window, in))
	case *plan.GroupAggregate:
		if len(op.Keys) > 0 {
			part("groupBy", pick(in, op.Keys)...)
		}
		part("select", append(pick(in, op.Keys), aggList(op.Aggs, n.Schema[len(op.Keys):], arg)...)...)
	case *plan.WindowAggregate:
		if len(op.Keys) > 0 {
			part("groupBy", pick(in, op.Keys)...)
		}
		if op.Attached {
			part("window", "of "+in[op.Start].Name+", "+in[op.End].Name)
		} else {
			part("window", WindowText(&op.Window, in))
		}
		list := append(pick(in, op.Keys), aggList(op.Aggs, n.Schema[len(op.Keys):], arg)...)
		part("select", append(list, n.Schema[len(op.Keys)+len(op.Aggs):].Names()...)...)
	case *plan.Sink:
		if op.Collect {
			part("client", n.Schema.Names()...)
			break
		}
		part("table", shortPath(op.Table.Path))
		part("fields", n.Schema.Names()...)
	}
	n.Name = n.Op.Kind() + "(" + strings.Join(parts, ", ") + ")"
}

// argName names the columns that an aggregate reads; in the place of a helper column stands
// what the Calc below computes.
func (b *builder) argName(n *plan.Node) func(*expr.Column) string {
	if len(n.Inputs) == 0 {
		return nil
	}
	in := b.input(n)
	return func(c *expr.Column) string {
		name := in.Schema[c.Index].Name
		calc, ok := in.Op.(*plan.Calc)
		if !ok || !strings.HasPrefix(name, rel.HelperName) {
			return name
		}
		below := b.input(in).Schema
		return expr.Text(calc.Exprs[c.Index], func(c *expr.Column) string { return below[c.Index].Name })
	}
}

// shortPath leaves out the default catalog and database.
func shortPath(path string) string {
	return strings.TrimPrefix(path, "default_catalog.default_database.")
}

// WindowText writes a window function: "TUMBLE(bid_time, 10 s)".
func WindowText(w *plan.Window, in types.Schema) string {
	d := func(d time.Duration) string { return settings.FormatDuration(d) }
	s := "TUMBLE(" + in[w.Time].Name
	if w.Kind == plan.Hop {
		s = "HOP(" + in[w.Time].Name + ", slide " + d(w.Slide)
	}
	s += ", size " + d(w.Size)
	if w.Offset != 0 {
		s += ", offset " + d(w.Offset)
	}
	return s + ")"
}

func pick(s types.Schema, cols []int) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = s[c].Name
	}
	return out
}

// selectList writes expressions with the names they get, unless that is their text.
func selectList(exprs []expr.Expr, out types.Schema, name func(*expr.Column) string) []string {
	list := make([]string, len(exprs))
	for i, e := range exprs {
		list[i] = expr.Text(e, name)
		if list[i] != out[i].Name {
			list[i] += " AS " + out[i].Name
		}
	}
	return list
}

func aggList(aggs []expr.Aggregate, out types.Schema, name func(*expr.Column) string) []string {
	list := make([]string, len(aggs))
	for i := range aggs {
		list[i] = aggs[i].Text(name) + " AS " + out[i].Name
	}
	return list
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
