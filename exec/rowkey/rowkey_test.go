package rowkey

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// keyTypes are one type of every layout.
var keyTypes = []types.Type{
	types.BooleanT, types.TinyIntT, types.SmallIntT, types.IntT, types.BigIntT, types.FloatT, types.DoubleT,
	types.DecimalT(10, 2), types.DecimalT(38, 4), types.StringT, types.BytesT, types.DateT, types.TimeT(3), types.TimestampT(6),
	types.TimestampLTZT(3), types.YearMonthT, types.DayTimeT, types.ArrayT(types.StringT), types.MapT(types.StringT, types.IntT),
	types.MultisetT(types.BigIntT), types.RowT(types.Field{Name: "a", Type: types.IntT}, types.Field{Name: "b", Type: types.ArrayT(types.DoubleT)}),
}

// appendRandom appends a random value, from few enough values that equal ones are frequent.
func appendRandom(v *vec.Vec, r *rand.Rand) {
	if !v.Type.NotNull && r.IntN(4) == 0 {
		v.AppendNull()
		return
	}
	small := int64(r.IntN(5) - 2)
	switch v.Type.Physical() {
	case types.PhysBool:
		v.AppendBool(small > 0)
	case types.PhysI8:
		vec.Append(v, int8(small*60))
	case types.PhysI16:
		vec.Append(v, int16(small*16000))
	case types.PhysI32:
		vec.Append(v, int32(small*1_000_000_000))
	case types.PhysI64:
		vec.Append(v, small*4_000_000_000_000_000_000)
	case types.PhysF32:
		vec.Append(v, []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), 1.5, float32(math.Inf(1))}[small+2])
	case types.PhysF64:
		vec.Append(v, []float64{0, math.Copysign(0, -1), math.NaN(), 1.5, math.Inf(-1)}[small+2])
	case types.PhysD128:
		d := vec.Dec128{Lo: uint64(small), Hi: small >> 63}
		if v.Type.Precision > wideDecimal {
			d.Hi = small * 1000
		}
		vec.Append(v, d)
	case types.PhysBytes:
		v.AppendBytes(bytes.Repeat([]byte{'a', 0, 1}, []int{0, 1, 2, 50, 5000}[small+2]))
	case types.PhysRow:
		for k := range v.Kids {
			appendRandom(&v.Kids[k], r)
		}
		v.AppendOpen()
	default:
		for range r.IntN(3) {
			for k := range v.Kids {
				appendRandom(&v.Kids[k], r)
			}
		}
		v.AppendOpen()
	}
}

func randomBatch(ts []types.Type, n int, r *rand.Rand) *vec.Batch {
	s := make(types.Schema, len(ts))
	for i := range ts {
		s[i].Type = ts[i]
	}
	b := vec.NewBatch(s)
	for range n {
		for c := range b.Cols {
			appendRandom(&b.Cols[c], r)
		}
		b.N++
	}
	return b
}

func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

func TestEveryTypeRoundTripsAndColumnwiseEqualsRowwise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, typ := range keyTypes {
		for _, typ := range []types.Type{typ, typ.NotNullable()} {
			b := randomBatch([]types.Type{typ, types.BigIntT, typ}, 200, r)
			rows := allRows(200)[3:]
			e := New([]int{0, 2})
			e.Encode(b, rows)
			out := vec.NewBatch(types.Schema{{Type: typ}, {Type: typ}})
			for i, row := range rows {
				key := e.Keys.At(i)
				want := AppendValue(AppendValue(nil, &b.Cols[0], int(row)), &b.Cols[2], int(row))
				if !bytes.Equal(key, want) {
					t.Fatalf("%s row %d: column-wise %x, row-wise %x", typ, row, key, want)
				}
				if e.Hash[i] != Hash(key) || e.Group[i] != Hash(key) {
					t.Fatalf("%s: hash is not that of the key", typ)
				}
				if err := Decode(out.Cols, key); err != nil {
					t.Fatal(err)
				}
				first := AppendValue(nil, &b.Cols[0], int(row))
				if rest, err := Skip(key, []types.Type{typ}); err != nil || len(rest) != len(key)-len(first) {
					t.Fatalf("%s: %x after its first column is %x (%v)", typ, key, rest, err)
				}
				again := AppendValue(AppendValue(nil, &out.Cols[0], i), &out.Cols[1], i)
				if !bytes.Equal(key, again) {
					t.Fatalf("%s row %d: %x decodes to something that encodes to %x", typ, row, key, again)
				}
			}
		}
	}
}

func TestNoKeyIsAPrefixOfAnother(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, typ := range keyTypes {
		b := randomBatch([]types.Type{typ}, 300, r)
		e := New([]int{0})
		e.Encode(b, allRows(300))
		for i := range 300 {
			for j := range 300 {
				a, c := e.Keys.At(i), e.Keys.At(j)
				if len(a) < len(c) && bytes.HasPrefix(c, a) {
					t.Fatalf("%s: %x is a prefix of %x", typ, a, c)
				}
			}
		}
	}
}

