package inflight

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func ptr(t types.Type) *types.Type { return &t }

// schema has a column of every layout.
var schema = types.Schema{
	{Name: "b", Type: types.BooleanT},
	{Name: "i8", Type: types.Type{Kind: types.TinyInt}},
	{Name: "i16", Type: types.Type{Kind: types.SmallInt}},
	{Name: "i32", Type: types.IntT},
	{Name: "i64", Type: types.BigIntT.NotNullable()},
	{Name: "f", Type: types.DoubleT},
	{Name: "d", Type: types.Type{Kind: types.Decimal, Precision: 30, Scale: 2}},
	{Name: "s", Type: types.StringT},
	{Name: "a", Type: types.Type{Kind: types.Array, Elem: ptr(types.StringT)}},
	{Name: "m", Type: types.Type{Kind: types.Map, Key: ptr(types.StringT.NotNullable()), Elem: ptr(types.IntT)}},
	{Name: "r", Type: types.Type{Kind: types.Row, Fields: []types.Field{{Name: "x", Type: types.BigIntT}, {Name: "y", Type: types.StringT}}}},
}

// rows makes n rows; every third one has NULLs, and kinds differ when changes is set.
func rows(n int, changes bool) *vec.Batch {
	b := vec.NewBatch(schema)
	for i := range n {
		null := i%3 == 2
		for c := range b.Cols {
			v := &b.Cols[c]
			if null && !schema[c].Type.NotNull {
				v.AppendNull()
				continue
			}
			switch schema[c].Name {
			case "b":
				v.AppendBool(i%2 == 0)
			case "i8":
				vec.Append(v, int8(i))
			case "i16":
				vec.Append(v, int16(i))
			case "i32":
				vec.Append(v, int32(i))
			case "i64":
				vec.Append(v, int64(i)<<40)
			case "f":
				vec.Append(v, float64(i)/3)
			case "d":
				vec.Append(v, vec.Dec128{Lo: uint64(i), Hi: -1})
			case "s":
				v.AppendString(strings.Repeat("x", i%5))
			case "a":
				for range i % 4 {
					v.Kids[0].AppendString(fmt.Sprint(i))
				}
				v.AppendOpen()
			case "m":
				v.Kids[0].AppendString("k")
				v.Kids[1].AppendNull()
				v.AppendOpen()
			case "r":
				vec.Append(&v.Kids[0], int64(i))
				v.Kids[1].AppendString("y")
				v.AppendOpen()
			}
		}
		kind := vec.Insert
		if changes {
			kind = vec.Kind(i % 4)
		}
		b.AddKind(kind)
	}
	return b
}

// text is a row to compare with.
func text(b *vec.Batch, r int) string {
	out := vec.KindText(b.Kind(r))
	for c := range b.Cols {
		out += " " + cell(&b.Cols[c], r)
	}
	return out
}

func cell(v *vec.Vec, r int) string {
	if v.IsNull(r) {
		return "NULL"
	}
	switch p := v.Type.Physical(); p {
	case types.PhysBool:
		return fmt.Sprint(v.Bool(r))
	case types.PhysBytes:
		return fmt.Sprintf("%q", v.Bytes(r))
	case types.PhysList, types.PhysMap:
		out := "["
		for i := v.Off[r]; i < v.Off[r+1]; i++ {
			for k := range v.Kids {
				out += cell(&v.Kids[k], int(i)) + ","
			}
		}
		return out + "]"
	case types.PhysRow:
		return "(" + cell(&v.Kids[0], r) + "," + cell(&v.Kids[1], r) + ")"
	default:
		w := p.Width()
		return fmt.Sprintf("%x", v.Data[r*w:r*w+w])
	}
}

func TestRowsComeBackAsTheyWere(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 65, vec.MaxRows} {
		for _, changes := range []bool{false, true} {
			b := rows(n, changes)
			var all []int32
			data := Append(Header(b), b, b.Rows(&all))
			var some []int32
			for i := 0; i < n; i += 2 {
				some = append(some, int32(i))
			}
			data = Append(data, b, some)
			got, err := Decode(data, schema)
			if err != nil || len(got) != 2 || got[0].N != n || got[1].N != len(some) {
				t.Fatalf("%d rows: %d batches, %v", n, len(got), err)
			}
			for i := range n {
				if g, w := text(got[0], i), text(b, i); g != w {
					t.Fatalf("%d rows: row %d is %s, want %s", n, i, g, w)
				}
			}
			for i, r := range some {
				if g, w := text(got[1], i), text(b, int(r)); g != w {
					t.Fatalf("%d rows: selected row %d is %s, want %s", n, i, g, w)
				}
			}
			// What was read is a batch as any other.
			copied := vec.NewBatch(schema)
			copied.AppendBatch(got[0], some)
			if g, w := text(copied, len(some)-1), text(b, int(some[len(some)-1])); g != w {
				t.Errorf("copied: %s, want %s", g, w)
			}
		}
	}
}

func TestRowsOfAnotherQueryAreRefused(t *testing.T) {
	b := rows(3, false)
	var all []int32
	data := Append(Header(b), b, b.Rows(&all))
	other := append(types.Schema{}, schema...)
	other[4].Type = types.BigIntT // only says that it may be NULL
	if _, err := Decode(data, other); err != nil {
		t.Error(err)
	}
	other[4].Type = types.StringT
	if _, err := Decode(data, other); err == nil || !strings.Contains(err.Error(), "the query has changed") || errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// Every damage is an error or other rows, never a panic, and never a large allocation.
func TestDamagedFiles(t *testing.T) {
	b := rows(70, true)
	var all []int32
	good := Append(Header(b), b, b.Rows(&all))
	head := len(Header(b))
	for i := range good {
		if _, err := Decode(good[:i], schema); err == nil && i != head {
			t.Fatalf("the first %d bytes of %d are a file", i, len(good))
		}
		for _, x := range []byte{1, 0x80, 0xff} {
			bad := append([]byte{}, good...)
			bad[i] ^= x
			_, _ = Decode(bad, schema)
		}
	}
	huge := append([]byte{}, good...)
	binary.LittleEndian.PutUint32(huge[head+4:], 1<<31)
	if _, err := Decode(huge, schema); !errors.Is(err, ErrCorrupt) {
		t.Errorf("2 G rows: %v", err)
	}
	if _, err := Decode(append(good, 0), schema); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte too many: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	b := rows(5, true)
	var all []int32
	f.Add(Append(Header(b), b, b.Rows(&all)))
	f.Add(Header(b))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Decode(append(Header(b), data...), schema)
		if err != nil {
			return
		}
		for _, b := range got {
			for i := range b.N {
				_ = text(b, i) // reads every cell
			}
		}
	})
}

func BenchmarkCapture(b *testing.B) {
	batch := rows(vec.MaxRows, false)
	var all []int32
	var out []byte
	for b.Loop() {
		out = Append(out[:0], batch, batch.Rows(&all))
	}
	b.SetBytes(int64(len(out)))
}
