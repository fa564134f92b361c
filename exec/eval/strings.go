package eval

import (
	"bytes"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// text1 binds a function from a string to a string that never gives NULL.
func text1(fn func(dst, s []byte) []byte) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			a := f.Args[0]
			return fillBytes(f, func(i int, dst []byte) ([]byte, bool) { return fn(dst, a.bytes(i)), true })
		}, nil
	}
}

// int32Of binds a function from arguments to an INT.
func int32Of(fn func(args []Operand, i int) int32) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fill(f, func(i int) (int32, bool) { return fn(f.Args, i), true })
		}, nil
	}
}

// varying is the type of an argument with varying length: CHAR(3) becomes VARCHAR(3).
func varying(i int) result {
	return func(a []types.Type) types.Type { return types.VarCharT(a[i].Length) }
}

var textResult = ret(types.StringT)

func bindCharLength(*Site) (Kernel, error) {
	return func(f *Frame) error {
		a := f.Args[0]
		return fill(f, func(i int) (int32, bool) { return int32(utf8.RuneCount(a.bytes(i))), true })
	}, nil
}

// runeStart returns the byte offset of code point n of s, or len(s).
func runeStart(s []byte, n int) int {
	if len(s) <= n {
		if n == 0 || len(s) == 0 {
			return 0
		}
	}
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, w := utf8.DecodeRune(s[i:])
		i += w
	}
	return i
}

// substring is SUBSTRING: start 0 counts as 1, a negative one from the end; before the
// beginning or behind the end nothing is left.
func substring(s []byte, start int64, length int64) []byte {
	if length <= 0 {
		return nil
	}
	switch {
	case start > 0:
		start--
	case start < 0:
		n := int64(utf8.RuneCount(s))
		if -start > n {
			return nil
		}
		start += n
	}
	if start >= int64(len(s)) {
		return nil
	}
	s = s[runeStart(s, int(start)):]
	if length >= int64(len(s)) {
		return s
	}
	return s[:runeStart(s, int(length))]
}

func bindSubstring(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			length := int64(1) << 40
			if len(f.Args) == 3 {
				if length = int64(value[int32](f.Args[2], i)); length < 0 {
					return dst, false
				}
			}
			return append(dst, substring(f.Args[0].bytes(i), int64(value[int32](f.Args[1], i)), length)...), true
		})
	}, nil
}

func left(dst, s []byte, n int32) []byte {
	if n <= 0 {
		return dst
	}
	return append(dst, s[:runeStart(s, int(n))]...)
}

func right(dst, s []byte, n int32) []byte {
	if n <= 0 {
		return dst
	}
	k := utf8.RuneCount(s) - int(n)
	return append(dst, s[runeStart(s, max(k, 0)):]...)
}

func textInt(fn func(dst, s []byte, n int32) []byte) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
				return fn(dst, f.Args[0].bytes(i), value[int32](f.Args[1], i)), true
			})
		}, nil
	}
}

// maxText bounds what one REPEAT, LPAD or RPAD may produce.
const maxText = 64 << 20

func bindRepeat(s *Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			t, n := f.Args[0].bytes(i), int(value[int32](f.Args[1], i))
			if n > 0 && len(t) > maxText/n {
				f.fail(i, "the result would have %d bytes; at most %d are allowed", int64(len(t))*int64(n), maxText)
				return dst, true
			}
			for ; n > 0; n-- {
				dst = append(dst, t...)
			}
			return dst, true
		})
	}, nil
}

func bindPad(left bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
				s, n, pad := f.Args[0].bytes(i), int(value[int32](f.Args[1], i)), f.Args[2].bytes(i)
				if n < 0 || len(pad) == 0 {
					return dst, false
				}
				if n > maxText {
					f.fail(i, "a length of %d is too large; at most %d is allowed", n, maxText)
					return dst, true
				}
				missing := n - unitCount(s)
				if missing <= 0 {
					return appendFirstUnits(dst, s, n), true
				}
				if !left {
					dst = append(dst, s...)
				}
				unit := unitCount(pad)
				for ; missing >= unit; missing -= unit {
					dst = append(dst, pad...)
				}
				dst = appendFirstUnits(dst, pad, missing)
				if left {
					dst = append(dst, s...)
				}
				return dst, true
			})
		}, nil
	}
}

