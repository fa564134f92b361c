package ast

func (p *printer) createTable(t *CreateTable) {
	p.createWords(t.OrReplace, t.Temporary, false, ObjectTable, t.IfNotExists)
	p.w(t.Name)
	n := 0
	element := func(print func()) {
		p.w(map[bool]string{true: " (\n  ", false: ",\n  "}[n == 0])
		print()
		n++
	}
	for _, c := range t.Columns {
		element(func() { p.column(c) })
	}
	for _, w := range t.Watermarks {
		element(func() { p.watermark(w) })
	}
	if t.PrimaryKey != nil {
		element(func() { p.primaryKey(t.PrimaryKey) })
	}
	p.opt(n > 0, "\n)")
	p.comment(t.Comment)
	if d := t.Distribution; d != nil {
		p.w(" DISTRIBUTED")
		p.opt(len(d.Columns) > 0, " BY")
		p.opt(d.Kind != "", " ", d.Kind)
		p.names(d.Columns)
		if d.Buckets != nil {
			p.w(" INTO ", d.Buckets, " BUCKETS")
		}
	}
	p.opt(len(t.PartitionedBy) > 0, " PARTITIONED BY")
	p.names(t.PartitionedBy)
	p.with(" ", t.Options)
	if l := t.Like; l != nil {
		p.w(" LIKE ", l.Table)
		for i, o := range l.Options {
			p.w(map[bool]string{true: " (", false: " "}[i == 0], o.Strategy, " ", o.Feature)
		}
		p.opt(len(l.Options) > 0, ")")
	}
	if t.As != nil {
		p.w(" AS ", t.As)
	}
}

func (p *printer) column(c *Column) {
	p.w(c.Name)
	switch c.Kind {
	case Computed:
		p.w(" AS ", c.Expr)
	case Physical, Metadata:
		p.w(" ", *c.Type)
	}
	if c.Kind == Metadata {
		p.w(" METADATA")
		if c.Key != nil {
			p.w(" FROM ", c.Key.String())
		}
		p.opt(c.Virtual, " VIRTUAL")
	}
	p.comment(c.Comment)
}

func (p *printer) watermark(w *Watermark) { p.w("WATERMARK FOR ", w.Column, " AS ", w.Expr) }

func (p *printer) primaryKey(k *PrimaryKey) {
	if k.Constraint != nil {
		p.w("CONSTRAINT ", *k.Constraint, " ")
	}
	p.w("PRIMARY KEY")
	p.names(k.Columns)
	p.w(" NOT ENFORCED")
}

func (p *printer) action(a AlterAction) {
	switch a := a.(type) {
	case *RenameTo:
		p.w("RENAME TO ", a.Name)
	case *RenameColumn:
		p.w("RENAME ", a.Old, " TO ", a.New)
	case *SetOptions:
		p.w("SET (")
		each(p, a.Options, func(o *Option) { p.w(*o) })
		p.w(")")
	case *ResetOptions:
		p.w("RESET (")
		each(p, a.Keys, func(k *StringLit) { p.w(k.String()) })
		p.w(")")
	case *ChangeColumns:
		p.changeColumns(a)
	case *DropColumns:
		p.w("DROP")
		p.names(a.Columns)
	case *DropConstraint:
		if a.Name == nil {
			p.w("DROP PRIMARY KEY")
		} else {
			p.w("DROP CONSTRAINT ", *a.Name)
		}
	case *DropWatermark:
		p.w("DROP WATERMARK")
	case *SetQuery:
		p.w("AS ", a.Query)
	case *SetComment:
		p.w("COMMENT ", a.Comment.String())
	case *SetClass:
		p.w("AS ", a.Class.String())
		p.opt(a.Language != "", " LANGUAGE ", a.Language)
	default:
		p.unknown(a)
	}
}

func (p *printer) changeColumns(a *ChangeColumns) {
	p.w(map[bool]string{true: "MODIFY (", false: "ADD ("}[a.Modify])
	each(p, a.Columns, func(c *PlacedColumn) {
		p.column(c.Column)
		p.opt(c.First, " FIRST")
		if c.After != nil {
			p.w(" AFTER ", *c.After)
		}
	})
	n := len(a.Columns)
	if a.PrimaryKey != nil {
		p.opt(n > 0, ", ")
		p.primaryKey(a.PrimaryKey)
		n++
	}
	if a.Watermark != nil {
		p.opt(n > 0, ", ")
		p.watermark(a.Watermark)
	}
	p.w(")")
}
