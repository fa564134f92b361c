package shell

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	for text, want := range map[string]bool{
		"":                    true,
		`\d`:                  true,
		"quit":                true,
		"SELECT 1":            false,
		"SELECT 1;":           true,
		"SELECT 1; -- done":   true,
		"SELECT 1; SELECT":    false,
		"SELECT ';":           false,
		"SELECT ';'":          false,
		"SELECT 'it''s;';":    true,
		"SELECT `a;":          false,
		"SELECT 1 /* ; ":      false,
		"SELECT 1 -- ;":       false,
		"SELECT 1 -- it's\n;": true,
		"-- only a comment":   true,
		";":                   true,
		"SELECT \x00":         true, // an error, now rather than later
		"SET 'a' = 'b';":      true,
		"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;":                           false,
		"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN b THEN 1 END;":      false,
		"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN b THEN 1 END; END;": true,
		"EXECUTE STATEMENT SET\nBEGIN\nINSERT INTO a SELECT 1;\nEND;":                   true,
		"begin statement set; insert into a select 1; end":                              false,
		"begin statement set; insert into a select 1; end;":                             true,
		"EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2;":   false,
	} {
		if got := Complete(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestCandidates(t *testing.T) {
	words := []string{"SELECT", "SET", "sales", "execution.checkpointing.interval", `\d`}
	for text, want := range map[string][]string{
		"":                     nil,
		"se":                   {"select", "set"},
		"SE":                   {"SELECT", "SET"},
		"SELECT * FROM sa":     {"sales"},
		"SET 'execution.check": {"execution.checkpointing.interval"},
		`\`:                    {`\d`},
		"SELECT a FROM nosuch": nil,
	} {
		if got := Candidates(text, words); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home", "history")
	h, err := OpenHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"SELECT\n1;", "SELECT\n1;", "", "SET 'x.password' = 'hunter2';"} {
		if _, err := h.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	h, err = OpenHistory(path)
	if err != nil || h.Len() != 2 {
		t.Fatalf("%d lines, %v", h.Len(), err)
	}
	if l, err := h.GetLine(0); l != "SELECT\n1;" || err != nil {
		t.Errorf("line 0: %q, %v", l, err)
	}
	if _, err := h.GetLine(2); err == nil {
		t.Error("line 2 of 2 exists")
	}
	b, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(b), "hunter2") || !strings.Contains(string(b), "******") {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestHistoryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var b strings.Builder
	for i := range maxHistory + 10 {
		b.Write(encode(strings.Repeat("x", i%7+1)))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if h, err := OpenHistory(path); err != nil || h.Len() != maxHistory {
			t.Errorf("%d lines, %v; want %d", h.Len(), err, maxHistory)
		}
	}
}
