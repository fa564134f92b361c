// Package catalog owns the session's objects: databases, tables and views, temporary or
// not, held in memory; their DDL text (SHOW CREATE, secrets masked) and DESCRIBE rows. It
// imports sql's leaf packages only. The binder reads it, planner.Session changes it; nobody
// else needs it.
//
// There is one catalog, default_catalog. Names are case-sensitive. Tables and views of one
// database share a namespace; temporary objects hide permanent ones of the same name.
package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/sqlstream/sqlstream/sql/suggest"
)

// ErrNotFound is wrapped by errors about objects that do not exist.
var ErrNotFound = errors.New("does not exist")

// Catalog is the set of objects of a session. Not safe for concurrent use.
type Catalog struct {
	database  string
	databases map[string]*Database
	objects   map[Path]Object
	temporary map[Path]Object
}

// Database is a named group of tables and views.
type Database struct {
	Name    string
	Comment string
	Options []Option
}

// Object is a *Table or a *View.
type Object interface {
	path() Path
	kind() string // "table" or "view"
}

func (t *Table) path() Path   { return t.Path }
func (t *Table) kind() string { return "table" }
func (v *View) path() Path    { return v.Path }
func (v *View) kind() string  { return "view" }

// New returns a catalog with the empty default database.
func New() *Catalog {
	return &Catalog{
		database:  DefaultDatabase,
		databases: map[string]*Database{DefaultDatabase: {Name: DefaultDatabase}},
		objects:   map[Path]Object{},
		temporary: map[Path]Object{},
	}
}

// Clone returns an independent copy; objects are immutable and shared.
func (c *Catalog) Clone() *Catalog {
	return &Catalog{c.database, maps.Clone(c.databases), maps.Clone(c.objects), maps.Clone(c.temporary)}
}

// Lookup returns the object at p, temporary ones first. The error names what is near.
func (c *Catalog) Lookup(p Path) (Object, error) {
	if o, ok := c.temporary[p]; ok {
		return o, nil
	}
	if o, ok := c.objects[p]; ok {
		return o, nil
	}
	if _, ok := c.databases[p.Database]; !ok {
		return nil, c.noDatabase(p.Database)
	}
	return nil, fmt.Errorf("table or view %s %w%s", p.Short(), ErrNotFound, suggest.Hint(p.Name, c.names(p.Database, nil)))
}

// Create adds a table or view. With ifNotExists an existing one stays as it is and created
// is false.
func (c *Catalog) Create(o Object, temporary, ifNotExists bool) (created bool, err error) {
	p, set := o.path(), c.objects
	if temporary {
		set = c.temporary
	}
	if _, ok := c.databases[p.Database]; !ok {
		return false, c.noDatabase(p.Database)
	}
	if old, ok := set[p]; ok {
		if ifNotExists {
			return false, nil
		}
		return false, fmt.Errorf("%s %s exists already; DROP it first or write IF NOT EXISTS", old.kind(), p.Short())
	}
	set[p] = o
	return true, nil
}

// Replace puts a changed table in the place of the one at its path (ALTER TABLE).
func (c *Catalog) Replace(t *Table) {
	set := c.objects
	if t.Temporary {
		set = c.temporary
	}
	set[t.Path] = t
}

// Drop removes the table or view at p. kind is "table" or "view". An object that a view
// reads is not dropped. With ifExists a missing one is no error, and dropped is false.
func (c *Catalog) Drop(p Path, kind string, temporary, ifExists bool) (dropped bool, err error) {
	set := c.objects
	if temporary {
		set = c.temporary
	}
	o, ok := set[p]
	hidden, hides := c.temporary[p]
	switch {
	case !temporary && hides && hidden.kind() == kind:
		return false, fmt.Errorf("a temporary %s %s hides the one to drop; DROP TEMPORARY %s it first", kind, p.Short(), strings.ToUpper(kind))
	case !ok && ifExists:
		return false, nil
	case !ok:
		what := kind
		if temporary {
			what = "temporary " + kind
		}
		return false, fmt.Errorf("%s %s %w%s", what, p.Short(), ErrNotFound, suggest.Hint(p.Name, c.names(p.Database, func(o Object) bool { return o.kind() == kind })))
	case o.kind() != kind:
		return false, fmt.Errorf("%s is a %s; use DROP %s", p.Short(), o.kind(), strings.ToUpper(o.kind()))
	}
	if _, hidden := c.objects[p]; temporary && hidden {
		delete(set, p) // who read it reads the permanent one again
		return true, nil
	}
	if users := c.readers(p); len(users) > 0 {
		return false, fmt.Errorf("%s %s is read by %s; drop that first", kind, p.Short(), strings.Join(users, ", "))
	}
	delete(set, p)
	return true, nil
}

