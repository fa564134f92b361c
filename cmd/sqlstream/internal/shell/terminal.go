package shell

import (
	"errors"
	"io"
	"strings"

	"github.com/reeflective/readline"
	"github.com/reeflective/readline/inputrc"
)

// Terminal reads from the terminal with line editing: Emacs keys (or what ~/.inputrc says),
// several lines, history, search with Ctrl-R, completion with Tab.
type Terminal struct{ rl *readline.Shell }

// NewTerminal makes a reader of the terminal. words returns what can follow in completion.
func NewTerminal(h *History, words func() []string) *Terminal {
	rl := readline.NewShell(inputrc.WithApp("sqlstream"))
	rl.Prompt.Primary(func() string { return "sqlstream> " })
	rl.Prompt.Secondary(func() string { return "        -> " })
	// Asking the terminal where the cursor is loses what is typed before it answers.
	_ = rl.Config.Set("cursor-position-probe", false)
	rl.AcceptMultiline = func(line []rune) bool { return Complete(string(line)) }
	rl.History.Delete()
	rl.History.Add("history", h)
	rl.Completer = func(line []rune, cursor int) readline.Completions {
		return readline.CompleteValues(Candidates(string(line[:cursor]), words())...).NoSpace('.')
	}
	return &Terminal{rl}
}

// Read implements Reader.
func (t *Terminal) Read() (string, error) {
	line, err := t.rl.Readline()
	switch {
	case errors.Is(err, readline.ErrInterrupt):
		return "", ErrInterrupted
	case errors.Is(err, io.EOF):
		return "", io.EOF
	}
	return line, err
}

// Candidates are the words that complete the last word of text, in the case the user types:
// keywords follow it, names and options stay as they are.
func Candidates(text string, words []string) []string {
	i := len(text)
	for i > 0 && (isWord(text[i-1]) || text[i-1] == '.' || text[i-1] == '\\') {
		i--
	}
	prefix := text[i:]
	if prefix == "" {
		return nil
	}
	var found []string
	for _, w := range words {
		if len(w) < len(prefix) || !strings.EqualFold(w[:len(prefix)], prefix) {
			continue
		}
		if w == strings.ToUpper(w) && prefix == strings.ToLower(prefix) && prefix != strings.ToUpper(prefix) {
			w = strings.ToLower(w)
		}
		found = append(found, w)
	}
	return found
}
