package rel

import (
	"fmt"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Print writes a tree for people, inputs indented below their consumer.
func Print(s *Sink, root Node) string {
	var b strings.Builder
	if s.Table == nil {
		b.WriteString("Select(" + strings.Join(root.Schema().Names(), ", ") + ")\n")
	} else {
		b.WriteString("Insert(" + s.Table.Path.Short() + ")\n")
	}
	printNode(&b, root, "", true)
	return b.String()
}

func printNode(b *strings.Builder, n Node, indent string, last bool) {
	branch, below := "├─ ", "│  "
	if last {
		branch, below = "└─ ", "   "
	}
	b.WriteString(indent + branch + Line(n) + "\n")
	in := n.Inputs()
	for i, m := range in {
		printNode(b, m, indent+below, i == len(in)-1)
	}
}

// maxRows is how many rows of a constant relation are printed.
const maxRows = 8

// Line describes one node.
func Line(n Node) string {
	var in types.Schema
	if inputs := n.Inputs(); len(inputs) > 0 {
		in = inputs[0].Schema()
	}
	name := func(c *expr.Column) string { return in[c.Index].Name }
	switch n := n.(type) {
	case *Scan:
		s := "Scan(" + n.Table.Path.Short() + ": " + strings.Join(n.Out.Names(), ", ")
		if n.Filter != nil {
			s += " where " + expr.Text(n.Filter, func(c *expr.Column) string { return n.Out[c.Index].Name })
		}
		return s + ")"
	case *Values:
		rows := make([]string, 0, maxRows+1)
		for _, r := range n.Rows[:min(len(n.Rows), maxRows)] {
			rows = append(rows, "("+texts(r, nil)+")")
		}
		if more := len(n.Rows) - maxRows; more > 0 {
			rows = append(rows, fmt.Sprintf("%d more", more))
		}
		return "Values(" + strings.Join(rows, ", ") + ")"
	case *Project:
		list := make([]string, len(n.Exprs))
		for i, e := range n.Exprs {
			if list[i] = expr.Text(e, name); list[i] != n.Out[i].Name {
				list[i] += " AS " + n.Out[i].Name
			}
		}
		return "Project(" + strings.Join(list, ", ") + ")"
	case *Filter:
		return "Filter(" + expr.Text(n.Cond, name) + ")"
	case *Window:
		return "Window(" + windowLine(n, in) + ")"
	case *Aggregate:
		name = Inline(n.Input, name)
		return "Aggregate(" + group(in, n.Keys, "") + aggregateList(n.Aggs, n.Out[len(n.Keys):], name) + ")"
	case *WindowAggregate:
		name = Inline(n.Input, name)
		window := windowName(n, in)
		return "WindowAggregate(" + group(in, n.Keys, window) + aggregateList(n.Aggs, n.Out[len(n.Keys):], name) + ")"
	case *Union:
		return "Union(all)"
	}
	return ""
}

// HelperName is the beginning of names of columns that the binder made for an aggregate's
// arguments.
const HelperName = "$f"

// Inline names columns as name does, but writes the expression in the place of a helper
// column that the projection in computes.
func Inline(in Node, name func(*expr.Column) string) func(*expr.Column) string {
	p, ok := in.(*Project)
	if !ok {
		return name
	}
	below := p.Input.Schema()
	return func(c *expr.Column) string {
		if !strings.HasPrefix(p.Out[c.Index].Name, HelperName) {
			return name(c)
		}
		return expr.Text(p.Exprs[c.Index], func(c *expr.Column) string { return below[c.Index].Name })
	}
}

func windowName(n *WindowAggregate, in types.Schema) string {
	if n.Window == nil {
		return "window of " + in[n.Start].Name + ", " + in[n.End].Name
	}
	return windowLine(n.Window, in)
}

func windowLine(w *Window, in types.Schema) string {
	s := "TUMBLE(" + in[w.Time].Name
	if w.Kind == Hop {
		s = "HOP(" + in[w.Time].Name + ", slide " + w.Slide.String()
	}
	s += ", size " + w.Size.String()
	if w.Shift != time.Duration(0) {
		s += ", offset " + w.Shift.String()
	}
	return s + ")"
}

func group(in types.Schema, keys []int, window string) string {
	var by []string
	for _, k := range keys {
		by = append(by, in[k].Name)
	}
	if window != "" {
		by = append(by, window)
	}
	if by == nil {
		return "all rows"
	}
	return "by " + strings.Join(by, ", ")
}

func aggregateList(aggs []expr.Aggregate, out types.Schema, name func(*expr.Column) string) string {
	if len(aggs) == 0 {
		return ""
	}
	list := make([]string, len(aggs))
	for i := range aggs {
		list[i] = aggs[i].Text(name) + " AS " + out[i].Name
	}
	return ": " + strings.Join(list, ", ")
}

func texts(es []expr.Expr, column func(*expr.Column) string) string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = expr.Text(e, column)
	}
	return strings.Join(out, ", ")
}
