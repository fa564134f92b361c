package decimal

import "math/bits"

// Rescale converts a value of scale from to scale to, rounding half up; false when the
// result has more than p digits.
func Rescale(x D, from, to, p int) (D, bool) {
	switch {
	case to == from:
		return x, Fits(x, p)
	case to > from:
		n := to - from
		if IsInt64(x) && n <= 18 && pow10[n].hi == 0 {
			r := mul128(mag(x), pow10[n])
			d := signed(r.low(), x.Hi < 0)
			return d, Fits(d, p)
		}
		r := mul128(mag(x), pow10[min(n, MaxDigits)])
		return narrow(r, x.Hi < 0, p)
	}
	n := from - to
	if n > MaxDigits {
		return D{}, true
	}
	if m := mag(x); m.hi == 0 && n <= 18 {
		d := pow10[n].lo
		q, r := m.lo/d, m.lo%d
		if r >= d-r {
			q++
		}
		y := signed(u128{q, 0}, x.Hi < 0)
		return y, Fits(y, p)
	}
	return narrow(wide(mag(x)).divPow10(n), x.Hi < 0, p)
}

// narrow makes a D of a wide magnitude; false over p digits.
func narrow(m u256, neg bool, p int) (D, bool) {
	if !m.fits128() || !less128(m.low(), pow10[p]) {
		return D{}, false
	}
	return signed(m.low(), neg), true
}

// Truncate converts to a smaller scale cutting digits.
func Truncate(x D, from, to int) D {
	if to >= from {
		return x
	}
	if from-to > MaxDigits {
		return D{}
	}
	q, _ := wide(mag(x)).divmod(pow10[from-to])
	return signed(q.low(), x.Hi < 0)
}

// Floor and Ceil give the integral value (scale 0) below or above.
func Floor(x D, scale int) D { return integral(x, scale, -1) }

// Ceil is the smallest integer not below x.
func Ceil(x D, scale int) D { return integral(x, scale, 1) }

func integral(x D, scale, dir int) D {
	q, r := wide(mag(x)).divmod(pow10[scale])
	y := signed(q.low(), x.Hi < 0)
	if r != (u128{}) && Sign(x) == dir {
		return addWrap(y, FromInt64(int64(dir)))
	}
	return y
}

// Add returns a+b of scales s1 and s2 as DECIMAL(p, s); false when it has more digits.
func Add(a D, s1 int, b D, s2 int, p, s int) (D, bool) {
	if s1 == s && s2 == s && IsInt64(a) && IsInt64(b) {
		sum := addWrap(a, b)
		return sum, p >= 20 || Fits(sum, p)
	}
	w := max(s1, s2)
	x, ok1 := Rescale(a, s1, w, MaxDigits)
	y, ok2 := Rescale(b, s2, w, MaxDigits)
	if ok1 && ok2 {
		// Two numbers of 38 digits may overflow 127 bits: then the sum has another sign.
		if sum := addWrap(x, y); (x.Hi < 0) != (y.Hi < 0) || (sum.Hi < 0) == (x.Hi < 0) {
			return Rescale(sum, w, s, p)
		}
	}
	return addWide(a, s1, b, s2, p, s)
}

// addWide is Add where a term needs more than 38 digits at the common scale.
func addWide(a D, s1 int, b D, s2 int, p, s int) (D, bool) {
	w := max(s1, s2)
	x, _ := wide(mag(a)).mulPow10(w - s1)
	y, _ := wide(mag(b)).mulPow10(w - s2)
	neg := a.Hi < 0
	var sum u256
	switch {
	case (a.Hi < 0) == (b.Hi < 0):
		sum = add256(x, y)
	case x.less(y):
		sum, neg = y.sub(x), !neg
	default:
		sum = x.sub(y)
	}
	if w > s {
		sum = sum.divPow10(w - s)
	} else if s > w {
		var ok bool
		if sum, ok = sum.mulPow10(s - w); !ok {
			return D{}, false
		}
	}
	return narrow(sum, neg && !sum.isZero(), p)
}

func add256(a, b u256) u256 {
	return a.sub(u256{}.sub(b))
}

// Sub returns a-b as Add does.
func Sub(a D, s1 int, b D, s2 int, p, s int) (D, bool) { return Add(a, s1, Neg(b), s2, p, s) }

// Mul returns a*b, whose exact scale is from, as DECIMAL(p, s).
func Mul(a, b D, from, p, s int) (D, bool) {
	if from == s && IsInt64(a) && IsInt64(b) {
		d := MulInt64(int64(a.Lo), int64(b.Lo))
		return d, Fits(d, p)
	}
	neg := (a.Hi < 0) != (b.Hi < 0)
	m := mul128(mag(a), mag(b))
	if from > s {
		m = m.divPow10(from - s)
	} else if s > from {
		var ok bool
		if m, ok = m.mulPow10(s - from); !ok {
			return D{}, false
		}
	}
	return narrow(m, neg && !m.isZero(), p)
}

