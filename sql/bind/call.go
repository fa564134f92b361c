package bind

import (
	"errors"
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// groupWindow returns the window function that name belongs to when it is one of the group
// windows of old Flink: TUMBLE(..) in GROUP BY, TUMBLE_START(..) beside it.
func groupWindow(name string) string {
	for _, w := range [...]string{"TUMBLE", "HOP", "SESSION"} {
		for _, suffix := range [...]string{"", "_START", "_END", "_ROWTIME", "_PROCTIME"} {
			if name == w+suffix {
				return w
			}
		}
	}
	return ""
}

func (b *binder) callExpr(e *ast.Call, sc *scope) (expr.Expr, error) {
	name := strings.ToUpper(e.Name.Last().Name)
	switch {
	case e.Over != nil:
		return nil, b.notYet(e.Over.Pos(), "OVER")
	case len(e.Name) > 1:
		return nil, b.errorf(e.Pos(), "there is no function %s", e.Name)
	case e.Match != ast.DefaultSemantics:
		return nil, b.errorf(e.Pos(), "RUNNING and FINAL stand only in MATCH_RECOGNIZE")
	case e.WithinGroup != nil:
		return nil, b.notYet(e.Pos(), "WITHIN GROUP")
	case e.Nulls != ast.DefaultNulls:
		return nil, b.notYet(e.Pos(), "IGNORE NULLS and RESPECT NULLS")
	case e.JSON != nil:
		return nil, b.notYet(e.Pos(), name+" with RETURNING, WRAPPER, ON EMPTY, ON ERROR or ON NULL")
	case groupWindow(name) != "":
		return nil, b.notYet(e.Pos(), "the group window "+name+"(..)").
			WithHint("use TABLE(%s(TABLE t, DESCRIPTOR(time), ..)) in FROM and GROUP BY window_start, window_end", groupWindow(name))
	case b.Functions.IsAggregate(name):
		return b.aggregateCall(name, e, sc)
	case e.Distinct, e.Star, e.Filter != nil:
		return nil, b.errorf(e.Pos(), "%s is no aggregate function: DISTINCT, * and FILTER do not go with it", name)
	}
	args := make([]expr.Expr, len(e.Args))
	for i, a := range e.Args {
		var err error
		if args[i], err = b.argument(a, sc); err != nil {
			return nil, err
		}
	}
	if name == "CURRENT_WATERMARK" && len(args) == 1 && args[0].Type().Attr != types.RowTime {
		return nil, b.errorf(e.Args[0].Pos(), "CURRENT_WATERMARK needs a column with a WATERMARK, this is %s", args[0].Type().Nullable())
	}
	return b.resolve(name, args, e.Pos())
}

// argument binds what may stand in brackets after a function: units and symbols are
// handed on as strings.
func (b *binder) argument(a ast.Expr, sc *scope) (expr.Expr, error) {
	switch a := a.(type) {
	case *ast.UnitArg:
		return b.text(a.Unit.String(), a.Pos()), nil
	case *ast.Symbol:
		return b.text(a.Name, a.Pos()), nil
	case *ast.TableArg, *ast.Descriptor:
		return nil, b.errorf(a.Pos(), "TABLE and DESCRIPTOR arguments go with table functions in FROM only")
	}
	return b.expr(a, sc)
}

// aggBase separates the columns that stand for aggregate calls, while a select list is
// bound, from those of the input.
const aggBase = 1 << 20

// aggregates collects the aggregate calls of one SELECT.
type aggregates struct {
	calls []expr.Aggregate
	texts []string // canonical, to find equal calls
	names []string // what the query calls them, "" when it does not
	// global: there is no GROUP BY, so that there may be no row at all.
	global bool
}

// aggregateCall binds a call and returns the column that stands for it.
func (b *binder) aggregateCall(name string, e *ast.Call, sc *scope) (expr.Expr, error) {
	if sc.aggs == nil {
		return nil, b.errorf(e.Pos(), "%s is an aggregate function, it cannot stand in %s", name, sc.clause)
	}
	inner := *sc
	inner.aggs, inner.clause, inner.aliases = nil, "the argument of an aggregate function", nil
	args := make([]expr.Expr, len(e.Args))
	given := make([]expr.Arg, len(e.Args))
	for i, a := range e.Args {
		var err error
		if args[i], err = b.argument(a, &inner); err != nil {
			return nil, err
		}
		given[i].Type = args[i].Type()
		given[i].Literal, _ = args[i].(*expr.Literal)
	}
	if e.Star && name != "COUNT" {
		return nil, b.errorf(e.Pos(), "%s(*) is not possible, only COUNT(*)", name)
	}
	if len(args) == 0 && !e.Star {
		return nil, b.errorf(e.Pos(), "%s needs an argument", name)
	}
	o, err := b.Functions.Aggregate(name, given, e.Distinct)
	if errors.Is(err, expr.ErrUnknown) {
		return nil, b.unknownFunction(name, e.Pos())
	}
	if err != nil {
		return nil, b.errorf(e.Pos(), "%s", err)
	}
	call := expr.Aggregate{Name: o.Name, Args: coerceAll(args, o.Args), Distinct: e.Distinct, Typ: o.Result, Offset: b.at(e.Pos())}
	if call.Name != "COUNT" && (sc.aggs.global || e.Filter != nil) {
		call.Typ = call.Typ.Nullable() // there may be no value
	}
	if call.Name == "COUNT" && !call.Distinct && len(call.Args) == 1 && call.Args[0].Type().NotNull {
		call.Args = nil // nothing to skip: COUNT(*), which needs no column
	}
	if e.Filter != nil {
		inner.clause = "FILTER"
		f, err := b.expr(e.Filter, &inner)
		if err != nil {
			return nil, err
		}
		if call.Filter, err = b.condition(f, "FILTER", e.Filter.Pos()); err != nil {
			return nil, err
		}
	}
	return sc.aggs.add(call), nil
}

// add returns the column of a call; equal calls share one.
func (g *aggregates) add(call expr.Aggregate) *expr.Column {
	text := call.Canonical(indexText)
	for i, t := range g.texts {
		if t == text {
			return g.column(i)
		}
	}
	g.calls, g.texts, g.names = append(g.calls, call), append(g.texts, text), append(g.names, "")
	return g.column(len(g.calls) - 1)
}

func (g *aggregates) column(i int) *expr.Column {
	return &expr.Column{Index: aggBase + i, Name: g.calls[i].Name, Typ: g.calls[i].Typ, Offset: g.calls[i].Offset}
}
