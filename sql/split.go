package sql

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// Piece is one statement of a script: bytes [Start, End) of it, without the semicolon.
type Piece struct {
	Text       string
	Start, End int
}

// Split cuts a script at the semicolons that end statements: not those in strings, comments and
// statement sets. complete are the statements whose semicolon is there; rest is what follows the
// last of them, "" when that is only white space and comments. A reader of typed lines goes on
// while rest is not empty. Split does not look whether the statements are right: Parse does.
// The error is an *ast.Error for text that no further line can make right: a NUL byte, invalid
// UTF-8.
func Split(src string) (complete []Piece, rest string, err error) {
	source := ast.Source{Text: src}
	if e := checkText(source); e != nil {
		return nil, src, e
	}
	toks := scan(source, false)
	for i := 0; toks[i].kind != eof; {
		end := statementEnd(toks, i)
		if t := toks[end]; t.kind == eof {
			return complete, strings.TrimSpace(src[toks[i].start:]), nil
		}
		if end > i {
			complete = append(complete, Piece{Text: src[toks[i].start:toks[end-1].end], Start: toks[i].start, End: toks[end-1].end})
		}
		i = end + 1
	}
	return complete, "", nil
}

// statementEnd returns the index of the semicolon that ends the statement at i, or of eof.
func statementEnd(toks []token, i int) int {
	inSet := opensSet(toks, i)
	for j := i; ; j++ {
		switch t := toks[j]; {
		case t.kind == eof:
			return j
		case !t.is(";"):
		case !inSet:
			return j
		case toks[j-1].is("END") && (toks[j-2].is(";") || toks[j-2].is("BEGIN")):
			return j
		}
	}
}

// opensSet reports whether a statement set begins at i: [EXPLAIN ..] [EXECUTE] STATEMENT SET BEGIN,
// or BEGIN STATEMENT SET.
func opensSet(toks []token, i int) bool {
	is := func(n int, w string) bool { return i+n < len(toks) && toks[i+n].is(w) }
	if is(0, "BEGIN") {
		return is(1, "STATEMENT") && is(2, "SET")
	}
	if !is(0, "EXECUTE") && !is(0, "EXPLAIN") && !is(0, "STATEMENT") {
		return false
	}
	for n := 0; i+n < len(toks) && !toks[i+n].is(";") && !is(n, "INSERT"); n++ {
		if is(n, "STATEMENT") && is(n+1, "SET") && is(n+2, "BEGIN") {
			return true
		}
	}
	return false
}