// trimSet removes code points of set from the ends of s.
func trimSet(s, set []byte, left, right bool) []byte {
	if len(set) == 1 {
		for left && len(s) > 0 && s[0] == set[0] {
			s = s[1:]
		}
		for right && len(s) > 0 && s[len(s)-1] == set[0] {
			s = s[:len(s)-1]
		}
		return s
	}
	if left {
		for len(s) > 0 {
			_, w := utf8.DecodeRune(s)
			if !bytes.Contains(set, s[:w]) {
				break
			}
			s = s[w:]
		}
	}
	if right {
		for len(s) > 0 {
			_, w := utf8.DecodeLastRune(s)
			if !bytes.Contains(set, s[len(s)-w:]) {
				break
			}
			s = s[:len(s)-w]
		}
	}
	return s
}

var blank = []byte{' '}

// bindTrimEnd binds LTRIM, RTRIM and BTRIM with an optional set of characters.
func bindTrimEnd(left, right bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
				set := blank
				if len(f.Args) == 2 {
					set = f.Args[1].bytes(i)
				}
				return append(dst, trimSet(f.Args[0].bytes(i), set, left, right)...), true
			})
		}, nil
	}
}

// bindTrim binds TRIM(s) and TRIM(where, characters, s).
func bindTrim(s *Site) (Kernel, error) {
	if len(s.Args) == 1 {
		return bindTrimEnd(true, true)(s)
	}
	where, _ := s.text(0)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			return append(dst, trimSet(f.Args[2].bytes(i), f.Args[1].bytes(i), where != "TRAILING", where != "LEADING")...), true
		})
	}, nil
}

func trimRule(args []expr.Arg) (Sig, error) {
	if len(args) == 3 {
		return fn(varying(2), konst(pStr), pStr, pStr)(args)
	}
	return fn(varying(0), pStr)(args)
}

// position is the 1-based code point where part begins in s from code point from on, 0
// when it does not.
func position(part, s []byte, from int) int32 {
	if from < 1 {
		return 0
	}
	start := runeStart(s, from-1)
	if from > 1 && utf8.RuneCount(s) < from-1 {
		return 0
	}
	i := bytes.Index(s[start:], part)
	if i < 0 {
		return 0
	}
	return int32(utf8.RuneCount(s[:start+i])) + 1
}

func bindReplace(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			s, old, with := f.Args[0].bytes(i), f.Args[1].bytes(i), f.Args[2].bytes(i)
			if len(old) == 0 {
				return append(dst, bytes.ReplaceAll(s, old, with)...), true
			}
			for {
				k := bytes.Index(s, old)
				if k < 0 {
					return append(dst, s...), true
				}
				dst = append(append(dst, s[:k]...), with...)
				s = s[k+len(old):]
			}
		})
	}, nil
}

func reverse(dst, s []byte) []byte {
	for len(s) > 0 {
		_, w := utf8.DecodeLastRune(s)
		dst = append(dst, s[len(s)-w:]...)
		s = s[:len(s)-w]
	}
	return dst
}

func bindConcatAll(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			for _, a := range f.Args {
				dst = append(dst, a.bytes(i)...)
			}
			return dst, true
		})
	}, nil
}

// bindConcatWS skips NULLs; a NULL separator gives NULL.
func bindConcatWS(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			if f.Args[0].null(i) {
				return dst, false
			}
			sep, first := f.Args[0].bytes(i), true
			for _, a := range f.Args[1:] {
				if a.null(i) {
					continue
				}
				if !first {
					dst = append(dst, sep...)
				}
				dst, first = append(dst, a.bytes(i)...), false
			}
			return dst, true
		})
	}, nil
}

