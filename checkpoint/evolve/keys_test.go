package evolve

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state/memstate"
)

// TestWiderKeysAreThoseOfTheEngine: the key form of a value, widened, is what the engine writes for the value in the
// wider type.
func TestWiderKeysAreThoseOfTheEngine(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	whole := func(v int64) func(*vec.Vec) {
		return func(x *vec.Vec) {
			switch x.Type.Physical() {
			case types.PhysI8:
				vec.Append(x, int8(v))
			case types.PhysI16:
				vec.Append(x, int16(v))
			case types.PhysI32:
				vec.Append(x, int32(v))
			case types.PhysI64:
				vec.Append(x, v)
			}
		}
	}
	for _, tc := range []struct {
		from, to types.Type
		limit    int64
	}{
		{types.TinyIntT, types.SmallIntT, 1 << 7}, {types.TinyIntT, types.BigIntT, 1 << 7}, {types.SmallIntT, types.IntT, 1 << 15},
		{types.IntT, types.BigIntT, 1 << 31}, {types.TimeT(0), types.TimeT(3), 1 << 26},
	} {
		for range 100 {
			v := rnd.Int64N(tc.limit)*2 - tc.limit
			checkWidened(t, tc.from, tc.to, whole(v), whole(v))
		}
	}
	for range 100 {
		ms := rnd.Int64N(1<<43) - 1<<42
		checkWidened(t, types.TimestampT(3), types.TimestampT(6), whole(ms), whole(ms*1000))
		checkWidened(t, types.TimestampLTZT(0), types.TimestampLTZT(9), whole(ms), whole(ms*1000_000))
		f := math.Float32frombits(rnd.Uint32())
		checkWidened(t, types.FloatT, types.DoubleT, func(v *vec.Vec) { vec.Append(v, f) }, func(v *vec.Vec) { vec.Append(v, float64(f)) })
		d := rnd.Int64N(2e9) - 1e9
		unscaled := func(d int64) func(*vec.Vec) {
			return func(v *vec.Vec) { vec.Append(v, vec.Dec128{Lo: uint64(d), Hi: d >> 63}) }
		}
		for _, to := range []types.Type{types.DecimalT(12, 2), types.DecimalT(18, 2), types.DecimalT(30, 2)} {
			checkWidened(t, types.DecimalT(10, 2), to, unscaled(d), unscaled(d))
		}
		checkWidened(t, types.DecimalT(10, 2), types.DecimalT(20, 6), unscaled(d), unscaled(d*10000))
		checkWidened(t, types.DecimalT(20, 2), types.DecimalT(24, 3), unscaled(d), unscaled(d*10))
	}
	text := func(v *vec.Vec) { v.AppendBytes([]byte("grün")) }
	checkWidened(t, types.VarCharT(9), types.StringT, text, text)
	null := func(v *vec.Vec) { v.AppendNull() }
	checkWidened(t, types.IntT, types.BigIntT, null, null)
}

func checkWidened(t *testing.T, from, to types.Type, a, b func(*vec.Vec)) {
	t.Helper()
	if fits(from, to) == fitNot {
		t.Fatalf("%s does not fit %s", from, to)
	}
	x, y := vec.New(from), vec.New(to)
	a(&x)
	b(&y)
	key := append(rowkey.AppendValue(nil, &x, 0), 0xee)
	got, rest, err := widenKey(nil, from, to, key)
	if want := rowkey.AppendValue(nil, &y, 0); err != nil || !bytes.Equal(got, want) || !bytes.Equal(rest, []byte{0xee}) {
		t.Fatalf("%s to %s: %x became %x, %v, expected %x", from, to, key, got, err, want)
	}
	if !sameKeyBytes(from, to) && bytes.Equal(got, key[:len(key)-1]) && key[0] != tagNull {
		t.Errorf("%s to %s are said to have other bytes", from, to)
	}
}

func TestWhatFits(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		want     fit
	}{
		{"INT", "INT NOT NULL", fitSame}, {"INT", "BIGINT", fitWiden}, {"BIGINT", "INT", fitNot}, {"INT", "DOUBLE", fitNot}, {"INT", "DECIMAL(10, 0)", fitNot},
		{"FLOAT", "DOUBLE", fitWiden}, {"DOUBLE", "FLOAT", fitNot}, {"DECIMAL(10, 2)", "DECIMAL(18, 2)", fitWiden}, {"DECIMAL(10, 2)", "DECIMAL(10, 3)", fitNot},
		{"DECIMAL(10, 2)", "DECIMAL(11, 3)", fitWiden}, {"VARCHAR(3)", "VARCHAR(4)", fitSame}, {"VARCHAR(3)", "STRING", fitSame}, {"STRING", "VARCHAR(3)", fitNot},
		{"CHAR(3)", "STRING", fitSame}, {"CHAR(3)", "CHAR(4)", fitNot}, {"VARBINARY(3)", "BYTES", fitSame}, {"TIMESTAMP(0)", "TIMESTAMP(3)", fitSame},
		{"TIMESTAMP(3)", "TIMESTAMP(6)", fitWiden}, {"TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", fitNot}, {"TIMESTAMP(6)", "TIMESTAMP(3)", fitNot},
		{"ARRAY<INT>", "ARRAY<INT NOT NULL>", fitSame}, {"ARRAY<INT>", "ARRAY<BIGINT>", fitNot}, {"ROW<`a` INT>", "ROW<`b` INT>", fitSame}, {"DATE", "TIMESTAMP(3)", fitNot},
		{"nothing", "INT", fitNot},
	} {
		if got := fitsText(tc.from, tc.to); got != tc.want {
			t.Errorf("%s to %s: %d, expected %d", tc.from, tc.to, got, tc.want)
		}
	}
}

func TestATimestampThatDoesNotFitIsAnError(t *testing.T) {
	old := operator("INT", 16, aggregate(`MAX("t"."z"):TIMESTAMP(3)`, 0, 16, "value TIMESTAMP(3)", "present BIGINT"))
	now := operator("INT", 16, aggregate(`MAX("t"."z"):TIMESTAMP(9)`, 0, 16, "value TIMESTAMP(9)", "present BIGINT"))
	c := content{{"u", 0}: {{0, raw("01 80000001"), raw("ffffffffffffff7f", "0100000000000000"), 0}}}
	_, dst, err := rewritten(t, compare(old, now, Allow{}), c)
	if err == nil || err.Error() != `migrating state "groups" of operator u: a TIMESTAMP(3) of the snapshot is outside the years that TIMESTAMP(9) can hold, 1677 to 2262` {
		t.Error(err)
	}
	if len(dst.Names()) > 0 {
		t.Errorf("left behind: %q", dst.Names())
	}
}

func TestRewriteEndsWithItsContext(t *testing.T) {
	op := operator("INT", 8, aggregate("COUNT():BIGINT", 0, 8, "count BIGINT"))
	c := content{}
	for i := range 2000 {
		c[tableKey{"u", 0}] = append(c[tableKey{"u", 0}], row{0, []byte{1, 0, 0, byte(i >> 8), byte(i)}, make([]byte, 8), 0})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dst := &memstate.Files{}
	if _, err := compare(op, op, Allow{}).Rewrite(ctx, c, dst, 5); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(dst.Names()) > 0 {
		t.Errorf("left behind: %q", dst.Names())
	}
}
