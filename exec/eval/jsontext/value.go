package jsontext

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is what a JSON text is.
type Kind uint8

// The kinds; Invalid is no JSON.
const (
	Invalid Kind = iota
	Object
	Array
	Scalar
)

// KindOf validates a text.
func KindOf(doc []byte) Kind {
	if !json.Valid(doc) {
		return Invalid
	}
	switch trim(doc)[0] {
	case '{':
		return Object
	case '[':
		return Array
	}
	return Scalar
}

// AppendScalar writes a scalar as SQL text: strings without quotes, numbers as
// java.math.BigDecimal prints them. ok is false for null, objects and arrays.
func AppendScalar(dst, value []byte) (out []byte, ok bool) {
	switch value[0] {
	case '{', '[', 'n':
		return dst, false
	case '"':
		var s string
		if json.Unmarshal(value, &s) != nil {
			return dst, false
		}
		return append(dst, s...), true
	case 't', 'f':
		return append(dst, value...), true
	}
	return appendNumber(dst, value), true
}

// appendNumber writes a number as BigDecimal.toString: plain when the exponent is not
// positive and small, else with one digit before the point.
func appendNumber(dst, n []byte) []byte {
	mant, exp, hasExp := strings.Cut(strings.ToUpper(string(n)), "E")
	if !hasExp && !strings.Contains(mant, ".") {
		return append(dst, n...)
	}
	sign := ""
	if mant[0] == '-' {
		sign, mant = "-", mant[1:]
	}
	whole, frac, _ := strings.Cut(mant, ".")
	e, err := strconv.Atoi(strings.TrimPrefix(exp, "+"))
	if err != nil && hasExp {
		return append(dst, n...)
	}
	digits := strings.TrimLeft(whole+frac, "0")
	if digits == "" {
		digits = "0"
	}
	scale := len(frac) - e
	adjusted := len(digits) - 1 - scale
	dst = append(dst, sign...)
	if scale >= 0 && adjusted >= -6 {
		for len(digits) <= scale {
			digits = "0" + digits
		}
		dst = append(dst, digits[:len(digits)-scale]...)
		if scale > 0 {
			dst = append(append(dst, '.'), digits[len(digits)-scale:]...)
		}
		return dst
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	dst = append(dst, 'E')
	if adjusted >= 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(adjusted), 10)
}

// AppendCanonical writes a valid value without blanks, the members of objects in the order
// of their keys, each once.
func AppendCanonical(dst, value []byte) []byte {
	value = trim(value)
	switch value[0] {
	case '[':
		dst = append(dst, '[')
		first := true
		each(value, func(_, v []byte) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = AppendCanonical(dst, v)
			return true
		})
		return append(dst, ']')
	case '{':
		var ms []Member
		each(value, func(k, v []byte) bool {
			var key string
			if json.Unmarshal(k, &key) == nil {
				ms = append(ms, Member{key, AppendCanonical(nil, v)})
			}
			return true
		})
		return AppendObject(dst, ms)
	case '"':
		var s string
		if json.Unmarshal(value, &s) == nil {
			return AppendString(dst, []byte(s))
		}
	case 't', 'f', 'n':
		return append(dst, value...)
	}
	return appendNumber(dst, value)
}

// Member is one member of an object: its key and the JSON text of its value.
type Member struct {
	Key   string
	Value []byte
}

// AppendObject writes an object in the order of the keys; of equal ones the last counts.
func AppendObject(dst []byte, ms []Member) []byte {
	slices.SortStableFunc(ms, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
	dst = append(dst, '{')
	first := true
	for i, m := range ms {
		if i+1 < len(ms) && ms[i+1].Key == m.Key {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendString(dst, []byte(m.Key)), ':')
		dst = append(dst, m.Value...)
	}
	return append(dst, '}')
}

const hexDigits = "0123456789ABCDEF"

// AppendString writes a JSON string, escaping quotes, backslashes and control characters.
func AppendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if c < 0x20 {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			} else {
				dst = append(dst, c)
			}
		}
	}
	return append(dst, '"')
}

// Quote is JSON_QUOTE: AppendString that also escapes the slash and all that is not ASCII,
// and leaves other control characters as they are.
func Quote(dst, s []byte) []byte {
	dst = append(dst, '"')
	for len(s) > 0 {
		r, w := utf8.DecodeRune(s)
		switch {
		case r == '/':
			dst = append(dst, `\/`...)
		case r < 0x20 && !strings.ContainsRune("\b\f\n\r\t", r):
			dst = append(dst, byte(r))
		case r < utf8.RuneSelf:
			quoted := AppendString(nil, s[:1])
			dst = append(dst, quoted[1:len(quoted)-1]...)
		case r < 0x10000:
			dst = append(dst, `\u`...)
			for shift := 12; shift >= 0; shift -= 4 {
				dst = append(dst, hexDigits[r>>shift&15]|0x20)
			}
		default: // as Flink: the code point and then the low half of its pair
			dst = append(dst, `\u`...)
			dst = strconv.AppendInt(dst, int64(r), 16)
			dst = append(dst, `\u`...)
			dst = strconv.AppendInt(dst, int64(0xdc00+(r-0x10000)&0x3ff), 16)
		}
		s = s[w:]
	}
	return append(dst, '"')
}

// Unquote is JSON_UNQUOTE: the text of a JSON string; anything else stays as it is.
func Unquote(dst, s []byte) []byte {
	if t := bytes.TrimSpace(s); len(t) >= 2 && t[0] == '"' && t[len(t)-1] == '"' && len(t) == len(s) {
		var text string
		if json.Unmarshal(s, &text) == nil {
			return append(dst, text...)
		}
	}
	return append(dst, s...)
}
