package sql

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// lexer cuts a text into tokens by Flink's lexical rules. What is wrong becomes an invalid
// token with its error, so that an error further up in the text is reported first.
type lexer struct {
	src ast.Source
	s   string // src.Text
	i   int
}

// scan returns the tokens of a text with eof as the last one.
func scan(src ast.Source, comments bool) []token {
	return (&lexer{src: src, s: src.Text}).all(comments)
}

// all returns the tokens from here on.
func (l *lexer) all(comments bool) []token {
	toks := make([]token, 0, (len(l.s)-l.i)/5+1)
	for {
		t := l.next()
		if t.kind != comment || comments {
			toks = append(toks, t)
		}
		if t.kind == eof {
			return toks
		}
	}
}

// checkText refuses what no part of a text may contain.
func checkText(src ast.Source) *ast.Error {
	if i := strings.IndexByte(src.Text, 0); i >= 0 {
		return src.Errorf(i, "NUL byte at byte offset %d", i).WithHint("is this a text file?")
	}
	for i, r := range src.Text {
		if r == utf8.RuneError && !strings.HasPrefix(src.Text[i:], "\uFFFD") {
			return src.Errorf(i, "invalid UTF-8 at byte offset %d (0x%02x)", i, src.Text[i]).WithHint("save the file as UTF-8")
		}
	}
	return nil
}

func (l *lexer) at(prefix string) bool { return strings.HasPrefix(l.s[l.i:], prefix) }

// byteAt returns the byte n after the current one, 0 beyond the end.
func (l *lexer) byteAt(n int) byte {
	if l.i+n < len(l.s) {
		return l.s[l.i+n]
	}
	return 0
}

func (l *lexer) space() {
	for l.i < len(l.s) {
		r, w := utf8.DecodeRuneInString(l.s[l.i:])
		if !unicode.IsSpace(r) && r != '\uFEFF' {
			return
		}
		l.i += w
	}
}

func (l *lexer) token(k kind, start int, value string) token {
	t := token{kind: k, value: value, start: start, end: l.i}
	if k == word {
		t.upper = upper(value)
	}
	return t
}

// upper folds the case of a word, which is none of ours if it has letters outside ASCII: some of
// them fold to ASCII letters.
func upper(word string) string {
	for i := range len(word) {
		if word[i] >= utf8.RuneSelf {
			return word
		}
	}
	return strings.ToUpper(word)
}

func (l *lexer) invalid(start int, err *ast.Error) token {
	return token{kind: invalid, value: l.s[start:l.i], start: start, end: l.i, err: err}
}

// unclosed is an invalid token from start to the end of the text.
func (l *lexer) unclosed(start int, err *ast.Error) token {
	l.i = len(l.s)
	t := l.invalid(start, err)
	t.open = true
	return t
}

func (l *lexer) next() token {
	l.space()
	start := l.i
	if l.i >= len(l.s) {
		return l.token(eof, start, "")
	}
	c := l.s[l.i]
	switch {
	case l.at("--") || l.at("//"):
		if n := strings.IndexByte(l.s[l.i:], '\n'); n >= 0 {
			l.i += n
		} else {
			l.i = len(l.s)
		}
		return l.token(comment, start, "")
	case l.at("/*"):
		return l.block(start)
	case c == '\'':
		return l.text(start)
	case c == '`':
		return l.quotedName(start)
	case c < utf8.RuneSelf && l.byteAt(1) == '\'' && strings.IndexByte("xXeEnN", c) >= 0, (c == 'u' || c == 'U') && l.byteAt(1) == '&' && l.byteAt(2) == '\'':
		return l.prefixed(start, c)
	case isDigit(c) || c == '.' && isDigit(l.byteAt(1)) && !l.afterOperand():
		return l.number(start)
	}
	r, w := utf8.DecodeRuneInString(l.s[l.i:])
	if isWordStart(r) {
		for l.i += w; l.i < len(l.s); l.i += w {
			if r, w = utf8.DecodeRuneInString(l.s[l.i:]); !isWordStart(r) && !unicode.IsDigit(r) {
				break
			}
		}
		return l.token(word, start, l.s[start:l.i])
	}
	return l.operator(start, r, w)
}

