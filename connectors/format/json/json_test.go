package json

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// show prints row i of a column as text, one form per type.
func show(v *vec.Vec, i int) string {
	if v.IsNull(i) {
		return "null"
	}
	switch v.Type.Kind {
	case types.Boolean:
		return fmt.Sprint(v.Bool(i))
	case types.Float:
		return fmt.Sprint(vec.Values[float32](v)[i])
	case types.Double:
		return fmt.Sprint(vec.Values[float64](v)[i])
	case types.Decimal:
		return string(text.AppendDecimal(nil, vec.Values[vec.Dec128](v)[i], v.Type.Scale))
	case types.Char, types.VarChar:
		return fmt.Sprintf("%q", v.Bytes(i))
	case types.Binary, types.VarBinary:
		return "x" + hex.EncodeToString(v.Bytes(i))
	case types.Date:
		return string(text.AppendDate(nil, vec.Values[int32](v)[i]))
	case types.Time:
		return string(text.AppendTime(nil, vec.Values[int32](v)[i]))
	case types.Timestamp, types.TimestampLTZ:
		s := text.Stamper{Style: text.Style(v.Type, false), Units: v.Type.UnitsPerSecond()}
		return string(s.Append(nil, vec.Values[int64](v)[i]))
	case types.Row:
		var parts []string
		for k := range v.Kids {
			parts = append(parts, show(&v.Kids[k], i))
		}
		return "(" + strings.Join(parts, ",") + ")"
	case types.Array, types.Map, types.Multiset:
		var parts []string
		for j := int(v.Off[i]); j < int(v.Off[i+1]); j++ {
			p := show(&v.Kids[0], j)
			if len(v.Kids) > 1 {
				p += "=" + show(&v.Kids[1], j)
			}
			parts = append(parts, p)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprint(intAt(v, v.Type.Physical(), i))
}

func col(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }

// decode reads records with one decoder; each answer is the row's text, "bad: ..", "ignored"
// or "none".
func decode(t testing.TB, schema types.Schema, projection []int, o connectors.Options, records ...string) []string {
	t.Helper()
	d, err := New().NewDecoder(schema, projection, o, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	var wanted types.Schema
	for _, p := range projection {
		wanted = append(wanted, schema[p])
	}
	b := vec.NewBatch(wanted)
	var out []string
	for _, r := range records {
		n := b.N
		err := d.Decode([]byte(r), b.Cols)
		var bad *format.BadRecord
		switch {
		case err == nil:
			b.N++
			var parts []string
			for i := range b.Cols {
				parts = append(parts, show(&b.Cols[i], n))
			}
			out = append(out, strings.Join(parts, " "))
		case errors.As(err, &bad):
			out = append(out, "bad: "+err.Error())
		case errors.Is(err, format.ErrIgnored):
			out = append(out, "ignored")
		case errors.Is(err, format.ErrNoRow):
			out = append(out, "none")
		default:
			t.Fatalf("%s: %v", r, err)
		}
		for i := range b.Cols {
			if b.Cols[i].N != b.N {
				t.Fatalf("%s: column %d has %d rows, want %d", r, i, b.Cols[i].N, b.N)
			}
		}
	}
	return out
}

var (
	ignore  = connectors.Options{optIgnore: "true"}
	missing = connectors.Options{optMissing: "true"}
	iso     = connectors.Options{optTimestamp: "ISO-8601"}
)

// value1 wraps the JSON text of a column v into a record.
func value1(in string) string { return `{"v":` + in + `}` }

// The expectations are what Flink 2.2.1 returned; "ours:" marks decided differences.
func TestValues(t *testing.T) {
	var (
		i, l, d, s = types.IntT, types.BigIntT, types.DoubleT, types.StringT
		dec, b     = types.DecimalT(5, 2), types.BooleanT
		ts, ltz    = types.TimestampT(3), types.TimestampLTZT(3)
		bin        = types.BytesT
		ints       = types.ArrayT(types.IntT)
		m          = types.MapT(types.StringT, types.IntT)
		r          = types.RowT(col("x", types.IntT), col("y", types.StringT))
		rows       = types.ArrayT(types.RowT(col("x", types.IntT)))
	)
	for _, tc := range []struct {
		t    types.Type
		o    connectors.Options
		in   string
		want string
	}{
		{i, nil, `1`, "1"}, {i, nil, `"7"`, "7"}, {i, nil, `2.9`, "2"}, {i, nil, `-2.9`, "-2"}, {i, nil, `1e3`, "1000"}, {i, nil, `-0`, "0"}, {i, nil, `" 7 "`, "7"}, {i, nil, `"+7"`, "7"},
		{i, nil, `2147483648`, "bad: field v: \"2147483648\" is no INT (byte 5 of the record)"},
		{i, nil, `1e10`, "bad"}, {i, nil, `"2.9"`, "bad"}, {i, nil, `""`, "bad"}, {i, nil, `true`, "bad"}, {i, nil, `{}`, "bad: field v: found an object, expected a string or a number for INT (byte 5 of the record)"}, {i, nil, `[1]`, "bad"},
		{i, ignore, `"x"`, "null"}, {i, ignore, `{"a":[1]}`, "null"}, {i, nil, `null`, "null"},
		{l, nil, `9223372036854775807`, "9223372036854775807"}, {l, nil, `-9223372036854775808`, "-9223372036854775808"}, {l, nil, `9223372036854775808`, "bad"}, {l, nil, `9007199254740993`, "9007199254740993"},
		{l, nil, `9007199254740993.5`, "9007199254740993"}, // ours: exact; Flink goes by way of DOUBLE to ..994
		{l, nil, `1e18`, "1000000000000000000"}, {l, nil, `"9223372036854775808"`, "bad"}, {l, nil, `1e400`, "bad"},
		{types.TinyIntT, nil, `128`, "bad"}, {types.TinyIntT, nil, `-128`, "-128"}, {types.SmallIntT, nil, `32768`, "bad"}, {types.SmallIntT, nil, `1.9`, "bad"}, {types.SmallIntT, nil, `"12"`, "12"},
		{d, nil, `1.5`, "1.5"}, {d, nil, `"NaN"`, "NaN"}, {d, nil, `"Infinity"`, "+Inf"}, {d, nil, `1e400`, "+Inf"}, {d, nil, `"1e400"`, "+Inf"}, {d, nil, `" 1.5 "`, "1.5"}, {d, nil, `"1.5f"`, "1.5"}, {d, nil, `true`, "bad"}, {d, nil, `NaN`, "bad"}, {d, nil, `7`, "7"},
		{types.FloatT, nil, `0.1`, "0.1"}, {types.FloatT, nil, `1e39`, "+Inf"},
		{dec, nil, `1.005`, "1.01"}, {dec, nil, `1000`, "null"}, {dec, nil, `"1000"`, "null"}, {dec, nil, `"abc"`, "bad"}, {dec, nil, `" 1.5"`, "1.50"}, {dec, nil, `true`, "bad"}, {dec, nil, `1e999999999`, "null"},
		{b, nil, `true`, "true"}, {b, nil, `"TrUe"`, "true"}, {b, nil, `"yes"`, "false"}, {b, nil, `1`, "false"}, {b, nil, `""`, "false"}, {b, nil, `0`, "false"}, {b, nil, `{}`, "bad"}, // ours: Flink reads {} as false
		{s, nil, `"x"`, `"x"`}, {s, nil, `12`, `"12"`}, {s, nil, `1.50`, `"1.50"`}, {s, nil, `1e400`, `"1e400"`}, {s, nil, `1E5`, `"1E5"`}, {s, nil, `true`, `"true"`}, {s, nil, `-0`, `"-0"`}, {s, nil, `12345678901234567890123`, `"12345678901234567890123"`},
		{s, nil, `{"b" : 1.5, "a":[1, 2 ,null], "c":"\u00e9\n" }`, `"{\"b\":1.5,\"a\":[1,2,null],\"c\":\"é\\n\"}"`},
		{s, nil, `{"a":1,"b":[],"a":2}`, `"{\"a\":2,\"b\":[]}"`}, {s, nil, `{"a":1,"b":{},"a":[3,4,5],"b":7,"c":8}`, `"{\"a\":[3,4,5],\"b\":7,\"c\":8}"`},
		{s, nil, `"\ud83d\ude00 \/ \b\f"`, `"😀 / \b\f"`}, {s, nil, "\"a\tb\"", `"a\tb"`}, {s, nil, `"a\u0000b"`, `"a\x00b"`}, {s, nil, `"a\qb"`, "bad: field v: unknown escape \\q (byte 5 of the record)"},
		{s, nil, `"a\ud800b"`, "bad: field v: half of a surrogate pair, \\ud800, stands alone (byte 5 of the record)"}, // ours: Flink writes '?'
		{s, nil, `"a\ude00\ud83db"`, "bad"}, {s, nil, `"\ud83d\u0041"`, "bad"}, {s, nil, `"\u00g0"`, "bad"}, {s, nil, `"\u12`, "bad"},
		{s, nil, "\"a\xffb\"", "bad: field v: the text is not valid UTF-8 (byte 5 of the record)"}, {s, nil, "\"\xed\xa0\x80\"", "bad"}, {s, nil, "\"a\xc0\x80b\"", "bad"}, // ours: Flink reads the last two
		{s, nil, `0012`, "bad"}, {s, nil, `+1`, "bad"}, {s, nil, `.5`, "bad"}, {s, nil, `5.`, "bad"}, {s, nil, `1e`, "bad"}, {s, nil, `-`, "bad"}, {s, ignore, `{"a":"\q"}`, "null"},
		{types.CharT(3), nil, `"abcdef"`, `"abcdef"`}, {types.CharT(5), nil, `"abc"`, `"abc"`},
		{types.DateT, nil, `"2020-02-29"`, "2020-02-29"}, {types.DateT, nil, `"2020-2-9"`, "bad"}, {types.DateT, nil, `18000`, "bad"},
		{types.TimeT(3), nil, `"12:34:56.789"`, "12:34:56"}, {types.TimeT(0), nil, `"12:34"`, "bad"},
		{ts, nil, `"2020-02-29 12:34:56.789"`, "2020-02-29 12:34:56.789"}, {ts, nil, `"2020-02-29T12:34:56"`, "bad"}, {ts, nil, `1582979696`, "bad"}, {ts, nil, `"2020-02-29\u002012:34:56"`, "2020-02-29 12:34:56"},
		{ts, iso, `"2020-02-29T12:34:56.5"`, "2020-02-29 12:34:56.5"}, {ts, iso, `"2020-02-29 12:34:56"`, "bad"}, {ltz, nil, `"2020-02-29 12:34:56Z"`, "2020-02-29 12:34:56Z"}, {ltz, nil, `"2020-02-29 12:34:56"`, "bad"}, {ltz, iso, `"2020-02-29T12:34:56Z"`, "2020-02-29 12:34:56Z"},
		{bin, nil, `"YWI="`, "x6162"}, {bin, nil, `""`, "x"}, {bin, nil, `"YWI"`, "bad"}, {bin, nil, `"YW I="`, "bad"}, {bin, nil, `5`, "bad"}, {bin, nil, `"YW\nI="`, "bad"}, {bin, nil, `"YWJ="`, "bad"},
		{ints, nil, `[1, null,"3" ]`, "[1,null,3]"}, {ints, nil, ` [ ] `, "[]"}, {ints, nil, `5`, "bad"}, {ints, nil, `["x"]`, "bad"}, {ints, ignore, `["x",1]`, "[null,1]"}, {ints, ignore, `5`, "null"},
		{m, nil, `{"b":1,"a":null,"b":3}`, `["b"=3,"a"=null]`}, {m, ignore, `{"b":"x","a":1}`, `["b"=null,"a"=1]`}, {m, nil, `{"\u0062":1,"b":2}`, `["b"=2]`}, {m, nil, "{\"\xff\":1}", "bad"},
		{types.MultisetT(types.StringT), nil, `{"b":1,"a":2}`, `["b"=1,"a"=2]`},
		{r, nil, `{"y":"q","x":1,"z":[]}`, `(1,"q")`}, {r, nil, `{}`, "(null,null)"}, {r, nil, `5`, "bad"}, {r, nil, `[1]`, "bad"}, {r, ignore, `{"x":"bad"}`, "(null,null)"}, {r, ignore, `7`, "null"}, {r, nil, `null`, "null"}, {r, missing, `{"x":1}`, "bad"},
		{rows, ignore, `[{"x":1},null,{"y":1},{"x":"q"},{"x":5,"x":6}]`, "[(1),null,(null),(null),(6)]"},
		{types.IntT.NotNullable(), ignore, `null`, "ignored"}, {types.IntT.NotNullable(), ignore, `"x"`, "ignored"}, // ours: Flink reads -1
		{types.DayTimeT, nil, `1000`, "1000"}, {types.YearMonthT, nil, `5`, "5"},
	} {
		checkRecord(t, tc.t, tc.o, value1(tc.in), tc.want)
	}
}

// checkRecord reads a record three times: by the scan, by the shape it taught, and after a
// broken one.
func checkRecord(t *testing.T, typ types.Type, o connectors.Options, in, want string) {
	t.Helper()
	got := decode(t, types.Schema{col("v", typ)}, []int{0}, o, in, in, `{"v":`, in)
	for _, k := range []int{0, 1, 3} {
		if g := got[k]; g != want && !(want == "bad" && strings.HasPrefix(g, "bad: ")) {
			t.Errorf("%s of %s, reading %d: got %s, want %s", typ, clip([]byte(in)), k, g, want)
		}
	}
}

func TestRecords(t *testing.T) {
	i, r := types.IntT, types.RowT(col("x", types.IntT), col("y", types.StringT))
	deep := func(n int) string {
		return `{"j":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `,"v":1}`
	}
	for _, tc := range []struct {
		t    types.Type
		o    connectors.Options
		in   string
		want string
	}{
		// ours: of equal keys the last counts; Flink stops at the first when it has all fields.
		{r, nil, `{"v":{"x":1},"v":{"y":"b"}}`, `(null,"b")`}, {r, nil, `{"v":{"x":1,"y":"a"},"v":null}`, "null"}, {r, nil, `{"v":null,"v":{"x":1}}`, "(1,null)"}, {i, nil, `{"v":1,"v":2}`, "2"},
		{i, ignore, `{"v":1,"v":"x"}`, "null"}, {i, nil, `{"v":"x","v":2}`, "2"}, {i, nil, `{"v":1,"v":2,"v":null}`, "null"},
		{i, nil, `{"V":1}`, "null"}, {i, nil, `{"\u0076":4}`, "4"}, {i, nil, "\ufeff{\"v\":1}", "1"}, {i, nil, " \r\n\t{ \"v\" : 1 } \n", "1"}, {i, nil, "", "none"}, {i, nil, "  \n", "none"}, {i, nil, "{}", "null"},
		// ours: Flink ignores what follows the object.
		{i, nil, `{"v":1} trailing`, `bad: found "trailing" after the end of the object; write one object a record (byte 8 of the record)`}, {i, nil, `{"v":1}{"v":2}`, "bad"},
		{i, nil, `[{"v":1}]`, "bad: found '[', expected an object: {...} (byte 0 of the record)"}, {i, nil, `null`, "bad"}, {i, nil, `5`, "bad"},
		{i, ignore, `{"v":1,}`, "ignored"}, {i, ignore, `{"v":1,"j":tru}`, "ignored"}, {i, ignore, `{"v":1,"j":[1,}`, "ignored"}, {i, ignore, `{'v':1}`, "ignored"}, {i, ignore, `{v:1}`, "ignored"},
		{i, nil, `{"v":1`, "bad: the record ends, expected ',' or '}' (byte 6 of the record)"}, {i, nil, `{"v":`, "bad"}, {i, nil, `{"v"`, "bad"}, {i, nil, `{"v`, "bad"}, {i, nil, `{`, "bad"}, {i, ignore, `{"v":1,"j":{"k":`, "ignored"},
		{i, nil, `{"v":1,"j":"\`, "bad"}, {i, nil, `{/*c*/"v":1}`, "bad"}, {i, nil, `{"v":1,"j":[1 2]}`, "bad"}, {i, nil, `{"v":1,"j":{"k" 1}}`, "bad"}, {i, nil, `{"v":1,"j":{"k":1]}`, "bad"}, {i, nil, `{"v":1,"j":01}`, "bad"}, {i, nil, `{"v":1,"\q":1}`, "bad"},
		{i, nil, deep(999), "1"}, {i, nil, deep(1000), "bad: nested deeper than 1000 levels (byte 1004 of the record)"}, {i, nil, `{"j":` + strings.Repeat("[", 100_000), "bad"},
		{i, missing, `{"w":1}`, "bad: field v: is missing in the record, and 'json.fail-on-missing-field' is set"}, {i, missing, `{"v":null}`, "null"},
		{types.IntT.NotNullable(), nil, `{}`, "bad: field v: is NULL or missing, but its type is NOT NULL"}, {types.IntT.NotNullable(), ignore, `{}`, "ignored"}, // ours: Flink reads -1
	} {
		checkRecord(t, tc.t, tc.o, tc.in, tc.want)
	}
}

func TestProjectionSkipsWhatIsNotNeeded(t *testing.T) {
	schema := types.Schema{col("a", types.IntT), col("r", types.RowT(col("x", types.IntT))), col("s", types.StringT)}
	got := decode(t, schema, []int{2, 0}, nil,
		`{"a":1,"r":"no row","s":"x"}`, `{"a":2,"r":[{"\q":"\ud800"}],"s":"y"}`, `{"s":"z","a":3}`, `{"a":4,"r":"a \" b","s":"w"}`, `{"a":5,"r":1.5e3,"s":"v"}`, `{"a":6,"r":12,"s":"u"}`, `{"a":7,"r":1x,"s":"u"}`)
	want := []string{`"x" 1`, `"y" 2`, `"z" 3`, `"w" 4`, `"v" 5`, `"u" 6`, "bad: found 'x', expected ',' or '}' (byte 12 of the record)"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("record %d: got %s, want %s", i, got[i], want[i])
		}
	}
}

func TestNilIsNoRow(t *testing.T) {
	d, err := New().NewDecoder(types.Schema{col("v", types.IntT)}, []int{0}, nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Decode(nil, make([]vec.Vec, 1)); !errors.Is(err, format.ErrNoRow) {
		t.Errorf("got %v", err)
	}
}

func TestRefusedSchemasAndOptions(t *testing.T) {
	for _, tc := range []struct {
		f    types.Field
		o    connectors.Options
		want string
	}{
		{col("m", types.MapT(types.IntT, types.IntT)), nil, "column m: format 'json' needs strings as keys, MAP<INT, INT> has INT"},
		{col("a", types.NullT), nil, "column a: format 'json' cannot hold the type NULL"},
		{col("a", types.IntT), connectors.Options{optIgnore: "true", optMissing: "true"}, "exclude each other"},
		{col("a", types.IntT), connectors.Options{optTimestamp: "RFC"}, "expected one of SQL, ISO-8601"},
		{col("a", types.IntT), connectors.Options{optIgnore: "1"}, "expected true or false"},
	} {
		if _, err := New().NewDecoder(types.Schema{tc.f}, []int{0}, tc.o, connectors.Env{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}
