package text

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"2020-02-29": "2020-02-29", "2020-2-9": "", "2020-02-30": "", "+12020-02-03": "+12020-02-03", "-0001-02-28": "-0001-02-28",
		"+2020-01-01": "", "12020-01-01": "", "2020-02-29 ": "", "": "", "2020-13-01": "", "2020-00-01": "", "0000-01-01": "0000-01-01",
	} {
		days, ok := Date([]byte(in))
		if got := string(AppendDate(nil, days)); ok != (want != "") || ok && got != want {
			t.Errorf("Date(%q) = %s, %t; want %q", in, got, ok, want)
		}
	}
	for in, want := range map[string]string{"2020-2-9": "2020-02-09", "2020-02-30": "2020-03-01", "2020-13-01": "", "2020-12-32": "", "18000": "", " 2020-12-31": ""} {
		days, ok := LenientDate([]byte(in))
		if got := string(AppendDate(nil, days)); ok != (want != "") || ok && got != want {
			t.Errorf("LenientDate(%q) = %s, %t; want %q", in, got, ok, want)
		}
	}
}

func TestCivilDaysAgreeWithTime(t *testing.T) {
	for days := int64(-800_000); days < 3_000_000; days += 97 {
		d := time.Unix(days*86400, 0).UTC()
		y, m, dd := CivilFromDays(days)
		if y != int64(d.Year()) || m != int64(d.Month()) || dd != int64(d.Day()) {
			t.Fatalf("CivilFromDays(%d) = %d-%d-%d, want %v", days, y, m, dd, d)
		}
		if back := DaysFromCivil(y, m, dd); back != days {
			t.Fatalf("DaysFromCivil(%d-%d-%d) = %d, want %d", y, m, dd, back, days)
		}
	}
}

func TestTimes(t *testing.T) {
	for _, tc := range []struct {
		in      string
		seconds bool
		want    string
	}{
		{"12:34:56", true, "12:34:56"}, {"12:34:56.789", true, "12:34:56"}, {"12:34", true, ""}, {"12:34", false, "12:34:00"},
		{"24:00:00", true, "00:00:00"}, {"24:00:01", true, ""}, {"25:00:00", true, ""}, {"12:34:60", true, ""}, {"12:34:56Z", true, ""}, {"1:2:3", true, ""},
	} {
		ms, ok := Time([]byte(tc.in), tc.seconds)
		if got := string(AppendTime(nil, ms)); ok != (tc.want != "") || ok && got != tc.want {
			t.Errorf("Time(%q) = %s, %t; want %q", tc.in, got, ok, tc.want)
		}
	}
	if got := string(AppendTime(nil, 45296700)); got != "12:34:56.7" {
		t.Errorf("AppendTime: %s", got)
	}
}

// The expectations are Flink 2.2.1's, read through its JSON format.
func TestTimestamps(t *testing.T) {
	ts, ltz := types.TimestampT(3), types.TimestampLTZT(3)
	for _, tc := range []struct {
		in   string
		typ  types.Type
		iso  bool
		want string
	}{
		{"2020-02-29 12:34:56.789", ts, false, "2020-02-29 12:34:56.789"},
		{"2020-02-29T12:34:56", ts, false, ""},
		{"2020-02-29 12:34", ts, false, ""},
		{"2020-02-30 12:34:56", ts, false, "2020-02-29 12:34:56"},
		{"2020-02-29 12:34:56.123456789", ts, false, "2020-02-29 12:34:56.123"},
		{"2020-02-29 12:34:56.1234567891", ts, false, ""},
		{"2020-02-29 12:34:56.123456789", types.TimestampT(9), false, "2020-02-29 12:34:56.123456789"},
		{"2020-02-29 12:34:56.", ts, false, "2020-02-29 12:34:56"},
		{"2020-02-29 24:00:00", ts, false, "2020-03-01 00:00:00"},
		{"2020-02-29 23:59:60", ts, false, ""},
		{"2020-02-29 12:34:56Z", ts, false, ""},
		{"+12020-02-29 12:34:56", ts, false, "+12020-02-29 12:34:56"},
		{"-0001-02-28 12:34:56.7", ts, false, "-0001-02-28 12:34:56.7"},
		{"2020-2-9 1:2:3", ts, false, ""},
		{"+12020-02-29 12:34:56", types.TimestampT(9), false, ""}, // outside of 64 bits of nanoseconds
		{"2020-02-29T12:34:56.5", ts, true, "2020-02-29T12:34:56.5"},
		{"2020-02-29T12:34", ts, true, "2020-02-29T12:34:00"},
		{"2020-02-29t12:34:56", ts, true, "2020-02-29T12:34:56"},
		{"2020-02-29 12:34:56", ts, true, ""},
		{"2020-02-29T12:34:56Z", ltz, true, "2020-02-29T12:34:56Z"},
		{"2020-02-29T12:34:56+01:00", ltz, true, ""},
		{"2020-02-29 12:34:56.1Z", ltz, false, "2020-02-29 12:34:56.1Z"},
		{"2020-02-29 12:34:56z", ltz, false, ""},
		{"2020-02-29 12:34:56", ltz, false, ""},
		{"1969-12-31 23:59:59.999", ts, false, "1969-12-31 23:59:59.999"},
	} {
		st := Style(tc.typ, tc.iso)
		v, ok := Timestamp([]byte(tc.in), st, tc.typ.UnitsPerSecond())
		if ok != (tc.want != "") {
			t.Errorf("Timestamp(%q) = %d, %t; want %q", tc.in, v, ok, tc.want)
			continue
		}
		s := Stamper{Style: st, Units: tc.typ.UnitsPerSecond()}
		if got := string(s.Append(nil, v)); ok && got != tc.want {
			t.Errorf("Timestamp(%q) = %s; want %s", tc.in, got, tc.want)
		}
	}
}