// bindSplitIndex finds the n-th part (from 0) between separators; a number is the code of
// a separating character.
func bindSplitIndex(s *Site) (Kernel, error) {
	if c := s.Consts[2]; c != nil && !c.IsNull(0) && value[int32](Operand{c, 0}, 0) < 0 {
		return nil, s.errorf("the index must not be negative")
	}
	byCode := s.Args[1].IsInteger()
	if sep, ok := s.text(1); ok && !byCode && len(sep) == 1 && s.Consts[2] != nil && !s.Consts[2].IsNull(0) {
		n := int(value[int32](Operand{s.Consts[2], 0}, 0))
		return func(f *Frame) error {
			a := f.Args[0]
			return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
				part, ok := splitByte(a.bytes(i), sep[0], n)
				return append(dst, part...), ok
			})
		}, nil
	}
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			var code [4]byte
			var sep []byte
			if byCode {
				c := value[int32](f.Args[1], i)
				if c <= 0 || c > 255 {
					return dst, false
				}
				sep = utf8.AppendRune(code[:0], rune(c))
			} else {
				sep = f.Args[1].bytes(i)
			}
			part, ok := splitIndex(f.Args[0].bytes(i), sep, int(value[int32](f.Args[2], i)))
			return append(dst, part...), ok
		})
	}, nil
}

func splitIndex(s, sep []byte, n int) ([]byte, bool) {
	if n < 0 {
		return nil, false
	}
	if len(s) == 0 {
		return nil, false
	}
	if len(sep) == 0 {
		return s, n == 0
	}
	for ; ; n-- {
		var k int
		if len(sep) == 1 {
			k = bytes.IndexByte(s, sep[0])
		} else {
			k = bytes.Index(s, sep)
		}
		if n == 0 {
			if k < 0 {
				return s, true
			}
			return s[:k], true
		}
		if k < 0 {
			return nil, false
		}
		s = s[k+len(sep):]
	}
}

// splitByte is splitIndex for a separator of one byte and n >= 0.
func splitByte(s []byte, sep byte, n int) ([]byte, bool) {
	if len(s) == 0 {
		return nil, false
	}
	for ; n > 0; n-- {
		k := bytes.IndexByte(s, sep)
		if k < 0 {
			return nil, false
		}
		s = s[k+1:]
	}
	if k := bytes.IndexByte(s, sep); k >= 0 {
		return s[:k], true
	}
	return s, true
}

func bindTextPredicate(fn func(s, part []byte) bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			a, b := f.Args[0], f.Args[1]
			return fillBool(f, func(i int) (bool, bool) { return fn(a.bytes(i), b.bytes(i)), true })
		}, nil
	}
}

// bindInstr finds an occurrence forwards from a place, or backwards from a place counted from
// the end when it is negative.
func bindInstr(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fill(f, func(i int) (int32, bool) {
			start, occurrence := int32(1), int32(1)
			if len(f.Args) > 2 {
				start = value[int32](f.Args[2], i)
			}
			if len(f.Args) > 3 {
				if occurrence = value[int32](f.Args[3], i); occurrence < 1 {
					f.fail(i, "the occurrence is %d; it counts from 1", occurrence)
					return 0, true
				}
			}
			s, part := f.Args[0].bytes(i), f.Args[1].bytes(i)
			if start < 0 {
				return instrBack(s, part, int(start), int(occurrence)), true
			}
			return instr(s, part, int(start), int(occurrence)), true
		})
	}, nil
}

func instr(s, part []byte, from, occurrence int) int32 {
	for ; from >= 1; occurrence-- {
		p := position(part, s, from)
		if p == 0 || occurrence == 1 {
			return p
		}
		from = int(p) + 1
	}
	return 0
}

// instrBack looks from the -from-th code point from the end on towards the start.
func instrBack(s, part []byte, from, occurrence int) int32 {
	for at := utf8.RuneCount(s) + from; at >= 0; at-- {
		if bytes.HasPrefix(s[runeStart(s, at):], part) {
			if occurrence--; occurrence == 0 {
				return int32(at) + 1
			}
		}
	}
	return 0
}

func locate(args []Operand, i int) int32 {
	from := 1
	if len(args) > 2 {
		from = max(int(value[int32](args[2], i)), 1)
	}
	return position(args[0].bytes(i), args[1].bytes(i), from)
}
