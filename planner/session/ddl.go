package session

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/planner"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
)

func (x *execution) ddl(stmt ast.Statement, r *Result) error {
	switch stmt := stmt.(type) {
	case *ast.CreateTable:
		return x.createTable(stmt, r)
	case *ast.CreateView:
		return x.createView(stmt, r)
	case *ast.CreateDatabase:
		return x.createDatabase(stmt, r)
	case *ast.Drop:
		return x.drop(stmt, r)
	case *ast.Alter:
		return x.alter(stmt, r)
	case *ast.CreateFunction:
		return x.notYet(stmt.Pos(), "CREATE FUNCTION")
	case *ast.CreateCatalog:
		return x.notYet(stmt.Pos(), "CREATE CATALOG")
	}
	return x.notYet(stmt.Pos(), "this statement")
}

func (x *execution) createTable(stmt *ast.CreateTable, r *Result) error {
	t, err := bind.Table(x.env(), stmt)
	if err != nil {
		return err
	}
	if err := x.checkTable(t, stmt.Name.Pos()); err != nil {
		return err
	}
	created, err := x.Catalog.Create(t, stmt.Temporary, stmt.IfNotExists)
	r.Message = createdMessage("table", t.Path, created)
	return x.at(stmt.Name.Pos(), err)
}

func createdMessage(kind string, p catalog.Path, created bool) string {
	if !created {
		return fmt.Sprintf("%s %s exists already", kind, p.Short())
	}
	return fmt.Sprintf("%s %s created", kind, p.Short())
}

// checkTable refuses options that the connector does not have, where they are written. A
// table without a connector is a template for LIKE; that is checked when it is used.
func (x *execution) checkTable(t *catalog.Table, pos int) error {
	options := t.OptionMap()
	if options["connector"] == "" {
		return nil
	}
	err := planner.CheckOptions(x.Connectors, planner.PlanTable(t, options))
	var bad *planner.OptionError
	if errors.As(err, &bad) {
		for _, o := range t.Options {
			if o.Key == bad.Key {
				pos = o.Pos
			}
		}
	}
	return x.at(pos, err)
}

func (x *execution) createView(stmt *ast.CreateView, r *Result) error {
	v, err := bind.View(x.env(), stmt)
	if err != nil {
		return err
	}
	if stmt.OrReplace {
		if old, err := x.Catalog.Lookup(v.Path); err == nil {
			if _, ok := old.(*catalog.View); !ok {
				return x.source.Errorf(stmt.Name.Pos(), "%s is a table", v.Path.Short())
			}
			if _, err := x.Catalog.Drop(v.Path, "view", stmt.Temporary, true); err != nil {
				return x.at(stmt.Name.Pos(), err)
			}
		}
	}
	created, err := x.Catalog.Create(v, stmt.Temporary, stmt.IfNotExists)
	r.Message = createdMessage("view", v.Path, created)
	return x.at(stmt.Name.Pos(), err)
}

// databaseName takes [catalog.]database.
func (x *execution) databaseName(p ast.Path) (string, error) {
	switch {
	case len(p) == 1:
		return p[0].Name, nil
	case len(p) == 2 && p[0].Name == catalog.DefaultCatalog:
		return p[1].Name, nil
	}
	return "", x.source.Errorf(p.Pos(), "there is no catalog %s; the only one is %s", p[0], catalog.DefaultCatalog)
}

func (x *execution) createDatabase(stmt *ast.CreateDatabase, r *Result) error {
	name, err := x.databaseName(stmt.Name)
	if err != nil {
		return err
	}
	d := &catalog.Database{Name: name}
	if stmt.Comment != nil {
		d.Comment = stmt.Comment.Value
	}
	for _, o := range stmt.Options {
		d.Options = append(d.Options, catalog.Option{Key: o.Key.Value, Value: o.Value.Value})
	}
	r.Message = "database " + name + " created"
	return x.at(stmt.Name.Pos(), x.Catalog.CreateDatabase(d, stmt.IfNotExists))
}

