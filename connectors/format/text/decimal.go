package text

import (
	"math/bits"

	"github.com/sqlstream/sqlstream/exec/vec"
)

// DecimalStatus tells what Decimal found.
type DecimalStatus uint8

// The results of Decimal.
const (
	DecimalOK       DecimalStatus = iota
	DecimalBad                    // no number
	DecimalOverflow               // more digits before the point than the type has
)

// Decimal reads [+-]digits[.digits][e[+-]digits], as Java's BigDecimal does, into the
// unscaled value of DECIMAL(precision, scale), rounding half up. It looks at the digits
// alone, so that no exponent makes it slow.
func Decimal(b []byte, precision, scale int) (vec.Dec128, DecimalStatus) {
	num, ok := splitNumber(b)
	if !ok {
		return vec.Dec128{}, DecimalBad
	}
	d, ok := num.unscaled(scale, precision, true)
	if !ok {
		return vec.Dec128{}, DecimalOverflow
	}
	return d, DecimalOK
}

// Truncated reads a number and cuts its fraction off; false when it does not fit into bits.
func Truncated(b []byte, width int) (v int64, ok bool) {
	num, ok := splitNumber(b)
	if !ok {
		return 0, false
	}
	d, ok := num.unscaled(0, 38, false)
	if !ok {
		return 0, false
	}
	v = int64(d.Lo)
	if d.Hi != v>>63 || v != v<<(64-width)>>(64-width) {
		return 0, false
	}
	return v, true
}

// number is a decimal number: sign, digits with an optional point among them, without
// leading zeros, of which `whole` are before the decimal point (after the exponent).
type number struct {
	neg    bool
	digits []byte // from the first digit that is not 0; may contain one '.'
	count  int    // digits in it
	whole  int64
}

// maxExponent bounds exponents: farther away everything is 0 or too large.
const maxExponent = 1 << 40

func splitNumber(b []byte) (number, bool) {
	var n number
	p := 0
	if p < len(b) && (b[p] == '-' || b[p] == '+') {
		n.neg = b[p] == '-'
		p++
	}
	first, point, seen := -1, -1, 0
	for ; p < len(b); p++ {
		if b[p] == '.' && point < 0 {
			point = p
			continue
		}
		if b[p] < '0' || b[p] > '9' {
			break
		}
		seen++
		if b[p] != '0' && first < 0 {
			first = p
		}
	}
	end := p
	if seen == 0 {
		return n, false
	}
	var exp int64
	if p < len(b) {
		if b[p] != 'e' && b[p] != 'E' || p+1 == len(b) {
			return n, false
		}
		var ok bool
		if exp, ok = exponent(b[p+1:]); !ok {
			return n, false
		}
	}
	if first < 0 {
		return n, true
	}
	if point < 0 {
		point = end
	}
	n.digits = b[first:end]
	n.count = end - first
	if point > first && point < end {
		n.count--
	}
	n.whole = int64(point-first) + exp
	if first > point {
		n.whole++
	}
	return n, true
}

func exponent(b []byte) (int64, bool) {
	neg, i := b[0] == '-', 0
	if b[0] == '-' || b[0] == '+' {
		i = 1
	}
	if i == len(b) {
		return 0, false
	}
	var v int64
	for ; i < len(b); i++ {
		if b[i] < '0' || b[i] > '9' {
			return 0, false
		}
		if v < maxExponent {
			v = v*10 + int64(b[i]-'0')
		}
	}
	if neg {
		v = -v
	}
	return v, true
}

// unscaled is the number times 10^scale, rounded half up or cut; false when it has more
// than precision digits.
func (n *number) unscaled(scale, precision int, round bool) (vec.Dec128, bool) {
	want := n.whole + int64(scale) // how many of the digits count
	if n.count == 0 || want < 0 {
		return vec.Dec128{}, true
	}
	if want > int64(precision) {
		return vec.Dec128{}, false
	}
	var hi, lo uint64
	taken, up := int64(0), false
	for _, c := range n.digits {
		if c == '.' {
			continue
		}
		if taken == want {
			up = round && c >= '5'
			break
		}
		hi, lo = mulAdd(hi, lo, 10, uint64(c-'0'))
		taken++
	}
	for ; taken < want; taken++ {
		hi, lo = mulAdd(hi, lo, 10, 0)
	}
	if up {
		var carry uint64
		lo, carry = bits.Add64(lo, 1, 0)
		hi += carry
		if ph, pl := pow10(precision); hi == ph && lo == pl {
			return vec.Dec128{}, false // 99.5 rounded to 100 in DECIMAL(2, 0)
		}
	}
	if n.neg {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	return vec.Dec128{Lo: lo, Hi: int64(hi)}, true
}

func mulAdd(hi, lo, m, a uint64) (uint64, uint64) {
	ph, pl := bits.Mul64(lo, m)
	pl, carry := bits.Add64(pl, a, 0)
	return hi*m + ph + carry, pl
}

func pow10(n int) (hi, lo uint64) {
	lo = 1
	for ; n > 0; n-- {
		hi, lo = mulAdd(hi, lo, 10, 0)
	}
	return hi, lo
}

// decimalDigits writes the magnitude of d into the end of buf.
func decimalDigits(buf *[40]byte, d vec.Dec128) (digits []byte, neg bool) {
	hi, lo := uint64(d.Hi), d.Lo
	if neg = d.Hi < 0; neg {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	i := len(buf)
	for {
		var r uint64
		qh, rem := hi/10, hi%10
		lo, r = bits.Div64(rem, lo, 10)
		hi = qh
		i--
		buf[i] = byte('0' + r)
		if hi|lo == 0 {
			return buf[i:], neg
		}
	}
}

// AppendDecimal appends all digits of the scale: 100.00.
func AppendDecimal(dst []byte, d vec.Dec128, scale int) []byte {
	var buf [40]byte
	digits, neg := decimalDigits(&buf, d)
	if neg {
		dst = append(dst, '-')
	}
	return appendPlain(dst, digits, scale)
}

func appendPlain(dst, digits []byte, scale int) []byte {
	if n := len(digits) - scale; n > 0 {
		dst = append(dst, digits[:n]...)
		digits = digits[n:]
	} else {
		dst = append(dst, '0')
	}
	if scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	for i := len(digits); i < scale; i++ {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

// AppendStripped appends the number without trailing zeros as Java's BigDecimal.toString
// does: 1.5, 1E+2, 1E-10.
func AppendStripped(dst []byte, d vec.Dec128, scale int) []byte {
	var buf [40]byte
	digits, neg := decimalDigits(&buf, d)
	if len(digits) == 1 && digits[0] == '0' {
		return append(dst, '0')
	}
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		scale--
	}
	return appendJava(dst, digits, neg, scale)
}

// AppendJava appends the number as Java's BigDecimal.toString does: 1.50, but 1E-10.
func AppendJava(dst []byte, d vec.Dec128, scale int) []byte {
	var buf [40]byte
	digits, neg := decimalDigits(&buf, d)
	return appendJava(dst, digits, neg, scale)
}

func appendJava(dst, digits []byte, neg bool, scale int) []byte {
	if neg {
		dst = append(dst, '-')
	}
	exp := len(digits) - 1 - scale
	if scale >= 0 && exp >= -6 {
		return appendPlain(dst, digits, scale)
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'E')
	if exp >= 0 {
		dst = append(dst, '+')
	}
	return appendInt(dst, int64(exp))
}