func TestPrefixComesFirstAndIsNotPartOfTheGroup(t *testing.T) {
	b := randomBatch([]types.Type{types.BigIntT}, 4, rand.New(rand.NewPCG(5, 6)))
	plain, pre := New([]int{0}), NewPrefixed([]int{0})
	rows := allRows(4)
	plain.Encode(b, rows)
	pre.EncodePrefixed(b, rows, []uint64{1, 2, 3, 1 << 63})
	for i := range rows {
		key := pre.Keys.At(i)
		if !bytes.Equal(key[8:], plain.Keys.At(i)) || pre.Group[i] != plain.Hash[i] || pre.Hash[i] != HashPrefixed(key) {
			t.Fatalf("key %d: %x", i, key)
		}
	}
	if pre.Keys.At(3)[0] != 0x80 {
		t.Fatal("the prefix is not big endian")
	}
	g, h := plain.Groups(nil, 128), plain.Groups(nil, 100)
	for i := range rows {
		if g[i] != state.GroupOf(plain.Hash[i], 128) || h[i] != state.GroupOf(plain.Hash[i], 100) {
			t.Fatal("key group")
		}
	}
}

// The bytes are in every checkpoint: this test may get more lines, never other ones.
func TestTheFormIsPinned(t *testing.T) {
	b := vec.NewBatch(types.Schema{{Type: types.BigIntT}, {Type: types.StringT}, {Type: types.DoubleT}, {Type: types.BooleanT}, {Type: types.DecimalT(20, 1)}})
	vec.Append(&b.Cols[0], int64(-2))
	b.Cols[1].AppendString("ab")
	vec.Append(&b.Cols[2], math.Copysign(0, -1))
	b.Cols[3].AppendBool(false)
	vec.Append(&b.Cols[4], vec.Dec128{Lo: 5})
	for c := range b.Cols {
		b.Cols[c].AppendNull()
	}
	b.N = 2
	e := New([]int{0, 1, 2, 3, 4})
	e.Encode(b, allRows(2))
	for i, want := range []string{
		"01" + "7ffffffffffffffe" + "01" + "02" + "6162" + "01" + "7fffffffffffffff" + "01" + "01" + "8000000000000000" + "0000000000000005",
		"0000000000",
	} {
		if got := hex.EncodeToString(e.Keys.At(i)); got != want {
			t.Errorf("key %d is %s, want %s", i, got, want)
		}
	}
	if e.Hash[1] != 0xe864e5893a273242 {
		t.Errorf("hash of five zero bytes is %#x", e.Hash[1])
	}
}

func TestNoKeyColumnsIsOneKey(t *testing.T) {
	b := randomBatch([]types.Type{types.IntT}, 3, rand.New(rand.NewPCG(7, 8)))
	e := New(nil)
	e.Encode(b, allRows(3))
	if e.Keys.Len() != 3 || len(e.Keys.At(2)) != 0 || e.Hash[0] != e.Hash[2] {
		t.Fatalf("%v", e.Keys)
	}
	if g := e.Groups(nil, 128); len(g) != 3 || g[0] != g[2] {
		t.Fatalf("groups %v", g)
	}
}

func TestCompareFollowsTheValues(t *testing.T) {
	neg := math.Copysign(0, -1)
	d := vec.New(types.DoubleT)
	f := vec.New(types.FloatT)
	for _, x := range []float64{math.Inf(-1), -2, -1e-300, neg, 0, 1e-300, 1, math.Inf(1), math.NaN()} {
		vec.Append(&d, x)
	}
	for _, x := range []float32{float32(math.Inf(-1)), -2, float32(neg), 0, 1, float32(math.Inf(1)), float32(math.NaN())} {
		vec.Append(&f, x)
	}
	s := vec.New(types.StringT)
	for _, x := range []string{"", "a", "aa", "b", "b" + string(make([]byte, 200)), "ba"} {
		s.AppendString(x)
	}
	dec := vec.New(types.DecimalT(38, 0))
	for _, x := range []vec.Dec128{{Lo: 0, Hi: -5}, {Lo: math.MaxUint64, Hi: -1}, {}, {Lo: 1}, {Hi: 1}} {
		vec.Append(&dec, x)
	}
	for _, v := range []*vec.Vec{&d, &f, &s, &dec} {
		for i := range v.N {
			for j := range v.N {
				a, b := AppendValue(nil, v, i), AppendValue(nil, v, j)
				if got, want := Compare(v.Type, a, b), min(1, max(-1, i-j)); got != want {
					t.Errorf("%s: value %d against %d is %d, want %d", v.Type, i, j, got, want)
				}
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 2, 0x61, 0x62, 1, 1, 0})
	f.Fuzz(func(t *testing.T, key []byte) {
		for _, typ := range keyTypes {
			v := vec.New(typ)
			rest, err := DecodeValue(&v, key)
			if err == nil && (v.N != 1 || len(rest) > len(key)) {
				t.Fatalf("%s: %d values", typ, v.N)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 9))
	for _, c := range []struct {
		name string
		ts   []types.Type
	}{
		{"bigint", []types.Type{types.BigIntT.NotNullable()}},
		{"string", []types.Type{types.StringT.NotNullable()}},
		{"bigint,string,timestamp", []types.Type{types.BigIntT.NotNullable(), types.StringT.NotNullable(), types.TimestampT(3).NotNullable()}},
	} {
		b.Run(c.name, func(b *testing.B) {
			batch := vec.NewBatch(make(types.Schema, 0))
			cols := []int{}
			for i, typ := range c.ts {
				v := vec.New(typ)
				for range vec.MaxRows {
					if typ.IsString() {
						v.AppendString("apple-banana!"[:r.IntN(13)])
					} else {
						vec.Append(&v, r.Int64())
					}
				}
				batch.Cols, cols = append(batch.Cols, v), append(cols, i)
			}
			batch.N = vec.MaxRows
			rows := allRows(vec.MaxRows)
			e := New(cols)
			for b.Loop() {
				e.Encode(batch, rows)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/vec.MaxRows, "ns/row")
		})
	}
}
