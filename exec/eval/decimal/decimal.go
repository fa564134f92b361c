// Package decimal owns arithmetic on SQL DECIMALs: 128-bit unscaled integers of at most 38
// digits with a scale kept by the caller. Results that need more than the digits asked for
// are reported, never wrapped. It allocates nothing; only exec/eval, formats and aggregates
// import it.
package decimal

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/sqlstream/sqlstream/exec/vec"
)

// D is an unscaled decimal.
type D = vec.Dec128

// MaxDigits is the largest precision.
const MaxDigits = 38

// pow10 holds 10^0 to 10^38.
var pow10 = func() (t [MaxDigits + 1]u128) {
	t[0] = u128{1, 0}
	for i := 1; i < len(t); i++ {
		t[i] = mulSmall(t[i-1], 10)
	}
	return t
}()

// FromInt64 converts an integer.
func FromInt64(x int64) D { return D{Lo: uint64(x), Hi: x >> 63} }

// IsInt64 reports whether x fits an int64.
func IsInt64(x D) bool { return x.Hi == int64(x.Lo)>>63 }

// Neg returns -x.
func Neg(x D) D {
	lo, b := bits.Sub64(0, x.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(x.Hi), b)
	return D{Lo: lo, Hi: int64(hi)}
}

// Sign is -1, 0 or 1.
func Sign(x D) int {
	switch {
	case x.Hi < 0:
		return -1
	case x.Hi == 0 && x.Lo == 0:
		return 0
	}
	return 1
}

// Abs returns the magnitude.
func Abs(x D) D {
	if x.Hi < 0 {
		return Neg(x)
	}
	return x
}

// Cmp compares unscaled values of the same scale.
func Cmp(a, b D) int {
	switch {
	case a.Hi < b.Hi:
		return -1
	case a.Hi > b.Hi:
		return 1
	case a.Lo < b.Lo:
		return -1
	case a.Lo > b.Lo:
		return 1
	}
	return 0
}

// Fits reports |x| < 10^p.
func Fits(x D, p int) bool { return less128(mag(x), pow10[p]) }

// addWrap is a+b modulo 2^128.
func addWrap(a, b D) D {
	lo, c := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), c)
	return D{Lo: lo, Hi: int64(hi)}
}

// mag is |x| as an unsigned number.
func mag(x D) u128 {
	x = Abs(x)
	return u128{x.Lo, uint64(x.Hi)}
}

// signed turns a magnitude below 2^127 into a D.
func signed(m u128, neg bool) D {
	d := D{Lo: m.lo, Hi: int64(m.hi)}
	if neg {
		return Neg(d)
	}
	return d
}

// FromBig converts x; false when it has more than 38 digits.
func FromBig(x *big.Int) (D, bool) {
	if x.BitLen() > 127 {
		return D{}, false
	}
	var m big.Int
	m.Abs(x)
	lo := new(big.Int).And(&m, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	hi := new(big.Int).Rsh(&m, 64).Uint64()
	d := signed(u128{lo, hi}, x.Sign() < 0)
	return d, Fits(d, MaxDigits)
}

// Big converts x to a big integer.
func Big(x D) *big.Int {
	m := mag(x)
	b := new(big.Int).SetUint64(m.hi)
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(m.lo))
	if x.Hi < 0 {
		b.Neg(b)
	}
	return b
}
