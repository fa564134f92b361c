package eval

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/exec/eval/regex"
	"github.com/sqlstream/sqlstream/sql/types"
)

// patterns compiles the patterns of one call: a constant once, those of a column as they
// come, remembering some.
type patterns[P any] struct {
	compile func(pattern, escape string) (P, error)
	fixed   *compiled[P]
	cache   map[string]*compiled[P]
}

type compiled[P any] struct {
	pattern P
	err     error
}

// maxPatterns bounds the cache of a call whose patterns are data.
const maxPatterns = 256

func newPatterns[P any](s *Site, arg, escape int, compile func(pattern, escape string) (P, error)) *patterns[P] {
	p := &patterns[P]{compile: compile}
	text, ok := s.text(arg)
	esc := ""
	if ok && escape > 0 && escape < len(s.Args) {
		esc, ok = s.text(escape)
		if ok && esc == "" {
			esc, ok = "", false // an empty escape character is an error of the row
		}
	}
	if ok {
		v, err := compile(text, esc)
		p.fixed = &compiled[P]{v, err}
	}
	return p
}

func (p *patterns[P]) at(pattern Operand, escape *Operand, i int) (P, error) {
	if p.fixed != nil {
		return p.fixed.pattern, p.fixed.err
	}
	text := pattern.bytes(i)
	if escape != nil {
		v, err := p.compile(string(text), string(escape.bytes(i)))
		return v, err
	}
	if c := p.cache[string(text)]; c != nil {
		return c.pattern, c.err
	}
	v, err := p.compile(string(text), "")
	if len(p.cache) >= maxPatterns {
		p.cache = nil
	}
	if p.cache == nil {
		p.cache = map[string]*compiled[P]{}
	}
	p.cache[string(text)] = &compiled[P]{v, err}
	return v, err
}

func escapeOf(f *Frame) *Operand {
	if len(f.Args) < 3 {
		return nil
	}
	return &f.Args[2]
}

// bindLike binds LIKE and NOT LIKE.
func bindLike(not bool) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		withEscape := len(s.Args) > 2
		ps := newPatterns(s, 1, 2, func(pattern, escape string) (*regex.Like, error) {
			if withEscape && escape == "" {
				return nil, errors.New("invalid escape character ''; it must be a single character")
			}
			return regex.CompileLike(pattern, escape)
		})
		if ps.fixed != nil && ps.fixed.err != nil {
			return nil, s.errorf("%v", ps.fixed.err)
		}
		return func(f *Frame) error {
			a := f.Args[0]
			if ps.fixed != nil {
				likeRows(f, a, ps.fixed.pattern, not)
				return nil
			}
			esc := escapeOf(f)
			return fillBool(f, func(i int) (bool, bool) {
				l, err := ps.at(f.Args[1], esc, i)
				if err != nil {
					f.fail(i, "%v", err)
					return false, true
				}
				return l.Match(a.bytes(i)) != not, true
			})
		}, nil
	}
}

//go:noinline
func likeRows(f *Frame, a Operand, l *regex.Like, not bool) {
	out := words(f.Out)
	form, text := l.Form()
	if f.Sel == nil && form != regex.General && a.mask != 0 {
		likeSimple(f.N, out, a, form, text)
		if not {
			notBits(out)
		}
		return
	}
	clear(out)
	flip := b2u(not)
	if f.Sel != nil {
		for _, i := range f.Sel {
			out[i>>6] |= (b2u(l.Match(a.bytes(int(i)))) ^ flip) << (uint(i) & 63)
		}
		return
	}
	for i := range f.N {
		out[i>>6] |= (b2u(l.Match(a.bytes(i))) ^ flip) << (uint(i) & 63)
	}
}

// likeSimple answers the forms that are one comparison.
//
//go:noinline
func likeSimple(n int, out []uint64, a Operand, form regex.Form, text []byte) {
	clear(out)
	off, data := a.Off[:n+1], a.Data
	for i := range n {
		s := data[off[i]:off[i+1]]
		if len(s) < len(text) {
			continue
		}
		var ok bool
		switch form {
		case regex.Equal:
			ok = string(s) == string(text)
		case regex.Prefix:
			ok = string(s[:len(text)]) == string(text)
		case regex.Suffix:
			ok = string(s[len(s)-len(text):]) == string(text)
		default:
			ok = bytes.Contains(s, text)
		}
		out[i>>6] |= b2u(ok) << (uint(i) & 63)
	}
}

