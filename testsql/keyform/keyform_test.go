package keyform

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// keyTypes has a type of every kind, and nested ones.
var keyTypes = []types.Type{
	types.BooleanT, types.TinyIntT, types.SmallIntT, types.IntT, types.BigIntT, types.FloatT, types.DoubleT,
	types.DecimalT(10, 2), types.DecimalT(18, 0), types.DecimalT(19, 3), types.DecimalT(38, 10), types.CharT(3), types.VarCharT(5), types.StringT,
	{Kind: types.Binary, Length: 4}, types.BytesT, types.DateT, types.TimeT(0), types.TimestampT(3), types.TimestampT(6), types.TimestampT(9),
	types.TimestampLTZT(3), types.TimestampLTZT(9), types.YearMonthT, types.DayTimeT,
	types.ArrayT(types.IntT), types.ArrayT(types.StringT), types.MultisetT(types.StringT.NotNullable()),
	types.MapT(types.StringT.NotNullable(), types.ArrayT(types.DoubleT)),
	types.RowT(types.Field{Name: "a", Type: types.IntT}, types.Field{Name: "b", Type: types.RowT(types.Field{Name: "c", Type: types.StringT})}),
}

// appendRandom appends a random value to a column.
func appendRandom(r *rand.Rand, v *vec.Vec) {
	if !v.Type.NotNull && r.IntN(4) == 0 {
		v.AppendNull()
		return
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		v.AppendBool(r.IntN(2) == 0)
	case types.PhysI8:
		vec.Append(v, int8(r.Uint32()))
	case types.PhysI16:
		vec.Append(v, int16(r.Uint32()))
	case types.PhysI32:
		vec.Append(v, int32(r.Uint32()))
	case types.PhysI64:
		vec.Append(v, int64(r.Uint64()))
	case types.PhysF32:
		vec.Append(v, [...]float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), math.Float32frombits(0xffc00001), float32(math.Inf(-1)), float32(r.NormFloat64())}[r.IntN(6)])
	case types.PhysF64:
		vec.Append(v, [...]float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0xfff8000000000001), math.Inf(1), r.NormFloat64()}[r.IntN(6)])
	case types.PhysD128:
		d := vec.Dec128{Lo: r.Uint64() >> 10}
		if r.IntN(2) == 0 {
			d = vec.Dec128{Lo: -d.Lo, Hi: -1}
		}
		if v.Type.Precision > 18 && r.IntN(2) == 0 {
			d.Hi = int64(r.Uint64())
		}
		vec.Append(v, d)
	case types.PhysBytes:
		v.AppendString([]string{"", "a", "Zürich", strings.Repeat("x", 300)}[r.IntN(4)])
	case types.PhysList, types.PhysMap:
		for range r.IntN(4) {
			for k := range v.Kids {
				appendRandom(r, &v.Kids[k])
			}
		}
		v.AppendOpen()
	case types.PhysRow:
		for k := range v.Kids {
			appendRandom(r, &v.Kids[k])
		}
		v.AppendOpen()
	}
}

// TestSavepointsReadKeysAsTheEngineWritesThem: keyform is written for itself, because checkpoint
// does not import the engine; it must agree with rowkey for ever.
func TestSavepointsReadKeysAsTheEngineWritesThem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, typ := range keyTypes {
		for _, typ := range []types.Type{typ, typ.NotNullable()} {
			v := vec.New(typ)
			for range 300 {
				appendRandom(r, &v)
			}
			arrowType, err := keyform.Type(typ)
			if err != nil {
				t.Fatal(err)
			}
			b := array.NewBuilder(memory.DefaultAllocator, arrowType)
			var keys [][]byte
			for i := range v.N {
				key := append(rowkey.AppendValue(nil, &v, i), "rest"...)
				form, rest, ok := keyform.Split(&typ, key)
				if !ok || string(rest) != "rest" {
					t.Fatalf("%s: key %x is not understood", typ, key)
				}
				if left := keyform.Decode(b, &typ, form); len(left) != 0 {
					t.Fatalf("%s: decoding key %x leaves %x", typ, form, left)
				}
				keys = append(keys, form)
			}
			a := b.NewArray()
			for i, key := range keys {
				if got := keyform.Append(nil, &typ, a, i); !bytes.Equal(got, key) {
					t.Fatalf("%s: %x came back as %x", typ, key, got)
				}
				if rowkey.Hash(key) != keyform.Hash(key) {
					t.Fatal("the hashes differ")
				}
			}
			sameAsRecord(t, &v, a)
			a.Release()
			b.Release()
		}
	}
}

