package sql

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// body reads a quoted text at the opening quote, in which the quote is doubled. ok is false
// when it never ends.
func (l *lexer) body(quote byte) (value string, ok bool) {
	var b strings.Builder
	for l.i++; l.i < len(l.s); l.i++ {
		if l.s[l.i] == quote {
			if l.byteAt(1) != quote {
				l.i++
				return b.String(), true
			}
			l.i++
		}
		b.WriteByte(l.s[l.i])
	}
	return "", false
}

func (l *lexer) text(start int) token {
	v, ok := l.body('\'')
	if !ok {
		return l.unclosed(start, l.src.Errorf(start, "this string is never closed").WithHint("close it with '; a quote inside a string is written twice: ''"))
	}
	return l.token(text, start, v)
}

func (l *lexer) quotedName(start int) token {
	v, ok := l.body('`')
	switch {
	case !ok:
		return l.unclosed(start, l.src.Errorf(start, "this name is never closed").WithHint("close it with `"))
	case v == "":
		return l.invalid(start, l.src.Errorf(start, "a name is empty"))
	}
	return l.token(quoted, start, v)
}

// prefixed reads X'..', E'..', U&'..' and refuses N'..'.
func (l *lexer) prefixed(start int, c byte) token {
	if l.i++; c == 'u' || c == 'U' {
		l.i++
	}
	if c == 'e' || c == 'E' {
		return l.escaped(start)
	}
	t := l.text(start)
	if t.kind == invalid {
		return t
	}
	var err error
	switch c {
	case 'x', 'X':
		t.kind = binary
		var raw []byte
		if raw, err = hex.DecodeString(t.value); err != nil {
			err = errors.New("X'..' takes an even number of hexadecimal digits")
		}
		t.value = string(raw)
	case 'n', 'N':
		err = errors.New("strings with a character set are not supported; every string is Unicode")
	default:
		escape := byte('\\')
		if escape, err = l.uescape(&t); err == nil {
			t.value, err = unescapeUnicode(t.value, escape)
		}
	}
	if err != nil {
		return l.invalid(start, l.src.Errorf(start, "%v", err))
	}
	return t
}

// uescape reads UESCAPE 'c' behind U&'..' and makes it part of the token.
func (l *lexer) uescape(t *token) (byte, error) {
	back := l.i
	if l.space(); !strings.EqualFold(l.s[l.i:min(l.i+7, len(l.s))], "UESCAPE") {
		l.i = back
		return '\\', nil
	}
	l.i += len("UESCAPE")
	l.space()
	v := ""
	if l.byteAt(0) == '\'' {
		v, _ = l.body('\'')
	}
	if t.end = l.i; len(v) != 1 || strings.ContainsAny(v, "+'\" \t\n0123456789abcdefABCDEF") {
		return 0, errors.New("UESCAPE takes one character that is no digit, letter a to f, quote, plus or blank")
	}
	return v[0], nil
}

// unescapeUnicode decodes \0041 and \\ with the given escape character.
func unescapeUnicode(s string, escape byte) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != escape:
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == escape:
			b.WriteByte(escape)
			i++
		default:
			from, digits := i+1, 4 // \0041 or \+01F600
			if from < len(s) && s[from] == '+' {
				from, digits = from+1, 6
			}
			n, err := strconv.ParseUint(s[from:max(from, min(from+digits, len(s)))], 16, 32)
			if err != nil || from+digits > len(s) || !utf8.ValidRune(rune(n)) {
				return "", errors.New("in U&'..', " + string(escape) + " is followed by four hexadecimal digits, by + and six, or by itself")
			}
			b.WriteRune(rune(n))
			i = from + digits - 1
		}
	}
	return b.String(), nil
}

var simpleEscapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads E'..', with the escapes of C: \n, \\, \', \101 (octal), \x41, \u0041, \U0001F600.
func (l *lexer) escaped(start int) token {
	var b strings.Builder
	for l.i++; l.i < len(l.s); l.i++ {
		switch c := l.s[l.i]; {
		case c == '\'' && l.byteAt(1) == '\'':
			b.WriteByte('\'')
			l.i++
		case c == '\'':
			l.i++
			if !utf8.ValidString(b.String()) {
				return l.invalid(start, l.src.Errorf(start, "the escapes of this string do not make valid UTF-8"))
			}
			return l.token(text, start, b.String())
		case c == '\\' && l.i+1 < len(l.s):
			l.i++
			if !l.escape(&b) {
				at := l.i - 1
				_, w := utf8.DecodeRuneInString(l.s[l.i:])
				l.i += w
				return l.invalid(start, l.src.Errorf(at, "unknown escape %s", l.s[at:l.i]))
			}
		default:
			b.WriteByte(c)
		}
	}
	return l.unclosed(start, l.src.Errorf(start, "this string is never closed").WithHint("close it with '"))
}

// escape decodes what follows a backslash and stops on its last byte.
func (l *lexer) escape(b *strings.Builder) bool {
	c := l.s[l.i]
	digits := func(skip, n, base int) bool {
		from := l.i + skip
		v, err := strconv.ParseUint(l.s[from:min(from+n, len(l.s))], base, 32)
		if err != nil || from+n > len(l.s) || !utf8.ValidRune(rune(v)) {
			return false
		}
		b.WriteRune(rune(v))
		l.i = from + n - 1
		return true
	}
	switch {
	case simpleEscapes[c] != 0:
		b.WriteByte(simpleEscapes[c])
	case c == 'x':
		return digits(1, 2, 16)
	case c == 'u':
		return digits(1, 4, 16)
	case c == 'U':
		return digits(1, 8, 16)
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && l.byteAt(n) >= '0' && l.byteAt(n) <= '7' {
			n++
		}
		return digits(0, n, 8)
	case c == '\\' || c == '\'' || c == '"':
		b.WriteByte(c)
	default:
		return false
	}
	return true
}
