package result

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

var shopSchema = types.Schema{{Name: "shop", Type: types.StringT}, {Name: "n", Type: types.BigIntT.NotNullable()}}

type change struct {
	kind vec.Kind
	shop string // "" is NULL
	n    int64
}

func batch(changes ...change) *vec.Batch {
	b := vec.NewBatch(shopSchema)
	for _, c := range changes {
		if c.shop == "" {
			b.Cols[0].AppendNull()
		} else {
			b.Cols[0].AppendString(c.shop)
		}
		vec.Append(&b.Cols[1], c.n)
		b.AddKind(c.kind)
	}
	return b
}

var sales = []*vec.Batch{
	batch(change{vec.Insert, "north", 1}, change{vec.Insert, "", 2}),
	batch(change{vec.UpdateBefore, "north", 1}, change{vec.UpdateAfter, "north", 1000000}, change{vec.Delete, `a "b", c`, 3}),
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		name   string
		format Format
		layout Layout
		want   string
	}{
		{"table", Table, Layout{}, `
+----+-------+---+
| op | shop  | n |
+----+-------+---+
| +I | north | 1 |
| +I | NULL  | 2 |
+----+-------+---+
+----+----------+----------+
| op | shop     |        n |
+----+----------+----------+
| -U | north    |        1 |
| +U | north    |  1000000 |
| -D | a "b", c |        3 |
+----+----------+----------+
5 changes
`},
		{"changelog", Changelog, Layout{}, `
+I[north, 1]
+I[NULL, 2]
-U[north, 1]
+U[north, 1000000]
-D[a "b", c, 3]
`},
		{"csv", CSV, Layout{}, `
op,shop,n
+I,north,1
+I,,2
-U,north,1
+U,north,1000000
-D,"a ""b"", c",3
`},
		{"json", JSON, Layout{}, `
{"columns":[{"name":"shop","type":"STRING"},{"name":"n","type":"BIGINT NOT NULL"}]}
["+I","north","1"]
["+I",null,"2"]
["-U","north","1"]
["+U","north","1000000"]
["-D","a \"b\", c","3"]
`},
		{"expanded", Table, Layout{Expanded: true}, `
-[ 1 ]---
op   | +I
shop | north
n    | 1
-[ 2 ]---
op   | +I
shop | NULL
n    | 2
-[ 3 ]---
op   | -U
shop | north
n    | 1
-[ 4 ]---
op   | +U
shop | north
n    | 1000000
-[ 5 ]---
op   | -D
shop | a "b", c
n    | 3
5 changes
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			p := NewPrinter(&out, tt.format)
			p.Layout = tt.layout
			r := p.Query(shopSchema, false)
			for _, b := range sales {
				if err := r.Batch(b); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.End(); err != nil {
				t.Fatal(err)
			}
			if got := "\n" + out.String(); got != tt.want {
				t.Errorf("got%s\nwant%s", got, tt.want)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		format Format
		want   string
	}{
		{Table, "table t created\n+------+\n| name |\n+------+\n| t    |\n+------+\nCREATE TABLE t (\n)\n"},
		{Changelog, "table t created\n[t]\nCREATE TABLE t (\n)\n"},
		{CSV, "name\nt\nresult\n\"CREATE TABLE t (\n)\"\n"},
		{JSON, `{"ok":"table t created"}
{"columns":[{"name":"name","type":"STRING"}]}
["+I","t"]
{"columns":[{"name":"result","type":"STRING"}]}
["+I","CREATE TABLE t (\n)"]
`},
	} {
		var out strings.Builder
		p := NewPrinter(&out, tt.format)
		for _, err := range []error{p.Message("table t created"), p.Rows([]string{"name"}, [][]string{{"t"}}), p.Text("CREATE TABLE t (\n)")} {
			if err != nil {
				t.Error(err)
			}
		}
		if out.String() != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.format, out.String(), tt.want)
		}
	}
}

func TestTheTerminalsWidthIsKept(t *testing.T) {
	long := strings.Repeat("wide 漢字 ", 20)
	for _, width := range []int{30, 40, 80, 200} {
		var out strings.Builder
		p := NewPrinter(&out, Table)
		p.Layout = Layout{Width: width}
		r := p.Query(shopSchema, true)
		if err := r.Batch(batch(change{vec.Insert, long, 123456789}, change{vec.Insert, "b", 1})); err != nil {
			t.Fatal(err)
		}
		if err := r.End(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "123456789") {
			t.Errorf("width %d: a number was cut:\n%s", width, out.String())
		}
		lines := strings.Split(out.String(), "\n")
		for _, l := range lines[:len(lines)-2] {
			if w := displayWidth(l); w > width || w != displayWidth(lines[0]) {
				t.Errorf("width %d: line of %d columns: %s", width, w, l)
			}
		}
	}
}

func displayWidth(s string) int {
	_, w := cutTo(s, 1<<20)
	return w
}

func TestEmptyResultHasItsHeader(t *testing.T) {
	var out strings.Builder
	if err := NewPrinter(&out, Table).Query(shopSchema, true).End(); err != nil {
		t.Fatal(err)
	}
	if want := "+----+------+---+\n| op | shop | n |\n+----+------+---+\n+----+------+---+\n0 rows\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTerminalCodesAreMadeVisible(t *testing.T) {
	for in, want := range map[string]string{"a\x1b[2Jb\n\t": `a\x1b[2Jb\n\t`, "é漢": "é漢", "\u202e": `\u202e`, "\u0085": `\x85`} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	fixed := func(ty types.Type, x int64) vec.Vec { v := vec.New(ty); vec.Append(&v, x); return v }
	months := vec.New(types.YearMonthT)
	vec.Append(&months, int32(-14))
	row := vec.New(types.RowT(types.Field{Name: "a", Type: types.ArrayT(types.BooleanT)}, types.Field{Name: "m", Type: types.MapT(types.StringT, types.BytesT)}))
	row.Kids[0].Kids[0].AppendBool(true)
	row.Kids[0].Kids[0].AppendNull()
	row.Kids[0].AppendOpen()
	row.Kids[1].Kids[0].AppendString("k")
	row.Kids[1].Kids[1].AppendString("\x01")
	row.Kids[1].AppendOpen()
	row.AppendOpen()
	for _, c := range []struct {
		v    vec.Vec
		want string
	}{
		{fixed(types.TimestampT(3), 1709208000120), "2024-02-29 12:00:00.120"},
		{fixed(types.TimestampLTZT(0), 1709208000000), "2024-02-29 12:00:00Z"},
		{fixed(types.DayTimeT, 90061001), "+1 01:01:01.001"},
		{months, "-1-02"},
		{row, "([TRUE, NULL], {k=x'01'})"},
	} {
		if got := string(appendText(nil, &c.v, 0)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.v.Type, got, c.want)
		}
	}
}
