package ast

import (
	"strconv"
)

func (p *printer) query(q *Query) {
	if len(q.With) > 0 {
		p.w("WITH ")
		each(p, q.With, func(c **CTE) { p.cte(*c) })
		p.w(" ")
	}
	p.body(q.Body)
	if len(q.OrderBy) > 0 {
		p.w(" ORDER BY ")
		p.orderItems(q.OrderBy)
	}
	if q.Limit != nil {
		p.w(" LIMIT ", q.Limit)
	}
	if q.Offset != nil {
		p.w(" OFFSET ", q.Offset)
	}
}

func (p *printer) cte(c *CTE) {
	p.w(c.Name)
	p.names(c.Columns)
	p.w(" AS (", c.Query, ")")
}

func (p *printer) body(b QueryBody) {
	switch b := b.(type) {
	case *Query:
		p.w("(", b, ")")
	case *Values:
		p.w("VALUES ")
		each(p, b.Rows, func(row *[]Expr) {
			p.w("(")
			p.exprs(*row)
			p.w(")")
		})
	case *TableQuery:
		p.w("TABLE ", b.Table)
	case *SetOp:
		p.arm(b.Left, setRank(b.Op))
		p.w(" ", b.Op)
		p.opt(b.All, " ALL")
		p.w(" ")
		p.arm(b.Right, setRank(b.Op)+1)
	case *Select:
		p.selectBody(b)
	default:
		p.unknown(b)
	}
}

func setRank(o SetOperator) int {
	if o == Intersect {
		return 2
	}
	return 1
}

// arm prints an operand of a set operation.
func (p *printer) arm(b QueryBody, least int) {
	if s, ok := b.(*SetOp); ok && setRank(s.Op) < least {
		p.w("(")
		p.body(b)
		p.w(")")
		return
	}
	p.body(b)
}

func (p *printer) selectBody(s *Select) {
	p.w("SELECT ")
	p.hints(s.Hints, "", " ")
	p.opt(s.Distinct, "DISTINCT ")
	p.selectItems(s.Items)
	if s.From != nil {
		p.w(" FROM ", s.From)
	}
	if s.Where != nil {
		p.w(" WHERE ", s.Where)
	}
	if s.GroupBy != nil {
		p.w(" ")
		p.groupBy(s.GroupBy)
	}
	if s.Having != nil {
		p.w(" HAVING ", s.Having)
	}
	if len(s.Windows) > 0 {
		p.w(" WINDOW ")
		each(p, s.Windows, func(w *NamedWindow) {
			p.w(w.Name, " AS ")
			p.window(w.Spec)
		})
	}
	if s.Qualify != nil {
		p.w(" QUALIFY ", s.Qualify)
	}
}

func (p *printer) selectItems(items []SelectItem) {
	each(p, items, func(it *SelectItem) {
		p.w(it.Expr)
		if it.Alias != nil {
			p.w(" AS ", *it.Alias)
		}
	})
}

func (p *printer) groupBy(g *GroupBy) {
	p.w("GROUP BY ")
	p.opt(g.Distinct, "DISTINCT ")
	each(p, g.Elements, p.groupElement)
}

func (p *printer) groupElement(g *GroupElement) {
	switch g.Kind {
	case GroupExpr:
		p.exprs(g.Exprs)
	case GroupTuple:
		p.w("(")
		p.exprs(g.Exprs)
		p.w(")")
	default:
		p.w([...]string{GroupingSets: "GROUPING SETS", Rollup: "ROLLUP", Cube: "CUBE"}[g.Kind], " (")
		each(p, g.Sets, p.groupElement)
		p.w(")")
	}
}

func (p *printer) orderItems(items []OrderItem) {
	each(p, items, func(it *OrderItem) {
		p.w(it.Expr)
		p.opt(it.Desc, " DESC")
		p.w([...]string{NullsDefault: "", NullsFirst: " NULLS FIRST", NullsLast: " NULLS LAST"}[it.Nulls])
	})
}

// hints prints the hints with before and after around them, if there are any.
func (p *printer) hints(hints []*Hint, before, after string) {
	if len(hints) > 0 {
		p.w(before, "/*+ ")
		each(p, hints, func(h **Hint) { p.hint(*h) })
		p.w(" */", after)
	}
}

func (p *printer) hint(h *Hint) {
	p.w(h.Name)
	if len(h.Options)+len(h.Args) == 0 {
		return
	}
	p.w("(")
	each(p, h.Options, func(o *Option) { p.w(*o) })
	p.opt(len(h.Options) > 0 && len(h.Args) > 0, ", ")
	each(p, h.Args, func(a *HintArg) {
		if a.String {
			p.w(StringLit{Value: a.Text}.String())
		} else {
			p.w(a.Text)
		}
	})
	p.w(")")
}

