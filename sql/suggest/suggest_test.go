package suggest

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"auction", "bidder", "price", "dateTime", "execution.checkpointing.interval"}
	for _, tc := range []struct {
		name string
		want []string
	}{
		{"Auction", []string{"auction"}},
		{"acution", []string{"auction"}},
		{"datetime", []string{"dateTime"}},
		{"execution.checkpoint.interval", []string{"execution.checkpointing.interval"}},
		{"interval", []string{"execution.checkpointing.interval"}},
		{"zzz", nil},
		{"price", nil},
	} {
		if got := Nearest(tc.name, names); !slices.Equal(got, tc.want) {
			t.Errorf("Nearest(%q) = %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestHint(t *testing.T) {
	for _, tc := range []struct {
		name  string
		names []string
		want  string
	}{
		{"x", nil, ""},
		{"b", []string{"a"}, ""},
		{"abz", []string{"abc"}, "; did you mean abc?"},
		{"abz", []string{"abc", "abd"}, "; did you mean abc or abd?"},
		{"abz", []string{"abc", "abd", "abe", "abf"}, "; did you mean abc, abd or abe?"},
	} {
		if got := Hint(tc.name, tc.names); got != tc.want {
			t.Errorf("Hint(%q, %q) = %q, want %q", tc.name, tc.names, got, tc.want)
		}
	}
}
