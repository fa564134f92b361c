package regex

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp struct {
	re      *regexp.Regexp
	literal []byte // in every match, nil when none is known
	empty   bool   // may match the empty string
	dollar  bool   // has a $
	param   *param
}

// Compile translates and compiles a Java pattern.
func Compile(pattern string) (*Regexp, error) {
	text, err := Translate(pattern)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	r := &Regexp{re: re, empty: re.MatchString(""), dollar: strings.Contains(text, "$")}
	r.param = paramOf(parsed)
	r.literal = []byte(required(parsed))
	return r, nil
}

// Groups is the number of capturing groups.
func (r *Regexp) Groups() int { return r.re.NumSubexp() }

// Match reports whether the pattern occurs in s.
func (r *Regexp) Match(s []byte) bool {
	return bytes.Contains(s, r.literal) && (r.re.Match(s) || r.dollar && r.re.Match(beforeLineEnd(s)))
}

// beforeLineEnd is s without a line feed at its end, which $ may stand before in Java.
func beforeLineEnd(s []byte) []byte { return bytes.TrimSuffix(s, []byte{'\n'}) }

// find is the first match with its groups, nil for none.
func (r *Regexp) find(s []byte) []int {
	loc := r.re.FindSubmatchIndex(s)
	if loc == nil && r.dollar {
		loc = r.re.FindSubmatchIndex(beforeLineEnd(s))
	}
	return loc
}

// Group returns group g of the first match; ok is false when nothing matches or the group
// took no part.
func (r *Regexp) Group(s []byte, g int) (text []byte, ok bool) {
	if r.param != nil && g == r.param.group {
		return r.param.find(s)
	}
	if !bytes.Contains(s, r.literal) {
		return nil, false
	}
	if g == 0 && !r.dollar {
		loc := r.re.FindIndex(s)
		if loc == nil {
			return nil, false
		}
		return s[loc[0]:loc[1]], true
	}
	loc := r.find(s)
	if loc == nil || loc[2*g] < 0 {
		return nil, false
	}
	return s[loc[2*g]:loc[2*g+1]], true
}

// All calls do with the indexes of each match (pairs, -1 for groups that took no part) in
// Java's order: after a match a further empty one may begin where it ended.
func (r *Regexp) All(s []byte, do func(loc []int)) {
	if !bytes.Contains(s, r.literal) {
		return
	}
	matches := r.re.FindAllSubmatchIndex(s, -1)
	if matches == nil && r.dollar {
		matches = r.re.FindAllSubmatchIndex(beforeLineEnd(s), -1)
	}
	for i, m := range matches {
		do(m)
		if !r.empty || m[0] == m[1] {
			continue
		}
		if i+1 < len(matches) && matches[i+1][0] == m[1] {
			continue
		}
		if loc := r.re.FindSubmatchIndex(s[m[1]:]); loc != nil && loc[0] == 0 && loc[1] == 0 {
			for k := range loc {
				if loc[k] >= 0 {
					loc[k] += m[1]
				}
			}
			do(loc)
		}
	}
}

// ReplaceAll appends s with each match replaced by the literal text with.
func (r *Regexp) ReplaceAll(dst, s, with []byte) []byte {
	last := 0
	r.All(s, func(loc []int) {
		dst = append(append(dst, s[last:loc[0]]...), with...)
		last = loc[1]
	})
	return append(dst, s[last:]...)
}

// required finds a text that every match contains.
func required(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if s := required(sub); len(s) > len(best) {
				best = s
			}
		}
		return best
	}
	return ""
}

// Index is where the first match begins, -1 for none.
func (r *Regexp) Index(s []byte) int {
	if !bytes.Contains(s, r.literal) {
		return -1
	}
	loc := r.find(s)
	if loc == nil {
		return -1
	}
	return loc[0]
}
