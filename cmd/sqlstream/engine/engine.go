// Package engine is the composition root: the one place that knows which functions and
// connectors there are, and puts parser, planner and runtime together. Commands and tests
// import it; nothing else does.
package engine

import (
	"slices"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Lookup finds a connector by name; its error names those that there are.
type Lookup func(name string) (connectors.Connector, error)

// NewSession returns a session with every function and the given connectors.
func NewSession(lookup Lookup) *session.Session {
	return session.New(session.Config{Functions: Functions{}, Connectors: planConnectors{lookup}})
}

// Functions are the scalar and the aggregate functions as one registry.
type Functions struct{}

// Scalar implements expr.Functions.
func (Functions) Scalar(name string, args []expr.Arg) (expr.Overload, error) {
	return eval.Builtins.Scalar(name, args)
}

// Aggregate implements expr.Functions.
func (Functions) Aggregate(name string, args []expr.Arg, distinct bool) (expr.Overload, error) {
	return agg.Registry{}.Aggregate(name, args, distinct)
}

// IsAggregate implements expr.Functions.
func (Functions) IsAggregate(name string) bool { return agg.Registry{}.IsAggregate(name) }

// Cast implements expr.Functions.
func (Functions) Cast(from, to types.Type) error { return eval.Builtins.Cast(from, to) }

// Names implements expr.Functions.
func (Functions) Names() []string {
	names := append(slices.Clone(eval.Builtins.Names()), agg.Registry{}.Names()...)
	slices.Sort(names)
	return names
}
