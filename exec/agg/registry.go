// Package agg owns the aggregate functions: the registry that the binder resolves them
// with, and the kernels that keep their state in records of keyed tables. Operators that
// group rows (exec/groupop, exec/windowop) and exec/build import it; it imports exec/rowkey,
// exec/vec, planner/plan/layout, sql/expr, sql/types and state.
//
// # Records
//
// A group is one record: a fixed part with one slot per aggregate, then the bytes of
// variable-length values (see package layout). A Program applies a batch of updates aggregate by
// aggregate: each loop touches one slot of each record, in the order of rows, and can note
// the slot before and after every update, from which the changelog's rows are made. Slots do
// not depend on each other, so that is the same as row by row.
//
// DISTINCT, and MIN and MAX where rows can be taken away, need more than a slot: the values
// themselves, in tables of their own.
package agg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Function is one aggregate function.
type Function struct {
	Name    string
	Doc     string // one line
	Nulls   string // what happens to NULL
	Example string
	// MinArgs and MaxArgs are the numbers of arguments it takes.
	MinArgs, MaxArgs int

	// accepts reports whether an argument of type t is allowed.
	accepts func(t types.Type) bool
	// takes is accepts in words, for errors.
	takes string
	// result is the type of the result, without regard to nullability.
	result func(t types.Type) types.Type
	// neverNull: the result is NOT NULL whatever the argument.
	neverNull bool
	kernel    func(shape) (kernel, error)
}

// shape is what a kernel is made for.
type shape struct {
	agg     *expr.Aggregate
	retract bool
}

// arg is the argument's type.
func (s shape) arg() types.Type { return s.agg.Args[0].Type() }

var functions = []Function{
	{
		Name: "AVG", Doc: "The mean of the values, in the argument's own type for integers, FLOAT and DOUBLE (integer sums wrap, the division truncates); for DECIMAL(p, s) it is DECIMAL(38, max(6, s)), rounded half up.",
		Nulls: "NULL is left out; the result is NULL when nothing is left or a decimal sum has more than 38 digits", Example: "AVG(price)",
		MinArgs: 1, MaxArgs: 1, accepts: types.Type.IsNumeric, takes: "a number", result: avgType, kernel: newAvg,
	},
	{
		Name: "COUNT", Doc: "COUNT(*): the number of rows. COUNT(x): the number of rows where x is not NULL.",
		Nulls: "COUNT(x) leaves NULL out; the result is never NULL", Example: "COUNT(DISTINCT bidder)",
		MinArgs: 0, MaxArgs: 1, accepts: func(types.Type) bool { return true }, takes: "any value",
		result: func(types.Type) types.Type { return types.BigIntT }, neverNull: true,
		kernel: func(shape) (kernel, error) { return countKernel{}, nil },
	},
	{
		Name: "FIRST_VALUE", Doc: "The first value, in order of arrival.",
		Nulls: "NULL is left out; NULL when nothing is left", Example: "FIRST_VALUE(price)",
		MinArgs: 1, MaxArgs: 1, accepts: isScalar, takes: "a value that is not nested", result: same, kernel: keeper(pickFirst),
	},
	{
		Name: "LAST_VALUE", Doc: "The last value, in order of arrival.",
		Nulls: "NULL is left out; NULL when nothing is left", Example: "LAST_VALUE(price)",
		MinArgs: 1, MaxArgs: 1, accepts: isScalar, takes: "a value that is not nested", result: same, kernel: keeper(pickLast),
	},
	{
		Name: "MAX", Doc: "The greatest value. Strings compare as UTF-8 bytes.",
		Nulls: "NULL is left out; NULL when nothing is left", Example: "MAX(price)",
		MinArgs: 1, MaxArgs: 1, accepts: isOrdered, takes: "a number, a string, a BOOLEAN or a time", result: same, kernel: keeper(pickMax),
	},
	{
		Name: "MIN", Doc: "The smallest value. Strings compare as UTF-8 bytes.",
		Nulls: "NULL is left out; NULL when nothing is left", Example: "MIN(price)",
		MinArgs: 1, MaxArgs: 1, accepts: isOrdered, takes: "a number, a string, a BOOLEAN or a time", result: same, kernel: keeper(pickMin),
	},
	{
		Name: "SUM", Doc: "The sum of the values, in the argument's own type for integers (they wrap), FLOAT and DOUBLE; for DECIMAL(p, s) it is DECIMAL(38, s).",
		Nulls: "NULL is left out; the result is NULL when nothing is left or a decimal sum has more than 38 digits", Example: "SUM(price)",
		MinArgs: 1, MaxArgs: 1, accepts: types.Type.IsNumeric, takes: "a number", result: sumType, kernel: newSum,
	},
}

