// Package planner owns the way from a bound relational tree (sql/rel) to a physical plan
// (planner/plan): logical rules, the choice of operators, changelog modes, upsert keys,
// exchanges and parallelism, and the identities that state is found by again.
//
// It knows connectors only through the interface Connectors, which the composition root
// fills in, and never imports exec or connectors. planner/session and tests import it.
//
// # Identities
//
// They are decided here, once, and pinned as text in the golden files; a change is a change
// of every user's state. All hashes are SHA-256 in lower-case base32 without padding.
//
// The origin of a column is its canonical expression (expr.Canonical) down to columns of
// source tables: a stored column is "table identity"."column", a metadata column
// "table identity"@"key"; projections, aliases, computed columns and views in between
// disappear in it. The column of an aggregate is its canonical call over origins, with the
// UID text of the aggregate; a union's column is its inputs' common origin, or the sorted
// list of them; a window's bound names the window function and the origin of its time. An
// origin of more than 4,096 bytes is replaced by hash(40 characters of its hash).
//
// The table identity is catalog.database.table | identity given by the connector.
//
// The UID is the first 20 characters of the hash of
//
//	v1 | kind | keys: origins in key order | window: kind, size, slide, offset, origin of the time | in: sorted texts
//
// where in are the table identities of the sources below and, in the place of what is below
// it, the UID text of an aggregate. It leaves out filters, projected columns, aggregates,
// aliases, parallelism, chaining and the order of unions. The hint UID('name') replaces all
// after v1. Calc and Union have in: the UID text of their input, Sink its table identity.
//
// Where nodes of one job have equal texts they are ordered by the identity of the sink they
// feed, then by the fingerprint, then by their place in the query; the first keeps the UID, the others get
// "-" and 6 characters of the hash of UID | sink identity, and ".2", ".3" where even that is
// equal. So a statement added or moved changes nothing for the others, except where it comes
// before all of its equals.
//
// A slot's ID is the first 12 characters of the hash of the canonical aggregate over
// origins, with the type of its result; counters are named by what they count, a key column
// by its origin. Where a slot lies, package plan/layout decides. The fingerprint is the first 12 characters of the
// hash of the conditions below: the sorted conjuncts over origins of all filters, nested at
// aggregates and unions, and of everything that decides about time for a window: the
// watermark's expression and, for TIMESTAMP_LTZ, the session's time zone.
package planner

import (
	"strconv"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/rules"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Connectors is what the planner may ask about the systems outside. Nothing of it touches
// the network.
type Connectors interface {
	// Options lists the options of the table's connector, formats included. An error says
	// that there is no such connector, and which there are.
	Options(t plan.Table) ([]OptionDef, error)
	// Source and Sink check the table for reading and for writing.
	Source(t plan.Table) (SourceInfo, error)
	Sink(t plan.Table) (SinkInfo, error)
}

// OptionDef mirrors connectors.OptionDef.
type OptionDef struct {
	Key      string // "properties.*" for a family
	Type     string
	Enum     []string
	Required bool
}

// SourceInfo mirrors connectors.SourceInfo.
type SourceInfo struct {
	Changes  plan.Mode
	Bounded  bool
	Identity string
	// FieldsByName: the reader finds the fields of ROW columns by name (JSON), so that the
	// planner may take out of Table.Physical those nobody reads.
	FieldsByName bool
	// Reads reports whether it would also read what a sink writes; nil: never, or not for ever.
	Reads    func(place string) bool
	Metadata map[string]types.Type // readable metadata keys and their types
}

// SinkInfo mirrors connectors.SinkInfo.
type SinkInfo struct {
	Accepts       plan.Mode // AppendOnly, UpsertMode or AllChanges
	Identity      string
	Transactional bool
	Writes        string                // the place, for SourceInfo.Reads
	Metadata      map[string]types.Type // writable metadata keys and their types
}

// Request is what becomes one job.
type Request struct {
	Sinks      []*rel.Sink // one INSERT, the INSERTs of a set, or one SELECT
	Source     ast.Source  // the text their positions point into
	Settings   *settings.Settings
	Connectors Connectors
	Name       string // when pipeline.name is not set
}

// Plan makes the physical plan of a job.
func Plan(r Request) (*plan.Job, error) {
	if err := r.Settings.CheckTogether(); err != nil {
		return nil, err
	}
	b := &builder{Request: r, job: newJob(r), ids: map[rel.Node]*identity{}, scans: map[*rel.Scan]int{}, tables: map[*rel.Scan]plan.Table{}}
	roots := make([]rel.Node, len(r.Sinks))
	for i, s := range r.Sinks {
		roots[i] = rules.Simplify(s.Query)
	}
	roots = rules.ShareScans(roots)
	for i, root := range roots {
		b.job.Logical += rel.Print(r.Sinks[i], root)
	}
	for i, root := range roots {
		if err := b.sink(r.Sinks[i], root); err != nil {
			return nil, err
		}
	}
	if err := b.checkLoops(); err != nil {
		return nil, err
	}
	b.distribute()
	if err := b.changelog(); err != nil {
		return nil, err
	}
	if err := b.identify(); err != nil {
		return nil, err
	}
	b.nestedFields()
	b.describe()
	return b.job, nil
}

func newJob(r Request) *plan.Job {
	j := &plan.Job{
		Name:        r.Settings.Get(settings.PipelineName),
		Parallelism: r.Settings.Parallelism(),
		MaxParallel: r.Settings.Int(settings.MaxParallelism),
		Options:     r.Settings.Runtime(),
	}
	j.Options[settings.DefaultParallelism] = strconv.Itoa(j.Parallelism)
	if j.Name == "" {
		j.Name = r.Name
	}
	for i, s := range r.Sinks {
		if i > 0 {
			j.SQL += ";\n"
		}
		j.SQL += s.SQL
	}
	return j
}

// errorf makes an error at a byte offset of the statement; -1 is its beginning.
func (r *Request) errorf(pos int, format string, args ...any) *ast.Error {
	return r.Source.Errorf(max(pos, 0), format, args...)
}
