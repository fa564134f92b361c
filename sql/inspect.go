package sql

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// inspect parses SHOW, DESCRIBE, USE and STOP JOB; nil if none of them is here.
func (p *parser) inspect() ast.Statement {
	start := p.tok().start
	span := func() ast.Span { return ast.Span{Start: start, End: p.end()} }
	switch {
	case p.accept("SHOW"):
		s := &ast.Show{}
		p.showWhat(s)
		s.Span = span()
		return s
	case p.accept("DESCRIBE", "JOB"), p.accept("DESC", "JOB"):
		d := &ast.DescribeJob{Job: p.string("a job's id, a string")}
		d.Span = span()
		return d
	case p.accept("DESCRIBE"), p.accept("DESC"):
		d := &ast.Describe{}
		switch {
		case p.accept("CATALOG"):
			d.Kind = ast.ObjectCatalog
		case p.accept("DATABASE"):
			d.Kind = ast.ObjectDatabase
		case p.accept("FUNCTION"):
			d.Kind = ast.ObjectFunction
		default:
			p.accept("TABLE")
		}
		d.Extended = p.accept("EXTENDED")
		d.Name = p.table("the name of a table or view")
		d.Span = span()
		return d
	case p.accept("USE"):
		u := &ast.Use{Kind: ast.ObjectDatabase}
		switch {
		case p.accept("MODULES"):
			u.Kind = ast.ObjectModule
			p.items(maxList, func() { u.Modules = append(u.Modules, p.name("a module")) })
		case p.peek("CATALOG") && p.ahead(1).kind != eof && !p.peekAt(1, ";") && !p.peekAt(1, "."):
			p.i++
			u.Kind = ast.ObjectCatalog
			u.Name = ast.Path{p.name("a catalog")}
		default:
			u.Name = p.table("a database")
		}
		u.Span = span()
		return u
	case p.accept("STOP", "JOB"):
		s := &ast.StopJob{Job: p.string("a job's id, a string")}
		for p.accept("WITH") {
			switch {
			case p.accept("SAVEPOINT"):
				s.Savepoint = true
			case p.peek("DRAIN") && !s.Savepoint:
				p.fail(p.i, "WITH DRAIN stands behind WITH SAVEPOINT")
			case p.accept("DRAIN"):
				s.Drain = true
			default:
				p.unexpected("SAVEPOINT or DRAIN")
			}
		}
		s.Span = span()
		return s
	}
	return nil
}

// showWords are what SHOW shows, the longest first.
var showWords = []struct {
	what  ast.ShowKind
	words []string
}{
	{ast.ShowUserFunctions, []string{"USER", "FUNCTIONS"}}, {ast.ShowFullModules, []string{"FULL", "MODULES"}},
	{ast.ShowCurrentCatalog, []string{"CURRENT", "CATALOG"}}, {ast.ShowCurrentDatabase, []string{"CURRENT", "DATABASE"}},
	{ast.ShowCreateTable, []string{"CREATE", "TABLE"}}, {ast.ShowCreateView, []string{"CREATE", "VIEW"}}, {ast.ShowCreateCatalog, []string{"CREATE", "CATALOG"}},
	{ast.ShowTables, []string{"TABLES"}}, {ast.ShowViews, []string{"VIEWS"}}, {ast.ShowFunctions, []string{"FUNCTIONS"}},
	{ast.ShowCatalogs, []string{"CATALOGS"}}, {ast.ShowDatabases, []string{"DATABASES"}}, {ast.ShowJobs, []string{"JOBS"}},
	{ast.ShowModules, []string{"MODULES"}}, {ast.ShowColumns, []string{"COLUMNS"}}, {ast.ShowPartitions, []string{"PARTITIONS"}},
}

// showWhat parses what follows SHOW.
func (p *parser) showWhat(s *ast.Show) {
	found := false
	for _, w := range showWords {
		if found = p.accept(w.words...); found {
			s.What = w.what
			break
		}
	}
	if !found {
		what := "TABLES, VIEWS, COLUMNS, FUNCTIONS, CATALOGS, DATABASES, MODULES, JOBS, PARTITIONS, CREATE TABLE, CREATE VIEW, CURRENT CATALOG or CURRENT DATABASE"
		names := strings.FieldsFunc(what, func(r rune) bool { return r == ',' || r == ' ' })
		p.failHint(p.i, didYouMean(p.tok().value, suggest.Nearest(p.tok().upper, names)), "expected %s after SHOW, found %s", what, p.show(p.i))
	}
	switch s.What {
	case ast.ShowCreateTable, ast.ShowCreateView, ast.ShowPartitions:
		s.Name = p.table("the name of a table or view")
	case ast.ShowCreateCatalog:
		s.Name = ast.Path{p.name("a catalog")}
	case ast.ShowColumns:
		if !p.accept("FROM") && !p.accept("IN") {
			p.unexpected("FROM and a table")
		}
		s.Name = p.table("the name of a table or view")
	case ast.ShowTables, ast.ShowViews, ast.ShowFunctions, ast.ShowDatabases:
		if p.accept("FROM") || p.accept("IN") {
			s.In = p.table("a database or catalog")
		}
	}
	p.showLike(s)
}

// showLike parses [NOT] LIKE|ILIKE 'pattern', where Flink takes it.
func (p *parser) showLike(s *ast.Show) {
	like, ilike := false, false
	switch s.What {
	case ast.ShowCatalogs, ast.ShowDatabases, ast.ShowFunctions, ast.ShowUserFunctions:
		like, ilike = true, true
	case ast.ShowTables, ast.ShowViews, ast.ShowColumns:
		like = true
	}
	if s.Not = like && p.peek("NOT", "LIKE") || ilike && p.peek("NOT", "ILIKE"); s.Not {
		p.i++
	}
	if like && p.peek("LIKE") || ilike && p.peek("ILIKE") {
		s.ILike = p.peek("ILIKE")
		p.i++
		pattern := p.string("a pattern, a string")
		s.Like = &pattern
	}
}
