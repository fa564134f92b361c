package eval

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// lower and upper follow Java for ASCII byte by byte and for the rest by the full mappings
// that change the length: UPPER('ß') is 'SS', LOWER('İ') two code points.
func lower(dst, s []byte) []byte {
	n := len(dst)
	dst = append(dst, s...)
	if !switchCase(dst[n:], 'A') {
		return lowerRunes(dst[:n], s)
	}
	return dst
}

// switchCase flips the ASCII letters from first ('A' or 'a') to first+25, eight bytes at a
// time; false as soon as it meets a byte that is not ASCII.
func switchCase(b []byte, first byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	lo, hi := uint64(0x80-first)*ones, uint64(0x80-first-26)*ones
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		if x&high != 0 {
			return false
		}
		letters := (x + lo) &^ (x + hi) & high // high bit where first <= byte < first+26
		binary.LittleEndian.PutUint64(b, x^letters>>2)
		b = b[8:]
	}
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
		if c-first < 26 {
			b[i] = c ^ 0x20
		}
	}
	return true
}

func lowerRunes(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRune(s[i:])
		switch {
		case r == 'İ':
			dst = append(dst, "i̇"...)
		case r == 'Σ' && finalSigma(s[:i], s[i+w:]):
			dst = utf8.AppendRune(dst, 'ς')
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		i += w
	}
	return dst
}

// finalSigma reports a sigma at the end of a word.
func finalSigma(before, after []byte) bool {
	a, _ := utf8.DecodeLastRune(before)
	b, w := utf8.DecodeRune(after)
	return len(before) > 0 && unicode.IsLetter(a) && (w == 0 || !unicode.IsLetter(b))
}

func upper(dst, s []byte) []byte {
	n := len(dst)
	dst = append(dst, s...)
	if !switchCase(dst[n:], 'a') {
		return upperRunes(dst[:n], s)
	}
	return dst
}

var upperSpecial = map[rune]string{'ß': "SS", 'ŉ': "ʼN", 'ǰ': "J̌", 'ΐ': "Ϊ́", 'ΰ': "Ϋ́", 'և': "ԵՒ", 'ﬀ': "FF", 'ﬁ': "FI", 'ﬂ': "FL", 'ﬃ': "FFI", 'ﬄ': "FFL", 'ﬅ': "ST", 'ﬆ': "ST"}

func upperRunes(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRune(s[i:])
		if t, ok := upperSpecial[r]; ok {
			dst = append(dst, t...)
		} else {
			dst = utf8.AppendRune(dst, unicode.ToUpper(r))
		}
		i += w
	}
	return dst
}

// initcap knows ASCII letters and digits only.
func initcap(dst, s []byte) []byte {
	inside := false
	for _, c := range s {
		switch {
		case c-'a' < 26 && !inside:
			c -= 32
			inside = true
		case c-'A' < 26 && inside:
			c += 32
		case c-'a' < 26, c-'A' < 26, c-'0' < 10:
			inside = true
		default:
			inside = false
		}
		dst = append(dst, c)
	}
	return dst
}

// overlay counts UTF-16 units as Flink does and may cut a surrogate pair in two.
func overlay(dst, s, with []byte, start, length int64) []byte {
	units := utf16.Encode(bytes.Runes(s))
	n := int64(len(units))
	if start <= 0 || start > n {
		return append(dst, s...)
	}
	dst = appendUnits(dst, units[:start-1])
	dst = append(dst, with...)
	if end := start - 1 + length; length > 0 && end < n {
		dst = appendUnits(dst, units[end:])
	}
	return dst
}

// unitCount is the length of s in UTF-16 units, which LPAD and RPAD count.
func unitCount(s []byte) int {
	n := 0
	for _, c := range s {
		if c&0xc0 != 0x80 {
			n++
		}
		if c >= 0xf0 {
			n++ // a surrogate pair
		}
	}
	return n
}

// appendFirstUnits appends the first n units of s, half a pair as '?'.
func appendFirstUnits(dst, s []byte, n int) []byte {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		_, w := utf8.DecodeRune(s[i:])
		if w == 4 {
			if n == 1 {
				return append(append(dst, s[:i]...), '?')
			}
			n--
		}
		i += w
	}
	return append(dst, s[:i]...)
}

// appendUnits writes UTF-16 as UTF-8, halves of pairs as '?'.
func appendUnits(dst []byte, units []uint16) []byte {
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if i+1 < len(units) {
				if p := utf16.DecodeRune(r, rune(units[i+1])); p != unicode.ReplacementChar {
					dst = utf8.AppendRune(dst, p)
					i++
					continue
				}
			}
			r = '?'
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func bindOverlay(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			with := f.Args[1].bytes(i)
			length := int64(len(utf16.Encode(bytes.Runes(with))))
			if len(f.Args) == 4 {
				length = int64(value[int32](f.Args[3], i))
			}
			return overlay(dst, f.Args[0].bytes(i), with, int64(value[int32](f.Args[2], i)), length), true
		})
	}, nil
}

// translate replaces characters of from by those at the same place of to; without one they
// are dropped.
func bindTranslate(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			from, to := bytes.Runes(f.Args[1].bytes(i)), bytes.Runes(f.Args[2].bytes(i))
			for _, r := range string(f.Args[0].bytes(i)) {
				k := 0
				for k < len(from) && from[k] != r {
					k++
				}
				switch {
				case k == len(from):
					dst = utf8.AppendRune(dst, r)
				case k < len(to):
					dst = utf8.AppendRune(dst, to[k])
				}
			}
			return dst, true
		})
	}, nil
}

func allRunes(ok func(rune) bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fillBool(f, func(i int) (bool, bool) {
				if f.Args[0].null(i) {
					return false, true
				}
				s := f.Args[0].bytes(i)
				for _, r := range string(s) {
					if !ok(r) {
						return false, true
					}
				}
				return len(s) > 0, true
			})
		}, nil
	}
}

func bindIsDecimal(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBool(f, func(i int) (bool, bool) {
			if f.Args[0].null(i) {
				return false, true
			}
			_, ok := parseFloat(f.Args[0].bytes(i), 64)
			return ok, true
		})
	}, nil
}
