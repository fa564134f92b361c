package json

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789ABCDEF"

var errUTF8 = errors.New("the text is not valid UTF-8")

// appendString appends s as a JSON string with the escapes that Flink (Jackson) writes.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	if clean(s) {
		return append(append(dst, s...), '"')
	}
	start := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// clean reports that nothing in s needs an escape, eight bytes at a time.
func clean(s []byte) bool {
	for len(s) >= 8 {
		w := binary.LittleEndian.Uint64(s)
		quote, slash := w^(lows*'"'), w^(lows*'\\')
		if ((quote-lows)&^quote|(slash-lows)&^slash|(w-lows*' ')&^w)&highs != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// unescape appends the text of a JSON string (without its quotes). What cannot be written
// as UTF-8 is an error.
func unescape(dst, s []byte) ([]byte, error) {
	start := len(dst)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++ // the scanner made sure that something follows
		switch s[i] {
		case '"', '\\', '/':
			dst = append(dst, s[i])
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s[i+1:])
			if !ok {
				return dst, fmt.Errorf("\\u is not followed by four hexadecimal digits")
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if len(s)-i > 2 && s[i+1] == '\\' && s[i+2] == 'u' {
					low, ok = hex4(s[i+3:])
				}
				pair := utf16.DecodeRune(r, low)
				if !ok || pair == utf8.RuneError {
					return dst, fmt.Errorf("half of a surrogate pair, \\u%04x, stands alone", r)
				}
				r = pair
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
		default:
			return dst, fmt.Errorf("unknown escape \\%c", rune(s[i]))
		}
	}
	if !utf8.Valid(dst[start:]) {
		return dst, errUTF8
	}
	return dst, nil
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// shortInt reads an integer of up to 18 digits without leading zeros; end < 0 when it is
// something else. What follows it is the caller's business.
func shortInt(b []byte, p int) (v int64, end int) {
	neg := p < len(b) && b[p] == '-'
	if neg {
		p++
	}
	start := p
	if len(b)-p >= 8 {
		x := binary.LittleEndian.Uint64(b[p:]) ^ lows*'0'
		other := (x + lows*(0x7f-9) | x) & highs // the bytes that are no digits
		if n := bits.TrailingZeros64(other) >> 3; n > 0 && n < 8 {
			x <<= uint(64 - 8*n)
			x = (x & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8
			x = (x & 0x00FF00FF00FF00FF) * 6553601 >> 16
			v, p = int64((x&0x0000FFFF0000FFFF)*42949672960001>>32), p+n
			if neg {
				v = -v
			}
			if b[start] == '0' && n > 1 {
				return 0, -1
			}
			return v, p
		}
	}
	for ; p < len(b); p++ {
		c := b[p] - '0'
		if c > 9 {
			break
		}
		v = v*10 + int64(c)
	}
	if n := p - start; n == 0 || n > 18 || b[start] == '0' && n > 1 {
		return 0, -1
	}
	if neg {
		v = -v
	}
	return v, p
}
