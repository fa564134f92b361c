package session

import (
	"strings"
	"testing"
)

func TestLike(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"%", "", true}, {"a%", "abc", true}, {"%c", "abc", true}, {"a_c", "abc", true}, {"a_", "abc", false},
		{"%b%", "abc", true}, {"%a%a", "aba", true}, {"%a%b", "aba", false}, {"a%b%c", "aXbYbZc", true}, {"%%", "x", true}, {"ab", "a", false},
		{strings.Repeat("%a", 30) + "b", strings.Repeat("a", 60), false},
	} {
		if got := like([]rune(tc.pattern), []rune(tc.text)); got != tc.want {
			t.Errorf("%q LIKE %q is %t", tc.text, tc.pattern, got)
		}
	}
}
