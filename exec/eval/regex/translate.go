// Package regex owns regular expressions written for Java and run by Go's RE2 engine: the
// translation of the syntax, a cache, a literal prefilter and the matching rules that
// differ (empty matches). A pattern that Java itself refuses is ErrInvalid; one that only
// backtracking engines can run (lookaround, back references, possessive quantifiers) is
// ErrUnsupported: linear time is a promise of the engine. exec/eval imports it.
package regex

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrInvalid is a pattern that is no regular expression in Java either.
var ErrInvalid = errors.New("invalid regular expression")

// ErrUnsupported is a pattern with a construct that RE2 does not have.
var ErrUnsupported = errors.New("unsupported regular expression")

func unsupported(what string) error {
	return fmt.Errorf("%w: %s; only RE2 syntax runs in linear time", ErrUnsupported, what)
}

// posix are Java's \p{..} names for ASCII classes.
var posix = map[string]string{"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7f`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
	"Punct": "!-/:-@\\[-`{-~", "Graph": "!-~", "Print": " -~", "Blank": ` \t`, "Cntrl": `\x00-\x1f\x7f`, "XDigit": "0-9a-fA-F", "Space": ` \t\n\x0b\f\r`,
	"javaLowerCase": `\p{Ll}`, "javaUpperCase": `\p{Lu}`, "javaWhitespace": `\s`, "IsAlphabetic": `\p{L}\p{Nl}`, "IsLetter": `\p{L}`, "IsDigit": `\p{Nd}`,
	"IsUppercase": `\p{Lu}`, "IsLowercase": `\p{Ll}`, "IsPunctuation": `\p{P}`, "IsWhite_Space": `\s\x{85}\p{Z}`}

// translator rewrites one pattern.
type translator struct {
	in  string
	i   int
	out strings.Builder
}

