package session

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
)

func (x *execution) show(stmt *ast.Show, r *Result) error {
	list := func(header string, names []string) error {
		r.Header = []string{header}
		for _, n := range names {
			if matches(stmt, n) {
				r.Rows = append(r.Rows, []string{n})
			}
		}
		return nil
	}
	switch stmt.What {
	case ast.ShowTables, ast.ShowViews:
		cat, err := x.in(stmt)
		if err != nil {
			return err
		}
		if stmt.What == ast.ShowViews {
			return list("view name", cat.Views())
		}
		return list("table name", cat.Tables())
	case ast.ShowDatabases:
		return list("database name", x.Catalog.Databases())
	case ast.ShowCatalogs:
		return list("catalog name", []string{catalog.DefaultCatalog})
	case ast.ShowFunctions:
		return list("function name", x.Functions.Names())
	case ast.ShowUserFunctions:
		return list("function name", nil)
	case ast.ShowModules, ast.ShowFullModules:
		return list("module name", []string{"core"})
	case ast.ShowCurrentDatabase:
		return list("current database name", []string{x.Catalog.Database()})
	case ast.ShowCurrentCatalog:
		return list("current catalog name", []string{catalog.DefaultCatalog})
	case ast.ShowJobs:
		r.Control = true
		return nil
	case ast.ShowColumns:
		return x.showColumns(stmt, r)
	case ast.ShowCreateTable, ast.ShowCreateView:
		return x.showCreate(stmt, r)
	}
	return x.notYet(stmt.Pos(), "SHOW "+stmt.What.String())
}

// in is the catalog with the database of FROM or IN as the current one.
func (x *execution) in(stmt *ast.Show) (*catalog.Catalog, error) {
	if len(stmt.In) == 0 {
		return x.Catalog, nil
	}
	name, err := x.databaseName(stmt.In)
	if err != nil {
		return nil, err
	}
	c := x.Catalog.Clone()
	return c, x.at(stmt.In.Pos(), c.Use(name))
}

// object finds the table or view a statement names.
func (x *execution) object(p ast.Path) (catalog.Object, error) {
	path, err := x.Catalog.Resolve(p.Names())
	if err != nil {
		return nil, x.at(p.Pos(), err)
	}
	obj, err := x.Catalog.Lookup(path)
	return obj, x.at(p.Pos(), err)
}

func (x *execution) showCreate(stmt *ast.Show, r *Result) error {
	obj, err := x.object(stmt.Name)
	if err != nil {
		return err
	}
	switch obj := obj.(type) {
	case *catalog.Table:
		if stmt.What == ast.ShowCreateView {
			return x.source.Errorf(stmt.Name.Pos(), "%s is a table; use SHOW CREATE TABLE", obj.Path.Short())
		}
		r.Text = obj.ShowCreate() + "\n"
	case *catalog.View:
		if stmt.What == ast.ShowCreateTable {
			return x.source.Errorf(stmt.Name.Pos(), "%s is a view; use SHOW CREATE VIEW", obj.Path.Short())
		}
		r.Text = obj.ShowCreate() + "\n"
	}
	return nil
}

func (x *execution) describe(stmt *ast.Describe, r *Result) error {
	switch stmt.Kind {
	case ast.ObjectTable, ast.ObjectView:
	case ast.ObjectDatabase, ast.ObjectCatalog:
		r.Header = []string{"info name", "info value"}
		r.Rows = [][]string{{"Name", stmt.Name.Last().Name}}
		return nil
	default:
		return x.notYet(stmt.Pos(), "DESCRIBE "+stmt.Kind.String())
	}
	rows, err := x.describeRows(stmt.Name)
	r.Header, r.Rows = catalog.DescribeHeader, rows
	return err
}

func (x *execution) describeRows(name ast.Path) ([][]string, error) {
	obj, err := x.object(name)
	if err != nil {
		return nil, err
	}
	if t, ok := obj.(*catalog.Table); ok {
		return t.Describe(), nil
	}
	schema, err := bind.Describe(x.env(), obj.(*catalog.View))
	if err != nil {
		return nil, x.at(name.Pos(), err)
	}
	return catalog.DescribeSchema(schema), nil
}

func (x *execution) showColumns(stmt *ast.Show, r *Result) error {
	name := stmt.Name
	if len(name) == 0 {
		name = stmt.In
	}
	rows, err := x.describeRows(name)
	if err != nil {
		return err
	}
	r.Header = catalog.DescribeHeader
	for _, row := range rows {
		if matches(stmt, row[0]) {
			r.Rows = append(r.Rows, row)
		}
	}
	return nil
}

// matches applies [NOT] LIKE and ILIKE of a SHOW.
func matches(stmt *ast.Show, name string) bool {
	if stmt.Like == nil {
		return true
	}
	pattern := stmt.Like.Value
	if stmt.ILike {
		pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	}
	return like([]rune(pattern), []rune(name)) != stmt.Not
}

// like matches % and _ of SQL patterns. It goes back to the last % only, so that a pattern
// of many % takes no longer than the product of the lengths.
func like(p, s []rune) bool {
	star, from := -1, 0 // the last %, and where in s what follows it was tried
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '%':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '_' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '%' {
		i++
	}
	return i == len(p)
}
