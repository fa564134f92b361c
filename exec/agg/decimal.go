package agg

import (
	"math"
	"math/big"
	"math/bits"
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
)

// decSlot is a sum of unscaled decimals and the number of values in it.
type decSlot struct {
	v vec.Dec128
	n int64
}

// overflowed stands for a sum that left 38 digits. It stays: a sum that overflowed is NULL
// until its group starts anew.
var overflowed = vec.Dec128{Hi: math.MinInt64}

// sumDec is SUM and AVG of DECIMAL. up is how many digits the result's scale exceeds the
// argument's (AVG only).
type sumDec struct {
	avg bool
	up  int
}

func (sumDec) size() int { return 24 }

func (sumDec) update(u *run, off uintptr, arg *vec.Vec) {
	x := vec.Values[vec.Dec128](arg)
	snap := snaps[decSlot](u)
	for i, r := range u.rec {
		p := at[decSlot](r, off)
		if u.reset != nil && u.reset[i] {
			*p = decSlot{}
		}
		was := *p
		now := was
		if s := u.step(i); s != 0 {
			d := x[u.row[i]]
			if s < 0 {
				d = negate(d)
			}
			now.v = addDec(was.v, d)
			now.n += s
			*p = now
		}
		if snap != nil {
			snap[2*i], snap[2*i+1] = was, now
		}
	}
}

func (k sumDec) value(dst *vec.Vec, slots, _ []byte) {
	in := slotsOf[decSlot](slots)
	base := dst.N
	out := fixed[vec.Dec128](dst, len(in))
	for i := range in {
		s := &in[i]
		if s.n == 0 || s.v == overflowed {
			dst.SetNull(base + i)
			continue
		}
		out[i] = s.v
		if k.avg {
			q, ok := divDec(s.v, s.n, k.up)
			if !ok {
				dst.SetNull(base + i)
			}
			out[i] = q
		}
	}
}

func (sumDec) merge(dst, src unsafe.Pointer) {
	d, s := (*decSlot)(dst), (*decSlot)(src)
	d.v = addDec(d.v, s.v)
	d.n += s.n
}

// tooBig is 10^38, the first magnitude with more than 38 digits.
var tooBig = vec.Dec128{Lo: 0x098a224000000000, Hi: 0x4b3b4ca85a86c47a}

func negate(d vec.Dec128) vec.Dec128 {
	lo, borrow := bits.Sub64(0, d.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(d.Hi), borrow)
	return vec.Dec128{Lo: lo, Hi: int64(hi)}
}

// magnitude returns |d| and whether d is negative.
func magnitude(d vec.Dec128) (vec.Dec128, bool) {
	if d.Hi < 0 {
		return negate(d), true
	}
	return d, false
}

func withSign(d vec.Dec128, neg bool) vec.Dec128 {
	if neg {
		return negate(d)
	}
	return d
}

// fits reports whether a magnitude has at most 38 digits.
func fits(m vec.Dec128) bool {
	return m.Hi >= 0 && (m.Hi < tooBig.Hi || m.Hi == tooBig.Hi && m.Lo < tooBig.Lo)
}

// addDec adds two decimals of at most 38 digits; more digits, or a sum that overflowed
// before, give overflowed.
func addDec(a, b vec.Dec128) vec.Dec128 {
	if a == overflowed || b == overflowed {
		return overflowed
	}
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), carry)
	sum := vec.Dec128{Lo: lo, Hi: int64(hi)}
	if a.Hi < 0 == (b.Hi < 0) && sum.Hi < 0 != (a.Hi < 0) {
		return overflowed
	}
	if m, _ := magnitude(sum); !fits(m) {
		return overflowed
	}
	return sum
}

// divDec is sum * 10^up / n, rounded half up; ok is false when it has more than 38 digits.
func divDec(sum vec.Dec128, n int64, up int) (q vec.Dec128, ok bool) {
	m, neg := magnitude(sum)
	if n > 0 && m.Hi == 0 {
		hi, lo := bits.Mul64(m.Lo, uint64(math.Pow10(up)))
		d := uint64(n)
		if hi < d {
			quo, rem := bits.Div64(hi, lo, d)
			if quo < 1<<60 { // far from where rounding twice can be seen
				if rem >= d-rem {
					quo++
				}
				return withSign(vec.Dec128{Lo: quo}, neg), true
			}
		}
	}
	return divBig(m, neg, n, up)
}

// divBig is divDec the way Flink computes it: the exact quotient is rounded to 38
// significant digits first, then to the scale, both half up.
func divBig(m vec.Dec128, neg bool, n int64, up int) (vec.Dec128, bool) {
	num := new(big.Int).SetUint64(uint64(m.Hi))
	num.Lsh(num, 64).Or(num, new(big.Int).SetUint64(m.Lo))
	den := big.NewInt(n)
	if den.Sign() < 0 {
		den.Neg(den)
		neg = !neg
	}
	num.Mul(num, pow10(up))
	quo := new(big.Int).Quo(num, den)
	if extra := 38 - len(quo.String()); extra > 0 {
		quo = roundDiv(num.Mul(num, pow10(extra)), den)
		quo = roundDiv(quo, pow10(extra))
	} else {
		quo = roundDiv(num, den)
	}
	if quo.BitLen() > 127 {
		return vec.Dec128{}, false
	}
	d := vec.Dec128{Lo: new(big.Int).And(quo, new(big.Int).SetUint64(math.MaxUint64)).Uint64(), Hi: int64(new(big.Int).Rsh(quo, 64).Uint64())}
	return withSign(d, neg), fits(d)
}

// roundDiv is a / b rounded half up; both are positive.
func roundDiv(a, b *big.Int) *big.Int {
	quo, rem := new(big.Int).QuoRem(a, b, new(big.Int))
	if rem.Lsh(rem, 1).Cmp(b) >= 0 {
		quo.Add(quo, big.NewInt(1))
	}
	return quo
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
