package session_test

import (
	"strings"
	"testing"
)

// TestDoublingExpressions: each level would double the expression of the one below.
func TestDoublingExpressions(t *testing.T) {
	const levels = 60
	text := strings.Repeat("SELECT x + x AS x FROM (", levels) + "SELECT x FROM (VALUES (1)) AS v(x)" + strings.Repeat(") WHERE x > 0", levels)
	if _, err := newSession().Execute("", text); err != nil {
		t.Fatal(err)
	}
}
