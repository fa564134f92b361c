package json

import (
	"bytes"
	"fmt"
)

// maxDepth is Jackson's, and so Flink's, limit of nesting.
const maxDepth = 1000

// scanner walks over one record. Positions are byte offsets; a negative one says that
// scanning failed at `at` for the reason `err`.
type scanner struct {
	b     []byte
	depth int // of objects that are open around what skip is given
	at    int
	err   error
}

func (s *scanner) fail(at int, msg string, args ...any) int {
	s.at, s.err = at, fmt.Errorf(msg, args...)
	return -1
}

// unexpected fails at p with what stands there.
func (s *scanner) unexpected(p int, want string) int {
	if p >= len(s.b) {
		return s.fail(len(s.b), "the record ends, expected %s", want)
	}
	return s.fail(p, "found %q, expected %s", rune(s.b[p]), want)
}

func (s *scanner) blanks(p int) int {
	for p < len(s.b) && (s.b[p] == ' ' || s.b[p] == '\n' || s.b[p] == '\t' || s.b[p] == '\r') {
		p++
	}
	return p
}

// stringEnd returns the position of the quote that closes the string whose text begins at
// p, and whether there is a backslash in it.
func (s *scanner) stringEnd(p int) (end int, escaped bool) {
	q := bytes.IndexByte(s.b[p:], '"')
	if q < 0 {
		return s.unexpected(len(s.b), `a closing "`), false
	}
	if bytes.IndexByte(s.b[p:p+q], '\\') < 0 {
		return p + q, false
	}
	for q = p; q < len(s.b); q++ {
		switch s.b[q] {
		case '"':
			return q, true
		case '\\':
			q++
		}
	}
	return s.unexpected(len(s.b), `a closing "`), false
}

// number returns the end of the number at p.
func (s *scanner) number(p int) int {
	b := s.b
	if b[p] == '-' {
		p++
	}
	switch {
	case p < len(b) && b[p] == '0':
		p++
	case p < len(b) && b[p] >= '1' && b[p] <= '9':
		p = s.digits(p)
	default:
		return s.unexpected(p, "a value")
	}
	if p < len(b) && b[p] == '.' {
		q := s.digits(p + 1)
		if q == p+1 {
			return s.unexpected(q, "a digit")
		}
		p = q
	}
	if p < len(b) && (b[p] == 'e' || b[p] == 'E') {
		p++
		if p < len(b) && (b[p] == '+' || b[p] == '-') {
			p++
		}
		q := s.digits(p)
		if q == p {
			return s.unexpected(q, "a digit")
		}
		p = q
	}
	return p
}

func (s *scanner) digits(p int) int {
	for p < len(s.b) && s.b[p] >= '0' && s.b[p] <= '9' {
		p++
	}
	return p
}

// literal returns the end of true, false or null at p.
func (s *scanner) literal(p int) int {
	word := "null"
	switch s.b[p] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	}
	if len(s.b)-p < len(word) || string(s.b[p:p+len(word)]) != word {
		return s.fail(p, "found %s, expected a value", clip(s.b[p:min(len(s.b), p+8)]))
	}
	return p + len(word)
}

// scalar returns the end of the string, number or literal at p.
func (s *scanner) scalar(p int) int {
	switch s.b[p] {
	case '"':
		end, _ := s.stringEnd(p + 1)
		if end < 0 {
			return end
		}
		return end + 1
	case 't', 'f', 'n':
		return s.literal(p)
	}
	return s.number(p)
}

// skip returns the end of the value at p, which it checks to be strict JSON. It does not
// recurse: depth costs a bit a level.
func (s *scanner) skip(p int) int {
	if p >= len(s.b) {
		return s.unexpected(p, "a value")
	}
	if c := s.b[p]; c != '{' && c != '[' {
		return s.scalar(p)
	}
	var objects [maxDepth/64 + 1]uint64 // bit d: level d is an object
	depth := 0
	for {
		if p >= len(s.b) {
			return s.unexpected(p, "a value")
		}
		if c := s.b[p]; c == '{' || c == '[' {
			if s.depth+depth >= maxDepth {
				return s.fail(p, "nested deeper than %d levels", maxDepth)
			}
			bit := uint64(1) << (depth & 63)
			objects[depth>>6] &^= bit
			if c == '{' {
				objects[depth>>6] |= bit
			}
			depth++
			p = s.blanks(p + 1)
			if p < len(s.b) && s.b[p] == c+2 {
				p++
				depth--
			} else {
				if c == '{' {
					if p = s.skipKey(p); p < 0 {
						return p
					}
				}
				continue
			}
		} else if p = s.scalar(p); p < 0 {
			return p
		}
		for { // after a value
			if depth == 0 {
				return p
			}
			object := objects[(depth-1)>>6]>>((depth-1)&63)&1 != 0
			p = s.blanks(p)
			if p < len(s.b) && s.b[p] == ',' {
				p = s.blanks(p + 1)
				if object {
					if p = s.skipKey(p); p < 0 {
						return p
					}
				}
				break
			}
			if p >= len(s.b) || s.b[p] != closing(object) {
				return s.unexpected(p, "',' or '"+string(closing(object))+"'")
			}
			p++
			depth--
		}
	}
}

func closing(object bool) byte {
	if object {
		return '}'
	}
	return ']'
}

// skipKey returns the position of the value after the key at p.
func (s *scanner) skipKey(p int) int {
	if p >= len(s.b) || s.b[p] != '"' {
		return s.unexpected(p, "a key in quotes")
	}
	end, _ := s.stringEnd(p + 1)
	if end < 0 {
		return end
	}
	return s.colon(end + 1)
}

// colon returns the position of the value after the colon at p.
func (s *scanner) colon(p int) int {
	p = s.blanks(p)
	if p >= len(s.b) || s.b[p] != ':' {
		return s.unexpected(p, "':'")
	}
	return s.blanks(p + 1)
}
