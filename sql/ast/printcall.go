package ast

import (
	"strings"
)

// callPart prints calls and what stands only in their brackets.
func (p *printer) callPart(e Expr) {
	switch e := e.(type) {
	case *Call:
		p.call(e)
	case *NamedArg:
		p.w(e.Name, " => ", e.Value)
	case *UnitArg:
		p.w(e.Unit)
	case *Symbol:
		p.w(e.Name)
	case *Descriptor:
		p.w("DESCRIPTOR(")
		p.idents(e.Columns)
		p.w(")")
	case *TableArg:
		p.tableArg(e)
	default:
		p.unknown(e)
	}
}

func (p *printer) tableArg(e *TableArg) {
	if e.Query != nil {
		p.w("(", e.Query, ")")
		return
	}
	p.w("TABLE ", e.Table)
	if len(e.PartitionBy) > 0 {
		p.w(" PARTITION BY (")
		p.exprs(e.PartitionBy)
		p.w(")")
	}
	if len(e.OrderBy) > 0 {
		p.w(" ORDER BY (")
		p.orderItems(e.OrderBy)
		p.w(")")
	}
}

func (p *printer) call(c *Call) {
	p.opt(c.Match == Running, "RUNNING ")
	p.opt(c.Match == Final, "FINAL ")
	p.w(c.Name)
	if c.Niladic {
		return
	}
	p.w("(")
	p.opt(c.Star, "*")
	p.opt(c.Distinct, "DISTINCT ")
	p.args(c)
	if c.JSON != nil {
		p.json(c.JSON, len(c.Args) > 0)
	}
	p.w(")")
	p.opt(c.Nulls == IgnoreNulls, " IGNORE NULLS")
	p.opt(c.Nulls == RespectNulls, " RESPECT NULLS")
	if len(c.WithinGroup) > 0 {
		p.w(" WITHIN GROUP (ORDER BY ")
		p.orderItems(c.WithinGroup)
		p.w(")")
	}
	if c.Filter != nil {
		p.w(" FILTER (WHERE ", c.Filter, ")")
	}
	if c.Over != nil {
		p.w(" OVER ")
		p.window(c.Over)
	}
}

// args prints the arguments, with words between them where the function has its own syntax.
func (p *printer) args(c *Call) {
	fn, n := "", len(c.Args)
	if len(c.Name) == 1 && !c.Name[0].Quoted {
		fn = strings.ToUpper(c.Name[0].Name)
	}
	switch {
	case fn == "EXTRACT" && n == 2:
		p.w(c.Args[0], " FROM ", c.Args[1])
	case (fn == "FLOOR" || fn == "CEIL" || fn == "CEILING") && n == 2:
		p.w(c.Args[0], " TO ", c.Args[1])
	case fn == "TRIM" && n == 3:
		p.w(c.Args[0], " ", c.Args[1], " FROM ", c.Args[2])
	case fn == "POSITION" && n >= 2:
		p.at(rankAdd, c.Args[0])
		p.w(" IN ", c.Args[1])
		p.opt(n > 2, " FROM ")
		p.exprs(c.Args[2:])
	case fn == "OVERLAY" && n >= 3:
		p.w(c.Args[0], " PLACING ", c.Args[1], " FROM ", c.Args[2])
		p.opt(n > 3, " FOR ")
		p.exprs(c.Args[3:])
	case (fn == "JSON_OBJECT" || fn == "JSON_OBJECTAGG") && n%2 == 0:
		for i := 0; i < n; i += 2 {
			p.opt(i > 0, ", ")
			p.w("KEY ", c.Args[i], " VALUE ", c.Args[i+1])
		}
	default:
		p.exprs(c.Args)
	}
}

func (p *printer) json(j *JSONClauses, args bool) {
	if j.Returning != nil {
		p.w(" RETURNING ", *j.Returning)
	}
	p.opt(j.Wrapper != "", " ", j.Wrapper, " WRAPPER")
	p.behavior(j.OnEmpty, "EMPTY")
	p.behavior(j.OnError, "ERROR")
	p.opt(j.OnNull != "" && args, " ")
	p.opt(j.OnNull != "", j.OnNull, " ON NULL")
}

func (p *printer) behavior(b *JSONBehavior, on string) {
	if b == nil {
		return
	}
	p.w(" ", b.Kind)
	if b.Default != nil {
		p.w(" ", b.Default)
	}
	p.w(" ON ", on)
}

func (p *printer) window(w *Window) {
	if w.Name != nil {
		p.w(*w.Name)
		return
	}
	var parts []string
	part := func(f func(in *printer)) {
		in := &printer{}
		f(in)
		parts = append(parts, in.b.String())
	}
	if w.Base != nil {
		parts = append(parts, w.Base.String())
	}
	if len(w.PartitionBy) > 0 {
		part(func(in *printer) { in.w("PARTITION BY "); in.exprs(w.PartitionBy) })
	}
	if len(w.OrderBy) > 0 {
		part(func(in *printer) { in.w("ORDER BY "); in.orderItems(w.OrderBy) })
	}
	if f := w.Frame; f != nil {
		part(func(in *printer) {
			in.w(map[bool]string{true: "ROWS", false: "RANGE"}[f.Rows], " BETWEEN ")
			in.bound(f.Start)
			in.w(" AND ")
			in.bound(f.End)
		})
	}
	p.w("(", strings.Join(parts, " "), ")")
}

var boundNames = [...]string{UnboundedPreceding: "UNBOUNDED PRECEDING", Preceding: " PRECEDING", CurrentRow: "CURRENT ROW",
	Following: " FOLLOWING", UnboundedFollowing: "UNBOUNDED FOLLOWING"}

func (p *printer) bound(b Bound) {
	if b.Offset != nil {
		p.at(rankAdd, b.Offset)
	}
	p.w(boundNames[b.Kind])
}
