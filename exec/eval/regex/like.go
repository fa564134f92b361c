package regex

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Like is a compiled LIKE pattern: literal pieces separated by %, in which _ stands for one
// character that is no line break. The common forms (equal, prefix, suffix, contains) are
// recognized by their number of pieces.
type Like struct {
	pieces []piece
	open   [2]bool // begins, ends with %
}

// piece is a run between two %: literal bytes, or parts with _.
type piece struct {
	text   []byte
	parts  [][]byte // with wild: the literals around each _
	wild   bool
	length int
}

// CompileLike reads a pattern. escape is a single character or "" for none: the standard
// has no default.
func CompileLike(pattern, escape string) (*Like, error) {
	esc := rune(-1)
	if escape != "" {
		if utf8.RuneCountInString(escape) != 1 {
			return nil, fmt.Errorf("invalid escape character %q; it must be a single character", escape)
		}
		esc, _ = utf8.DecodeRuneInString(escape)
	}
	l := &Like{}
	cur := piece{parts: [][]byte{nil}}
	any := false
	flush := func() {
		if !cur.wild {
			cur.text = cur.parts[0]
		}
		if len(cur.text) > 0 || cur.wild {
			l.pieces = append(l.pieces, cur)
		}
		cur = piece{parts: [][]byte{nil}}
	}
	rs := []rune(pattern)
	for i := 0; i < len(rs); i++ {
		last := len(cur.parts) - 1
		switch r := rs[i]; {
		case r == esc:
			if i+1 >= len(rs) || rs[i+1] != '%' && rs[i+1] != '_' && rs[i+1] != esc {
				return nil, fmt.Errorf("invalid escape sequence in %q at %d; the escape character stands before %%, _ or itself", pattern, i)
			}
			i++
			cur.parts[last] = utf8.AppendRune(cur.parts[last], rs[i])
		case r == '%':
			if i == 0 {
				l.open[0] = true
			}
			any = true
			flush()
		case r == '_':
			cur.wild = true
			cur.parts = append(cur.parts, nil)
		default:
			cur.parts[last] = utf8.AppendRune(cur.parts[last], r)
		}
	}
	tail := len(cur.parts[0]) > 0 || cur.wild
	l.open[1] = any && !tail
	flush()
	if !any {
		l.open = [2]bool{}
	}
	return l, nil
}

// Form tells the patterns that a single comparison answers.
type Form uint8

// The forms; General is every other pattern.
const (
	General Form = iota
	Equal
	Prefix
	Suffix
	Contains
)

// Form returns the pattern's form and its text.
func (l *Like) Form() (Form, []byte) {
	if len(l.pieces) != 1 || l.pieces[0].wild {
		return General, nil
	}
	return [...]Form{Equal, Suffix, Prefix, Contains}[b2i(l.open[0])+2*b2i(l.open[1])], l.pieces[0].text
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Match reports whether all of s matches.
func (l *Like) Match(s []byte) bool {
	ps := l.pieces
	if len(ps) == 0 {
		return l.open[0] || len(s) == 0
	}
	if !l.open[0] {
		n := ps[0].prefix(s)
		if n < 0 {
			return false
		}
		if len(ps) == 1 && !l.open[1] {
			return n == len(s)
		}
		s, ps = s[n:], ps[1:]
	}
	tail := len(ps)
	if !l.open[1] && tail > 0 {
		tail--
	}
	for _, p := range ps[:tail] {
		k := p.index(s)
		if k < 0 {
			return false
		}
		s = s[k+p.prefix(s[k:]):]
	}
	return tail == len(ps) || ps[tail].suffix(s)
}

// prefix returns the length of the piece at the start of s, or -1.
func (p *piece) prefix(s []byte) int {
	if !p.wild {
		if bytes.HasPrefix(s, p.text) {
			return len(p.text)
		}
		return -1
	}
	n := 0
	for i, part := range p.parts {
		if i > 0 {
			if n >= len(s) {
				return -1
			}
			r, w := utf8.DecodeRune(s[n:])
			if lineBreak(r) {
				return -1
			}
			n += w
		}
		if !bytes.HasPrefix(s[n:], part) {
			return -1
		}
		n += len(part)
	}
	return n
}

func (p *piece) index(s []byte) int {
	if !p.wild {
		return bytes.Index(s, p.text)
	}
	for i := 0; i <= len(s); i++ {
		if (i == len(s) || utf8.RuneStart(s[i])) && p.prefix(s[i:]) >= 0 {
			return i
		}
	}
	return -1
}

func (p *piece) suffix(s []byte) bool {
	if !p.wild {
		return bytes.HasSuffix(s, p.text)
	}
	for i := 0; i <= len(s); i++ {
		if i < len(s) && !utf8.RuneStart(s[i]) {
			continue
		}
		if n := p.prefix(s[i:]); n >= 0 && i+n == len(s) {
			return true
		}
	}
	return false
}

// lineBreak is what . does not match in Java.
func lineBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// similarClasses are the classes of SIMILAR TO.
var similarClasses = strings.NewReplacer("[:ALPHA:]", `\p{Alpha}`, "[:alpha:]", `\p{Alpha}`, "[:UPPER:]", `\p{Upper}`, "[:upper:]", `\p{Upper}`,
	"[:LOWER:]", `\p{Lower}`, "[:lower:]", `\p{Lower}`, "[:DIGIT:]", `\d`, "[:digit:]", `\d`, "[:SPACE:]", " ", "[:space:]", " ",
	"[:WHITESPACE:]", `\s`, "[:whitespace:]", `\s`, "[:ALNUM:]", `\p{Alnum}`, "[:alnum:]", `\p{Alnum}`)

// Similar translates a SIMILAR TO pattern to a Java pattern that has to match all of the
// text.
func Similar(pattern, escape string) (string, error) {
	esc := rune(-1)
	if escape != "" {
		if utf8.RuneCountInString(escape) != 1 {
			return "", fmt.Errorf("invalid escape character %q; it must be a single character", escape)
		}
		esc, _ = utf8.DecodeRuneInString(escape)
	}
	var b strings.Builder
	rs := []rune(pattern)
	for i := 0; i < len(rs); i++ {
		switch r := rs[i]; {
		case r == esc:
			if i+1 >= len(rs) || !strings.ContainsRune("[]()|^-+*_%?{}", rs[i+1]) && rs[i+1] != esc || rs[i+1] == esc && strings.ContainsRune("%_", esc) {
				return "", fmt.Errorf("invalid escape sequence in %q at %d", pattern, i)
			}
			i++
			b.WriteString(quote(string(rs[i])))
		case r == '%':
			b.WriteString("(?s:.*)")
		case r == '_':
			b.WriteByte('.')
		case r == '\\' || r == '$':
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return `\A(?:` + similarClasses.Replace(b.String()) + `)\z`, nil
}
