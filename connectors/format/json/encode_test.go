package json

import (
	"errors"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// encode reads records by the schema and writes the rows again.
func encode(t *testing.T, schema types.Schema, o connectors.Options, records ...string) []string {
	t.Helper()
	all := make([]int, len(schema))
	for i := range all {
		all[i] = i
	}
	d, err := New().NewDecoder(schema, all, nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New().NewEncoder(schema, o, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(schema)
	var out []string
	for _, r := range records {
		if err := d.Decode([]byte(r), b.Cols); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		b.N++
		text, err := e.Encode([]byte("kept"), b, b.N-1)
		if err != nil {
			out = append(out, "error: "+err.Error())
			continue
		}
		rest, ok := strings.CutPrefix(string(text), "kept")
		if !ok {
			t.Fatalf("what dst held is gone: %s", text)
		}
		out = append(out, rest)
	}
	return out
}

// The expectations are what Flink 2.2.1 writes.
func TestEncode(t *testing.T) {
	m := types.MapT(types.StringT, types.IntT)
	for _, tc := range []struct {
		t        types.Type
		o        connectors.Options
		in, want string // values of the column v
	}{
		{types.BooleanT, nil, `true`, `true`}, {types.TinyIntT, nil, `-7`, `-7`}, {types.SmallIntT, nil, `300`, `300`}, {types.BigIntT, nil, `9223372036854775807`, `9223372036854775807`}, {types.IntT, nil, `null`, `null`},
		{types.FloatT, nil, `0.1`, `0.1`}, {types.FloatT, nil, `1e10`, `1.0E10`}, {types.FloatT, nil, `"NaN"`, `"NaN"`}, {types.DoubleT, nil, `1`, `1.0`}, {types.DoubleT, nil, `1e-5`, `1.0E-5`}, {types.DoubleT, nil, `1e7`, `1.0E7`}, {types.DoubleT, nil, `"-Infinity"`, `"-Infinity"`},
		{types.DecimalT(20, 5), nil, `100`, `1E+2`}, {types.DecimalT(20, 5), nil, `12.5`, `12.5`}, {types.DecimalT(30, 10), nil, `0.0000000001`, `1E-10`},
		{types.DecimalT(20, 5), connectors.Options{optPlain: "true"}, `100`, `100.00000`}, {types.DecimalT(30, 10), connectors.Options{optPlain: "true"}, `-0.0000000001`, `-0.0000000001`}, {types.DecimalT(20, 0), connectors.Options{optPlain: "true"}, `10000000`, `10000000`},
		{types.StringT, nil, `"a\"b\\c\/d<>&"`, `"a\"b\\c/d<>&"`}, {types.StringT, nil, `"\u0001\b\f\n\r\té\u2028\u001f😀"`, "\"\\u0001\\b\\f\\n\\r\\té\u2028\\u001F😀\""},
		{types.BytesT, nil, `"YWJj"`, `"YWJj"`}, {types.DateT, nil, `"0001-01-01"`, `"0001-01-01"`}, {types.TimeT(0), nil, `"12:00:00"`, `"12:00:00"`},
		{types.TimestampT(3), nil, `"2020-02-29 12:34:56.700"`, `"2020-02-29 12:34:56.7"`}, {types.TimestampT(3), nil, `"1969-12-31 23:59:59.999"`, `"1969-12-31 23:59:59.999"`}, {types.TimestampT(9), nil, `"2020-02-29 12:00:00.120"`, `"2020-02-29 12:00:00.12"`},
		{types.TimestampLTZT(3), nil, `"2020-02-29 12:00:00Z"`, `"2020-02-29 12:00:00Z"`}, {types.TimestampLTZT(3), iso, `"2020-02-29 12:34:56.7Z"`, `"2020-02-29T12:34:56.7Z"`}, {types.TimestampT(3), iso, `"2020-02-29 12:00:00"`, `"2020-02-29T12:00:00"`},
		{types.ArrayT(types.IntT), nil, `[1,null]`, `[1,null]`}, {m, nil, `{"b":1,"a":null}`, `{"b":1,"a":null}`}, {m, connectors.Options{optNoNulls: "true"}, `{"b":1,"a":null}`, `{"b":1,"a":null}`},
		{types.RowT(col("x", types.IntT), col("y", types.StringT)), nil, `{"x":1}`, `{"x":1,"y":null}`}, {types.RowT(col("x", types.IntT), col("y", types.StringT)), connectors.Options{optNoNulls: "true"}, `{"y":"a"}`, `{"y":"a"}`}, {types.RowT(col("x", types.IntT)), connectors.Options{optNoNulls: "true"}, `{}`, `{}`},
	} {
		got := encode(t, types.Schema{col("v", tc.t)}, tc.o, value1(tc.in))
		if got[0] != value1(tc.want) {
			t.Errorf("%s %s: got %s, want %s", tc.t, tc.in, got[0], value1(tc.want))
		}
	}
}

func TestEncodeNullKeys(t *testing.T) {
	schema := types.Schema{col("m", types.MapT(types.StringT, types.IntT))}
	b := vec.NewBatch(schema)
	b.Cols[0].Kids[0].AppendNull()
	vec.Append(&b.Cols[0].Kids[1], int32(1))
	b.Cols[0].Kids[0].AppendString("b")
	vec.Append(&b.Cols[0].Kids[1], int32(2))
	b.Cols[0].AppendOpen()
	b.N = 1
	for mode, want := range map[string]string{"": "a MAP with a NULL key has no JSON form; set 'json.map-null-key.mode'", "DROP": `{"m":{"b":2}}`, "LITERAL": `{"m":{"nk":1,"b":2}}`} {
		o := connectors.Options{optKeyText: "nk"}
		if mode != "" {
			o[optKeyMode] = mode
		}
		e, err := New().NewEncoder(schema, o, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := e.Encode(nil, b, 0)
		if got := string(text); err != nil {
			if got = err.Error(); mode != "" || !strings.Contains(got, want) {
				t.Errorf("%s: %s", mode, got)
			}
		} else if got != want {
			t.Errorf("%s: got %s, want %s", mode, got, want)
		}
		if err != nil && errors.Unwrap(err) == nil {
			t.Errorf("an error without a class: %v", err)
		}
	}
}

func TestEncodeNullFields(t *testing.T) {
	schema := types.Schema{col("a", types.IntT), col(`b"`, types.StringT)}
	got := encode(t, schema, connectors.Options{optNoNulls: "true"}, `{"a":1,"b\"":"x"}`, `{"a":2}`, `{"b\"":"y"}`, `{}`)
	if want := `{"a":1,"b\"":"x"} {"a":2} {"b\"":"y"} {}`; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
