package catalog

import (
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/types"
)

// View is a named query. It is bound again wherever it is used, against the tables that
// exist then; names in it are completed with the database that was current at CREATE.
type View struct {
	Path      Path
	Temporary bool
	Columns   []string // column list of CREATE VIEW v (a, b), nil: the query's names
	Comment   string
	Query     *ast.Query
	Source    ast.Source   // the text Query stands in
	Text      string       // the query as the user wrote it
	Database  string       // current at CREATE
	Out       types.Schema // what it returned at CREATE
	Uses      []Path       // tables and views it reads
}