func TestIntegers(t *testing.T) {
	for _, tc := range []struct {
		in   string
		bits int
		want string
	}{
		{"127", 8, "127"}, {"128", 8, ""}, {"-128", 8, "-128"}, {"-129", 8, ""}, {"+7", 32, "7"}, {"-0", 32, "0"}, {"", 32, ""}, {"-", 32, ""}, {"2.9", 32, ""},
		{"9223372036854775807", 64, "9223372036854775807"}, {"9223372036854775808", 64, ""}, {"-9223372036854775808", 64, "-9223372036854775808"},
		{"99999999999999999999", 64, ""}, {"18446744073709551617", 64, ""}, {"007", 16, "7"},
	} {
		v, ok := Integer([]byte(tc.in), tc.bits)
		if got := strconv.FormatInt(v, 10); ok != (tc.want != "") || ok && got != tc.want {
			t.Errorf("Integer(%q, %d) = %s, %t; want %q", tc.in, tc.bits, got, ok, tc.want)
		}
	}
}

func TestFloats(t *testing.T) {
	for in, want := range map[string]string{
		"1.5": "1.5", " 1.5 ": "1.5", "1.5f": "1.5", "1e400": "Infinity", "NaN": "NaN", "-Infinity": "-Infinity", "1e23": "1.0E23", "100": "100.0",
		"1e7": "1.0E7", "9999999": "9999999.0", "0.001": "0.001", "0.0001": "1.0E-4", "-0": "-0.0", "x": "", "": "", "inf": "", "1_0": "", "f": "", "0x1p3": "", "1.25e-7": "1.25E-7", "-1e10": "-1.0E10",
	} {
		f, ok := Float([]byte(in), 64)
		got, named := AppendFloatName(nil, f)
		if !named {
			got = AppendFloat(nil, f, 64)
		}
		if ok != (want != "") || ok && string(got) != want {
			t.Errorf("Float(%q) = %s, %t; want %q", in, got, ok, want)
		}
	}
	if f, _ := Float([]byte("0.1"), 32); string(AppendFloat(nil, f, 32)) != "0.1" {
		t.Errorf("FLOAT 0.1 prints as %s", AppendFloat(nil, f, 32))
	}
}

