package decimal

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func big10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// roundHalfUp is num/den rounded half away from zero.
func roundHalfUp(num, den *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(num, den, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(den) >= 0 {
		if (num.Sign() < 0) != (den.Sign() < 0) {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

// scaled is x * 10^n rounded half up.
func scaled(x *big.Int, n int) *big.Int {
	if n >= 0 {
		return new(big.Int).Mul(x, big10(n))
	}
	return roundHalfUp(x, big10(-n))
}

func digits(x *big.Int) int {
	if x.Sign() == 0 {
		return 0
	}
	return len(new(big.Int).Abs(x).String())
}

// javaDivide is BigDecimal.divide with 38 digits half up, then setScale(s, HALF_UP).
func javaDivide(a *big.Int, s1 int, b *big.Int, s2, s int) *big.Int {
	const extra = 120
	q := new(big.Int).Quo(new(big.Int).Mul(a, big10(extra)), b)
	scale := s1 - s2 + extra
	if cut := digits(q) - MaxDigits; cut > 0 {
		// The digits behind q cannot turn a half-up decision: q is truncated.
		q, scale = scaled(q, -cut), scale-cut
	}
	return scaled(q, s-scale)
}

func randomD(r *rand.Rand) (D, int) {
	n := 1 + r.IntN(MaxDigits)
	x, _ := new(big.Int).SetString(randomDigits(r, n), 10)
	switch r.IntN(6) {
	case 0:
		x.SetInt64(r.Int64N(1000))
	case 1:
		x.Sub(big10(n), big.NewInt(r.Int64N(3)+1))
	case 2:
		x.Set(big10(n - 1))
	}
	if r.IntN(2) == 0 {
		x.Neg(x)
	}
	d, ok := FromBig(x)
	if !ok {
		panic("too large")
	}
	return d, r.IntN(n + 1)
}

func check(t *testing.T, what string, got D, ok bool, want *big.Int, p int) {
	t.Helper()
	fits := digits(want) <= p
	if ok != fits || ok && Big(got).Cmp(want) != 0 {
		t.Fatalf("%s = %v %v, want %v (fits %v)", what, Big(got), ok, want, fits)
	}
}

func TestArithmeticAgainstBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 20_000 {
		a, s1 := randomD(r)
		b, s2 := randomD(r)
		p := 1 + r.IntN(MaxDigits)
		s := r.IntN(p + 1)
		x, y := Big(a), Big(b)
		w := max(s1, s2)
		sum := new(big.Int).Add(scaled(x, w-s1), scaled(y, w-s2))
		got, ok := Add(a, s1, b, s2, p, s)
		check(t, "add", got, ok, scaled(sum, s-w), p)
		diff := new(big.Int).Sub(scaled(x, w-s1), scaled(y, w-s2))
		got, ok = Sub(a, s1, b, s2, p, s)
		check(t, "sub", got, ok, scaled(diff, s-w), p)
		got, ok = Mul(a, b, s1+s2, p, s)
		check(t, "mul", got, ok, scaled(new(big.Int).Mul(x, y), s-s1-s2), p)
		got, ok = Rescale(a, s1, s, p)
		check(t, "rescale", got, ok, scaled(x, s-s1), p)
		if c := CmpScaled(a, s1, b, s2); c != scaled(x, w-s1).Cmp(scaled(y, w-s2)) {
			t.Fatalf("cmp %v/%d %v/%d = %d", x, s1, y, s2, c)
		}
		if y.Sign() == 0 {
			continue
		}
		got, ok = Div(a, s1, b, s2, p, s)
		check(t, "div", got, ok, javaDivide(x, s1, y, s2, s), p)
		rem := new(big.Int).Rem(scaled(x, w-s1), scaled(y, w-s2))
		got, ok = Mod(a, s1, b, s2, MaxDigits, w)
		check(t, "mod", got, ok, rem, MaxDigits)
	}
}

func TestTextRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 10_000 {
		a, s := randomD(r)
		text := String(a, s)
		d, over, ok := Parse(text, MaxDigits, s)
		if !ok || over || d != a {
			t.Fatalf("%v scale %d printed as %s, read as %v %v %v", Big(a), s, text, Big(d), over, ok)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		p, s int
		want string // "" invalid, "over" too large
	}{
		{"1", 3, 0, "1"}, {"-1.005", 5, 2, "-1.01"}, {"1e3", 6, 1, "1000.0"}, {"12e-1", 3, 1, "1.2"}, {".5", 2, 1, "0.5"}, {"5.", 2, 1, "5.0"},
		{"", 3, 0, ""}, {".", 3, 0, ""}, {"-", 3, 0, ""}, {"1x", 3, 0, ""}, {"e5", 3, 0, ""}, {"1e", 3, 0, ""}, {"999.5", 3, 0, "over"},
		{"0.00000000000000000000000000000000000000000000000001", 38, 10, "0.0000000000"}, {"1e400", 38, 0, "over"}, {"1e-400", 38, 0, "0"},
		{"123456789012345678901234567890123456789", 38, 0, "over"}, {"0.1234567890123456789012345678901234567890123", 38, 38, "0.12345678901234567890123456789012345679"},
	} {
		d, over, ok := Parse(c.text, c.p, c.s)
		got := String(d, c.s)
		switch {
		case !ok:
			got = ""
		case over:
			got = "over"
		}
		if got != c.want {
			t.Errorf("%q as DECIMAL(%d,%d) = %q, want %q", c.text, c.p, c.s, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1.5e3")
	f.Fuzz(func(t *testing.T, s string) {
		d, over, ok := Parse(s, MaxDigits, 10)
		if ok && !over && !Fits(d, MaxDigits) {
			t.Fatalf("%q has more than 38 digits", s)
		}
	})
}

func randomDigits(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + r.IntN(10))
	}
	return string(b)
}
