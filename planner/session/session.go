// Package session owns what one user's session is: a catalog, settings, and the execution of
// statements against them. CREATE, SET, SHOW, DESCRIBE, EXPLAIN and the like are carried out;
// INSERT, SELECT and statement sets become plans, which the caller runs. The command line
// and the shell stand on it.
//
// A text of several statements takes effect as a whole: every statement is bound and
// planned against a copy of the session first, and the copy replaces the session only when
// all of them are sound.
//
// It imports sql (the parser), sql/bind and planner; it never touches the network.
package session

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sqlstream/sqlstream/planner"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/settings"
)

// Config is what a session stands on. Both members are required.
type Config struct {
	Functions  expr.Functions
	Connectors planner.Connectors
}

// Session is the state between statements. Not safe for concurrent use.
type Session struct {
	Config
	Catalog  *catalog.Catalog
	Settings *settings.Settings
}

// New returns a session with an empty catalog and all defaults.
func New(c Config) *Session {
	return &Session{Config: c, Catalog: catalog.New(), Settings: &settings.Settings{}}
}

// Result is what one statement came to. Exactly one of the groups below is set.
type Result struct {
	Statement ast.Statement
	SQL       string // the statement's text, secrets masked
	Line      int    // where it begins in the text

	// Message is what a statement without rows did: "table t created".
	Message string
	// Notice is what the user of a statement should know although it did what it says, as part of
	// Message too: an option's earlier spelling, a value that changes nothing.
	Notice string
	// Header and Rows are the answer of SHOW, DESCRIBE and SET; Header is never empty then.
	Header []string
	Rows   [][]string
	// Text is the answer of EXPLAIN and SHOW CREATE.
	Text string
	// Job is the plan of an INSERT, a statement set or a SELECT, to be run by the caller.
	Job *plan.Job
	// Query says that Job is a SELECT: its sink collects.
	Query bool
	// Control is a statement about running jobs (SHOW JOBS, DESCRIBE JOB, STOP JOB,
	// CREATE SAVEPOINT), for the
	// caller to carry out.
	Control bool
}

// Execute carries out every statement of a text. name is the file's, "" for typed text: it
// stands in errors and gives jobs their names. On an error, an *ast.Error with the place,
// nothing has changed.
func (s *Session) Execute(name, text string) ([]Result, error) {
	stmts, err := sql.Parse(name, text)
	if err != nil {
		return nil, err
	}
	next := &Session{Config: s.Config, Catalog: s.Catalog.Clone(), Settings: s.Settings.Clone()}
	run := &execution{Session: next, source: ast.Source{Name: name, Text: text}}
	results := make([]Result, len(stmts))
	for i, stmt := range stmts {
		r := &results[i]
		start, end := stmt.Range()
		r.Statement, r.SQL = stmt, secret.SQL(text[start:end])
		r.Line, _ = run.source.Position(start)
		if err := run.guarded(stmt, r); err != nil {
			return nil, err
		}
	}
	nameJobs(name, results)
	s.Catalog, s.Settings = next.Catalog, next.Settings
	return results, nil
}

// nameJobs gives jobs without pipeline.name the name of the file; several of one file are
// told apart by their first table.
func nameJobs(file string, results []Result) {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	var jobs []*plan.Job
	for i := range results {
		if results[i].Job != nil {
			jobs = append(jobs, results[i].Job)
		}
	}
	taken := map[string]int{}
	for _, j := range jobs {
		if j.Name == "" && file != "" {
			if j.Name = base; len(jobs) > 1 {
				j.Name += "-" + sinkName(j)
			}
		}
		if j.Name == "" {
			j.Name = sinkName(j)
		}
		if taken[j.Name]++; taken[j.Name] > 1 {
			j.Name = fmt.Sprintf("%s-%d", j.Name, taken[j.Name])
		}
	}
}

// sinkName is the last part of the first table a job writes, "select" for a SELECT.
func sinkName(j *plan.Job) string {
	for _, n := range j.Nodes {
		if s, ok := n.Op.(*plan.Sink); ok && !s.Collect {
			return s.Table.Path[strings.LastIndexByte(s.Table.Path, '.')+1:]
		}
	}
	return "select"
}

// execution carries out the statements of one text against a copy of the session.
type execution struct {
	*Session
	source ast.Source
}