// Rename moves the permanent table or view at p to another name in its database.
func (c *Catalog) Rename(p, to Path) error {
	o, ok := c.objects[p]
	if !ok {
		return fmt.Errorf("table or view %s %w", p.Short(), ErrNotFound)
	}
	if _, ok := c.objects[to]; ok {
		return fmt.Errorf("%s exists already", to.Short())
	}
	if users := c.readers(p); len(users) > 0 {
		return fmt.Errorf("%s is read by %s; drop that first", p.Short(), strings.Join(users, ", "))
	}
	delete(c.objects, p)
	switch o := o.(type) {
	case *Table:
		t := *o
		t.Path = to
		c.objects[to] = &t
	case *View:
		v := *o
		v.Path = to
		c.objects[to] = &v
	}
	return nil
}

// readers names the views that read p.
func (c *Catalog) readers(p Path) []string {
	var out []string
	for _, set := range []map[Path]Object{c.objects, c.temporary} {
		for _, o := range set {
			if v, ok := o.(*View); ok && slices.Contains(v.Uses, p) {
				out = append(out, "view "+v.Path.Short())
			}
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

// Database returns the current database.
func (c *Catalog) Database() string { return c.database }

// Use makes a database the current one.
func (c *Catalog) Use(database string) error {
	if _, ok := c.databases[database]; !ok {
		return c.noDatabase(database)
	}
	c.database = database
	return nil
}

// CreateDatabase adds a database.
func (c *Catalog) CreateDatabase(d *Database, ifNotExists bool) error {
	if _, ok := c.databases[d.Name]; ok {
		if ifNotExists {
			return nil
		}
		return fmt.Errorf("database %s exists already", d.Name)
	}
	c.databases[d.Name] = d
	return nil
}

// DropDatabase removes a database; one that is not empty only with cascade.
func (c *Catalog) DropDatabase(name string, ifExists, cascade bool) error {
	if _, ok := c.databases[name]; !ok {
		if ifExists {
			return nil
		}
		return c.noDatabase(name)
	}
	if name == c.database {
		return fmt.Errorf("database %s is the current one; USE another first", name)
	}
	inside := c.names(name, nil)
	if len(inside) > 0 && !cascade {
		return fmt.Errorf("database %s is not empty (%s); write CASCADE to drop them too", name, strings.Join(inside, ", "))
	}
	for _, set := range []map[Path]Object{c.objects, c.temporary} {
		maps.DeleteFunc(set, func(p Path, _ Object) bool { return p.Database == name })
	}
	delete(c.databases, name)
	return nil
}

// Databases lists the databases by name.
func (c *Catalog) Databases() []string { return slices.Sorted(maps.Keys(c.databases)) }

// Tables lists the names of tables and views of the current database, as SHOW TABLES does
// in Flink.
func (c *Catalog) Tables() []string { return c.names(c.database, nil) }

// Views lists the names of the views of the current database.
func (c *Catalog) Views() []string {
	return c.names(c.database, func(o Object) bool { return o.kind() == "view" })
}

func (c *Catalog) names(database string, want func(Object) bool) []string {
	var out []string
	for _, set := range []map[Path]Object{c.objects, c.temporary} {
		for p, o := range set {
			if p.Database == database && (want == nil || want(o)) {
				out = append(out, p.Name)
			}
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

func (c *Catalog) noDatabase(name string) error {
	return fmt.Errorf("database %s %w%s", name, ErrNotFound, suggest.Hint(name, c.Databases()))
}
