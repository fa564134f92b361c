package optest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

var typeNames = map[string]types.Type{
	"BOOLEAN": types.BooleanT, "TINYINT": types.TinyIntT, "SMALLINT": types.SmallIntT, "INT": types.IntT, "BIGINT": types.BigIntT,
	"FLOAT": types.FloatT, "DOUBLE": types.DoubleT, "STRING": types.StringT, "BYTES": types.BytesT, "DATE": types.DateT,
	"TIMESTAMP": types.TimestampT(3), "TIMESTAMP_LTZ": types.TimestampLTZT(3),
}

// ParseSchema reads "a BIGINT, b DECIMAL(8:2) NOT NULL": scripts write the comma of a type as
// a colon.
func ParseSchema(text string) (types.Schema, error) {
	var s types.Schema
	for col := range strings.SplitSeq(text, ",") {
		words := strings.Fields(col)
		if len(words) < 2 {
			return nil, fmt.Errorf("column %q: expected a name and a type", col)
		}
		t, err := parseType(words[1])
		if err != nil {
			return nil, err
		}
		t.NotNull = len(words) == 4 && words[2] == "NOT"
		s = append(s, types.Field{Name: words[0], Type: t})
	}
	return s, nil
}

func parseType(text string) (types.Type, error) {
	name, args, ok := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	if t, known := typeNames[name]; known && !ok {
		return t, nil
	}
	p, sc, _ := strings.Cut(args, ":")
	n, err := strconv.Atoi(p)
	if err != nil {
		return types.Type{}, fmt.Errorf("type %q is not known to scripts", text)
	}
	switch name {
	case "DECIMAL":
		scale, err := strconv.Atoi(sc)
		return types.DecimalT(n, scale), err
	case "TIMESTAMP":
		return types.TimestampT(n), nil
	case "TIMESTAMP_LTZ":
		return types.TimestampLTZT(n), nil
	case "CHAR":
		return types.CharT(n), nil
	}
	return types.Type{}, fmt.Errorf("type %q is not known to scripts", text)
}

// ColumnIsTrue is a filter: a BOOLEAN column.
type ColumnIsTrue struct {
	Col int
	buf []int32
}

// Select implements agg.Predicate.
func (c *ColumnIsTrue) Select(b *vec.Batch, rows []int32) ([]int32, error) {
	c.buf = c.buf[:0]
	v := &b.Cols[c.Col]
	for _, r := range rows {
		if !v.IsNull(int(r)) && v.Bool(int(r)) {
			c.buf = append(c.buf, r)
		}
	}
	return c.buf, nil
}

// ParseAggregate reads "SUM(DISTINCT qty) FILTER good" over columns of in. The type is the one
// the registry resolves, made nullable (COUNT apart) when it is not of a group with keys.
func ParseAggregate(in types.Schema, text string, keyed bool) (expr.Aggregate, agg.Predicate, error) {
	var a expr.Aggregate
	call, filter, filtered := strings.Cut(text, " FILTER ")
	name, arg, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(call), ")"), "(")
	if !ok {
		return a, nil, fmt.Errorf("%q is no aggregate call", text)
	}
	a.Name = name
	arg, a.Distinct = strings.CutPrefix(arg, "DISTINCT ")
	var args []expr.Arg
	if arg != "*" {
		i := in.Index(arg)
		if i < 0 {
			return a, nil, fmt.Errorf("%s: no column %q in %s", text, arg, in)
		}
		a.Args = []expr.Expr{&expr.Column{Index: i, Name: arg, Typ: in[i].Type}}
		args = append(args, expr.Arg{Type: in[i].Type})
	}
	o, err := agg.Registry{}.Aggregate(a.Name, args, a.Distinct)
	if err != nil {
		return a, nil, err
	}
	a.Typ = o.Result
	if (filtered || !keyed) && a.Name != "COUNT" {
		a.Typ = a.Typ.Nullable()
	}
	if !filtered {
		return a, nil, nil
	}
	i := in.Index(strings.TrimSpace(filter))
	if i < 0 || in[i].Type.Kind != types.Boolean {
		return a, nil, fmt.Errorf("%s: no BOOLEAN column %q in %s", text, filter, in)
	}
	a.Filter = &expr.Column{Index: i, Name: filter, Typ: in[i].Type}
	return a, &ColumnIsTrue{Col: i}, nil
}
