package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// objectKind parses TABLE, VIEW, FUNCTION, DATABASE or CATALOG, with what may stand before it.
func (p *parser) objectKind() (kind ast.ObjectKind, temporary, system bool) {
	temporary = p.accept("TEMPORARY")
	system = temporary && p.accept("SYSTEM")
	for _, k := range []ast.ObjectKind{ast.ObjectTable, ast.ObjectView, ast.ObjectFunction, ast.ObjectDatabase, ast.ObjectCatalog} {
		if p.accept(k.String()) {
			return k, temporary, system
		}
	}
	p.unexpected("TABLE, VIEW, FUNCTION, DATABASE or CATALOG")
	return 0, false, false
}

// drop parses every DROP.
func (p *parser) drop() ast.Statement {
	d := &ast.Drop{Span: ast.Span{Start: p.tok().start}}
	p.i++
	d.Kind, d.Temporary, d.System = p.objectKind()
	d.IfExists = p.accept("IF", "EXISTS")
	d.Name = p.table("a name")
	if d.Kind == ast.ObjectDatabase {
		if d.Cascade = p.accept("CASCADE"); !d.Cascade {
			p.accept("RESTRICT")
		}
	}
	d.End = p.end()
	return d
}

// alter parses every ALTER.
func (p *parser) alter() ast.Statement {
	a := &ast.Alter{Span: ast.Span{Start: p.tok().start}}
	p.i++
	a.Kind, a.Temporary, a.System = p.objectKind()
	a.IfExists = p.accept("IF", "EXISTS")
	a.Name = p.table("a name")
	a.Action = p.alterAction(a.Kind)
	a.End = p.end()
	return a
}

func (p *parser) alterAction(kind ast.ObjectKind) ast.AlterAction {
	at := p.pos()
	table := kind == ast.ObjectTable
	switch {
	case p.peek("SET", "(") && kind != ast.ObjectView && kind != ast.ObjectFunction:
		p.i++
		return &ast.SetOptions{At: at, Options: p.options()}
	case p.peek("RESET") && (table || kind == ast.ObjectCatalog):
		r := &ast.ResetOptions{At: at}
		p.i++
		p.brackets(maxColumns, func() { r.Keys = append(r.Keys, p.string("an option's key, a string")) })
		return r
	case p.peek("RENAME", "TO") && (table || kind == ast.ObjectView):
		p.i += 2
		return &ast.RenameTo{At: at, Name: p.table("a name")}
	case p.peek("AS") && kind == ast.ObjectView:
		p.i++
		return &ast.SetQuery{At: at, Query: p.query()}
	case p.peek("AS") && kind == ast.ObjectFunction:
		p.i++
		return &ast.SetClass{At: at, Class: p.string("a class name, a string"), Language: p.language()}
	case p.peek("COMMENT") && kind == ast.ObjectCatalog:
		return &ast.SetComment{At: at, Comment: *p.comment()}
	case !table:
		p.unexpected(map[ast.ObjectKind]string{ast.ObjectView: "RENAME TO or AS", ast.ObjectFunction: "AS", ast.ObjectDatabase: "SET (",
			ast.ObjectCatalog: "SET (, RESET ( or COMMENT"}[kind])
	case p.accept("RENAME"):
		r := &ast.RenameColumn{At: at, Old: p.path("a column name")}
		p.expect("TO")
		r.New = p.name("a column name")
		return r
	case p.peekAny("ADD", "MODIFY"):
		return p.changeColumns()
	case p.accept("DROP"):
		return p.dropPart(at)
	}
	p.unexpected("SET, RESET, RENAME, ADD, MODIFY or DROP")
	return nil
}

// changeColumns parses ADD|MODIFY column or (columns, keys, watermarks).
func (p *parser) changeColumns() ast.AlterAction {
	c := &ast.ChangeColumns{At: p.pos(), Modify: p.peek("MODIFY")}
	if p.i++; p.peek("PARTITION") {
		p.fail(p.i, "partitions are not supported")
	}
	p.noColumnWord()
	if p.peek("(") {
		p.brackets(maxColumns, func() { p.placedElement(c) })
	} else {
		p.placedElement(c)
	}
	return c
}

func (p *parser) placedElement(c *ast.ChangeColumns) {
	switch {
	case p.peek("WATERMARK", "FOR"):
		c.Watermark = p.watermark()
		return
	case p.peek("PRIMARY", "KEY"), p.peek("CONSTRAINT"), p.peek("UNIQUE"):
		p.onlyKey(&c.PrimaryKey, p.primaryKey(nil))
		return
	}
	column, key := p.column()
	if column.Kind == ast.NameOnly {
		p.unexpected("a data type or AS")
	}
	placed := ast.PlacedColumn{Column: column}
	p.onlyKey(&c.PrimaryKey, key)
	if placed.First = p.accept("FIRST"); !placed.First && p.accept("AFTER") {
		after := p.name("a column name")
		placed.After = &after
	}
	c.Columns = append(c.Columns, placed)
}

func (p *parser) noColumnWord() {
	if p.peek("COLUMN") {
		p.failHint(p.i, "leave COLUMN out", "expected a column name%s, found COLUMN", p.after())
	}
}

// dropPart parses what ALTER TABLE .. DROP drops.
func (p *parser) dropPart(at ast.At) ast.AlterAction {
	switch {
	case p.accept("PRIMARY", "KEY"):
		return &ast.DropConstraint{At: at}
	case p.accept("CONSTRAINT"):
		name := p.name("the name of a constraint")
		return &ast.DropConstraint{At: at, Name: &name}
	case p.accept("WATERMARK"):
		return &ast.DropWatermark{At: at}
	case p.peek("PARTITION"):
		p.fail(p.i, "partitions are not supported")
	case p.peek("("):
		return &ast.DropColumns{At: at, Columns: p.names("a column name")}
	}
	p.noColumnWord()
	return &ast.DropColumns{At: at, Columns: []ast.Ident{p.name("a column name")}}
}