// Div returns a/b for b <> 0 as DECIMAL(p, s). As in Flink the quotient is first rounded
// half up to 38 significant digits and then to the scale.
func Div(a D, s1 int, b D, s2 int, p, s int) (D, bool) {
	if Sign(a) == 0 {
		return D{}, true
	}
	neg := (a.Hi < 0) != (b.Hi < 0)
	if q, ok := divShort(mag(a), mag(b), s-s1+s2); ok {
		return narrow(q, neg && !q.isZero(), p)
	}
	num, den := wide(mag(a)), mag(b)
	// Scale the numerator so that the quotient has at least 38 digits, one more is enough
	// to round: 10^k * a / b.
	k := max(0, MaxDigits+1-(num.digits()-wide(den).digits()))
	k = min(k, 76-num.digits())
	n := num
	for left := k; left > 0; left -= MaxDigits {
		n, _ = n.mulPow10(min(left, MaxDigits))
	}
	q, r := n.divmod(den)
	scale := s1 - s2 + k // of q
	if d := q.digits(); d > MaxDigits {
		cut := d - MaxDigits
		q = roundCut(q, cut, r != u128{})
		scale -= cut
		r = u128{}
	}
	switch {
	case scale > s:
		if scale-s > 76 {
			return D{}, true
		}
		q = roundCut(q, scale-s, false)
	case s > scale:
		var ok bool
		for left := s - scale; left > 0; left -= MaxDigits {
			if q, ok = q.mulPow10(min(left, MaxDigits)); !ok {
				return D{}, false
			}
		}
	}
	return narrow(q, neg && !q.isZero(), p)
}

// divShort divides a*10^e by b where the product stays below 10^36: then the rounding to 38
// digits cannot change the one to the scale, because the quotient is nearer to a half than
// 1/(2b) only when it is one.
func divShort(a, b u128, e int) (q u256, ok bool) {
	if e < 0 || e > 36 || b.hi != 0 {
		return q, false
	}
	n := mul128(a, pow10[e])
	if !n.fits128() || !less128(n.low(), pow10[36]) {
		return q, false
	}
	hi := n[1] / b.lo
	lo, r := bits.Div64(n[1]%b.lo, n[0], b.lo)
	q = u256{lo, hi}
	if r >= b.lo-r {
		q = q.addOne()
	}
	return q, true
}

// roundCut drops n digits half up. A remainder behind them (sticky) cannot change half up.
func roundCut(q u256, n int, _ bool) u256 { return q.divPow10(n) }

// Mod returns the remainder of a/b, b <> 0, with the sign of a, as DECIMAL(p, s).
func Mod(a D, s1 int, b D, s2 int, p, s int) (D, bool) {
	w := max(s1, s2)
	x, _ := wide(mag(a)).mulPow10(w - s1)
	y, _ := wide(mag(b)).mulPow10(w - s2)
	var r u256
	if y.fits128() {
		_, m := x.divmod(y.low())
		r = wide(m)
	} else {
		r = modWide(x, y)
	}
	if w > s {
		r = r.divPow10(w - s)
	} else if s > w {
		r, _ = r.mulPow10(s - w)
	}
	return narrow(r, a.Hi < 0 && !r.isZero(), p)
}

// modWide is x mod y by shift and subtract: rare, a divisor of more than 38 digits at the
// common scale.
func modWide(x, y u256) u256 {
	for x.bitLen() >= y.bitLen() {
		t := y
		for i := x.bitLen() - y.bitLen(); i > 0; i-- {
			t = t.shl1()
		}
		if x.less(t) {
			t = y
			for i := x.bitLen() - y.bitLen() - 1; i > 0; i-- {
				t = t.shl1()
			}
			if x.bitLen() == y.bitLen() {
				return x
			}
		}
		x = x.sub(t)
	}
	return x
}

// CmpScaled compares values of different scales.
func CmpScaled(a D, s1 int, b D, s2 int) int {
	if s1 == s2 {
		return Cmp(a, b)
	}
	sa, sb := Sign(a), Sign(b)
	if sa != sb {
		return sgn(sa - sb)
	}
	w := max(s1, s2)
	x, _ := wide(mag(a)).mulPow10(w - s1)
	y, _ := wide(mag(b)).mulPow10(w - s2)
	switch {
	case x == y:
		return 0
	case x.less(y):
		return -sa
	}
	return sa
}

func sgn(x int) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

// Int64 cuts the fraction and keeps the low 64 bits, as Java's longValue.
func Int64(x D, scale int) int64 { return int64(Truncate(x, scale, 0).Lo) }

// float64 powers that are exact.
var exact10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// small reports whether x/10^scale is exactly the quotient of two floats.
func small(x D, scale int) bool {
	return IsInt64(x) && scale < len(exact10) && int64(x.Lo) <= 1<<53 && int64(x.Lo) >= -(1<<53)
}

// MulInt64 returns the exact product of two 64-bit integers.
func MulInt64(a, b int64) D {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return D{Lo: lo, Hi: int64(hi)}
}
