package ast

func (p *printer) statement(s Statement) {
	switch s := s.(type) {
	case *QueryStatement:
		p.query(s.Query)
	case *Insert:
		p.insert(s)
	case *StatementSet:
		p.w("EXECUTE STATEMENT SET BEGIN\n")
		for _, in := range s.Inserts {
			p.insert(in)
			p.w(";\n")
		}
		p.w("END")
	case *Explain:
		p.w("EXPLAIN ")
		each(p, s.Details, func(d *ExplainDetail) { p.w(*d) })
		p.opt(len(s.Details) > 0, " ")
		p.statement(s.Statement)
	case *Show:
		p.show(s)
	case *Describe:
		p.w("DESCRIBE ")
		p.opt(s.Kind != ObjectTable, s.Kind, " ")
		p.opt(s.Extended, "EXTENDED ")
		p.w(s.Name)
	case *DescribeJob:
		p.w("DESCRIBE JOB ", s.Job.String())
	case *StopJob:
		p.w("STOP JOB ", s.Job.String())
		p.opt(s.Savepoint, " WITH SAVEPOINT")
		p.opt(s.Drain, " WITH DRAIN")
	case *CreateSavepoint:
		p.w("CREATE SAVEPOINT FOR JOB ", s.Job.String())
		if s.To != nil {
			p.w(" TO ", s.To.String())
		}
	case *Use:
		p.w("USE ")
		p.opt(s.Kind == ObjectCatalog, "CATALOG ")
		p.opt(s.Kind == ObjectModule, "MODULES ")
		p.w(s.Name)
		p.idents(s.Modules)
	case *Set:
		p.w("SET")
		if s.Option != nil {
			p.w(" ", *s.Option)
		}
	case *Reset:
		p.w("RESET")
		if s.Key != nil {
			p.w(" ", s.Key.String())
		}
	default:
		p.ddl(s)
	}
}

func (p *printer) insert(s *Insert) {
	p.w("INSERT ", map[bool]string{true: "OVERWRITE ", false: "INTO "}[s.Overwrite], s.Table)
	if len(s.Partition) > 0 {
		p.w(" PARTITION (")
		each(p, s.Partition, func(v *PartitionValue) {
			p.w(v.Column, " = ", v.Value)
		})
		p.w(")")
	}
	p.names(s.Columns)
	p.w(" ", s.Query)
}

func (p *printer) show(s *Show) {
	p.w("SHOW ", s.What)
	switch {
	case s.What == ShowColumns:
		p.w(" FROM ", s.Name)
	case len(s.Name) > 0:
		p.w(" ", s.Name)
	case len(s.In) > 0:
		p.w(" FROM ", s.In)
	}
	if s.Like != nil {
		p.w(not(s.Not), map[bool]string{true: " ILIKE ", false: " LIKE "}[s.ILike], s.Like.String())
	}
}

func (p *printer) ddl(s Statement) {
	switch s := s.(type) {
	case *CreateTable:
		p.createTable(s)
	case *CreateView:
		p.createWords(s.OrReplace, s.Temporary, false, ObjectView, s.IfNotExists)
		p.w(s.Name)
		p.names(s.Columns)
		p.comment(s.Comment)
		p.w(" AS ", s.Query)
	case *CreateFunction:
		p.createWords(false, s.Temporary, s.System, ObjectFunction, s.IfNotExists)
		p.w(s.Name, " AS ", s.Class.String())
		p.opt(s.Language != "", " LANGUAGE ", s.Language)
		p.opt(len(s.Jars) > 0, " USING ")
		each(p, s.Jars, func(j *StringLit) { p.w("JAR ", j.String()) })
	case *CreateCatalog:
		p.createWords(false, false, false, ObjectCatalog, s.IfNotExists)
		p.w(s.Name)
		p.comment(s.Comment)
		p.with(" ", s.Options)
	case *CreateDatabase:
		p.createWords(false, false, false, ObjectDatabase, s.IfNotExists)
		p.w(s.Name)
		p.comment(s.Comment)
		p.with(" ", s.Options)
	case *Drop:
		p.w("DROP ")
		p.opt(s.Temporary, "TEMPORARY ")
		p.opt(s.System, "SYSTEM ")
		p.w(s.Kind, " ")
		p.opt(s.IfExists, "IF EXISTS ")
		p.w(s.Name)
		p.opt(s.Cascade, " CASCADE")
	case *Alter:
		p.w("ALTER ")
		p.opt(s.Temporary, "TEMPORARY ")
		p.opt(s.System, "SYSTEM ")
		p.w(s.Kind, " ")
		p.opt(s.IfExists, "IF EXISTS ")
		p.w(s.Name, " ")
		p.action(s.Action)
	default:
		p.unknown(s)
	}
}

func (p *printer) createWords(orReplace, temporary, system bool, kind ObjectKind, ifNotExists bool) {
	p.w("CREATE ")
	p.opt(orReplace, "OR REPLACE ")
	p.opt(temporary, "TEMPORARY ")
	p.opt(system, "SYSTEM ")
	p.w(kind, " ")
	p.opt(ifNotExists, "IF NOT EXISTS ")
}

func (p *printer) comment(c *StringLit) {
	if c != nil {
		p.w(" COMMENT ", c.String())
	}
}

// with prints the options one on a line, if there are any.
func (p *printer) with(before string, options []Option) {
	if len(options) == 0 {
		return
	}
	p.w(before, "WITH (")
	for i, o := range options {
		p.opt(i > 0, ",")
		p.w("\n  ", o)
	}
	p.w("\n)")
}