// later are the aggregate functions of Flink that are known and refused.
var later = []string{
	"APPROX_COUNT_DISTINCT", "ARRAY_AGG", "COLLECT", "CUME_DIST", "DENSE_RANK", "JSON_ARRAYAGG", "JSON_OBJECTAGG", "LAG", "LEAD", "LISTAGG", "NTH_VALUE", "NTILE",
	"PERCENTILE", "PERCENT_RANK", "RANK", "ROW_NUMBER", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "VARIANCE", "VAR_POP", "VAR_SAMP",
}

// Functions lists the aggregate functions by name.
func Functions() []Function { return slices.Clone(functions) }

func lookup(name string) (*Function, error) {
	i, ok := slices.BinarySearchFunc(functions, name, func(f Function, n string) int { return strings.Compare(f.Name, n) })
	if ok {
		return &functions[i], nil
	}
	if slices.Contains(later, name) {
		return nil, fmt.Errorf("the aggregate function %s is not supported yet", name)
	}
	return nil, fmt.Errorf("%s: %w", name, expr.ErrUnknown)
}

// Registry resolves aggregate calls: the aggregate half of expr.Functions.
type Registry struct{}

// IsAggregate reports whether name is an aggregate function, of those that run or of those
// that Aggregate refuses by name.
func (Registry) IsAggregate(name string) bool {
	_, err := lookup(name)
	return err == nil || slices.Contains(later, name)
}

// Names lists the functions that run.
func (Registry) Names() []string {
	names := make([]string, len(functions))
	for i := range functions {
		names[i] = functions[i].Name
	}
	return names
}

// Aggregate resolves a call. The result's nullability is that of a GROUP BY with keys: NULL
// only when the argument can be. The caller makes it nullable where a group may be without
// values all the same: with FILTER, and without keys (COUNT stays NOT NULL).
func (Registry) Aggregate(name string, args []expr.Arg, distinct bool) (expr.Overload, error) {
	f, err := lookup(name)
	if err != nil {
		return expr.Overload{}, err
	}
	if len(args) < f.MinArgs || len(args) > f.MaxArgs {
		return expr.Overload{}, fmt.Errorf("%s takes %s, found %d", name, argCount(f), len(args))
	}
	o := expr.Overload{Name: name}
	var t types.Type
	for _, a := range args {
		t = a.Type.WithoutAttr()
		if !f.accepts(t) {
			return o, fmt.Errorf("%s takes %s, found %s", name, f.takes, t)
		}
		if distinct && (t.IsBinary() || t.Kind == types.Row) {
			return o, fmt.Errorf("%s(DISTINCT ..) does not take %s", name, t)
		}
		o.Args = append(o.Args, t)
	}
	o.Result = f.result(t).WithNull(!f.neverNull && !t.NotNull)
	return o, nil
}

func argCount(f *Function) string {
	switch {
	case f.MinArgs == 0:
		return "at most one argument"
	case f.MaxArgs == 1:
		return "one argument"
	}
	return fmt.Sprintf("%d to %d arguments", f.MinArgs, f.MaxArgs)
}
