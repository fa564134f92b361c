package rowjson

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func fixed[T vec.Fixed](t types.Type, x T) vec.Vec {
	v := vec.New(t)
	vec.Append(&v, x)
	return v
}

func textual(t types.Type, s string) vec.Vec {
	v := vec.New(t)
	v.AppendString(s)
	return v
}

func null(t types.Type) vec.Vec {
	v := vec.New(t)
	v.AppendNull()
	return v
}

func boolean(x bool) vec.Vec {
	v := vec.New(types.BooleanT)
	v.AppendBool(x)
	return v
}

func list(xs ...int32) vec.Vec {
	v := vec.New(types.ArrayT(types.IntT))
	for _, x := range xs {
		vec.Append(&v.Kids[0], x)
	}
	v.AppendOpen()
	return v
}

func pairs(keys []string, values []int64) vec.Vec {
	v := vec.New(types.MapT(types.StringT, types.BigIntT))
	for i, k := range keys {
		v.Kids[0].AppendString(k)
		vec.Append(&v.Kids[1], values[i])
	}
	v.AppendOpen()
	return v
}

func row() vec.Vec {
	v := vec.New(types.RowT(types.Field{Name: "a", Type: types.IntT}, types.Field{Name: "b", Type: types.StringT}))
	vec.Append(&v.Kids[0], int32(1))
	v.Kids[1].AppendNull()
	v.AppendOpen()
	return v
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		v    vec.Vec
		want string
	}{
		{boolean(true), `true`},
		{null(types.IntT), `null`},
		{fixed(types.TinyIntT, int8(-128)), `-128`},
		{fixed(types.SmallIntT, int16(7)), `7`},
		{fixed(types.IntT, int32(math.MinInt32)), `-2147483648`},
		{fixed(types.BigIntT, int64(math.MaxInt64)), `"9223372036854775807"`},
		{fixed(types.DecimalT(5, 2), vec.Dec128{Lo: 100}), `"1.00"`},
		{fixed(types.DecimalT(5, 2), vec.Dec128{Lo: ^uint64(0), Hi: -1}), `"-0.01"`},
		{fixed(types.FloatT, float32(0.1)), `0.1`},
		{fixed(types.DoubleT, 1e10), `1.0E10`},
		{fixed(types.DoubleT, math.NaN()), `"NaN"`},
		{fixed(types.DoubleT, math.Inf(-1)), `"-Infinity"`},
		{textual(types.StringT, "a\"\\\n\x01\u00e9<&>\xff"), `"a\"\\\n\u0001é<&>` + "\ufffd\""},
		{textual(types.BytesT, "\x00\xab"), `"00ab"`},
		{fixed(types.DateT, int32(19782)), `"2024-02-29"`},
		{fixed(types.DateT, int32(-719529)), `"-0001-12-31"`},
		{fixed(types.TimeT(0), int32(43_200_000)), `"12:00:00"`},
		{fixed(types.TimeT(0), int32(43_200_120)), `"12:00:00.12"`},
		{fixed(types.TimeT(3), int32(43_200_120)), `"12:00:00.120"`},
		{fixed(types.TimestampT(3), int64(1709208000120)), `"2024-02-29T12:00:00.120"`},
		{fixed(types.TimestampT(0), int64(1709208000000)), `"2024-02-29T12:00:00"`},
		{fixed(types.TimestampT(3), int64(-1)), `"1969-12-31T23:59:59.999"`},
		{fixed(types.TimestampT(9), int64(1)), `"1970-01-01T00:00:00.000000001"`},
		{fixed(types.TimestampLTZT(6), int64(1709208000120000)), `"2024-02-29T12:00:00.120000Z"`},
		{fixed(types.YearMonthT, int32(14)), `"14"`},
		{fixed(types.DayTimeT, int64(1500)), `"1500"`},
		{list(), `[]`},
		{list(3, 1), `[3,1]`},
		{pairs([]string{"b", "a"}, []int64{1, 2}), `[["a","2"],["b","1"]]`},
		{row(), `[1,null]`},
	} {
		got := string(AppendValue(nil, &c.v, 0))
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.v.Type, got, c.want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: %s is no JSON", c.v.Type, got)
		}
	}
}

func TestHeaderAndRows(t *testing.T) {
	schema := types.Schema{{Name: "a\"b", Type: types.BigIntT.NotNullable()}, {Name: "t", Type: types.Type{Kind: types.Timestamp, Precision: 3, Attr: types.RowTime}}}
	want := `{"columns":[{"name":"a\"b","type":"BIGINT NOT NULL"},{"name":"t","type":"TIMESTAMP(3) *ROWTIME*"}]}`
	if got := string(AppendHeader(nil, schema)); got != want {
		t.Errorf("header: got %s, want %s", got, want)
	}
	b := vec.NewBatch(schema)
	for i, k := range []vec.Kind{vec.Insert, vec.UpdateBefore, vec.UpdateAfter, vec.Delete} {
		vec.Append(&b.Cols[0], int64(i))
		b.Cols[1].AppendNull()
		b.AddKind(k)
	}
	for i, want := range []string{`["+I","0",null]`, `["-U","1",null]`, `["+U","2",null]`, `["-D","3",null]`} {
		if got := string(AppendRow(nil, b, i)); got != want {
			t.Errorf("row %d: got %s, want %s", i, got, want)
		}
	}
}
