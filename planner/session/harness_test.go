package session_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/planner"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/ast"
)

// withCDC shows the program's connectors to the planner, and one that exists on paper only:
// 'cdc', a source of all changes.
type withCDC struct{ registry connectors.Registry }

var real = withCDC{all.Connectors(io.Discard, io.Discard)}

func tableOf(t plan.Table) connectors.Table {
	out := connectors.Table{Name: t.Path, Physical: t.Physical, PrimaryKey: t.Key, Options: t.Options}
	for _, m := range t.Metadata {
		out.Metadata = append(out.Metadata, connectors.MetaColumn{Name: m.Name, Key: m.Key, Type: m.Type, Virtual: m.Virtual})
	}
	return out
}

var modes = [...]plan.Mode{connectors.AppendOnly: plan.AppendOnly, connectors.Upsert: plan.UpsertMode, connectors.All: plan.AllChanges}

func (e withCDC) Options(t plan.Table) ([]planner.OptionDef, error) {
	if t.Connector == "cdc" {
		return []planner.OptionDef{{Key: "topic", Required: true}}, nil
	}
	c, err := e.registry.Lookup(t.Connector)
	if err != nil {
		return nil, err
	}
	var defs []planner.OptionDef
	for _, d := range c.Options(tableOf(t)) {
		defs = append(defs, planner.OptionDef{Key: d.Key, Type: d.Type, Enum: d.Enum, Required: d.Required})
	}
	return defs, nil
}

func (e withCDC) Source(t plan.Table) (planner.SourceInfo, error) {
	if t.Connector == "cdc" {
		return planner.SourceInfo{Changes: plan.AllChanges, Identity: "cdc:" + t.Options["topic"]}, nil
	}
	c, err := e.registry.Lookup(t.Connector)
	if err != nil {
		return planner.SourceInfo{}, err
	}
	info, err := c.SourceInfo(tableOf(t))
	return planner.SourceInfo{Changes: modes[info.Changes], Bounded: info.Bounded, Identity: info.Identity,
		FieldsByName: info.FieldsByName, Metadata: info.Metadata}, err
}

func (e withCDC) Sink(t plan.Table) (planner.SinkInfo, error) {
	c, err := e.registry.Lookup(t.Connector)
	if err != nil {
		return planner.SinkInfo{}, err
	}
	info, err := c.SinkInfo(tableOf(t))
	return planner.SinkInfo{Accepts: modes[info.Accepts], Identity: info.Identity, Transactional: info.Transactional, Metadata: info.Metadata}, err
}

func newSession() *session.Session {
	return session.New(session.Config{Functions: engine.Functions{}, Connectors: real})
}

// render prints results as the golden files hold them.
func render(results []session.Result, err error) string {
	var b strings.Builder
	if err != nil {
		if e, ok := errors.AsType[*ast.Error](err); ok {
			return e.Render() + "\n"
		}
		return "NO PLACE: " + err.Error() + "\n"
	}
	for _, r := range results {
		switch {
		case r.Job != nil:
			b.WriteString(plan.Explain(r.Job))
		case r.Text != "":
			b.WriteString(r.Text)
		case r.Header != nil:
			b.WriteString(strings.Join(r.Header, " | ") + "\n")
			for _, row := range r.Rows {
				b.WriteString(strings.TrimRight(strings.Join(row, " | "), " ") + "\n")
			}
		case r.Control:
			b.WriteString("for the job control\n")
		default:
			b.WriteString(r.Message + "\n")
		}
	}
	return b.String()
}

// TestGolden runs testdata. Directives: sql (executes the text; a job prints its plan), setup
// (the same, prints errors only), new (a fresh session).
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newSession()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "new" {
				s = newSession()
				return ""
			}
			results, err := s.Execute("", d.Input)
			if d.Cmd == "setup" && err == nil {
				return ""
			}
			for _, r := range results {
				if r.Job != nil {
					if err := checkState(r.Job); err != nil {
						t.Errorf("%s\n%v", d.Input, err)
					}
				}
			}
			return render(results, err)
		})
	})
}
