package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// create parses every CREATE.
func (p *parser) create() ast.Statement {
	start := p.tok().start
	p.expect("CREATE")
	orReplace := p.accept("OR", "REPLACE")
	temporary := p.accept("TEMPORARY")
	system := temporary && p.accept("SYSTEM")
	kind := p.tok().upper
	if (orReplace || temporary) && kind != "TABLE" && kind != "VIEW" && kind != "FUNCTION" || system && kind != "FUNCTION" || orReplace && kind == "FUNCTION" {
		p.unexpected("TABLE, VIEW or FUNCTION")
	}
	var s ast.Statement
	var span *ast.Span
	switch {
	case p.accept("TABLE"):
		t := &ast.CreateTable{Temporary: temporary, OrReplace: orReplace}
		p.createTable(t)
		s, span = t, &t.Span
	case p.accept("VIEW"):
		v := &ast.CreateView{Temporary: temporary, OrReplace: orReplace, IfNotExists: p.ifNotExists(), Name: p.table("a view name")}
		if p.peek("(") {
			v.Columns = p.names("a column name")
		}
		v.Comment = p.comment()
		p.expect("AS")
		v.Query = p.query()
		s, span = v, &v.Span
	case p.accept("FUNCTION"):
		f := &ast.CreateFunction{Temporary: temporary, System: system, IfNotExists: p.ifNotExists(), Name: p.table("a function name")}
		p.expect("AS")
		f.Class = p.string("a class name, a string")
		f.Language = p.language()
		for more := p.accept("USING"); more; more = p.accept(",") {
			p.expect("JAR")
			f.Jars = append(f.Jars, p.string("a path, a string"))
		}
		s, span = f, &f.Span
	case p.accept("CATALOG"):
		c := &ast.CreateCatalog{IfNotExists: p.ifNotExists(), Name: p.name("a catalog name"), Comment: p.comment()}
		if p.accept("WITH") {
			c.Options = p.options()
		}
		s, span = c, &c.Span
	case p.accept("DATABASE"):
		d := &ast.CreateDatabase{IfNotExists: p.ifNotExists(), Name: p.table("a database name"), Comment: p.comment()}
		if p.accept("WITH") {
			d.Options = p.options()
		}
		s, span = d, &d.Span
	case p.accept("SAVEPOINT"):
		p.expect("FOR")
		p.expect("JOB")
		c := &ast.CreateSavepoint{Job: p.string("a job's id or name, a string")}
		if p.accept("TO") {
			to := p.string("a path, a string")
			c.To = &to
		}
		s, span = c, &c.Span
	default:
		p.unexpected("TABLE, VIEW, FUNCTION, CATALOG, DATABASE or SAVEPOINT")
	}
	*span = ast.Span{Start: start, End: p.end()}
	return s
}

func (p *parser) ifNotExists() bool { return p.accept("IF", "NOT", "EXISTS") }

func (p *parser) language() string {
	if !p.accept("LANGUAGE") {
		return ""
	}
	for _, l := range []string{"JAVA", "SCALA", "PYTHON"} {
		if p.accept(l) {
			return l
		}
	}
	p.unexpected("JAVA, SCALA or PYTHON")
	return ""
}

// createTable parses what follows CREATE TABLE.
func (p *parser) createTable(t *ast.CreateTable) {
	t.IfNotExists = p.ifNotExists()
	t.Name = p.table("a table name")
	if p.peek("(") {
		p.brackets(maxColumns, func() { p.tableElement(t) })
	}
	t.Comment = p.comment()
	if p.peek("DISTRIBUTED") {
		t.Distribution = p.distribution()
	}
	if p.accept("PARTITIONED", "BY") {
		t.PartitionedBy = p.names("a column name")
	}
	if p.accept("WITH") {
		t.Options = p.options()
	}
	if p.peek("LIKE") {
		t.Like = p.tableLike()
	}
	if p.accept("AS") {
		if t.Like != nil {
			p.fail(p.i-1, "CREATE TABLE has LIKE or AS, not both")
		}
		t.As = p.query()
	}
	if t.As == nil {
		for _, c := range t.Columns {
			if c.Kind == ast.NameOnly {
				panic(p.src.Errorf(c.Pos(), "column %s has no type", c.Name).WithHint("only CREATE TABLE .. AS SELECT takes names without types"))
			}
		}
		if len(t.Columns) == 0 && t.Like == nil {
			p.unexpected("( and columns, LIKE a table, or AS a query")
		}
	}
}

// tableElement parses a column, a key or a watermark.
func (p *parser) tableElement(t *ast.CreateTable) {
	switch {
	case p.peek("WATERMARK", "FOR"):
		if len(t.Watermarks) > 0 {
			p.fail(p.i, "a table has one WATERMARK")
		}
		t.Watermarks = append(t.Watermarks, p.watermark())
	case p.peek("PRIMARY", "KEY"), p.peek("CONSTRAINT"), p.peek("UNIQUE"):
		p.onlyKey(&t.PrimaryKey, p.primaryKey(nil))
	default:
		c, key := p.column()
		t.Columns = append(t.Columns, c)
		p.onlyKey(&t.PrimaryKey, key)
	}
}

