// Package javafmt owns the texts of FLOAT and DOUBLE: those of Java 17's Double.toString and
// Float.toString, which Flink's casts produce. They are not always the shortest texts
// that read back as the number (1e23 is 9.999999999999999E22). Anybody may import it.
package javafmt

import (
	"math"
	"math/big"
	"strconv"
)

// AppendDouble appends x as Java prints a double: "1.0E7", "0.001", "-0.0", "NaN".
func AppendDouble(dst []byte, x float64) []byte { return appendFloat(dst, x, 64) }

// AppendFloat appends x as Java prints a float.
func AppendFloat(dst []byte, x float32) []byte { return appendFloat(dst, float64(x), 32) }

func appendFloat(dst []byte, x float64, size int) []byte {
	switch {
	case math.IsNaN(x):
		return append(dst, "NaN"...)
	case math.IsInf(x, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(x, -1):
		return append(dst, "-Infinity"...)
	}
	if math.Signbit(x) {
		dst = append(dst, '-')
		x = -x
	}
	if x == 0 {
		return append(dst, "0.0"...)
	}
	var buf [32]byte
	digits, exp := shortest(buf[:0], x, size)
	return layout(dst, digits, exp)
}

// layout writes digits d.ddd * 10^exp the way Java does: plain from 10^-3 up to 10^7.
func layout(dst, digits []byte, exp int) []byte {
	switch {
	case exp >= 0 && exp < 7:
		for i := 0; i <= exp; i++ {
			if i < len(digits) {
				dst = append(dst, digits[i])
			} else {
				dst = append(dst, '0')
			}
		}
		dst = append(dst, '.')
		if len(digits) <= exp+1 {
			return append(dst, '0')
		}
		return append(dst, digits[exp+1:]...)
	case exp < 0 && exp >= -3:
		dst = append(dst, "0."...)
		for range -exp - 1 {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[0], '.')
	if len(digits) == 1 {
		dst = append(dst, '0')
	} else {
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'E')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// shortest returns the decimal digits of x > 0 and the exponent of the first. Most numbers
// have Go's shortest digits; where Java's algorithm gives others (powers of two, one-digit
// results in E notation, numbers so large that a half unit is a short decimal), it is
// followed step by step.
func shortest(buf []byte, x float64, size int) ([]byte, int) {
	mant, exp, bits := decompose(x, size)
	text := strconv.AppendFloat(buf, x, 'e', -1, size)
	digits, e := split(text)
	special := mant&(mant-1) == 0 || exp >= -1-2
	if len(digits) == 1 && (e < -3 || e >= 7) {
		special = true
	}
	if !special {
		return digits, e
	}
	if exp > -bits && exp+bits <= 63 && exp >= -(bits-1) && isInteger(mant, exp) {
		return longDigits(mant, exp, bits)
	}
	return generate(mant, exp, bits)
}

// decompose gives x = mant * 2^exp with the format's significand bits.
func decompose(x float64, size int) (mant uint64, exp, bits int) {
	if size == 32 {
		b := math.Float32bits(float32(x))
		mant, exp = uint64(b&(1<<23-1)), int(b>>23&0xff)
		if exp == 0 {
			exp++
		} else {
			mant |= 1 << 23
		}
		return mant, exp - 127 - 23, 24
	}
	b := math.Float64bits(x)
	mant, exp = b&(1<<52-1), int(b>>52&0x7ff)
	if exp == 0 {
		exp++
	} else {
		mant |= 1 << 52
	}
	return mant, exp - 1023 - 52, 53
}

func isInteger(mant uint64, exp int) bool {
	return exp >= 0 || exp > -64 && mant&(1<<uint(-exp)-1) == 0
}

// split separates "d.ddde+xx".
func split(text []byte) ([]byte, int) {
	for i, c := range text {
		if c == 'e' {
			exp, _ := strconv.Atoi(string(text[i+1:]))
			if i > 1 {
				copy(text[1:], text[2:i])
				return text[:i-1], exp
			}
			return text[:1], exp
		}
	}
	return text, 0
}

// longDigits prints an integer below 2^63 exactly, without the last digits that the
// precision does not carry.
func longDigits(mant uint64, exp, bits int) ([]byte, int) {
	v := mant
	if exp >= 0 {
		v <<= uint(exp)
	} else {
		v >>= uint(-exp)
	}
	cut := 0
	if exp > 1 {
		if p := exp - 2; p > 1 {
			cut = int(float64(p) * math.Log10(2))
		}
	}
	dec := cut
	if cut > 0 {
		pow := uint64(math.Pow10(cut))
		rest := v % pow
		v /= pow
		if rest >= pow>>1 {
			v++
		}
	}
	digits := strconv.AppendUint(nil, v, 10)
	e := len(digits) - 1 + dec
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits, e
}

// generate is the free-format algorithm with the bounds Java uses: half a unit on both
// sides (the smaller half below a power of two), exclusive.
func generate(mant uint64, exp, bits int) ([]byte, int) {
	// x = r/s, half a unit = m/s; one more factor of 2 keeps everything integral.
	r := new(big.Int).SetUint64(mant)
	r.Lsh(r, 2)
	s, m := big.NewInt(4), big.NewInt(2)
	if mant == 1<<uint(bits-1) {
		m.SetInt64(1)
	}
	if exp >= 0 {
		r.Lsh(r, uint(exp))
		m.Lsh(m, uint(exp))
	} else {
		s.Lsh(s, uint(-exp))
	}
	e := int(math.Floor(math.Log10(float64(mant)) + float64(exp)*math.Log10(2)))
	ten := big.NewInt(10)
	pow := new(big.Int).Exp(ten, big.NewInt(int64(abs(e))), nil)
	if e >= 0 {
		s.Mul(s, pow)
	} else {
		r.Mul(r, pow)
		m.Mul(m, pow)
	}
	if r.Cmp(s) < 0 { // the estimate was one too large
		r.Mul(r, ten)
		m.Mul(m, ten)
		e--
	} else if new(big.Int).Mul(s, ten).Cmp(r) <= 0 {
		s.Mul(s, ten)
		e++
	}
	return digitsOf(r, s, m, e)
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}

func digitsOf(r, s, m *big.Int, e int) ([]byte, int) {
	ten := big.NewInt(10)
	var digits []byte
	q, sum := new(big.Int), new(big.Int)
	for {
		q.QuoRem(r, s, r)
		digits = append(digits, byte('0'+q.Int64()))
		low := r.Cmp(m) < 0
		high := sum.Add(r, m).Cmp(s) > 0
		if len(digits) == 1 && (e < -3 || e >= 8) {
			low, high = false, false // E notation has at least two digits
		}
		if low || high {
			if high && (!low || roundsUp(r, s, digits)) {
				return increment(digits, e)
			}
			return trim(digits), e
		}
		r.Mul(r, ten)
		m.Mul(m, ten)
	}
}

func roundsUp(r, s *big.Int, digits []byte) bool {
	c := new(big.Int).Lsh(r, 1).Cmp(s)
	return c > 0 || c == 0 && (digits[len(digits)-1]-'0')&1 == 1
}

func increment(digits []byte, e int) ([]byte, int) {
	i := len(digits) - 1
	for ; i >= 0 && digits[i] == '9'; i-- {
		digits[i] = '0'
	}
	if i < 0 {
		return []byte{'1'}, e + 1
	}
	digits[i]++
	return trim(digits), e
}

func trim(digits []byte) []byte {
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits
}