func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isWordStart(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }

// afterOperand tells the dot of a.1 from that of .5: a dot right behind a name or a bracket
// is never the start of a number.
func (l *lexer) afterOperand() bool {
	if l.i == 0 {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(l.s[:l.i])
	return isWordStart(r) || unicode.IsDigit(r) || r == '`' || r == ')' || r == ']'
}

func (l *lexer) block(start int) token {
	n := strings.Index(l.s[l.i+2:], "*/")
	if n < 0 {
		return l.unclosed(start, l.src.Errorf(start, "this comment is never closed").WithHint("close it with */"))
	}
	l.i += n + 4
	if strings.HasPrefix(l.s[start:], "/*+") && n > 0 {
		return l.token(hint, start, l.s[start+3:l.i-2])
	}
	return l.token(comment, start, "")
}

func (l *lexer) number(start int) token {
	digits := func() {
		for isDigit(l.byteAt(0)) {
			l.i++
		}
	}
	digits()
	if l.byteAt(0) == '.' {
		l.i++
		digits()
	}
	if c := l.byteAt(0); c == 'e' || c == 'E' {
		n := 1
		if s := l.byteAt(1); s == '+' || s == '-' {
			n = 2
		}
		if isDigit(l.byteAt(n)) {
			l.i += n
			digits()
		}
	}
	if r, _ := utf8.DecodeRuneInString(l.s[l.i:]); l.i < len(l.s) && isWordStart(r) {
		for l.i < len(l.s) && isWordStart(r) || isDigit(l.byteAt(0)) {
			_, w := utf8.DecodeRuneInString(l.s[l.i:])
			l.i += w
			r, _ = utf8.DecodeRuneInString(l.s[l.i:])
		}
		return l.invalid(start, l.src.Errorf(start, "%s is neither a number nor a name", l.s[start:l.i]).
			WithHint("a name that begins with a digit stands in backquotes: `%s`", l.s[start:l.i]))
	}
	return l.token(number, start, l.s[start:l.i])
}

// mistakes are operators of other dialects and what to write instead.
var mistakes = []struct{ op, hint string }{
	{"::", "write CAST(value AS type)"},
	{"!=", "write <>"},
	{"==", "write ="},
	{"<=>", "write a IS NOT DISTINCT FROM b"},
	{"&&", "write AND"},
	{"->", "write m['key'] for a map, r.field for a row, JSON_VALUE(text, '$.path') for JSON"},
	{"#", "a comment begins with --"},
	{"@", "there are no variables"},
	{"!", "write NOT"},
	{"~", "write REGEXP(text, 'pattern')"},
	{"&", "there are no bit operators"},
	{":", "a field of a row is r.field, an option is 'key' = 'value'"},
	{"\\", "a backslash means itself, and only inside a string"},
}

func (l *lexer) operator(start int, r rune, w int) token {
	if r == '"' {
		n := strings.IndexByte(l.s[l.i+1:], '"')
		if n < 0 {
			l.i++
		} else {
			l.i += n + 2
		}
		return l.invalid(start, l.src.Errorf(start, "unexpected double quote").WithHint("write `name` for a name, 'text' for a string"))
	}
	for _, m := range mistakes {
		if l.at(m.op) {
			l.i += len(m.op)
			return l.invalid(start, l.src.Errorf(start, "unexpected %s", m.op).WithHint("%s", m.hint))
		}
	}
	if w == 1 {
		for _, op := range []string{"<=", ">=", "<>", "||", "=>"} {
			if l.at(op) {
				l.i += 2
				return l.token(operator, start, op)
			}
		}
		if strings.ContainsRune("()[]{}<>=+-*/%,.;|?^", r) {
			l.i++
			return l.token(operator, start, l.s[start:l.i])
		}
	}
	l.i += w
	return l.invalid(start, l.src.Errorf(start, "unexpected character %q (U+%04X)", r, r))
}
