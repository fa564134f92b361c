package decimal

import "math/bits"

// u128 and u256 are unsigned integers, low words first.
type u128 struct{ lo, hi uint64 }
type u256 [4]uint64

func less128(a, b u128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func mulSmall(a u128, m uint64) u128 {
	h, l := bits.Mul64(a.lo, m)
	return u128{l, a.hi*m + h}
}

func mul128(a, b u128) u256 {
	var r u256
	h0, l0 := bits.Mul64(a.lo, b.lo)
	h1, l1 := bits.Mul64(a.lo, b.hi)
	h2, l2 := bits.Mul64(a.hi, b.lo)
	h3, l3 := bits.Mul64(a.hi, b.hi)
	var c uint64
	r[0] = l0
	r[1], c = bits.Add64(h0, l1, 0)
	r[2], c = bits.Add64(h1, l3, c)
	r[3] = h3 + c
	r[1], c = bits.Add64(r[1], l2, 0)
	r[2], c = bits.Add64(r[2], h2, c)
	r[3] += c
	return r
}

func wide(a u128) u256 { return u256{a.lo, a.hi} }

func (a u256) low() u128     { return u128{a[0], a[1]} }
func (a u256) fits128() bool { return a[2]|a[3] == 0 }
func (a u256) isZero() bool  { return a[0]|a[1]|a[2]|a[3] == 0 }
func (a u256) less(b u256) bool {
	for i := 3; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

func (a u256) sub(b u256) u256 {
	var c uint64
	for i := range a {
		a[i], c = bits.Sub64(a[i], b[i], c)
	}
	return a
}

func (a u256) addOne() u256 {
	c := uint64(1)
	for i := range a {
		a[i], c = bits.Add64(a[i], 0, c)
	}
	return a
}

func (a u256) shl1() u256 {
	return u256{a[0] << 1, a[1]<<1 | a[0]>>63, a[2]<<1 | a[1]>>63, a[3]<<1 | a[2]>>63}
}

// divmod64 divides by a single word.
func (a u256) divmod64(d uint64) (q u256, r uint64) {
	for i := 3; i >= 0; i-- {
		q[i], r = bits.Div64(r, a[i], d)
	}
	return q, r
}

func (a u256) bitLen() int {
	for i := 3; i >= 0; i-- {
		if a[i] != 0 {
			return i*64 + bits.Len64(a[i])
		}
	}
	return 0
}

// divmod divides by d > 0: Knuth's algorithm D on 64-bit words.
func (a u256) divmod(d u128) (q u256, r u128) {
	if d.hi == 0 {
		q, rem := a.divmod64(d.lo)
		return q, u128{rem, 0}
	}
	s := uint(bits.LeadingZeros64(d.hi))
	dh, dl := d.hi, d.lo
	if s > 0 {
		dh, dl = d.hi<<s|d.lo>>(64-s), d.lo<<s
	}
	var u [5]uint64
	for i := 4; i >= 0; i-- {
		switch {
		case i == 4 && s > 0:
			u[4] = a[3] >> (64 - s)
		case i == 4:
		case i == 0:
			u[0] = a[0] << s
		case s > 0:
			u[i] = a[i]<<s | a[i-1]>>(64-s)
		default:
			u[i] = a[i]
		}
	}
	for j := 2; j >= 0; j-- {
		q[j] = divStep(u[j:j+3], dh, dl)
	}
	r = u128{u[0], u[1]}
	if s > 0 {
		r = u128{u[0]>>s | u[1]<<(64-s), u[1] >> s}
	}
	return q, r
}

// divStep divides the three words of u by the normalized dh:dl, leaves the remainder in u
// and returns the quotient word.
func divStep(u []uint64, dh, dl uint64) uint64 {
	var qhat, rhat uint64
	if u[2] >= dh {
		qhat = ^uint64(0)
		var c uint64
		rhat, c = bits.Add64(u[1], dh, 0)
		if u[2] > dh || c != 0 {
			return subtractBack(u, qhat, dh, dl)
		}
	} else {
		qhat, rhat = bits.Div64(u[2], u[1], dh)
	}
	for {
		h, l := bits.Mul64(qhat, dl)
		if h < rhat || h == rhat && l <= u[0] {
			break
		}
		qhat--
		var c uint64
		rhat, c = bits.Add64(rhat, dh, 0)
		if c != 0 {
			break
		}
	}
	return subtractBack(u, qhat, dh, dl)
}

func subtractBack(u []uint64, qhat, dh, dl uint64) uint64 {
	h0, l0 := bits.Mul64(qhat, dl)
	h1, l1 := bits.Mul64(qhat, dh)
	m1, c := bits.Add64(l1, h0, 0)
	m2 := h1 + c
	var b uint64
	u[0], b = bits.Sub64(u[0], l0, 0)
	u[1], b = bits.Sub64(u[1], m1, b)
	u[2], b = bits.Sub64(u[2], m2, b)
	for b != 0 {
		qhat--
		var c uint64
		u[0], c = bits.Add64(u[0], dl, 0)
		u[1], c = bits.Add64(u[1], dh, c)
		u[2], c = bits.Add64(u[2], 0, c)
		if c != 0 {
			b = 0
		}
	}
	return qhat
}

// mulPow10 multiplies by 10^n, n <= 38; false when the result needs more than 256 bits.
func (a u256) mulPow10(n int) (u256, bool) {
	for n > 0 {
		step := min(n, 19)
		var c uint64
		for i := range a {
			h, l := bits.Mul64(a[i], pow10[step].lo)
			var k uint64
			a[i], k = bits.Add64(l, c, 0)
			c = h + k
		}
		if c != 0 {
			return a, false
		}
		n -= step
	}
	return a, true
}

// divPow10 divides by 10^n and rounds half up (away from zero, on magnitudes).
func (a u256) divPow10(n int) u256 {
	q, r, d := a, u128{}, u128{}
	if n > MaxDigits {
		q, _ = a.divmod(pow10[n-MaxDigits])
		n = MaxDigits // the digits cut first cannot reach one half
	}
	d = pow10[n]
	q, r = q.divmod(d)
	if !less128(wide(r).shl1().low(), d) {
		q = q.addOne()
	}
	return q
}

// digits counts the decimal digits, 0 for zero.
func (a u256) digits() int {
	n := 0
	for !a.fits128() {
		a, _ = a.divmod(pow10[19])
		n += 19
	}
	m := a.low()
	d := 0
	for d <= MaxDigits && !less128(m, pow10[d]) {
		d++
	}
	return n + d
}
