package regex

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTranslate(t *testing.T) {
	for in, want := range map[string]string{
		`a\Q.*\Eb`: `a\.\*b`, `\p{Alpha}+`: `[a-zA-Z]+`, `[\p{Digit}x]`: `[0-9x]`, `\u0041`: `\x{41}`, `(?i)a`: `(?i)a`, `a{2,3}`: `a{2,3}`,
		`[a[bc]]`: `[abc]`, `\p{IsHan}`: `\p{Han}`, `(?<n>a)`: `(?<n>a)`, `\0101`: `\x{41}`, `[]a]`: `[\]a]`,
	} {
		if got, err := Translate(in); err != nil || got != want {
			t.Errorf("%s becomes %s %v, want %s", in, got, err, want)
		}
	}
	for in, want := range map[string]error{
		`(?=a)`: ErrUnsupported, `(?<!a)`: ErrUnsupported, `(a)\1`: ErrUnsupported, `a*+`: ErrUnsupported, `a{2}+`: ErrUnsupported, `[a&&b]`: ErrUnsupported,
		`(?>a)`: ErrUnsupported, `\`: ErrInvalid, `[a`: ErrInvalid, `x{`: ErrInvalid, `\y`: ErrInvalid, `(?P<n>a)`: ErrInvalid, `\p{Nope}`: ErrInvalid,
	} {
		if _, err := Translate(in); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", in, err, want)
		}
	}
}

func TestSpecialFormsFindWhatTheAutomatonFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	texts := []string{"", "&", "channel_id=", "channel_id=1", "x&channel_id=12&y", "xchannel_id=3&channel_id=4", "&channel_id=&", "?channel_id=5", "é&channel_id=é&"}
	for range 2000 {
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString([]string{"&", "channel_id=", "a", "=", "é", "x1"}[r.IntN(6)])
		}
		texts = append(texts, b.String())
	}
	for _, c := range []struct {
		pattern string
		group   int
	}{{`(&|^)channel_id=([^&]*)`, 2}, {`channel_id=([^&]*)`, 1}, {`([&a]|^)channel_id=([^&=]*)`, 2}, {`^channel_id=([^&]*)`, 1}} {
		re, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if re.param == nil {
			t.Errorf("%s is not recognized", c.pattern)
		}
		slow := regexp.MustCompile(c.pattern)
		for _, s := range texts {
			got, ok := re.Group([]byte(s), c.group)
			want := slow.FindStringSubmatch(s)
			if ok != (want != nil) || ok && string(got) != want[c.group] {
				t.Fatalf("%s in %q is %q %v, want %q", c.pattern, s, got, ok, want)
			}
		}
	}
}

func TestEmptyMatchesAsInJava(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"x*", "abc", "-a-b-c-"}, {"x*", "axb", "-a--b-"}, {"b", "abc", "a-c"}, {"a*", "baac", "-b--c-"}, {"c$", "abc\n", "ab-\n"},
	} {
		re, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(re.ReplaceAll(nil, []byte(c.text), []byte("-"))); got != c.want {
			t.Errorf("%s in %q gives %q, want %q", c.pattern, c.text, got, c.want)
		}
	}
}

// likeAsRegexp is the definition: % any text, _ one character that is no line break.
func likeAsRegexp(p string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for _, r := range p {
		switch r {
		case '%':
			b.WriteString("(?s:.*)")
		case '_':
			b.WriteString(`[^\n\r\x{85}\x{2028}\x{2029}]`)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile(b.String() + `\z`)
}

func FuzzLike(f *testing.F) {
	for _, s := range [][2]string{{"a%b_c", "axxbyc"}, {"%", ""}, {"_%_", "é😀"}, {"%%a", "aa"}, {"a%a", "a"}, {"", ""}, {"%_", "\n"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 50 || !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			return
		}
		l, err := CompileLike(pattern, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := l.Match([]byte(text)), likeAsRegexp(pattern).MatchString(text); got != want {
			t.Fatalf("%q LIKE %q is %v, want %v", text, pattern, got, want)
		}
	})
}

func TestLikeAgainstItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	word := func(alphabet []string, n int) string {
		var b strings.Builder
		for range r.IntN(n) {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	for range 20_000 {
		pattern, text := word([]string{"%", "_", "a", "b", "é"}, 7), word([]string{"a", "b", "é", "\n"}, 7)
		l, err := CompileLike(pattern, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := l.Match([]byte(text)), likeAsRegexp(pattern).MatchString(text); got != want {
			t.Fatalf("%q LIKE %q is %v, want %v", text, pattern, got, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(`(a|b)*\p{Alpha}[^x]`, "abc")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if re, err := Compile(pattern); err == nil {
			re.Match([]byte(text))
			re.All([]byte(text), func([]int) {})
			for g := range re.Groups() + 1 {
				re.Group([]byte(text), g)
			}
		}
	})
}
