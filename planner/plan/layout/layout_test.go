package layout

import (
	"errors"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

func column(i int, t types.Type) *expr.Column { return &expr.Column{Index: i, Name: "c", Typ: t} }

func call(name string, t types.Type) expr.Aggregate {
	return expr.Aggregate{Name: name, Args: []expr.Expr{column(0, t)}, Typ: t}
}

// TestWhatCannotBeLaidOut: the layouts themselves are pinned in exec/agg.
func TestWhatCannotBeLaidOut(t *testing.T) {
	count := expr.Aggregate{Name: "COUNT", Typ: types.BigIntT}
	distinct := func(i int) expr.Aggregate {
		return expr.Aggregate{Name: "COUNT", Distinct: true, Args: []expr.Expr{column(i, types.IntT)}, Typ: types.BigIntT}
	}
	filtered := func(i int) expr.Aggregate {
		a := distinct(0)
		a.Filter = column(i, types.BooleanT)
		return a
	}
	many := func(n int, make func(int) expr.Aggregate) []expr.Aggregate {
		out := []expr.Aggregate{count}
		for i := range n {
			out = append(out, make(i))
		}
		return out
	}
	one := func(a expr.Aggregate) []expr.Aggregate { return []expr.Aggregate{count, a} }
	for name, tc := range map[string]struct {
		aggs    []expr.Aggregate
		retract bool
		want    string // "" it can
		agg     int
	}{
		"last value":                   {one(call("LAST_VALUE", types.StringT)), false, "", 0},
		"last value with retraction":   {one(call("LAST_VALUE", types.StringT)), true, "LAST_VALUE: it is not supported yet over input that is updated or deleted", 1},
		"sum of strings":               {one(call("SUM", types.StringT)), false, "SUM: no sum of type STRING", 1},
		"an unknown function":          {one(call("MEDIAN", types.IntT)), false, "MEDIAN: no layout of its state is known", 1},
		"an expression":                {one(expr.Aggregate{Name: "MAX", Args: []expr.Expr{&expr.Literal{Typ: types.IntT}}}), false, "MAX: an argument of an aggregate must be a column of its input, found *expr.Literal", 1},
		"a row":                        {one(call("MAX", types.RowT(types.Field{Name: "a", Type: types.IntT}))), false, "MAX: no values of type ROW", 1},
		"64 filters of one column":     {many(64, filtered), false, "", 0},
		"65 filters of one column":     {many(65, filtered), false, "COUNT: more than 64 different FILTERs", 65},
		"values of 254 columns":        {many(254, distinct), false, "", 0},
		"values of 255 columns":        {many(255, distinct), false, "COUNT: more than 254 columns", 255},
		"records of more than 1 MiB":   {many(1<<17, func(int) expr.Aggregate { return count }), false, "the limit is 1048576; split the query", 0},
		"as many counters as possible": {many(1<<17-1, func(int) expr.Aggregate { return count }), false, "", 0},
	} {
		_, err := Of(tc.aggs, Options{Retract: tc.retract})
		e, ok := errors.AsType[*Error](err)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (!ok || !strings.Contains(err.Error(), tc.want) || e.Agg != tc.agg):
			t.Errorf("%s: %v, want %s of aggregate %d", name, err, tc.want, tc.agg)
		}
	}
}