func (p *parser) onlyKey(key **ast.PrimaryKey, other *ast.PrimaryKey) {
	if other == nil {
		return
	}
	if *key != nil {
		panic(p.src.Errorf(other.Pos(), "a table has one PRIMARY KEY").WithHint("name all its columns in one: PRIMARY KEY (a, b) NOT ENFORCED"))
	}
	*key = other
}

func (p *parser) watermark() *ast.Watermark {
	w := &ast.Watermark{At: p.pos()}
	p.expect("WATERMARK", "FOR")
	w.Column = p.path("a column name")
	p.expect("AS")
	w.Expr = p.scalar()
	return w
}

// primaryKey parses [CONSTRAINT name] PRIMARY KEY (columns) NOT ENFORCED; behind a column,
// which it then is about, without the list.
func (p *parser) primaryKey(column *ast.Ident) *ast.PrimaryKey {
	k := &ast.PrimaryKey{At: p.pos()}
	if p.accept("CONSTRAINT") {
		name := p.name("the name of a constraint")
		k.Constraint = &name
	}
	if p.peek("UNIQUE") {
		p.failHint(p.i, "declare a PRIMARY KEY .. NOT ENFORCED", "UNIQUE constraints are not supported")
	}
	p.expect("PRIMARY", "KEY")
	if column != nil {
		k.Columns = []ast.Ident{*column}
	} else {
		k.Columns = p.names("a column name")
	}
	if !p.accept("NOT", "ENFORCED") {
		p.failHint(p.i, "write PRIMARY KEY .. NOT ENFORCED", "expected NOT ENFORCED after %s, found %s: keys are taken on trust, nothing checks them", p.show(p.i-1), p.show(p.i))
	}
	return k
}

// column parses a column, and the key written behind it.
func (p *parser) column() (c *ast.Column, key *ast.PrimaryKey) {
	c = &ast.Column{At: p.pos(), Name: p.name("a column name")}
	switch {
	case p.accept("AS"):
		c.Kind = ast.Computed
		c.Expr = p.scalar()
	case p.peekAny(",", ")"):
		c.Kind = ast.NameOnly
	default:
		at, t := p.i, p.dataType()
		if t.Type.IsInterval() {
			p.fail(at, "a column cannot be an INTERVAL")
		}
		c.Type = &t
		if p.accept("METADATA") {
			c.Kind = ast.Metadata
			if p.accept("FROM") {
				from := p.string("a metadata key, a string")
				c.Key = &from
			}
			c.Virtual = p.accept("VIRTUAL")
		}
		if c.Kind == ast.Physical && p.peekAny("PRIMARY", "CONSTRAINT", "UNIQUE") {
			key = p.primaryKey(&c.Name)
		}
	}
	c.Comment = p.comment()
	if !p.peekAny(",", ")") && c.Kind != ast.Computed && p.tok().kind == word {
		p.columnHabits()
	}
	return c, key
}

// columnHabits explains what other databases allow behind a column.
func (p *parser) columnHabits() {
	switch hint := ""; p.tok().upper {
	case "AS", "GENERATED":
		hint = "a computed column has no type: name AS expression"
		fallthrough
	case "DEFAULT", "AUTO_INCREMENT", "REFERENCES", "CHECK", "COLLATE", "IDENTITY":
		p.failHint(p.i, hint, "%s is not part of a column here", p.tok().upper)
	}
}

// distribution parses DISTRIBUTED [BY [HASH|RANGE] (columns)] [INTO n BUCKETS].
func (p *parser) distribution() *ast.Distribution {
	d := &ast.Distribution{At: p.pos()}
	if p.i++; p.accept("BY") {
		for _, kind := range []string{"HASH", "RANGE"} {
			if p.accept(kind) {
				d.Kind = kind
			}
		}
		d.Columns = p.names("a column name")
	}
	if p.accept("INTO") {
		n := p.whole("a number of buckets")
		d.Buckets = &n
		p.expect("BUCKETS")
	} else if len(d.Columns) == 0 {
		p.unexpected("BY or INTO")
	}
	return d
}

var likeFeatures = []string{"ALL", "CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS"}

// tableLike parses LIKE table [(INCLUDING ALL ..)].
func (p *parser) tableLike() *ast.TableLike {
	l := &ast.TableLike{At: p.pos()}
	p.i++
	l.Table = p.table("a table name")
	open := p.i
	if !p.accept("(") {
		return l
	}
	for !p.peek(")") {
		o := ast.LikeOption{At: p.pos(), Strategy: p.tok().upper}
		if !p.accept("INCLUDING") && !p.accept("EXCLUDING") && !p.accept("OVERWRITING") {
			if p.tok().kind == eof || p.peek(";") {
				p.close(open, ")")
			}
			p.unexpected("INCLUDING, EXCLUDING, OVERWRITING or )")
		}
		for _, f := range likeFeatures {
			if o.Feature == "" && p.accept(f) {
				o.Feature = f
			}
		}
		if o.Feature == "" {
			p.unexpected("ALL, CONSTRAINTS, DISTRIBUTION, GENERATED, METADATA, OPTIONS, PARTITIONS or WATERMARKS")
		}
		l.Options = append(l.Options, o)
	}
	p.close(open, ")")
	return l
}
