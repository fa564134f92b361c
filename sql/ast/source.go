package ast

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/sql/secret"
)

// Source is a text that was parsed and what to call it in messages: a file name, or "" for
// text that was typed.
type Source struct{ Name, Text string }

// Position returns the 1-based line and column of a byte offset; columns count runes. An
// offset beyond the text is its end.
func (s Source) Position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(s.Text))
	start := strings.LastIndexByte(s.Text[:offset], '\n') + 1
	return 1 + strings.Count(s.Text[:offset], "\n"), 1 + utf8.RuneCountInString(s.Text[start:offset])
}

// Errorf makes an error that stands at a byte offset of the text.
func (s Source) Errorf(offset int, format string, args ...any) *Error {
	return &Error{Source: s, Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// Error is something wrong at a place of a SQL text: a syntax error, an unknown name, a
// wrong type. The binder reports its errors with it too.
type Error struct {
	Source  Source
	Offset  int    // byte offset in Source.Text
	Message string // what was found and what was expected
	Hint    string // what to do, "" when the message says it all
}

// WithHint sets what the user can do about it.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error prints "file:line:column: message; hint", without the file when it has no name.
func (e *Error) Error() string {
	line, column := e.Source.Position(e.Offset)
	text := fmt.Sprintf("%d:%d: %s", line, column, e.Message)
	if e.Source.Name != "" {
		text = e.Source.Name + ":" + text
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return printable(shorten(text))
}

// maxMessage is the most bytes of a message: what it quotes may be as long as a statement.
const maxMessage = 4 << 10

// shorten takes the middle out of a text that is too long to be read.
func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage/2], "") + " [...] " + strings.ToValidUTF8(s[len(s)-maxMessage/2:], "")
}

// printable replaces control characters, with which a file could write to the terminal of
// who reads the error.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// maxLine is the most runes of a source line that Render shows, so that the caret stays on
// the screen when the statement is one long line.
const maxLine = 100

// secretReach is how many bytes before a line may hold the key of a secret in it.
const secretReach = 200

// Render prints the error and below it the line it stands in, with a caret under the place. A
// line that may hold a secret is not shown.
func (e *Error) Render() string {
	offset := min(max(e.Offset, 0), len(e.Source.Text))
	start := strings.LastIndexByte(e.Source.Text[:offset], '\n') + 1
	end := len(e.Source.Text)
	if n := strings.IndexByte(e.Source.Text[offset:], '\n'); n >= 0 {
		end = offset + n
	}
	if secret.Key(e.Source.Text[max(0, start-secretReach):end]) {
		return e.Error() + "\n  (the line is not shown: it may hold a secret)"
	}
	before := []rune(printable(secret.Value("", e.Source.Text[start:offset])))
	after := []rune(printable(secret.Value("", strings.TrimRight(e.Source.Text[offset:end], "\r"))))
	prefix, suffix := "", ""
	if n := len(before) - maxLine*3/4; n > 0 {
		before, prefix = before[n:], "..."
	}
	if n := maxLine - len(before); len(after) > n {
		after, suffix = after[:n], "..."
	}
	pad := make([]rune, len(before))
	for i, r := range before {
		if pad[i] = ' '; r == '\t' {
			pad[i] = '\t'
		}
	}
	return fmt.Sprintf("%s\n  %s%s%s%s\n  %s%s^", e.Error(), prefix, string(before), string(after), suffix,
		strings.Repeat(" ", len(prefix)), string(pad))
}
