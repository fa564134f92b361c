package raw

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestRoundTrips(t *testing.T) {
	little := connectors.Options{optEndian: "little-endian"}
	charset := func(c string) connectors.Options { return connectors.Options{optCharset: c} }
	for _, tc := range []struct {
		t      types.Type
		o      connectors.Options
		record string
		bad    string
	}{
		{types.IntT, nil, "\x00\x00\x00\x01", ""}, {types.IntT, little, "\x01\x00\x00\x80", ""}, {types.IntT, nil, "abc", "found 3 bytes, expected 4 for INT"}, {types.IntT, nil, "", "found 0 bytes"},
		{types.BooleanT, nil, "\x01", ""}, {types.BooleanT, nil, "\x00", ""}, {types.TinyIntT, nil, "\xff", ""}, {types.SmallIntT, nil, "\x80\x01", ""}, {types.BigIntT, little, "12345678", ""}, {types.FloatT, nil, "\x3f\x80\x00\x00", ""}, {types.DoubleT, nil, "\x3f\xf0\x00\x00\x00\x00\x00\x00", ""},
		{types.StringT, nil, "é", ""}, {types.StringT, nil, "", ""}, {types.StringT, nil, "\xff", "not valid UTF-8"}, {types.BytesT, nil, "\xff\x00", ""},
		{types.StringT, charset("ISO-8859-1"), "\xe9", ""}, {types.StringT, charset("US-ASCII"), "a\x80", "byte 1 is 0x80"}, {types.StringT, charset("UTF-16BE"), "\xd8\x3d\xde\x00\x00a", ""}, {types.StringT, charset("utf-16le"), "a\x00", ""},
		{types.StringT, charset("UTF-16BE"), "\xd8\x3d", "half of a surrogate pair"}, {types.StringT, charset("UTF-16BE"), "a", "even number"},
	} {
		schema := types.Schema{{Name: "v", Type: tc.t}}
		d, err := New().NewDecoder(schema, []int{0}, tc.o, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := New().NewEncoder(schema, tc.o, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		b := vec.NewBatch(schema)
		err = d.Decode([]byte(tc.record), b.Cols)
		if tc.bad != "" {
			if err == nil || !strings.Contains(err.Error(), tc.bad) || b.Cols[0].N != 0 {
				t.Errorf("%s %q: got %v and %d rows, want %s", tc.t, tc.record, err, b.Cols[0].N, tc.bad)
			}
			continue
		}
		b.N = 1
		if back, err2 := e.Encode(nil, b, 0); err != nil || err2 != nil || string(back) != tc.record {
			t.Errorf("%s %q came back as %q, %v, %v", tc.t, tc.record, back, err, err2)
		}
	}
}

func TestNil(t *testing.T) {
	schema := types.Schema{{Name: "v", Type: types.StringT}}
	d, err := New().NewDecoder(schema, []int{0}, nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(schema)
	if err := d.Decode(nil, b.Cols); err != nil || b.Cols[0].N != 1 || !b.Cols[0].IsNull(0) {
		t.Errorf("a nil record: %v, %d rows", err, b.Cols[0].N)
	}
}

func TestRefused(t *testing.T) {
	one := types.Schema{{Name: "v", Type: types.DateT}}
	if _, err := New().NewDecoder(append(one, one...), nil, nil, connectors.Env{}); err == nil || !strings.Contains(err.Error(), "needs a table with one physical column, this one has 2") {
		t.Error(err)
	}
	if _, err := New().NewEncoder(one, nil, connectors.Env{}); err == nil || !strings.Contains(err.Error(), "column v: format 'raw' cannot hold the type DATE") {
		t.Error(err)
	}
	e, err := New().NewEncoder(types.Schema{{Name: "v", Type: types.StringT}}, connectors.Options{optCharset: "US-ASCII"}, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(types.Schema{{Name: "v", Type: types.StringT}})
	b.Cols[0].AppendString("é")
	if _, err := e.Encode(nil, b, 0); err == nil || !strings.Contains(err.Error(), "does not exist in 'raw.charset' = 'US-ASCII'") {
		t.Error(err)
	}
}
