package catalog

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/sql/types"
)

// The names of Flink's built-in catalog and database.
const (
	DefaultCatalog  = "default_catalog"
	DefaultDatabase = "default_database"
)

// Path is the full name of a table or view.
type Path struct{ Catalog, Database, Name string }

// String prints catalog.database.name, without quotes.
func (p Path) String() string { return p.Catalog + "." + p.Database + "." + p.Name }

// Short prints the path without the default catalog and database.
func (p Path) Short() string {
	return strings.TrimPrefix(p.String(), DefaultCatalog+"."+DefaultDatabase+".")
}

// SQL prints the path with every part in backquotes.
func (p Path) SQL() string {
	return types.QuoteIdent(p.Catalog) + "." + types.QuoteIdent(p.Database) + "." + types.QuoteIdent(p.Name)
}

// Resolve completes a name of one to three parts with the current catalog and database.
func (c *Catalog) Resolve(parts []string) (Path, error) {
	switch len(parts) {
	case 1:
		return Path{DefaultCatalog, c.database, parts[0]}, nil
	case 2:
		return Path{DefaultCatalog, parts[0], parts[1]}, nil
	case 3:
		if parts[0] != DefaultCatalog {
			return Path{}, fmt.Errorf("there is no catalog %s; the only one is %s", parts[0], DefaultCatalog)
		}
		return Path{parts[0], parts[1], parts[2]}, nil
	}
	return Path{}, fmt.Errorf("%q has %d parts, expected at most catalog.database.name", strings.Join(parts, "."), len(parts))
}
