// Package jsontext owns what SQL's JSON functions do with JSON as text: validation, paths,
// canonical output (keys in order, no blanks), quoting. It works on the bytes of a document
// without building a tree. exec/eval imports it.
package jsontext

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnsupported is a path of JsonPath that the engine cannot follow: deep scans, filters,
// functions.
var ErrUnsupported = errors.New("unsupported JSON path")

// Path is a compiled SQL/JSON path: $, .name, ['name'], [n], [*] and .* after an optional
// lax or strict (the default).
type Path struct {
	Lax   bool
	steps []step
}

type step struct {
	name  string
	index int
	kind  stepKind
}

type stepKind uint8

const (
	member stepKind = iota
	element
	every
)

// Compile reads a path.
func Compile(text string) (*Path, error) {
	p := &Path{}
	rest := strings.TrimSpace(text)
	if r, ok := cutWord(rest, "lax"); ok {
		p.Lax, rest = true, r
	} else if r, ok := cutWord(rest, "strict"); ok {
		rest = r
	}
	rest, ok := strings.CutPrefix(rest, "$")
	if !ok {
		return nil, fmt.Errorf("the path %q does not begin with $", text)
	}
	for rest != "" {
		s, r, err := readStep(rest)
		if err != nil {
			return nil, fmt.Errorf("the path %q: %w", text, err)
		}
		p.steps, rest = append(p.steps, s), r
	}
	return p, nil
}

func cutWord(s, word string) (string, bool) {
	if len(s) > len(word) && strings.EqualFold(s[:len(word)], word) && (s[len(word)] == ' ' || s[len(word)] == '$') {
		return strings.TrimSpace(s[len(word):]), true
	}
	return s, false
}

func readStep(s string) (step, string, error) {
	switch {
	case strings.HasPrefix(s, ".."):
		return step{}, s, fmt.Errorf("%w: the deep scan ..", ErrUnsupported)
	case strings.HasPrefix(s, ".*"):
		return step{kind: every}, s[2:], nil
	case s[0] == '.':
		if strings.Contains(s, "()") {
			return step{}, s, fmt.Errorf("%w: the function %s", ErrUnsupported, s[1:])
		}
		end := strings.IndexAny(s[1:], ".[ ")
		if end < 0 {
			end = len(s) - 1
		}
		if end == 0 {
			return step{}, s, fmt.Errorf("a name is missing after .")
		}
		return step{kind: member, name: s[1 : 1+end]}, s[1+end:], nil
	case s[0] == '[':
		end := strings.IndexByte(s, ']')
		if len(s) > 1 && (s[1] == '\'' || s[1] == '"') {
			if q := strings.Index(s[2:], string(s[1])+"]"); q >= 0 {
				return step{kind: member, name: s[2 : 2+q]}, s[2+q+2:], nil
			}
		}
		if end < 0 {
			return step{}, s, fmt.Errorf("a ] is missing")
		}
		inside := strings.TrimSpace(s[1:end])
		if inside == "*" {
			return step{kind: every}, s[end+1:], nil
		}
		if strings.HasPrefix(inside, "?") || strings.ContainsAny(inside, ",:") {
			return step{}, s, fmt.Errorf("%w: [%s]", ErrUnsupported, inside)
		}
		n, err := strconv.Atoi(inside)
		if err != nil {
			return step{}, s, fmt.Errorf("[%s] is not supported", inside)
		}
		return step{kind: element, index: n}, s[end+1:], nil
	}
	return step{}, s, fmt.Errorf("%q is neither a member nor an element", s)
}

// Find returns the text of what the path leads to in a valid document. found is false when
// it leads nowhere, which in strict mode is an error. A path with [*] or .* gives an array
// of all it leads to.
func (p *Path) Find(doc []byte) (value []byte, found bool) {
	return find(trim(doc), p.steps)
}

func find(doc []byte, steps []step) ([]byte, bool) {
	for i, s := range steps {
		if s.kind == every {
			return findEvery(doc, steps[i+1:])
		}
		next, ok := child(doc, s)
		if !ok {
			return nil, false
		}
		doc = next
	}
	return doc, true
}

// findEvery collects what the remaining steps lead to from each child.
func findEvery(doc []byte, steps []step) ([]byte, bool) {
	out := []byte{'['}
	if len(doc) == 0 || doc[0] != '[' && doc[0] != '{' {
		return nil, false
	}
	each(doc, func(_, v []byte) bool {
		if x, ok := find(v, steps); ok {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(out, x...)
		}
		return true
	})
	return append(out, ']'), true
}

func child(doc []byte, s step) (value []byte, ok bool) {
	if len(doc) == 0 || s.kind == member && doc[0] != '{' || s.kind == element && doc[0] != '[' {
		return nil, false
	}
	index := s.index
	if s.kind == element && index < 0 {
		n := 0
		each(doc, func(_, _ []byte) bool { n++; return true })
		index += n
	}
	i := 0
	each(doc, func(k, v []byte) bool {
		if s.kind == member && keyIs(k, s.name) || s.kind == element && i == index {
			value, ok = v, true // of members given twice the last one counts
		}
		i++
		return s.kind == member || !ok
	})
	return value, ok
}

func keyIs(quoted []byte, name string) bool {
	inner := quoted[1 : len(quoted)-1]
	if strings.IndexByte(string(inner), '\\') < 0 {
		return string(inner) == name
	}
	var s string
	return json.Unmarshal(quoted, &s) == nil && s == name
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trim(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// each calls do for the members (key with its quotes) or elements (key nil) of a valid
// object or array, until it returns false.
func each(doc []byte, do func(key, value []byte) bool) {
	i := 1
	skip := func() {
		for i < len(doc) && (blank(doc[i]) || doc[i] == ',' || doc[i] == ':') {
			i++
		}
	}
	for {
		skip()
		if i >= len(doc) || doc[i] == ']' || doc[i] == '}' {
			return
		}
		var key []byte
		if doc[0] == '{' {
			end := valueEnd(doc, i)
			key = doc[i:end]
			i = end
			skip()
		}
		end := valueEnd(doc, i)
		if !do(key, doc[i:end]) {
			return
		}
		i = end
	}
}

// valueEnd returns where the value that begins at i ends.
func valueEnd(doc []byte, i int) int {
	depth, quoted := 0, false
	for ; i < len(doc); i++ {
		c := doc[i]
		switch {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				if quoted = false; depth == 0 {
					return i + 1
				}
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case depth == 0 && (c == ',' || blank(c)):
			return i
		}
	}
	return len(doc)
}