func (x *execution) env() bind.Env {
	return bind.Env{Catalog: x.Catalog, Functions: x.Functions, Source: x.source}
}

// at puts an error without a place at an offset of the text.
func (x *execution) at(pos int, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*ast.Error); ok {
		return e
	}
	return x.source.Errorf(pos, "%s", err)
}

func (x *execution) notYet(pos int, what string) error {
	return x.source.Errorf(pos, "%s is not supported yet", what)
}

// guarded carries out a statement; a bug of ours becomes an error at its place, and the
// session goes on as it was.
func (x *execution) guarded(stmt ast.Statement, r *Result) (err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = x.source.Errorf(stmt.Pos(), "internal error while planning: %v", bug).WithHint("please report this statement")
		}
	}()
	return x.statement(stmt, r)
}

func (x *execution) statement(stmt ast.Statement, r *Result) (err error) {
	switch stmt := stmt.(type) {
	case *ast.QueryStatement, *ast.Insert, *ast.StatementSet:
		r.Job, r.Query, err = x.plan(stmt)
	case *ast.Explain:
		var job *plan.Job
		if job, _, err = x.plan(stmt.Statement); err == nil {
			nameJobs(x.source.Name, []Result{{Job: job}})
			r.Text, err = explain(job, stmt.Details)
		}
	case *ast.Set:
		err = x.set(stmt, r)
	case *ast.Reset:
		err = x.reset(stmt, r)
	case *ast.Show:
		err = x.show(stmt, r)
	case *ast.Describe:
		err = x.describe(stmt, r)
	case *ast.DescribeJob, *ast.StopJob, *ast.CreateSavepoint:
		r.Control = true
	case *ast.Use:
		err = x.use(stmt, r)
	default:
		err = x.ddl(stmt, r)
	}
	return err
}

// plan binds and plans what runs as one job.
func (x *execution) plan(stmt ast.Statement) (*plan.Job, bool, error) {
	var sinks []*rel.Sink
	query := false
	switch stmt := stmt.(type) {
	case *ast.QueryStatement:
		root, err := bind.Query(x.env(), stmt.Query)
		if err != nil {
			return nil, false, err
		}
		query = true
		start, end := stmt.Range()
		sinks = []*rel.Sink{{Query: root, Offset: start, SQL: secret.SQL(x.source.Text[start:end])}}
	case *ast.Insert:
		s, err := bind.Insert(x.env(), stmt)
		if err != nil {
			return nil, false, err
		}
		sinks = []*rel.Sink{s}
	case *ast.StatementSet:
		for _, ins := range stmt.Inserts {
			s, err := bind.Insert(x.env(), ins)
			if err != nil {
				return nil, false, err
			}
			sinks = append(sinks, s)
		}
	default:
		return nil, false, x.source.Errorf(stmt.Pos(), "this statement has no plan")
	}
	job, err := planner.Plan(planner.Request{Sinks: sinks, Source: x.source, Settings: x.Settings, Connectors: x.Connectors})
	return job, query, x.at(stmt.Pos(), err)
}

// explain writes the plan as the details ask: text, or JSON for JSON_EXECUTION_PLAN. The
// changelog mode is always shown; there are no estimates and no advice to give.
func explain(job *plan.Job, details []ast.ExplainDetail) (string, error) {
	for _, d := range details {
		if d == ast.JSONExecutionPlan {
			out, err := plan.ExplainJSON(job)
			return string(out), err
		}
	}
	return plan.Explain(job), nil
}

func (x *execution) set(stmt *ast.Set, r *Result) error {
	if stmt.Option == nil {
		r.Header = []string{"key", "value"}
		for _, p := range x.Settings.All() {
			r.Rows = append(r.Rows, []string{p.Key, secret.Value(p.Key, p.Value)})
		}
		return nil
	}
	notice, err := x.Settings.Set(stmt.Option.Key.Value, stmt.Option.Value.Value)
	if r.Message = "OK"; notice != "" {
		r.Message, r.Notice = "OK: "+notice, notice
	}
	return x.at(stmt.Option.Pos(), err)
}

func (x *execution) reset(stmt *ast.Reset, r *Result) error {
	r.Message = "OK"
	if stmt.Key == nil {
		x.Settings.ResetAll()
		return nil
	}
	return x.at(stmt.Key.Pos(), x.Settings.Reset(stmt.Key.Value))
}