// sameAsRecord compares with the engine's own way to Arrow, apart from intervals, which
// savepoints have as numbers.
func sameAsRecord(t *testing.T, v *vec.Vec, a arrow.Array) {
	t.Helper()
	if v.Type.IsInterval() {
		return
	}
	s, err := vec.ArrowSchema(types.Schema{{Name: "c", Type: v.Type}})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := (&vec.Batch{N: v.N, Cols: []vec.Vec{*v}}).Record(s)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	if got, want := a.String(), rec.Column(0).String(); got != want {
		t.Fatalf("%s: columns\n got %.500s\nwant %.500s", v.Type, got, want)
	}
}

func TestSplitRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		t   types.Type
		key string
	}{
		"nothing":                     {types.IntT, ""},
		"a tag that is none":          {types.IntT, "\x02\x00\x00\x00\x00"},
		"a boolean that is none":      {types.BooleanT, "\x03"},
		"NULL where there is none":    {types.IntT.NotNullable(), "\x00"},
		"a number that is cut":        {types.BigIntT, "\x01\x00\x00"},
		"a string that is cut":        {types.StringT, "\x01\x05abc"},
		"a length in a longer form":   {types.StringT, "\x01\x80\x00"},
		"a length without an end":     {types.StringT, "\x01\x80"},
		"a huge length":               {types.StringT, "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
		"a string that is not UTF-8":  {types.StringT, "\x01\x01\xff"},
		"another NaN":                 {types.DoubleT, "\x01\xff\xf8\x00\x00\x00\x00\x00\x01"},
		"more elements than bytes":    {types.ArrayT(types.IntT), "\x01\xff\xff\x03"},
		"an element that is cut":      {types.ArrayT(types.IntT), "\x01\x01\x01"},
		"a map with a NULL key":       {types.MapT(types.IntT, types.IntT), "\x01\x01\x00\x00"},
		"a row without its last part": {types.RowT(types.Field{Name: "a", Type: types.IntT}), "\x01"},
	} {
		if form, _, ok := keyform.Split(&c.t, []byte(c.key)); ok {
			t.Errorf("%s: %x is taken for a key of type %s", name, form, c.t)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(uint8(0), []byte{1})
	f.Add(uint8(11), []byte("\x01\x03abc"))
	f.Add(uint8(28), []byte("\x01\x01\x01\x01a\x01\x00"))
	f.Fuzz(func(t *testing.T, n uint8, key []byte) {
		typ := keyTypes[int(n)%len(keyTypes)]
		form, rest, ok := keyform.Split(&typ, key)
		if !ok {
			return
		}
		if !bytes.Equal(append(bytes.Clone(form), rest...), key) {
			t.Fatalf("%x and %x are not %x", form, rest, key)
		}
		arrowType, err := keyform.Type(typ)
		if err != nil {
			t.Fatal(err)
		}
		b := array.NewBuilder(memory.DefaultAllocator, arrowType)
		defer b.Release()
		keyform.Decode(b, &typ, form)
		a := b.NewArray()
		defer a.Release()
		if got := keyform.Append(nil, &typ, a, 0); !bytes.Equal(got, form) {
			t.Fatalf("%s: %x came back as %x", typ, form, got)
		}
		v := vec.New(typ)
		if left, err := rowkey.DecodeValue(&v, form); err != nil || len(left) > 0 {
			t.Fatalf("%s: the engine does not read %x: %v", typ, form, err)
		}
	})
}
