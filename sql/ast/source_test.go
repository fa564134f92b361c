package ast

import (
	"strings"
	"testing"
)

func TestPosition(t *testing.T) {
	s := Source{Name: "f.sql", Text: "a\nßü x\r\n😀b"}
	for _, c := range []struct{ offset, line, column int }{
		{0, 1, 1}, {1, 1, 2}, {2, 2, 1}, {4, 2, 2}, {7, 2, 4}, {10, 3, 1}, {14, 3, 2}, {15, 3, 3}, {99, 3, 3}, {-1, 1, 1},
	} {
		if line, column := s.Position(c.offset); line != c.line || column != c.column {
			t.Errorf("offset %d is %d:%d, want %d:%d", c.offset, line, column, c.line, c.column)
		}
	}
}

func TestError(t *testing.T) {
	s := Source{Name: "f.sql", Text: "SELECT\n\tgrößer !\r\nFROM t"}
	e := s.Errorf(17, "unexpected %s", "!").WithHint("write %s", "NOT")
	if got, want := e.Error(), "f.sql:2:9: unexpected !; write NOT"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := e.Render(), "f.sql:2:9: unexpected !; write NOT\n  \tgrößer !\n  \t       ^"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	long := Source{Text: strings.Repeat("x", 500) + "!" + strings.Repeat("y", 500)}
	lines := strings.Split(long.Errorf(500, "bad").Render(), "\n")
	if len(lines) != 3 || len(lines[1]) > 120 || lines[1][strings.IndexByte(lines[2], '^')] != '!' {
		t.Errorf("a long line renders as\n%s", strings.Join(lines, "\n"))
	}
	end := Source{Text: "SELECT"}
	if got, want := end.Errorf(6, "more").Render(), "1:7: more\n  SELECT\n        ^"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRenderShowsNoSecret(t *testing.T) {
	for _, text := range []string{
		"WITH ('properties.sasl.jaas.config' = 'user x password hunter2' !)",
		"WITH ('a.password' 'hunter2' !)",
		"SET 'a.token' =\n  'hunter2' !",
		"WITH ('url' = 'jdbc:mysql://root:hunter2@db/x' !)",
	} {
		e := Source{Text: text}.Errorf(strings.IndexByte(text, '!'), "unexpected !")
		if got := e.Render(); strings.Contains(got, "hunter2") {
			t.Errorf("the secret is shown:\n%s", got)
		}
	}
}

// TestPrintMadeTrees prints trees that no text stands for.
func TestPrintMadeTrees(t *testing.T) {
	a := &ColumnRef{At: -1, Path: Path{NewIdent("t"), NewIdent("select")}}
	made := map[string]Expr{
		"`t`.`select` = 'it''s'":             &Binary{Op: OpEq, Left: a, Right: &StringLit{Value: "it's"}},
		"(`t`.`select` OR TRUE) AND NULL":    &Binary{Op: OpAnd, Left: &Binary{Op: OpOr, Left: a, Right: &BoolLit{Value: true}}, Right: &NullLit{}},
		"- -`t`.`select`":                    &Unary{Op: OpNegate, Arg: &Unary{Op: OpNegate, Arg: a}},
		"-(`t`.`select` + 1)":                &Unary{Op: OpNegate, Arg: &Binary{Op: OpAdd, Left: a, Right: &NumberLit{Text: "1"}}},
		"NOT (NOT `t`.`select`) IS NOT NULL": &Unary{Op: OpNot, Arg: &Is{Arg: &Unary{Op: OpNot, Arg: a}, Test: IsNull, Not: true}},
		"(`t`.`select`).`f`[1]":              &Index{Arg: &Field{Arg: a, Name: NewIdent("f")}, Index: &NumberLit{Text: "1"}},
		"(`t`.`select` IN (1)) IN (TRUE)":    &In{Arg: &In{Arg: a, List: []Expr{&NumberLit{Text: "1"}}}, List: []Expr{&BoolLit{Value: true}}},
	}
	for want, e := range made {
		if got := Print(e); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	path := Path{NewIdent("a`b"), {Name: "c"}}
	if got := path.String(); got != "`a``b`.c" {
		t.Errorf("path prints as %s", got)
	}
}