func (p *printer) table(t TableExpr) {
	switch t := t.(type) {
	case *TableName:
		p.w(t.Path)
		p.hints(t.Hints, " ", "")
		if t.AsOf != nil {
			p.w(" FOR SYSTEM_TIME AS OF ")
			p.at(rankAdd, t.AsOf)
		}
		p.alias(t.Alias)
	case *Derived:
		p.opt(t.Lateral, "LATERAL ")
		p.w("(", t.Query, ")")
		p.alias(t.Alias)
	case *TableFunc:
		p.opt(t.Lateral, "LATERAL ")
		p.w("TABLE(", t.Call, ")")
		p.alias(t.Alias)
	case *Unnest:
		p.w("UNNEST(")
		p.exprs(t.Args)
		p.w(")")
		p.opt(t.Ordinality, " WITH ORDINALITY")
		p.alias(t.Alias)
	case *Join:
		p.join(t)
	case *MatchRecognize:
		p.match(t)
	default:
		p.unknown(t)
	}
}

func (p *printer) alias(a *Alias) {
	if a != nil {
		p.w(" AS ", a.Name)
		p.names(a.Columns)
	}
}

func (p *printer) join(j *Join) {
	p.w(j.Left, " ")
	p.opt(j.Natural, "NATURAL ")
	p.w(j.Kind, " ")
	if in, ok := j.Right.(*Join); ok {
		p.w("(", in, ")")
	} else {
		p.w(j.Right)
	}
	if j.On != nil {
		p.w(" ON ", j.On)
	}
	p.opt(len(j.Using) > 0, " USING")
	p.names(j.Using)
}

func (p *printer) match(m *MatchRecognize) {
	p.w(m.Input, " MATCH_RECOGNIZE (")
	if len(m.PartitionBy) > 0 {
		p.w("PARTITION BY ")
		p.exprs(m.PartitionBy)
		p.w(" ")
	}
	if len(m.OrderBy) > 0 {
		p.w("ORDER BY ")
		p.orderItems(m.OrderBy)
		p.w(" ")
	}
	if len(m.Measures) > 0 {
		p.w("MEASURES ")
		p.selectItems(m.Measures)
		p.w(" ")
	}
	p.w([...]string{DefaultRows: "", OneRow: "ONE ROW PER MATCH ", AllRows: "ALL ROWS PER MATCH "}[m.Rows])
	if a := m.After; a != nil {
		p.w("AFTER MATCH SKIP ", [...]string{SkipPastLastRow: "PAST LAST ROW ", SkipToNextRow: "TO NEXT ROW ", SkipToFirst: "TO FIRST ",
			SkipToLast: "TO LAST ", SkipTo: "TO "}[a.Skip])
		p.opt(a.Skip >= SkipToFirst, a.Variable, " ")
	}
	p.w("PATTERN (")
	p.opt(m.Anchored, "^ ")
	p.pattern(m.Pattern)
	p.opt(m.AnchoredEnd, " $")
	p.w(")")
	if m.Within != nil {
		p.w(" WITHIN ", m.Within)
	}
	p.opt(len(m.Subsets) > 0, " SUBSET ")
	each(p, m.Subsets, func(s *Subset) {
		p.w(s.Name, " =")
		p.names(s.Variables)
	})
	p.w(" DEFINE ")
	each(p, m.Defines, func(d *Define) { p.w(d.Variable, " AS ", d.Cond) })
	p.w(")")
	p.alias(m.Alias)
}

func (p *printer) pattern(x Pattern) {
	items := func(list []Pattern, between string) {
		for i, it := range list {
			p.opt(i > 0, between)
			p.pattern(it)
		}
	}
	switch x := x.(type) {
	case *PatternVar:
		p.w(x.Name)
	case *PatternSeq:
		for i, it := range x.Items {
			p.opt(i > 0, " ")
			p.patternItem(it, false)
		}
	case *PatternAlt:
		for i, it := range x.Items {
			p.opt(i > 0, " | ")
			if _, ok := it.(*PatternAlt); ok {
				p.patternItem(it, false)
			} else {
				p.pattern(it)
			}
		}
	case *PatternRepeat:
		p.patternItem(x.Item, true)
		p.w(quantifier(x))
	case *PatternPermute:
		p.w("PERMUTE(")
		items(x.Items, ", ")
		p.w(")")
	case *PatternExclude:
		p.w("{- ")
		p.pattern(x.Item)
		p.w(" -}")
	}
}

// patternItem prints a pattern in brackets if it consists of several.
func (p *printer) patternItem(x Pattern, repeated bool) {
	switch x.(type) {
	case *PatternSeq, *PatternAlt:
	case *PatternRepeat:
		if !repeated {
			p.pattern(x)
			return
		}
	default:
		p.pattern(x)
		return
	}
	p.w("(")
	p.pattern(x)
	p.w(")")
}

func quantifier(x *PatternRepeat) (s string) {
	lo, hi := strconv.Itoa(x.Min), strconv.Itoa(x.Max)
	switch {
	case x.Max < 0 && x.Min == 0:
		s = "*"
	case x.Max < 0 && x.Min == 1:
		s = "+"
	case x.Max < 0:
		s = "{" + lo + ",}"
	case x.Min == 0 && x.Max == 1:
		s = "?"
	case x.Min == x.Max:
		s = "{" + lo + "}"
	default:
		s = "{" + lo + "," + hi + "}"
	}
	if x.Reluctant {
		s += "?"
	}
	return s
}
