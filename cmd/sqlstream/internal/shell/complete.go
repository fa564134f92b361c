package shell

import "strings"

// Complete reports whether text is ready to be carried out: a backslash command, nothing at
// all, or statements up to the last ';'. The semicolons inside of strings, names, comments
// and statement sets do not count.
func Complete(text string) bool {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || trimmed[0] == '\\' {
		return true
	}
	switch strings.ToLower(trimmed) {
	case "quit", "exit", "help", "?":
		return true
	}
	words, open := scanWords(text)
	if open || len(words) == 0 || words[len(words)-1] != ";" {
		return false
	}
	return !insideSet(words)
}

// insideSet reports whether words end inside of a statement set: it was begun, and its END
// has not come.
func insideSet(words []string) bool {
	inside := false
	for i, w := range words {
		switch {
		case w == "SET" && i > 0 && words[i-1] == "STATEMENT":
			inside = true
		case w == ";" && i > 0 && words[i-1] == "END":
			inside = false
		}
	}
	return inside
}

// scanWords splits text into words in upper case and single characters, without strings and
// comments. open says that it ends inside of a string, a quoted name or a comment.
func scanWords(text string) (words []string, open bool) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "--"):
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				return words, false
			}
			i += n
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i+2:], "*/")
			if n < 0 {
				return words, true
			}
			i += n + 4
		case c == '\'' || c == '`' || c == '"':
			n := strings.IndexByte(text[i+1:], c)
			if n < 0 {
				return words, true
			}
			words = append(words, string(c))
			i += n + 2
		case isWord(c):
			start := i
			for i < len(text) && isWord(text[i]) {
				i++
			}
			words = append(words, strings.ToUpper(text[start:i]))
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		default:
			words = append(words, string(c))
			i++
		}
	}
	return words, false
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