// Translate rewrites Java syntax as RE2 syntax.
func Translate(pattern string) (string, error) {
	t := &translator{in: pattern}
	for t.i < len(t.in) {
		if err := t.step(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

func (t *translator) rest() string { return t.in[t.i:] }

func (t *translator) copy(n int) {
	t.out.WriteString(t.in[t.i : t.i+n])
	t.i += n
}

func (t *translator) emit(skip int, s string) {
	t.out.WriteString(s)
	t.i += skip
}

func (t *translator) step() error {
	switch c := t.in[t.i]; c {
	case '\\':
		return t.escape(false)
	case '[':
		return t.class()
	case '(':
		return t.group()
	case '*', '+', '?', '}':
		t.copy(1)
		if strings.HasPrefix(t.rest(), "+") && (c != '}' || quantified(t.in[:t.i])) {
			return unsupported("the possessive quantifier " + string(c) + "+")
		}
	case '{':
		if !quantifier(t.rest()) {
			return fmt.Errorf("%w: { without a quantifier", ErrInvalid)
		}
		end := strings.IndexByte(t.rest(), '}')
		for _, n := range strings.Split(t.rest()[1:end], ",") {
			if v, err := strconv.Atoi(n); err == nil && v > 1000 {
				return unsupported("more than 1000 repetitions")
			}
		}
		t.copy(end)
	case '.':
		t.emit(1, ".")
	case '$':
		t.emit(1, "$")
	default:
		t.copy(1)
	}
	return nil
}

// quantifier reports {n}, {n,} or {n,m} at the start of s.
func quantifier(s string) bool {
	end := strings.IndexByte(s, '}')
	if end < 2 {
		return false
	}
	low, high, ok := strings.Cut(s[1:end], ",")
	if _, err := strconv.Atoi(low); err != nil {
		return false
	}
	if _, err := strconv.Atoi(high); ok && high != "" && err != nil {
		return false
	}
	return true
}

// quantified reports that the text ends with a quantifier in braces.
func quantified(s string) bool {
	open := strings.LastIndexByte(s, '{')
	return open >= 0 && quantifier(s[open:])
}

func (t *translator) group() error {
	for prefix, what := range map[string]string{"(?=": "lookahead (?=", "(?!": "lookahead (?!", "(?<=": "lookbehind (?<=", "(?<!": "lookbehind (?<!", "(?>": "the atomic group (?>"} {
		if strings.HasPrefix(t.rest(), prefix) {
			return unsupported(what)
		}
	}
	switch {
	case strings.HasPrefix(t.rest(), "(?P<"):
		return fmt.Errorf("%w: (?P<", ErrInvalid)
	case strings.HasPrefix(t.rest(), "(?"):
		return t.flags()
	}
	t.copy(1)
	return nil
}

// flags handles (?flags), (?flags: and (?<name>.
func (t *translator) flags() error {
	if strings.HasPrefix(t.rest(), "(?<") {
		t.copy(3)
		return nil
	}
	end := strings.IndexAny(t.rest(), ":)")
	if end < 0 {
		return fmt.Errorf("%w: unclosed group", ErrInvalid)
	}
	on, off, _ := strings.Cut(t.rest()[2:end], "-")
	if strings.ContainsAny(on+off, "x") {
		return unsupported("the flag x")
	}
	if strings.Contains(on, "U") {
		return unsupported("the flag U")
	}
	on, off = strings.NewReplacer("u", "", "d", "").Replace(on), strings.NewReplacer("u", "", "d", "").Replace(off)
	if strings.Trim(on+off, "ims") != "" {
		return fmt.Errorf("%w: unknown flag in (?%s", ErrInvalid, on+off)
	}
	flags := on
	if off != "" {
		flags += "-" + off
	}
	close := t.in[t.i+end]
	switch {
	case flags == "" && close == ')':
		t.i += end + 1
	default:
		t.emit(end+1, "(?"+flags+string(close))
	}
	return nil
}

// escape handles a backslash; inClass between brackets.
func (t *translator) escape(inClass bool) error {
	if t.i+1 >= len(t.in) {
		return fmt.Errorf("%w: a backslash at the end", ErrInvalid)
	}
	wrap := func(set string) string {
		if inClass {
			return set
		}
		return "[" + set + "]"
	}
	switch c := t.in[t.i+1]; c {
	case 'Q':
		end := strings.Index(t.rest(), `\E`)
		text, skip := t.rest()[2:], len(t.rest())
		if end >= 0 {
			text, skip = t.rest()[2:end], end+2
		}
		t.emit(skip, quote(text))
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if c == '0' {
			return t.octal()
		}
		return unsupported(`the back reference \` + string(c))
	case 'k':
		return unsupported(`the back reference \k`)
	case 'G', 'X':
		return unsupported(`\` + string(c))
	case 'h':
		t.emit(2, wrap(` \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`))
	case 'v':
		t.emit(2, wrap(`\n\x0B\f\r\x{85}\x{2028}\x{2029}`))
	case 's':
		t.emit(2, wrap(` \t\n\x0B\f\r`))
	case 'S':
		if inClass {
			t.copy(2)
			return nil
		}
		t.emit(2, `[^ \t\n\x0B\f\r]`)
	case 'R':
		t.emit(2, `(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])`)
	case 'Z':
		t.emit(2, `(?:$)`)
	case 'e':
		t.emit(2, `\x1b`)
	case 'u':
		return t.unicode()
	case 'p', 'P':
		return t.property(inClass)
	default:
		if c >= 'a' && c <= 'z' && !strings.ContainsRune("abdfnrtwxzc", rune(c)) || c >= 'A' && c <= 'Z' && !strings.ContainsRune("ABDEW", rune(c)) {
			return fmt.Errorf(`%w: unknown escape \%c`, ErrInvalid, c)
		}
		switch {
		case c == 'a':
			t.emit(2, `\x07`)
		case c == 'E':
			t.i += 2
		case c >= 0x80:
			t.i++ // an escaped letter of another alphabet is itself
		default:
			t.copy(2)
		}
	}
	return nil
}

func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$-&`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (t *translator) octal() error {
	n := t.i + 2
	for n < len(t.in) && n < t.i+5 && t.in[n] >= '0' && t.in[n] <= '7' {
		n++
	}
	v, err := strconv.ParseUint(t.in[t.i+2:n], 8, 32)
	if err != nil {
		return fmt.Errorf(`%w: \0 without digits`, ErrInvalid)
	}
	t.emit(n-t.i, fmt.Sprintf(`\x{%x}`, v))
	return nil
}

func (t *translator) unicode() error {
	if len(t.rest()) < 6 {
		return fmt.Errorf(`%w: \u needs four digits`, ErrInvalid)
	}
	v, err := strconv.ParseUint(t.rest()[2:6], 16, 32)
	if err != nil {
		return fmt.Errorf(`%w: \u needs four digits`, ErrInvalid)
	}
	t.emit(6, fmt.Sprintf(`\x{%x}`, v))
	return nil
}

// property handles \p{Name}, \pL and the negated forms.
func (t *translator) property(inClass bool) error {
	name, n := "", 3
	switch {
	case len(t.rest()) < 3:
		return fmt.Errorf(`%w: \p without a name`, ErrInvalid)
	case t.rest()[2] == '{':
		end := strings.IndexByte(t.rest(), '}')
		if end < 0 {
			return fmt.Errorf(`%w: unclosed \p{`, ErrInvalid)
		}
		name, n = t.rest()[3:end], end+1
	default:
		name = t.rest()[2:3]
	}
	negate := t.in[t.i+1] == 'P'
	if set, ok := posix[name]; ok {
		switch {
		case !negate && inClass:
			t.emit(n, set)
		case negate && inClass:
			return unsupported(`\P{` + name + `} in a class`)
		case negate:
			t.emit(n, "[^"+set+"]")
		default:
			t.emit(n, "["+set+"]")
		}
		return nil
	}
	for _, p := range []string{"script=", "sc=", "Script=", "general_category=", "gc="} {
		name = strings.TrimPrefix(name, p)
	}
	if strings.HasPrefix(name, "Is") {
		name = name[2:]
	} else if len(name) > 2 {
		return fmt.Errorf(`%w: unknown property \p{%s}`, ErrInvalid, name)
	}
	t.emit(n, fmt.Sprintf(`\%c{%s}`, t.in[t.i+1], name))
	return nil
}

// class copies [..]; unions [a[bc]] are flattened, intersections refused except with a
// negated class, which RE2 cannot express.
func (t *translator) class() error {
	t.copy(1)
	if strings.HasPrefix(t.rest(), "^") {
		t.copy(1)
	}
	first := true
	for t.i < len(t.in) {
		switch c := t.in[t.i]; {
		case c == ']' && !first:
			t.copy(1)
			return nil
		case c == ']':
			t.emit(1, `\]`)
		case c == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		case strings.HasPrefix(t.rest(), "&&"):
			return unsupported("the class intersection &&")
		case c == '[':
			end := strings.IndexByte(t.rest(), ']')
			if end < 0 {
				return fmt.Errorf("%w: unclosed class", ErrInvalid)
			}
			if strings.HasPrefix(t.rest(), "[^") || strings.ContainsAny(t.rest()[1:end], `[\&`) {
				return unsupported("a class in a class")
			}
			t.emit(end+1, t.rest()[1:end])
		default:
			t.copy(1)
		}
		first = false
	}
	return fmt.Errorf("%w: unclosed class", ErrInvalid)
}
