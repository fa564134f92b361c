package vec

import (
	"bytes"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"github.com/sqlstream/sqlstream/sql/types"
)

// everything is a batch with a column of every kind: a row of values, one of NULLs, one of
// values.
func everything() (types.Schema, *Batch) {
	s := types.Schema{
		{Name: "flag", Type: types.BooleanT}, {Name: "i8", Type: types.TinyIntT}, {Name: "i64", Type: types.BigIntT},
		{Name: "f64", Type: types.DoubleT}, {Name: "dec", Type: types.DecimalT(10, 2)}, {Name: "text", Type: types.StringT},
		{Name: "day", Type: types.DateT}, {Name: "ts", Type: types.TimestampT(3)}, {Name: "ltz", Type: types.TimestampLTZT(6)},
		{Name: "list", Type: types.ArrayT(types.IntT)}, {Name: "map", Type: types.MapT(types.StringT.NotNullable(), types.BigIntT)},
		{Name: "row", Type: types.RowT(types.Field{Name: "a", Type: types.IntT}, types.Field{Name: "b", Type: types.StringT})},
	}
	b := NewBatch(s)
	for r := range 3 {
		if r == 1 {
			for c := range b.Cols {
				b.Cols[c].AppendNull()
			}
			b.AddKind(Insert)
			continue
		}
		x := int64(r + 1)
		c := b.Cols
		c[0].AppendBool(r == 0)
		Append(&c[1], int8(x))
		Append(&c[2], x*1_000_000_007)
		Append(&c[3], float64(x)/2)
		Append(&c[4], Dec128{Lo: uint64(x * 150)})
		c[5].AppendString(strings.Repeat("é", int(x)))
		Append(&c[6], int32(19_000+x))
		Append(&c[7], x*1000)
		Append(&c[8], x*1_000_000)
		for i := range r + 1 {
			Append(&c[9].Kids[0], int32(i))
		}
		c[9].AppendOpen()
		c[10].Kids[0].AppendString("k")
		Append(&c[10].Kids[1], x)
		c[10].AppendOpen()
		Append(&c[11].Kids[0], int32(x))
		c[11].Kids[1].AppendString("in")
		c[11].AppendOpen()
		b.AddKind(Insert)
	}
	return s, b
}

func TestABatchIsAnArrowRecord(t *testing.T) {
	s, b := everything()
	schema, err := ArrowSchema(s)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := b.Record(schema)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	// Through IPC, as another program would get it.
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	got := r.Record()
	if !array.RecordEqual(rec, got) {
		t.Errorf("got %v\nwant %v", got, rec)
	}
	want := map[string]string{
		"flag": "[true (null) false]", "i8": "[1 (null) 3]", "i64": "[1000000007 (null) 3000000021]", "f64": "[0.5 (null) 1.5]",
		"text": `["é" (null) "ééé"]`, "day": "[19001 (null) 19003]", "list": "[[0] (null) [0 1 2]]",
		"map": `[{["k"] [1]} (null) {["k"] [3]}]`, "row": `{[1 (null) 3] ["in" (null) "in"]}`,
	}
	for i, f := range got.Schema().Fields() {
		if text := got.Column(i).String(); want[f.Name] != "" && text != want[f.Name] {
			t.Errorf("%s: %s, want %s", f.Name, text, want[f.Name])
		}
		if at := f.Metadata.FindKey(SQLType); at < 0 || f.Metadata.Values()[at] != s[i].Type.String() {
			t.Errorf("%s has lost its SQL type", f.Name)
		}
	}
}

func TestASelectionIsCompacted(t *testing.T) {
	s, b := everything()
	schema, err := ArrowSchema(s)
	if err != nil {
		t.Fatal(err)
	}
	b.Sel = []int32{2}
	rec, err := b.Record(schema)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	if rec.NumRows() != 1 || rec.Column(2).String() != "[3000000021]" || rec.Column(11).String() != `{[3] ["in"]}` {
		t.Errorf("got %v", rec)
	}
}

func TestNoColumnsNoRows(t *testing.T) {
	schema, err := ArrowSchema(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBatch(nil)
	rec, err := b.Record(schema)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	if rec.NumRows() != 0 {
		t.Error(rec)
	}
	m := New(types.MapT(types.StringT, types.IntT))
	m.Kids[0].AppendNull()
	Append(&m.Kids[1], int32(1))
	m.AppendOpen()
	ms := types.Schema{{Name: "m", Type: m.Type}}
	if schema, err = ArrowSchema(ms); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Batch{N: 1, Cols: []Vec{m}}).Record(schema); err == nil {
		t.Error("a NULL key became Arrow")
	}
	if _, err := ArrowSchema(types.Schema{{Name: "x", Type: types.Type{}}}); err == nil {
		t.Error("an invalid type has an Arrow form")
	}
}
