package shell

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql"
)

// Complete reports whether text is ready to be carried out: a backslash command, nothing at
// all, or statements up to the last ';' (see sql.Split).
func Complete(text string) bool {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || trimmed[0] == '\\' {
		return true
	}
	switch strings.ToLower(trimmed) {
	case "quit", "exit", "help", "?":
		return true
	}
	_, rest, err := sql.Split(text)
	return rest == "" || err != nil // what no further line can make right is told at once
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
