package planner

import (
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// nestedFields makes sources emit the fields of ROW columns that their consumers read as
// columns of their own, instead of the whole rows, and, where the reader finds fields by
// name, takes the other fields out of what it decodes. A row that somebody needs as a whole
// stays as it is. Identities were taken before and do not change.
func (b *builder) nestedFields() {
	for _, n := range b.job.Nodes {
		op, ok := n.Op.(*plan.Source)
		if !ok {
			continue
		}
		if consumers, ok := b.calcsOver(n); ok {
			flatten(n, op, consumers)
		}
		if b.facts[n.ID].source.FieldsByName {
			pruneRows(op)
		}
	}
}

// calcsOver returns the consumers of a node when all of them are Calcs.
func (b *builder) calcsOver(n *plan.Node) (out []*plan.Calc, ok bool) {
	for _, m := range b.job.Nodes {
		for _, in := range m.Inputs {
			if in.Node != n.ID {
				continue
			}
			c, isCalc := m.Op.(*plan.Calc)
			if !isCalc || len(in.Keys) > 0 {
				return nil, false
			}
			out = append(out, c)
		}
	}
	return out, true
}

// fieldPath is the fields from a column down: ["price"] of bid.price.
type fieldPath []string

// pathOf splits a chain of Field nodes over a column.
func pathOf(e expr.Expr) (*expr.Column, fieldPath) {
	switch e := e.(type) {
	case *expr.Column:
		return e, nil
	case *expr.Field:
		if c, p := pathOf(e.Arg); c != nil {
			return c, append(p[:len(p):len(p)], e.Name)
		}
	}
	return nil, nil
}

// uses notes which paths of each column e reads; the empty path is the column as a whole.
func uses(e expr.Expr, paths map[int][]fieldPath) {
	expr.Walk(e, func(e expr.Expr) bool {
		c, p := pathOf(e)
		if c == nil {
			return true
		}
		paths[c.Index] = append(paths[c.Index], p)
		return false
	})
}

// minimal drops the paths that begin with another one of the list, and sorts them as the
// fields stand in the row.
func minimal(paths []fieldPath, t types.Type) []fieldPath {
	var out []fieldPath
	for i, p := range paths {
		covered := false
		for j, q := range paths {
			shorter := len(q) < len(p) || len(q) == len(p) && j < i
			covered = covered || shorter && slices.Equal(q, p[:len(q)])
		}
		if !covered {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(p, q fieldPath) int { return slices.Compare(indexes(p, t), indexes(q, t)) })
	return out
}

func indexes(p fieldPath, t types.Type) []int {
	out := make([]int, len(p))
	for i, name := range p {
		out[i] = types.Schema(t.Fields).Index(name)
		t = t.Fields[out[i]].Type
	}
	return out
}

// flatten gives the source one column for each field that its consumers read.
func flatten(n *plan.Node, op *plan.Source, consumers []*plan.Calc) {
	paths := map[int][]fieldPath{}
	for _, c := range consumers {
		for _, e := range append(slices.Clone(c.Exprs), c.Filter) {
			if e != nil {
				uses(e, paths)
			}
		}
	}
	if op.Filter != nil {
		uses(op.Filter, paths)
	}
	if op.Watermark != nil {
		uses(op.Watermark.Expr, paths)
	}
	var schema types.Schema
	var columns []expr.Expr
	at := make([]int, len(n.Schema)) // new index of a column that stays
	fields := map[int][]fieldPath{}  // of one that does not
	first := map[int]int{}           // index of its first field
	for i, f := range n.Schema {
		list := minimal(paths[i], f.Type)
		whole := len(list) == 0 || len(list[0]) == 0 || f.Type.Kind != types.Row
		at[i] = len(schema)
		if whole {
			schema, columns = append(schema, f), append(columns, op.Columns[i])
			continue
		}
		fields[i], first[i] = list, len(schema)
		for _, p := range list {
			e := access(op.Columns[i], p)
			schema, columns = append(schema, types.Field{Name: f.Name + "." + strings.Join(p, "."), Type: e.Type()}), append(columns, e)
		}
	}
	if len(fields) == 0 {
		return
	}
	rewrite := func(e expr.Expr) expr.Expr { return reroute(e, schema, at, fields, first) }
	n.Schema, op.Columns = schema, columns
	if op.Filter != nil {
		op.Filter = rewrite(op.Filter)
	}
	if w := op.Watermark; w != nil {
		w.Column, w.Expr = at[w.Column], rewrite(w.Expr)
	}
	for _, c := range consumers {
		for i, e := range c.Exprs {
			c.Exprs[i] = rewrite(e)
		}
		if c.Filter != nil {
			c.Filter = rewrite(c.Filter)
		}
	}
}

// access reads the field at p of the ROW e.
func access(e expr.Expr, p fieldPath) expr.Expr {
	for _, name := range p {
		t := e.Type()
		i := types.Schema(t.Fields).Index(name)
		ft := t.Fields[i].Type
		e = &expr.Field{Arg: e, Index: i, Name: name, Typ: ft.WithNull(!t.NotNull || !ft.NotNull), Offset: e.Pos()}
	}
	return e
}

// reroute makes e read the flattened columns.
func reroute(e expr.Expr, schema types.Schema, at []int, fields map[int][]fieldPath, first map[int]int) expr.Expr {
	if c, p := pathOf(e); c != nil {
		for i, f := range fields[c.Index] {
			if len(f) <= len(p) && slices.Equal(f, p[:len(f)]) {
				k := first[c.Index] + i
				return access(&expr.Column{Index: k, Name: schema[k].Name, Typ: schema[k].Type, Offset: e.Pos()}, p[len(f):])
			}
		}
		return access(&expr.Column{Index: at[c.Index], Name: c.Name, Typ: c.Typ, Offset: e.Pos()}, p)
	}
	return mapChildren(e, func(e expr.Expr) expr.Expr { return reroute(e, schema, at, fields, first) })
}

// mapChildren rebuilds e with its direct operands mapped.
func mapChildren(e expr.Expr, f func(expr.Expr) expr.Expr) expr.Expr {
	switch n := e.(type) {
	case *expr.Call:
		c := *n
		c.Args = mapEach(n.Args, f)
		return &c
	case *expr.Cast:
		c := *n
		c.Arg = f(n.Arg)
		return &c
	case *expr.Field:
		c := *n
		c.Arg = f(n.Arg)
		return &c
	case *expr.Case:
		c := *n
		c.Whens, c.Thens, c.Else = mapEach(n.Whens, f), mapEach(n.Thens, f), f(n.Else)
		return &c
	}
	return e
}

func mapEach(es []expr.Expr, f func(expr.Expr) expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		out[i] = f(e)
	}
	return out
}

// pruneRows leaves in the stored ROW columns only the fields that the source's columns read.
func pruneRows(op *plan.Source) {
	paths := map[int][]fieldPath{}
	for _, e := range op.Columns {
		uses(e, paths)
	}
	pruned := map[int]types.Type{}
	physical := slices.Clone(op.Table.Physical)
	for i, stored := range op.Read {
		if stored >= len(physical) || physical[stored].Type.Kind != types.Row || len(paths[i]) == 0 {
			continue
		}
		if list := minimal(paths[i], physical[stored].Type); len(list[0]) > 0 {
			pruned[i] = pruneRow(physical[stored].Type, list)
			physical[stored].Type = pruned[i]
		}
	}
	if len(pruned) == 0 {
		return
	}
	op.Table.Physical = physical
	for i, e := range op.Columns {
		op.Columns[i] = retype(e, pruned)
	}
}

func pruneRow(t types.Type, paths []fieldPath) types.Type {
	out := t
	out.Fields = nil
	for _, f := range t.Fields {
		var below []fieldPath
		whole := false
		for _, p := range paths {
			if p[0] == f.Name {
				below = append(below, p[1:])
				whole = whole || len(p) == 1
			}
		}
		switch {
		case below == nil:
			continue
		case !whole:
			f.Type = pruneRow(f.Type, below)
		}
		out.Fields = append(out.Fields, f)
	}
	return out
}

// retype makes field accesses fit pruned rows.
func retype(e expr.Expr, pruned map[int]types.Type) expr.Expr {
	if c, p := pathOf(e); c != nil {
		d := *c
		if t, ok := pruned[c.Index]; ok {
			d.Typ = t
		}
		return access(&d, p)
	}
	return mapChildren(e, func(e expr.Expr) expr.Expr { return retype(e, pruned) })
}
