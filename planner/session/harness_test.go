package session_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/planner"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// functions are the engine's own.
type functions struct {
	scalars    *eval.Registry
	aggregates agg.Registry
}

func (f functions) Scalar(name string, args []expr.Arg) (expr.Overload, error) {
	o, err := f.scalars.Scalar(name, args)
	if t, ok := missing[name]; ok && errors.Is(err, expr.ErrUnknown) {
		o = expr.Overload{Name: name, Result: t, Volatile: name == "PROCTIME"}
		for _, a := range args {
			o.Args = append(o.Args, a.Type.WithoutAttr())
		}
		return o, nil
	}
	return o, err
}

// missing are functions that the engine's registry does not have yet.
var missing = map[string]types.Type{
	"PROCTIME":    {Kind: types.TimestampLTZ, Precision: 3, NotNull: true, Attr: types.ProcTime},
	"DATE_FORMAT": types.StringT, "SPLIT_INDEX": types.StringT, "REGEXP_EXTRACT": types.StringT,
	"HOUR": types.BigIntT, "TO_TIMESTAMP": types.TimestampT(3), "TO_TIMESTAMP_LTZ": types.TimestampLTZT(3),
}

func (f functions) Aggregate(name string, args []expr.Arg, distinct bool) (expr.Overload, error) {
	return f.aggregates.Aggregate(name, args, distinct)
}
func (f functions) IsAggregate(name string) bool   { return f.aggregates.IsAggregate(name) }
func (f functions) Cast(from, to types.Type) error { return f.scalars.Cast(from, to) }
func (f functions) Names() []string {
	return slices.Sorted(slices.Values(append(slices.Clone(f.scalars.Names()), f.aggregates.Names()...)))
}

// paper is connectors that exist only as far as a planner can see.
type paper struct{}

var paperOptions = map[string][]planner.OptionDef{
	"kafka": {{Key: "topic", Required: true}, {Key: "properties.bootstrap.servers", Required: true}, {Key: "properties.*"}, {Key: "format"}, {Key: "json.ignore-parse-errors"},
		{Key: "scan.startup.mode", Enum: []string{"earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets"}},
		{Key: "sink.delivery-guarantee", Enum: []string{"exactly-once", "at-least-once", "none"}}},
	"upsert-kafka": {{Key: "topic", Required: true}, {Key: "properties.*"}, {Key: "key.format"}, {Key: "value.format"}},
	"filesystem":   {{Key: "path", Required: true}, {Key: "format"}},
	"cdc":          {{Key: "topic", Required: true}},
	"blackhole":    {},
	"print":        {},
}

func (paper) Options(t plan.Table) ([]planner.OptionDef, error) {
	defs, ok := paperOptions[t.Connector]
	if !ok {
		return nil, fmt.Errorf("there is no connector '%s'", t.Connector)
	}
	return defs, nil
}

func (paper) identity(t plan.Table) string {
	return t.Connector + ":" + t.Options["topic"] + t.Options["path"]
}

func (p paper) Source(t plan.Table) (planner.SourceInfo, error) {
	info := planner.SourceInfo{Changes: plan.AppendOnly, Identity: p.identity(t), FieldsByName: t.Options["format"] == "json"}
	switch t.Connector {
	case "print", "blackhole":
		return info, fmt.Errorf("connector '%s' is a sink only", t.Connector)
	case "upsert-kafka":
		info.Changes = plan.UpsertMode
	case "cdc":
		info.Changes = plan.AllChanges
	case "kafka":
		info.Metadata = map[string]types.Type{"timestamp": types.TimestampLTZT(3).NotNullable(), "offset": types.BigIntT.NotNullable()}
	}
	return info, nil
}

func (p paper) Sink(t plan.Table) (planner.SinkInfo, error) {
	info := planner.SinkInfo{Accepts: plan.AllChanges, Identity: p.identity(t)}
	switch t.Connector {
	case "kafka":
		info.Accepts, info.Transactional = plan.AppendOnly, t.Options["sink.delivery-guarantee"] == "exactly-once"
		info.Metadata = map[string]types.Type{"timestamp": types.TimestampLTZT(3).NotNullable()}
	case "upsert-kafka":
		info.Accepts = plan.UpsertMode
	}
	return info, nil
}

func newSession() *session.Session {
	return session.New(session.Config{Functions: functions{scalars: eval.Builtins}, Connectors: paper{}})
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
			return render(results, err)
		})
	})
}
