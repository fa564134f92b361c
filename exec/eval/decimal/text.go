package decimal

import (
	"math"
	"strconv"
)

// Append writes x with all digits of its scale: "-0.50".
func Append(dst []byte, x D, scale int) []byte {
	if x.Hi < 0 {
		dst = append(dst, '-')
	}
	m := mag(x)
	var buf [MaxDigits + 2]byte
	i := len(buf)
	for m.hi != 0 {
		q, r := wide(m).divmod64(1e19)
		m = q.low()
		for range 19 {
			i--
			buf[i] = byte('0' + r%10)
			r /= 10
		}
	}
	for v := m.lo; v != 0; v /= 10 {
		i--
		buf[i] = byte('0' + v%10)
	}
	for len(buf)-i <= scale {
		i--
		buf[i] = '0'
	}
	digits := buf[i:]
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(append(dst, '.'), digits[len(digits)-scale:]...)
	}
	return dst
}

// String is Append to a new string.
func String(x D, scale int) string { return string(Append(nil, x, scale)) }

// Parse reads "[+-]digits[.digits][e[+-]digits]" (no blanks) as DECIMAL(p, s), rounding half
// up. ok is false when s is no number; over tells one with more than p digits.
func Parse[T string | []byte](text T, p, s int) (d D, over, ok bool) {
	i, n := 0, len(text)
	neg := false
	if n > 0 && (text[0] == '-' || text[0] == '+') {
		neg = text[0] == '-'
		i++
	}
	var m u128
	digits, seen, scale, dot := 0, 0, 0, false
	var extra []byte // digits beyond the 38 that m holds
	for ; i < n; i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			seen++
			if digits == 0 && c == '0' {
				if dot {
					scale++
				}
				continue
			}
			digits++
			if digits <= MaxDigits {
				m = mulSmall(m, 10)
				m.lo += uint64(c - '0')
				if m.lo < uint64(c-'0') {
					m.hi++
				}
			} else {
				extra = append(extra, c)
			}
			if dot {
				scale++
			}
			continue
		case c == '.' && !dot:
			dot = true
			continue
		}
		break
	}
	if seen == 0 {
		return D{}, false, false
	}
	if i < n {
		if text[i] != 'e' && text[i] != 'E' {
			return D{}, false, false
		}
		exp, err := strconv.Atoi(string(text[i+1:]))
		if err != nil {
			return D{}, false, false
		}
		scale -= exp
	}
	if digits == 0 {
		return D{}, false, true
	}
	return finishParse(m, extra, scale, neg, p, s)
}

func finishParse(m u128, extra []byte, scale int, neg bool, p, s int) (d D, over, ok bool) {
	switch {
	case len(extra) > 0 && scale-s < len(extra):
		return D{}, true, true // more than 38 digits remain
	case len(extra) > 0:
		w := wide(m)
		keep := min(len(extra), 20)
		for _, c := range extra[:keep] {
			w, _ = w.mulPow10(1)
			w = add256(w, u256{uint64(c - '0')})
		}
		scale -= len(extra) - keep
		if scale-s > 2*MaxDigits {
			return D{}, false, true
		}
		d, fits := narrow(w.divPow10(scale-s), neg, p)
		return d, !fits, true
	case scale < s-MaxDigits:
		return D{}, true, true
	case scale-s > 2*MaxDigits:
		return D{}, false, true
	}
	d, fits := Rescale(signed(m, neg), scale, s, p)
	return d, !fits, true
}

// Float64 converts x to the nearest double.
func Float64(x D, scale int) float64 {
	if small(x, scale) {
		return float64(int64(x.Lo)) / exact10[scale]
	}
	var buf [48]byte
	f, _ := strconv.ParseFloat(string(Append(buf[:0], x, scale)), 64)
	return f
}

// FromFloat converts f, given by its shortest decimal digits as Java prints them, to
// DECIMAL(p, s); false when it has more digits, is NaN or infinite.
func FromFloat(f float64, bits, p, s int) (D, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return D{}, false
	}
	var buf [32]byte
	d, over, ok := Parse(strconv.AppendFloat(buf[:0], f, 'e', -1, bits), p, s)
	return d, ok && !over
}