func bindSimilar(not bool) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		ps := newPatterns(s, 1, 2, func(pattern, escape string) (*regex.Regexp, error) {
			p, err := regex.Similar(pattern, escape)
			if err != nil {
				return nil, err
			}
			return regex.Compile(p)
		})
		return func(f *Frame) error {
			esc := escapeOf(f)
			return fillBool(f, func(i int) (bool, bool) {
				re, err := ps.at(f.Args[1], esc, i)
				if err != nil {
					f.fail(i, "%v", err)
					return false, true
				}
				return re.Match(f.Args[0].bytes(i)) != not, true
			})
		}, nil
	}
}

// regexOf compiles the patterns of a REGEXP function. Flink's answer to an invalid pattern
// is NULL (false here); one that RE2 cannot run is an error.
func regexOf(s *Site) (func(f *Frame, i int) (*regex.Regexp, bool), error) {
	ps := newPatterns(s, 1, 0, func(pattern, _ string) (*regex.Regexp, error) { return regex.Compile(pattern) })
	if ps.fixed != nil && errors.Is(ps.fixed.err, regex.ErrUnsupported) {
		return nil, s.errorf("%v", ps.fixed.err)
	}
	return func(f *Frame, i int) (*regex.Regexp, bool) {
		re, err := ps.at(f.Args[1], nil, i)
		if errors.Is(err, regex.ErrUnsupported) {
			f.fail(i, "%v", err)
		}
		return re, err == nil
	}, nil
}

func bindRegexp(s *Site) (Kernel, error) {
	get, err := regexOf(s)
	return func(f *Frame) error {
		return fillBool(f, func(i int) (bool, bool) {
			re, ok := get(f, i)
			return ok && len(f.Args[1].bytes(i)) > 0 && re.Match(f.Args[0].bytes(i)), true
		})
	}, err
}

// groupAt reads the optional index of a group.
func groupAt(f *Frame, i, absent int) int {
	if len(f.Args) < 3 {
		return absent
	}
	return int(value[int32](f.Args[2], i))
}

func bindRegexpExtract(s *Site) (Kernel, error) {
	get, err := regexOf(s)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			re, ok := get(f, i)
			g := groupAt(f, i, 0)
			if !ok || g < 0 || g > re.Groups() {
				return dst, false
			}
			text, ok := re.Group(f.Args[0].bytes(i), g)
			return append(dst, text...), ok
		})
	}, err
}

func bindRegexpReplace(s *Site) (Kernel, error) {
	get, err := regexOf(s)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			re, ok := get(f, i)
			if !ok {
				return dst, false
			}
			return re.ReplaceAll(dst, f.Args[0].bytes(i), f.Args[2].bytes(i)), true
		})
	}, err
}

func bindRegexpSubstr(s *Site) (Kernel, error) {
	get, err := regexOf(s)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			re, ok := get(f, i)
			if !ok {
				return dst, false
			}
			text, ok := re.Group(f.Args[0].bytes(i), 0)
			return append(dst, text...), ok
		})
	}, err
}

func bindRegexpCount(s *Site) (Kernel, error) {
	get, err := regexOf(s)
	return func(f *Frame) error {
		return fill(f, func(i int) (int32, bool) {
			re, ok := get(f, i)
			n := int32(0)
			if ok {
				re.All(f.Args[0].bytes(i), func([]int) { n++ })
			}
			return n, ok
		})
	}, err
}

// bindRegexpInstr gives the position of the first match, counted from 1, 0 for none.
func bindRegexpInstr(s *Site) (Kernel, error) {
	get, err := regexOf(s)
	return func(f *Frame) error {
		return fill(f, func(i int) (int32, bool) {
			re, ok := get(f, i)
			if !ok {
				return 0, false
			}
			text := f.Args[0].bytes(i)
			if at := re.Index(text); at >= 0 {
				return int32(utf8.RuneCount(text[:at])) + 1, true
			}
			return 0, true
		})
	}, err
}

func bindRegexpExtractAll(s *Site) (Kernel, error) {
	get, err := regexOf(s)
	return func(f *Frame) error {
		return fillNested(f, func(i int) bool {
			re, ok := get(f, i)
			g := groupAt(f, i, 1)
			if !ok || g < 0 || g > re.Groups() {
				return false
			}
			text := f.Args[0].bytes(i)
			kid := &f.Out.Kids[0]
			re.All(text, func(loc []int) {
				if loc[2*g] < 0 {
					kid.AppendNull()
					return
				}
				kid.AppendBytes(text[loc[2*g]:loc[2*g+1]])
			})
			return true
		})
	}, err
}

