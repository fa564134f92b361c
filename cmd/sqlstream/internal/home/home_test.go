package home

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	t.Setenv("HOME", "/u/me")
	for _, tt := range []struct{ flag, env, xdg, want string }{
		{"/f", "/e", "/x", "/f"},
		{"", "/e", "/x", "/e"},
		{"", "", "/x", "/x/sqlstream"},
		{"", "", "relative", "/u/me/.local/state/sqlstream"},
		{"", "", "", "/u/me/.local/state/sqlstream"},
	} {
		t.Setenv(EnvVar, tt.env)
		t.Setenv("XDG_STATE_HOME", tt.xdg)
		if got, err := Locate(tt.flag); err != nil || string(got) != tt.want {
			t.Errorf("%+v: got %s, %v", tt, got, err)
		}
	}
}

func TestFileName(t *testing.T) {
	for _, name := range []string{"etl", "etl-2.sql", "A_b"} {
		if got := FileName(name); got != name {
			t.Errorf("%s became %s", name, got)
		}
	}
	seen := map[string]string{}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "a b", "a_b", "ünï", strings.Repeat("x", 300), strings.Repeat("x", 301), "a\x00"} {
		got := FileName(name)
		if got == "" || got[0] == '.' || strings.ContainsAny(got, "/\x00") || len(got) > 100 {
			t.Errorf("%q became %q", name, got)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q both became %s", name, other, got)
		}
		seen[got] = name
	}
}

func TestRegister(t *testing.T) {
	h, elsewhere := Home(filepath.Join(t.TempDir(), "home")), t.TempDir()
	for range 2 {
		for _, dir := range []string{elsewhere, h.Job("own")} {
			if err := h.Register(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(h.Jobs())
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v; want one link", entries, err)
	}
	if to, err := os.Readlink(filepath.Join(h.Jobs(), entries[0].Name())); to != elsewhere {
		t.Errorf("it leads to %s, %v", to, err)
	}
}