func (x *execution) drop(stmt *ast.Drop, r *Result) error {
	switch stmt.Kind {
	case ast.ObjectTable, ast.ObjectView:
		path, err := x.Catalog.Resolve(stmt.Name.Names())
		if err != nil {
			return x.at(stmt.Name.Pos(), err)
		}
		kind := map[ast.ObjectKind]string{ast.ObjectTable: "table", ast.ObjectView: "view"}[stmt.Kind]
		dropped, err := x.Catalog.Drop(path, kind, stmt.Temporary, stmt.IfExists)
		if r.Message = kind + " " + path.Short() + " dropped"; !dropped {
			r.Message = kind + " " + path.Short() + " does not exist"
		}
		return x.at(stmt.Name.Pos(), err)
	case ast.ObjectDatabase:
		name, err := x.databaseName(stmt.Name)
		if err != nil {
			return err
		}
		r.Message = "database " + name + " dropped"
		return x.at(stmt.Name.Pos(), x.Catalog.DropDatabase(name, stmt.IfExists, stmt.Cascade))
	}
	return x.notYet(stmt.Pos(), "DROP "+stmt.Kind.String())
}

func (x *execution) use(stmt *ast.Use, r *Result) error {
	switch stmt.Kind {
	case ast.ObjectCatalog:
		if stmt.Name.Last().Name != catalog.DefaultCatalog {
			return x.source.Errorf(stmt.Name.Pos(), "there is no catalog %s; the only one is %s", stmt.Name, catalog.DefaultCatalog)
		}
		r.Message = "using catalog " + catalog.DefaultCatalog
		return nil
	case ast.ObjectDatabase:
		name, err := x.databaseName(stmt.Name)
		if err != nil {
			return err
		}
		r.Message = "using database " + name
		return x.at(stmt.Name.Pos(), x.Catalog.Use(name))
	}
	return x.notYet(stmt.Pos(), "USE MODULES")
}

func (x *execution) alter(stmt *ast.Alter, r *Result) error {
	if stmt.Kind != ast.ObjectTable && stmt.Kind != ast.ObjectView || stmt.Temporary {
		return x.notYet(stmt.Pos(), "ALTER "+stmt.Kind.String())
	}
	path, err := x.Catalog.Resolve(stmt.Name.Names())
	if err != nil {
		return x.at(stmt.Name.Pos(), err)
	}
	obj, err := x.Catalog.Lookup(path)
	if errors.Is(err, catalog.ErrNotFound) && stmt.IfExists {
		r.Message = path.Short() + " does not exist"
		return nil
	}
	if err != nil {
		return x.at(stmt.Name.Pos(), err)
	}
	r.Message = path.Short() + " changed"
	if rename, ok := stmt.Action.(*ast.RenameTo); ok {
		to, err := x.Catalog.Resolve(rename.Name.Names())
		if err == nil {
			err = x.Catalog.Rename(path, to)
		}
		return x.at(rename.Name.Pos(), err)
	}
	t, ok := obj.(*catalog.Table)
	if !ok {
		return x.notYet(stmt.Action.Pos(), "this ALTER VIEW")
	}
	changed := *t
	changed.Options = slices.Clone(t.Options)
	remove := func(key string) {
		changed.Options = slices.DeleteFunc(changed.Options, func(o catalog.Option) bool { return o.Key == key })
	}
	switch a := stmt.Action.(type) {
	case *ast.SetOptions:
		for _, o := range a.Options {
			remove(o.Key.Value)
			changed.Options = append(changed.Options, catalog.Option{Key: o.Key.Value, Value: o.Value.Value, Pos: o.Pos()})
		}
	case *ast.ResetOptions:
		for _, k := range a.Keys {
			remove(k.Value)
		}
	default:
		return x.notYet(stmt.Action.Pos(), "changing columns, keys and watermarks with ALTER TABLE")
	}
	if err := x.checkTable(&changed, stmt.Action.Pos()); err != nil {
		return err
	}
	x.Catalog.Replace(&changed)
	return nil
}
