package agg_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestRegistry(t *testing.T) {
	r := agg.Registry{}
	if !slices.IsSorted(r.Names()) {
		t.Errorf("names are not sorted: %v", r.Names())
	}
	for _, f := range agg.Functions() {
		if !r.IsAggregate(f.Name) || f.Doc == "" || f.Nulls == "" || !strings.Contains(f.Example, f.Name+"(") {
			t.Errorf("%s: its entry is not complete", f.Name)
		}
	}
	if r.IsAggregate("UPPER") {
		t.Error("UPPER is no aggregate function")
	}
	if _, err := r.Aggregate("UPPER", nil, false); !errors.Is(err, expr.ErrUnknown) {
		t.Errorf("UPPER: %v", err)
	}
	if _, err := r.Aggregate("LISTAGG", nil, false); !r.IsAggregate("LISTAGG") || err == nil || errors.Is(err, expr.ErrUnknown) {
		t.Errorf("LISTAGG is known and refused; got %v", err)
	}
}

func TestResolve(t *testing.T) {
	args := func(ts ...types.Type) []expr.Arg {
		var out []expr.Arg
		for _, x := range ts {
			out = append(out, expr.Arg{Type: x})
		}
		return out
	}
	for _, c := range []struct {
		name     string
		args     []expr.Arg
		distinct bool
		want     string // type, or error
	}{
		{"COUNT", nil, false, "BIGINT NOT NULL"},
		{"COUNT", args(types.StringT), true, "BIGINT NOT NULL"},
		{"COUNT", args(types.IntT, types.StringT), false, "COUNT takes at most one argument, found 2"},
		{"COUNT", args(types.BytesT), true, "COUNT(DISTINCT ..) does not take BYTES"},
		{"SUM", args(types.IntT.NotNullable()), false, "INT NOT NULL"},
		{"SUM", args(types.DecimalT(5, 2)), false, "DECIMAL(38, 2)"},
		{"SUM", args(types.StringT), false, "SUM takes a number, found STRING"},
		{"SUM", nil, false, "SUM takes one argument, found 0"},
		{"AVG", args(types.DecimalT(10, 8).NotNullable()), false, "DECIMAL(38, 8) NOT NULL"},
		{"MIN", args(types.TimestampT(3)), false, "TIMESTAMP(3)"},
		{"MAX", args(types.DayTimeT), false, "MAX takes a number, a string, a BOOLEAN or a time, found INTERVAL SECOND(3)"},
		{"MAX", args(types.TimestampLTZT(3)), true, "TIMESTAMP_LTZ(3)"},
	} {
		o, err := agg.Registry{}.Aggregate(c.name, c.args, c.distinct)
		got := o.Result.String()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s(%v): %s, want %s", c.name, c.args, got, c.want)
		}
	}
	rowtime := types.TimestampT(3)
	rowtime.Attr = types.RowTime
	if o, err := (agg.Registry{}).Aggregate("MAX", args(rowtime), false); err != nil || o.Result.Attr != types.NotTime {
		t.Errorf("MAX of a time attribute is one itself: %v %v", o.Result, err)
	}
}
