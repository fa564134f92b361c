package sql_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
)

// corpus returns the texts of testdata that parse.
func corpus(t testing.TB) (texts []string) {
	t.Helper()
	files, _ := filepath.Glob("testdata/parse/*")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split("\n"+string(data), "\nparse")[1:] {
			_, block, _ = strings.Cut(block, "\n")
			text, _, _ := strings.Cut(block, "\n----")
			texts = append(texts, text)
		}
	}
	files, _ = filepath.Glob("testdata/nexmark/*.sql")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	if len(texts) < 800 {
		t.Fatalf("only %d texts", len(texts))
	}
	return texts
}

// checkAny parses a text that may be anything: an error stands inside the text and is not an
// internal one; a tree prints and parses again.
func checkAny(t testing.TB, text string) (ok bool) {
	stmts, err := sql.Parse("", text)
	if err != nil {
		var e *ast.Error
		if stmts != nil || !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) || e.Message == "" || strings.Contains(e.Message, "internal") {
			t.Fatalf("%q: %d statements, error %v", text, len(stmts), err)
		}
		_ = e.Render()
		return false
	}
	for _, s := range stmts {
		printed := ast.Print(s)
		again, err := sql.Parse("", printed)
		if err != nil || len(again) != 1 || ast.Print(again[0]) != printed {
			t.Fatalf("%q\nprints as\n%s\nwhich then is %v", text, printed, err)
		}
	}
	return true
}

// TestMutants changes one token of each text in a few ways.
func TestMutants(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	texts := corpus(t)
	var words []string
	for _, text := range texts {
		for _, tok := range sql.Tokens(text) {
			words = append(words, text[tok.Start:tok.End])
		}
	}
	accepted, refused := 0, 0
	for _, text := range texts {
		toks := sql.Tokens(text)
		for range min(12, len(toks)) {
			tok := toks[rng.IntN(len(toks))]
			before, token, after := text[:tok.Start], text[tok.Start:tok.End], text[tok.End:]
			other := words[rng.IntN(len(words))]
			mutant := [...]string{before + after, before + token + " " + token + after, before + other + after, before + token + " " + other + after}[rng.IntN(4)]
			if checkAny(t, mutant) {
				accepted++
			} else {
				refused++
			}
		}
	}
	if accepted < 100 || refused < 5_000 {
		t.Errorf("%d mutants accepted, %d refused: is this still a test?", accepted, refused)
	}
}

// TestConcurrent parses everything in several goroutines: nothing is shared between parses.
func TestConcurrent(t *testing.T) {
	texts := corpus(t)
	want := make([]string, len(texts))
	outcome := func(text string) string {
		stmts, err := sql.Parse("", text)
		if err != nil {
			return err.Error()
		}
		return printAll(stmts)
	}
	for i, text := range texts {
		want[i] = outcome(text)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, text := range texts {
				if got := outcome(text); got != want[i] {
					t.Errorf("%q: got %s, want %s", text, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkAny(t, text) })
}

// FuzzSplit holds Split against Parse: the statements of a right text are the complete pieces
// and the rest.
func FuzzSplit(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pieces, rest, err := sql.Split(text)
		stmts, parseErr := sql.Parse("", text)
		if parseErr != nil {
			return
		}
		n := len(pieces)
		if rest != "" {
			n++
		}
		if err != nil || n != len(stmts) {
			t.Fatalf("%q: %d pieces and rest %q, but %d statements", text, len(pieces), rest, len(stmts))
		}
		for i, p := range pieces {
			if start, end := stmts[i].Range(); start != p.Start || end != p.End {
				t.Fatalf("%q: piece %d is %d..%d, the statement %d..%d", text, i, p.Start, p.End, start, end)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text, err := os.ReadFile("testdata/nexmark/q5.sql")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := sql.Parse("", string(text)); err != nil {
			b.Fatal(err)
		}
	}
}