func TestDecimals(t *testing.T) {
	for _, tc := range []struct {
		in              string
		precision, scal int
		want            string // "" bad, "over" overflow
	}{
		{"1.005", 6, 2, "1.01"}, {"9.999", 6, 2, "10.00"}, {"1000", 5, 2, "over"}, {"999.995", 5, 2, "over"}, {"-1.005", 6, 2, "-1.01"},
		{"abc", 5, 2, ""}, {"1e2", 5, 2, "100.00"}, {"1e37", 38, 0, "1" + strings.Repeat("0", 37)}, {"1e38", 38, 0, "over"}, {"1e999999999999999999999", 38, 0, "over"},
		{"1e-999999999999999999999", 38, 2, "0.00"}, {"0e999999999999", 38, 2, "0.00"}, {".5", 2, 1, "0.5"}, {"5.", 2, 1, "5.0"}, {".", 2, 1, ""}, {"-", 2, 1, ""}, {"1e", 2, 1, ""},
		{"0.05", 3, 1, "0.1"}, {"0.04", 3, 1, "0.0"}, {"0.005", 3, 1, "0.0"}, {"0.5", 1, 0, "1"}, {"99999999999999999999999999999999999999.4", 38, 0, strings.Repeat("9", 38)},
		{"0.1234567890123456789", 38, 18, "0.123456789012345679"}, {"1 ", 3, 0, ""}, {"1.2.3", 3, 0, ""},
	} {
		d, st := Decimal([]byte(tc.in), tc.precision, tc.scal)
		got := string(AppendDecimal(nil, d, tc.scal))
		switch st {
		case DecimalBad:
			got = ""
		case DecimalOverflow:
			got = "over"
		}
		if got != tc.want {
			t.Errorf("Decimal(%q, %d, %d) = %q, want %q", tc.in, tc.precision, tc.scal, got, tc.want)
		}
	}
	for in, want := range map[string]string{"100.00000": "1E+2", "0.00001": "0.00001", "0.0000000001": "1E-10", "12.50000": "12.5", "0": "0", "-1230": "-1.23E+3", "7": "7"} {
		d, _ := Decimal([]byte(in), 38, 10)
		if got := string(AppendStripped(nil, d, 10)); got != want {
			t.Errorf("AppendStripped(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestTruncated(t *testing.T) {
	for in, want := range map[string]string{
		"2.9": "2", "-2.9": "-2", "1e3": "1000", "2147483648": "", "2147483647.9": "2147483647", "-2147483648": "-2147483648", "1e10": "", "0.9999999999999999999": "0", "1e-400": "0", "1e400": "",
	} {
		v, ok := Truncated([]byte(in), 32)
		if got := strconv.FormatInt(v, 10); ok != (want != "") || ok && got != want {
			t.Errorf("Truncated(%q) = %s, %t; want %q", in, got, ok, want)
		}
	}
	if v, ok := Truncated([]byte("9007199254740993.5"), 64); !ok || v != 9007199254740993 {
		t.Errorf("a detour by DOUBLE: %d", v)
	}
}

// FuzzDecimal compares with math/big.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"1.005", "-99.995", "1e2", "0.00001e7", "12345678901234567890123456789012345678.5"} {
		f.Add(s, 10, 2)
	}
	f.Fuzz(func(t *testing.T, s string, precision, scale int) {
		if precision < 1 || precision > 38 || scale < 0 || scale > precision || len(s) > 60 {
			return
		}
		d, st := Decimal([]byte(s), precision, scale)
		if st == DecimalBad {
			return
		}
		if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 4 {
			return // math/big would take for ever
		}
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatalf("%q is accepted", s)
		}
		neg := r.Sign() < 0
		r.Abs(r).Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		n := new(big.Int).Mul(r.Num(), big.NewInt(2))
		n.Add(n, r.Denom()).Quo(n, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
		over := n.Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)) >= 0
		if over != (st == DecimalOverflow) {
			t.Fatalf("%q as DECIMAL(%d, %d): overflow %t, want %t", s, precision, scale, !over, over)
		}
		if neg {
			n.Neg(n)
		}
		if got := big128(d); !over && got.Cmp(n) != 0 {
			t.Fatalf("%q as DECIMAL(%d, %d): %v, want %v", s, precision, scale, got, n)
		}
	})
}

func big128(d vec.Dec128) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(d.Hi), 64)
	return n.Add(n, new(big.Int).SetUint64(d.Lo))
}

func FuzzFloatRoundTrip(f *testing.F) {
	f.Add(1.5)
	f.Fuzz(func(t *testing.T, x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		s := AppendFloat(nil, x, 64)
		if back, ok := Float(s, 64); !ok || back != x {
			t.Fatalf("%v prints as %s, which reads as %v", x, s, back)
		}
	})
}

// FuzzClock: the quick way of reading a timestamp is the slow way, whatever was read before.
func FuzzClock(f *testing.F) {
	for _, s := range []string{"2020-02-29 12:34:56.789", "2020-02-29 12:34:56", "2020-02-29 12:34:56.7", "2020-02-29 24:00:00", "2020-02-30 00:00:00.000", "2020-02-29T12:34:56Z", "2020-02-29 23:59:60", "2020-02-29 1x:00:00"} {
		f.Add("2020-02-29 00:00:00", s, 3, false, false)
	}
	f.Add("2020-02-29T00:00:00Z", "2020-02-29T12:34:56.1Z", 9, true, true)
	f.Fuzz(func(t *testing.T, before, in string, precision int, zulu, iso bool) {
		typ := types.TimestampT(precision)
		if zulu {
			typ = types.TimestampLTZT(precision)
		}
		st, units := Style(typ, iso), typ.UnitsPerSecond()
		c := NewClock(st, units)
		c.Read([]byte(before))
		got, ok := c.Read([]byte(in))
		want, wantOK := Timestamp([]byte(in), st, units)
		if got != want || ok != wantOK {
			t.Fatalf("%q after %q: %d, %t; want %d, %t", in, before, got, ok, want, wantOK)
		}
	})
}
