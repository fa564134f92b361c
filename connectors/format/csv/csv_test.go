package csv

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func columns(ts ...types.Type) types.Schema {
	var s types.Schema
	for i, t := range ts {
		s = append(s, types.Field{Name: string(rune('a' + i)), Type: t})
	}
	return s
}

// read splits a file and decodes its records: rows separated by " | ", their fields written
// as CSV with '/' between them and NULL for NULL.
func read(t testing.TB, schema types.Schema, projection []int, o connectors.Options, file string) string {
	t.Helper()
	f, err := New().NewDecoder(schema, projection, o, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	var wanted types.Schema
	for _, p := range projection {
		wanted = append(wanted, schema[p])
	}
	show, err := New().NewEncoder(wanted, connectors.Options{optDelimiter: "/", optNull: "NULL", optNoQuote: "true", optScientific: "false"}, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(wanted)
	var out []string
	for data := []byte(file); len(data) > 0; {
		n, record := f.(format.Splitter).Split(data, true)
		if n <= 0 || n > len(data) || len(record) > n {
			t.Fatalf("Split(%q) = %d, %q", data, n, record)
		}
		data = data[n:]
		err := f.Decode(append([]byte{}, record...), b.Cols)
		var bad *format.BadRecord
		switch {
		case err == nil:
			b.N++
			line, err := show.Encode(nil, b, b.N-1)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(line))
		case errors.As(err, &bad):
			out = append(out, "bad: "+err.Error())
		case !errors.Is(err, format.ErrNoRow) && !errors.Is(err, format.ErrIgnored):
			t.Fatal(err)
		}
		for i := range b.Cols {
			if b.Cols[i].N != b.N {
				t.Fatalf("column %d has %d rows, want %d", i, b.Cols[i].N, b.N)
			}
		}
	}
	return strings.Join(out, " | ")
}

var ignore = connectors.Options{optIgnore: "true"}

// The expectations are what Flink 2.2.1 returned; "ours:" marks decided differences.
func TestDecode(t *testing.T) {
	is := columns(types.IntT, types.StringT)
	ss := columns(types.StringT, types.StringT)
	one := func(t types.Type) types.Schema { return columns(t) }
	row := columns(types.RowT(types.Field{Name: "x", Type: types.IntT}, types.Field{Name: "y", Type: types.IntT}), types.IntT)
	list := columns(types.ArrayT(types.IntT), types.IntT)
	for _, tc := range []struct {
		s          types.Schema
		o          connectors.Options
		file, want string
	}{
		{is, nil, "1,a\n2,b", "1/a | 2/b"}, {is, nil, "1\n", "bad: found 1 fields, expected 2"}, {is, ignore, "1\n2,b\n", "1/NULL | 2/b"}, {is, ignore, "1,a,x\n2,b\n", "2/b"}, {is, nil, "1,a,x\n", "bad: found 3 fields, expected 2"},
		{is, nil, "1,\"a\nb\"\n2,c\n", "1/a\nb | 2/c"}, {is, nil, "1,\"a\r\n\"\"b\"\r\n2,c\n", "1/a\r\n\"b | 2/c"}, {is, ignore, "1,\"a\"x\n2,c\n", "2/c"}, {is, nil, "1,\"a\"x\n", "bad: found 'x' after a closing quote, expected ',' (byte 2 of the record)"},
		{is, nil, "1,a\"b\"\n2,c\"\n", "1/a\"b\" | 2/c\""}, {is, ignore, "1,\"a\n", ""}, {is, nil, "1,\"a\n2,b", "bad: a quoted field is not closed (byte 2 of the record)"}, {is, nil, "\n1,a\n", "bad: found 1 fields, expected 2 | 1/a"},
		{one(types.StringT), nil, "\na\n\nb\n", " | a |  | b"}, {is, nil, " 1 ,  a \n", "1/  a "}, {is, nil, "1, \"a\" \n", "1/ \"a\" "}, {ss, nil, "\"a\" ,\"b\"\n", "a/b"},
		{is, nil, ",a\n", "bad: field a: \"\" is no INT (byte 0 of the record)"}, {is, ignore, ",a\n", "NULL/a"}, {columns(types.IntT, types.DecimalT(5, 2), types.DoubleT, types.BooleanT), ignore, "1,,,\n", "1/NULL/NULL/false"},
		{one(types.DoubleT), nil, "NaN\n1e400\n1.5f\n", "NaN | Infinity | 1.5"}, {one(types.FloatT), nil, "0.1\n", "0.1"}, {one(types.BooleanT), nil, "TRUE\nyes\n1\n\"\"\n\n", "true | false | false | false | false"},
		{one(types.IntT), ignore, "2.9\n3000000000\n-7\n", "NULL | NULL | -7"}, {one(types.TinyIntT), ignore, "128\n-128\n", "NULL | -128"}, {one(types.SmallIntT), nil, "300\n", "300"}, {one(types.DecimalT(5, 2)), ignore, "1000\n1.005\n1e2\nabc\n", "NULL | 1.01 | 100.00 | NULL"},
		{columns(types.DateT, types.TimeT(3), types.TimestampT(3), types.TimestampLTZT(3)), nil, "2020-02-29,12:34:56.789,2020-02-29 12:34:56.789,2020-02-29 12:34:56.789Z\n", "2020-02-29/12:34:56/2020-02-29 12:34:56.789/2020-02-29 12:34:56.789Z"},
		{one(types.TimestampT(3)), ignore, "2020-02-29T12:34:56\n2020-02-30 12:34:56\n2020-02-29 12:34\n", "NULL | 2020-02-29 12:34:56 | NULL"}, {one(types.TimestampLTZT(3)), ignore, "2020-02-29 12:34:56\n", "NULL"},
		{one(types.DateT), ignore, "2020-2-9\n2020-02-30\n18000\n 2020-12-31 \n", "2020-02-09 | 2020-03-01 | NULL | NULL"}, {one(types.TimeT(0)), ignore, "12:34\n25:00:00\n", "12:34:00 | NULL"}, {one(types.BytesT), ignore, "YWI=\nabc\n", "YWI= | NULL"},
		{list, ignore, "1;x;3,5\n,5\n1;;3,6\n", "1;NULL;3/5 | /5 | 1;NULL;3/6"}, {list, nil, "1;x,5\n", "bad: field a: \"x\" is no INT (byte 0 of the record)"}, {columns(types.ArrayT(types.StringT)), connectors.Options{optArray: "|"}, "a||b\n", "a;;b"},
		{row, ignore, "1,5\n1;2;3,6\n1;2,7\n,8\n", "1;NULL/5 | 1;2/6 | 1;2/7 | NULL/8"}, {row, nil, "1,5\n", "bad: field a: found 1 fields of the ROW, expected 2: too few fields (byte 0 of the record)"},
		{ss, connectors.Options{optEscape: `\`}, "a\\,b,c\na\\nb,\"x\\\"y\"\n", "a,b/c | a\nb/x\"y"}, {ss, connectors.Options{optQuote: "'"}, "'a,b',c\n", "a,b/c"}, {ss, connectors.Options{optNoQuote: "true"}, "\"a\",\"b\"\n", `"a"/"b"`},
		{ss, connectors.Options{optComments: "true"}, "#a,b\n # \"c\ne,#f\n", "e/#f"}, {ss, connectors.Options{optNull: "null"}, "null,b\n,\n\"null\",b\n", "NULL/b | / | NULL/b"}, {ss, connectors.Options{optNull: ""}, "a,\n", "a/NULL"},
		{is, nil, "1,\xff\n", "bad: field b: the text is not valid UTF-8 (byte 2 of the record)"}, {is, connectors.Options{optDelimiter: `\t`}, "1\t2\n", "1/2"}, {is, connectors.Options{optDelimiter: `\u0001`}, "1\x012\n", "1/2"}, {is, nil, "1,a\r\n2,b\r3,c\n4,d\r", "1/a | 2/b | 3/c | 4/d"},
		{columns(types.CharT(5), types.VarCharT(3)), nil, "ab,abcdef\n", "ab/abcdef"}, {ss, nil, "\"\",\"\"\n,\n", "/ | /"}, {columns(types.IntT.NotNullable(), types.IntT), ignore, "x,1\n2,x\n", "2/NULL"}, {columns(types.DayTimeT, types.YearMonthT), nil, "1000,5\n", "1000/5"},
	} {
		all := make([]int, len(tc.s))
		for i := range all {
			all[i] = i
		}
		if got := read(t, tc.s, all, tc.o, tc.file); got != tc.want {
			t.Errorf("%q %v:\n got %q\nwant %q", tc.file, tc.o, got, tc.want)
		}
	}
}

func TestProjection(t *testing.T) {
	s := columns(types.IntT, types.StringT, types.IntT)
	// ours: Flink does not count the fields when the last column is not needed.
	if got, want := read(t, s, []int{2, 0}, nil, "1,a,9\n2,\xff,8\nx,b\n"), "9/1 | 8/2 | bad: found 2 fields, expected 3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSplitInPieces feeds a file byte by byte.
func TestSplitInPieces(t *testing.T) {
	f, err := New().NewDecoder(columns(types.StringT), []int{0}, connectors.Options{optComments: "true", optEscape: `\`}, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	file := "a\r\n\"b\n\"\"c\"\r#\"x\n\\\nd\r\n\"e"
	want := []string{"a", "\"b\n\"\"c\"", "#\"x", "\\\nd", "\"e"}
	var got []string
	for from, to := 0, 0; from < len(file); {
		n, record := f.(format.Splitter).Split([]byte(file[from:to]), to == len(file))
		if n == 0 {
			if to++; to > len(file) {
				t.Fatal("no record at the end")
			}
			continue
		}
		got = append(got, string(record))
		from += n
		to = max(to, from)
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The texts are what Flink 2.2.1 writes.
func TestEncodeStrings(t *testing.T) {
	in := []string{"a b", " lead", "#x", "a-b", "a.b", "a;b", "a\"b", "a,b", "a'b", `a\b`, "é", "", "abc", "+1", "a!", "%", "(", "a\nb", "a\tb", "A_b{}|~", "0:1"}
	for _, tc := range []struct {
		o    connectors.Options
		want []string
	}{
		{nil, []string{`"a b"`, `" lead"`, `"#x"`, "a-b", "a.b", "a;b", `"a""b"`, `"a,b"`, `"a'b"`, `"a\b"`, "é", "", "abc", `"+1"`, `"a!"`, `"%"`, `"("`, "\"a\nb\"", "\"a\tb\"", "A_b{}|~", "0:1"}},
		{connectors.Options{optDelimiter: "|"}, []string{`"a b"`, `" lead"`, `"#x"`, `"a-b"`, `"a.b"`, `"a;b"`, `"a""b"`, `"a,b"`, `"a'b"`, `"a\b"`, "é", "", `"abc"`, `"+1"`, `"a!"`, `"%"`, `"("`, "\"a\nb\"", "\"a\tb\"", `"A_b{}|~"`, `"0:1"`}},
		{connectors.Options{optNoQuote: "true"}, in},
		{connectors.Options{optEscape: `\`}, []string{`"a b"`, `" lead"`, `"#x"`, "a-b", "a.b", "a;b", `"a""b"`, `"a,b"`, `"a'b"`, `"a\\b"`, "é", "", "abc", `"+1"`, `"a!"`, `"%"`, `"("`, "\"a\nb\"", "\"a\tb\"", "A_b{}|~", "0:1"}},
		{connectors.Options{optDelimiter: `\t`}, []string{`"a b"`, `" lead"`, "#x", "a-b", "a.b", "a;b", `"a""b"`, "a,b", "a'b", `"a\b"`, "é", "", "abc", "+1", `"a!"`, "%", "(", "\"a\nb\"", "\"a\tb\"", "A_b{}|~", "0:1"}},
	} {
		e, err := New().NewEncoder(columns(types.StringT), tc.o, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		b := vec.NewBatch(columns(types.StringT))
		for i, s := range in {
			b.Cols[0].AppendString(s)
			b.N++
			if got, err := e.Encode(nil, b, i); err != nil || string(got) != tc.want[i] {
				t.Errorf("%v: %q is written %s, %v; want %s", tc.o, s, got, err, tc.want[i])
			}
		}
	}
}

func TestEncodeTypes(t *testing.T) {
	s := columns(types.BooleanT, types.DoubleT, types.DecimalT(20, 5), types.TimestampT(3), types.TimestampLTZT(3), types.TimeT(0), types.ArrayT(types.StringT), types.RowT(types.Field{Name: "x", Type: types.IntT}, types.Field{Name: "y", Type: types.StringT}), types.BytesT, types.DateT, types.StringT)
	for in, want := range map[string]string{
		"true,1,100,2020-02-29 12:34:56.700,2020-02-29 12:00:00Z,12:00:00,a;b,1;a,YWJj,2020-02-29,x":                              "true,1.0,1E+2,\"2020-02-29 12:34:56.7\",\"2020-02-29 12:00:00Z\",12:00:00,a;b,1;a,YWJj,2020-02-29,x",
		"false,1e23,12.5,1969-12-31 23:59:59.999,2020-02-29 12:00:00Z,12:00:00,\"a,b;\",1;,,0001-01-01,abcdefghijklmnopqrstuvwxy": "false,1.0E23,12.5,\"1969-12-31 23:59:59.999\",\"2020-02-29 12:00:00Z\",12:00:00,\"a,b;\",1;,,0001-01-01,\"abcdefghijklmnopqrstuvwxy\"",
	} {
		all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
		d, err := New().NewDecoder(s, all, nil, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := New().NewEncoder(s, nil, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		b := vec.NewBatch(s)
		if err := d.Decode([]byte(in), b.Cols); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Encode(nil, b, 0); err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		s    types.Schema
		o    connectors.Options
		want string
	}{
		{columns(types.MapT(types.StringT, types.IntT)), nil, "column a: format 'csv' cannot hold the type MAP<STRING, INT>"},
		{columns(types.ArrayT(types.RowT(types.Field{Name: "x", Type: types.IntT}))), nil, "simple types only"},
		{columns(types.IntT), connectors.Options{optDelimiter: "||"}, "option 'csv.field-delimiter' = '||': expected one ASCII character"},
		{columns(types.IntT), connectors.Options{optDelimiter: `"`}, "another meaning"},
		{columns(types.IntT), connectors.Options{optNoQuote: "true", optQuote: "'"}, "exclude each other"},
		{columns(types.IntT), connectors.Options{optArray: ""}, "is empty"},
	} {
		if _, err := New().NewDecoder(tc.s, []int{0}, tc.o, connectors.Env{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}

// FuzzRoundTrip writes strings and reads them back, and reads what it is given as a file.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a,\"b", "c\r\n", "1,\"x\ny\",2\n")
	f.Fuzz(func(t *testing.T, a, b, file string) {
		s := columns(types.BytesT, types.StringT, types.StringT)
		read(t, s, []int{2, 1, 0}, nil, file)
		read(t, s, []int{0, 1}, connectors.Options{optIgnore: "true", optEscape: `\`, optComments: "true"}, file)
		a, b = strings.ToValidUTF8(a, ""), strings.ToValidUTF8(b, "")
		e, err := New().NewEncoder(columns(types.StringT, types.StringT), nil, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		batch := vec.NewBatch(columns(types.StringT, types.StringT))
		batch.Cols[0].AppendString(a)
		batch.Cols[1].AppendString(b)
		batch.N = 1
		line, err := e.Encode(nil, batch, 0)
		if err != nil {
			t.Fatal(err)
		}
		d, err := New().NewDecoder(columns(types.StringT, types.StringT), []int{0, 1}, nil, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		back := vec.NewBatch(columns(types.StringT, types.StringT))
		n, record := d.(format.Splitter).Split(append(line, '\n'), true)
		if n != len(line)+1 {
			t.Fatalf("%q, %q: a record of %d bytes of %d", a, b, n, len(line)+1)
		}
		if err := d.Decode(record, back.Cols); err != nil {
			t.Fatalf("%q, %q: %v", a, b, err)
		}
		if string(back.Cols[0].Bytes(0)) != a || string(back.Cols[1].Bytes(0)) != b {
			t.Fatalf("%s, %s came back as %s, %s", hex.EncodeToString([]byte(a)), hex.EncodeToString([]byte(b)), back.Cols[0].Bytes(0), back.Cols[1].Bytes(0))
		}
	})
}

// TestBadRecordsLeaveNothingBehind: a bad last field takes back what the ones before appended,
// nested values too.
func TestBadRecordsLeaveNothingBehind(t *testing.T) {
	s := columns(types.ArrayT(types.IntT), types.RowT(types.Field{Name: "x", Type: types.IntT}, types.Field{Name: "y", Type: types.StringT}), types.StringT, types.BooleanT, types.IntT)
	got := read(t, s, []int{0, 1, 2, 3, 4}, nil, "1;2,3;a,s,true,4\n5;6,7;b,t,false,x\n5;x,7;b,t,false,1\n5;6,x;b,t,false,1\n8,9;c,,true,10\n")
	if want := `1;2/3;a/s/true/4 | bad: field e: "x" is no INT (byte 16 of the record) | bad: field a: "x" is no INT (byte 0 of the record) | bad: field b: "x" is no INT (byte 4 of the record) | 8/9;c//true/10`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = read(t, s, []int{1, 0}, ignore, "1;2,3;a,s,true,4\n5;\xff,7;\xff,t,false,1\n8,9;c,,true,10\n")
	if want := `3;a/1;2 | 9;c/8`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func BenchmarkDecode(b *testing.B) {
	s := columns(types.BigIntT, types.BigIntT, types.BigIntT, types.TimestampT(3), types.StringT)
	d, err := New().NewDecoder(s, []int{0, 1, 2, 3, 4}, nil, connectors.Env{})
	if err != nil {
		b.Fatal(err)
	}
	record := []byte("1234,5678,123456,2024-03-09 23:58:30.123," + strings.Repeat("KMYN^X", 12))
	batch := vec.NewBatch(s)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%vec.MaxRows == 0 {
			batch.Reset()
		}
		if err := d.Decode(record, batch.Cols); err != nil {
			b.Fatal(err)
		}
	}
}
