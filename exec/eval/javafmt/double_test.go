package javafmt

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// What Java 17 prints.
func TestDoubleAsJavaPrintsIt(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{
		{0, "0.0"}, {math.Copysign(0, -1), "-0.0"}, {1, "1.0"}, {100, "100.0"}, {0.1, "0.1"}, {-1.5, "-1.5"}, {0.001, "0.001"}, {1e-4, "1.0E-4"},
		{1e6, "1000000.0"}, {9999999, "9999999.0"}, {1e7, "1.0E7"}, {12345678.9, "1.23456789E7"}, {123456.789, "123456.789"},
		{1e23, "9.999999999999999E22"}, {math.Pow(2, -44), "5.6843418860808015E-14"}, {math.SmallestNonzeroFloat64, "4.9E-324"}, {math.MaxFloat64, "1.7976931348623157E308"},
		{2e-3, "0.002"}, {1e21, "1.0E21"}, {1e17, "1.0E17"}, {math.Pow(2, 60), "1.15292150460684698E18"}, {math.NaN(), "NaN"}, {math.Inf(-1), "-Infinity"},
		{5e-5, "5.0E-5"}, {2.2250738585072014e-308, "2.2250738585072014E-308"}, {9007199254740993, "9.007199254740992E15"},
	} {
		if got := string(AppendDouble(nil, c.x)); got != c.want {
			t.Errorf("%g prints as %s, want %s", c.x, got, c.want)
		}
	}
	for _, c := range []struct {
		x    float32
		want string
	}{{1, "1.0"}, {0.1, "0.1"}, {1e10, "1.0E10"}, {math.SmallestNonzeroFloat32, "1.4E-45"}, {math.MaxFloat32, "3.4028235E38"}, {16777216, "1.6777216E7"}, {3.3333333, "3.3333333"}} {
		if got := string(AppendFloat(nil, c.x)); got != c.want {
			t.Errorf("%g prints as %s, want %s", c.x, got, c.want)
		}
	}
}

func TestTextsReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 20_000 {
		checkDouble(t, math.Float64frombits(r.Uint64()))
		checkDouble(t, float64(r.Int64()))
		checkDouble(t, math.Ldexp(1, r.IntN(2000)-1000))
		f := math.Float32frombits(r.Uint32())
		text := string(AppendFloat(nil, f))
		if back, err := strconv.ParseFloat(text, 32); f == f && (err != nil || float32(back) != f) {
			t.Fatalf("%x prints as %s", math.Float32bits(f), text)
		}
	}
}

func checkDouble(t *testing.T, x float64) {
	t.Helper()
	if math.IsNaN(x) {
		return
	}
	text := string(AppendDouble(nil, x))
	if back, err := strconv.ParseFloat(text, 64); err != nil || back != x {
		t.Fatalf("%x prints as %s", math.Float64bits(x), text)
	}
}
