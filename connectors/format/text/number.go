package text

import (
	"math"
	"strconv"
	"strings"
)

func appendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// Trim cuts what Java's String.trim cuts: everything up to U+0020 at both ends.
func Trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// Integer reads [+-]digits that fit into bits, as Java's parseInt and parseLong do.
func Integer(b []byte, bits int) (int64, bool) {
	neg, i := false, 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, i = b[0] == '-', 1
	}
	if i == len(b) {
		return 0, false
	}
	limit := uint64(1) << (bits - 1) // of the magnitude of a negative number
	if !neg {
		limit--
	}
	var v uint64
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c > 9 || v > limit/10 {
			return 0, false
		}
		if v = v*10 + uint64(c); v > limit {
			return 0, false
		}
	}
	if neg {
		return -int64(v), true
	}
	return int64(v), true
}

// Float reads a number as Java's parseDouble and parseFloat do: blanks around it, NaN,
// Infinity, a suffix f or d; what is too large is infinite.
func Float(b []byte, bits int) (float64, bool) {
	s := string(Trim(b))
	switch strings.TrimLeft(s, "+-") {
	case "NaN":
		return math.NaN(), len(s) <= 4
	case "Infinity":
		if len(s) > 9 {
			return 0, false
		}
		return math.Inf(map[bool]int{true: -1, false: 1}[s[0] == '-']), true
	}
	if n := len(s) - 1; n > 0 && strings.IndexByte("fFdD", s[n]) >= 0 && !isHex(s) {
		s = s[:n]
	}
	for i := 0; i < len(s); i++ { // Go reads more: _, inf, hexadecimal digits without exponent
		if c := s[i]; (c < '0' || c > '9') && strings.IndexByte("+-.eE", c) < 0 {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

func isHex(s string) bool { return len(s) > 2 && strings.ContainsAny(s[:3], "xX") }

// AppendFloat appends a finite number in the layout of Java's Double.toString: 1.0, 1.0E10,
// 1.0E-5, with the fewest digits that read back as the same number.
func AppendFloat(dst []byte, f float64, bits int) []byte {
	if f == 0 {
		if math.Signbit(f) {
			dst = append(dst, '-')
		}
		return append(dst, "0.0"...)
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	var buf [32]byte
	s := strconv.AppendFloat(buf[:0], f, 'e', -1, bits) // d.ddde+XX
	e := 0
	for s[e] != 'e' {
		e++
	}
	dst = append(dst, s[:e]...)
	if i := 1; s[0] == '-' && e == 2 || s[0] != '-' && e == i {
		dst = append(dst, ".0"...)
	}
	exp, _ := strconv.Atoi(string(s[e+1:]))
	dst = append(dst, 'E')
	return appendInt(dst, int64(exp))
}

// AppendFloatName appends NaN, Infinity and -Infinity, false for finite numbers.
func AppendFloatName(dst []byte, f float64) ([]byte, bool) {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...), true
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...), true
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...), true
	}
	return dst, false
}