var patternFamily = Family{"Pattern matching", []Function{
	{Name: "LIKE", Signature: "s LIKE pattern [ESCAPE c]", Doc: "Whether s matches a pattern: % is any text, _ one character. There is no escape character unless one is given.",
		Example: "'hello' LIKE 'h%o'", Result: "TRUE", Type: fn(ret(types.BooleanT), pStr, pStr, opt(pStr)), Bind: bindLike(false)},
	{Name: "NOT LIKE", Signature: "s NOT LIKE pattern [ESCAPE c]", Doc: "The opposite of LIKE.",
		Example: "'hello' NOT LIKE 'h%o'", Result: "FALSE", Type: fn(ret(types.BooleanT), pStr, pStr, opt(pStr)), Bind: bindLike(true)},
	{Name: "SIMILAR TO", Signature: "s SIMILAR TO pattern [ESCAPE c]", Doc: "Whether all of s matches a regular expression in which % and _ are as in LIKE.",
		Example: "'abc' SIMILAR TO '(a|b)%'", Result: "TRUE", Type: fn(ret(types.BooleanT), pStr, pStr, opt(pStr)), Bind: bindSimilar(false)},
	{Name: "NOT SIMILAR TO", Signature: "s NOT SIMILAR TO pattern [ESCAPE c]", Doc: "The opposite of SIMILAR TO.",
		Example: "'abc' NOT SIMILAR TO '(a|b)%'", Result: "FALSE", Type: fn(ret(types.BooleanT), pStr, pStr, opt(pStr)), Bind: bindSimilar(true)},
	{Name: "REGEXP", Aliases: []string{"RLIKE"}, Signature: "REGEXP(s STRING, pattern STRING)", Doc: "Whether a regular expression (RE2) occurs in s; FALSE for an invalid one.",
		Example: "REGEXP('abc', 'b.')", Result: "TRUE", Type: fn(ret(types.BooleanT), pStr, pStr), Bind: bindRegexp},
	{Name: "REGEXP_EXTRACT", Signature: "REGEXP_EXTRACT(s STRING, pattern STRING [, group INT])", Doc: "A group of the first match, 0 for all of it; NULL without match or for an invalid pattern.",
		Example: "REGEXP_EXTRACT('a=1&b=2', 'b=([^&]*)', 1)", Result: "2", Type: fnNull(ret(types.StringT), pStr, pStr, opt(pInt)), Bind: bindRegexpExtract},
	{Name: "REGEXP_EXTRACT_ALL", Signature: "REGEXP_EXTRACT_ALL(s STRING, pattern STRING [, group INT])", Doc: "A group of every match, the first group when none is given.",
		Example: "REGEXP_EXTRACT_ALL('a1b2', '([0-9])')", Result: "[1, 2]", Type: fnNull(ret(types.ArrayT(types.StringT)), pStr, pStr, opt(pInt)), Bind: bindRegexpExtractAll},
	{Name: "REGEXP_REPLACE", Signature: "REGEXP_REPLACE(s STRING, pattern STRING, new STRING)", Doc: "s with every match replaced by a text, taken literally.",
		Example: "REGEXP_REPLACE('foobar', 'oo|ar', '')", Result: "fb", Type: fn(ret(types.StringT), pStr, pStr, pStr), Bind: bindRegexpReplace},
	{Name: "REGEXP_SUBSTR", Signature: "REGEXP_SUBSTR(s STRING, pattern STRING)", Doc: "The first match.",
		Example: "REGEXP_SUBSTR('ab12', '[0-9]+')", Result: "12", Type: fnNull(ret(types.StringT), pStr, pStr), Bind: bindRegexpSubstr},
	{Name: "REGEXP_COUNT", Signature: "REGEXP_COUNT(s STRING, pattern STRING)", Doc: "The number of matches.",
		Example: "REGEXP_COUNT('abab', 'a')", Result: "2", Type: fnNull(ret(types.IntT), pStr, pStr), Bind: bindRegexpCount},
	{Name: "REGEXP_INSTR", Signature: "REGEXP_INSTR(s STRING, pattern STRING)", Doc: "Where the first match begins, counted from 1; 0 without match.",
		Example: "REGEXP_INSTR('abc', 'c')", Result: "3", Type: fnNull(ret(types.IntT), pStr, pStr), Bind: bindRegexpInstr},
}}
