package sql

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/secret"
)

// parser walks over the tokens of a text. A method that parses a thing of the grammar leaves
// i behind it, or panics with an *ast.Error that Parse recovers: the first error ends
// everything, and no method in between has anything to say about it.
type parser struct {
	src   ast.Source
	toks  []token
	match []int // closing bracket of each opening one, 0 if it has none
	i     int
	depth int

	setOpCount int       // of the statement
	sk         *skeleton // of the query or expression being parsed
}

// Parse parses a script: statements with semicolons between them. name is what errors call
// the text (a file name, or ""). Nothing but comments is no statements and no error. When
// anything is wrong the error is an *ast.Error and no statement is returned.
func Parse(name, src string) (stmts []ast.Statement, err error) {
	source := ast.Source{Name: name, Text: src}
	if e := checkText(source); e != nil {
		return nil, e
	}
	p := &parser{src: source, toks: scan(source, false)}
	p.match = matchBrackets(p.toks)
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *ast.Error:
			stmts, err = nil, e
		default: // a bug of ours or of TiDB's: the caller goes on
			stmts, err = nil, source.Errorf(p.tok().start, "internal error in the parser: %v", e).WithHint("please report this statement")
		}
	}()
	for {
		for p.accept(";") {
		}
		if p.tok().kind == eof {
			return stmts, nil
		}
		stmts = append(stmts, p.statement())
		if p.peekAny(")", "]") {
			p.fail(p.i, "%s closes nothing: no bracket is open", p.tok().value)
		}
		if p.tok().kind != eof && !p.peek(";") {
			p.unexpected("the next clause or the end of the statement")
		}
	}
}

// matchBrackets finds the partner of each round or square bracket.
func matchBrackets(toks []token) []int {
	match := make([]int, len(toks))
	var open []int
	for i, t := range toks {
		switch {
		case t.is("("), t.is("["):
			open = append(open, i)
		case t.is(")"), t.is("]"):
			if n := len(open); n > 0 {
				match[open[n-1]] = i
				open = open[:n-1]
			}
		case t.is(";"):
			open = open[:0]
		}
	}
	return match
}

// ---- tokens

func (p *parser) tok() token { return p.toks[p.i] }

// ahead returns the token n after the current one, the last one beyond the end.
func (p *parser) ahead(n int) token { return p.toks[min(p.i+n, len(p.toks)-1)] }

// pos is where the current token begins.
func (p *parser) pos() ast.At { return ast.At(p.toks[p.i].start) }

// end is where the previous token ends.
func (p *parser) end() int { return p.toks[max(p.i-1, 0)].end }

// peek reports whether the next tokens are these keywords and operators.
func (p *parser) peek(words ...string) bool { return p.peekAt(0, words...) }

func (p *parser) peekAt(n int, words ...string) bool {
	for k, w := range words {
		if !p.ahead(n + k).is(w) {
			return false
		}
	}
	return true
}

// peekAny reports whether the next token is one of these.
func (p *parser) peekAny(words ...string) bool {
	for _, w := range words {
		if p.tok().is(w) {
			return true
		}
	}
	return false
}

// accept skips the words if they come next.
func (p *parser) accept(words ...string) bool {
	if !p.peek(words...) {
		return false
	}
	p.i += len(words)
	return true
}

// expect skips words that must come next.
func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.unexpected(w)
		}
	}
}

// ---- errors

// fail ends parsing with an error at token i.
func (p *parser) fail(i int, format string, args ...any) { p.failHint(i, "", format, args...) }

func (p *parser) failHint(i int, hint, format string, args ...any) {
	t := p.toks[min(i, len(p.toks)-1)]
	if t.err != nil {
		panic(t.err)
	}
	e := p.src.Errorf(t.start, format, args...)
	e.Hint = hint
	panic(e)
}

// maxShown is how much of a token a message shows.
const maxShown = 30

// show is how a message calls token i.
func (p *parser) show(i int) string {
	t := p.toks[i]
	if t.kind == eof {
		return "the end of the text"
	}
	switch {
	case t.kind == text:
		return "a string" // never its content: it may be a secret
	case t.kind == hint:
		return "a hint"
	case t.is(","):
		return "a comma"
	}
	s := p.src.Text[t.start:t.end]
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown]) + ".."
	}
	if t.kind == word && reserved[t.upper] {
		if t.upper == s {
			return s
		}
		return "the keyword " + s
	}
	return s
}

// unexpected fails at the current token: want is what the grammar allows here.
func (p *parser) unexpected(want string) {
	msg := "expected " + want
	if p.i > 0 && !p.toks[p.i-1].is(";") {
		msg += " after " + p.show(p.i-1)
	}
	p.failHint(p.i, p.advice(), "%s, found %s", msg, p.show(p.i))
}

// wantName fails because a name must stand here, and says how to quote a reserved word.
func (p *parser) wantName(what string) {
	t := p.tok()
	if t.kind == word && reserved[t.upper] && p.meantAsName() {
		name := p.src.Text[t.start:t.end]
		p.failHint(p.i, "to use it as a name, quote it with backquotes: `"+name+"`", "expected %s%s, found the reserved word %s", what, p.after(), name)
	}
	p.unexpected(what)
}

func (p *parser) after() string {
	if p.i == 0 || p.toks[p.i-1].is(";") {
		return ""
	}
	return " after " + p.show(p.i-1)
}

// meantAsName guesses whether the reserved word here was meant as a name, and is not the
// next clause after something was forgotten.
func (p *parser) meantAsName() bool {
	prev := token{}
	if p.i > 0 {
		prev = p.toks[p.i-1]
	}
	switch {
	case p.peekAny("GROUP", "ORDER"):
		return !p.peekAt(1, "BY")
	case p.peekAt(1, "(") && !prev.is("TABLE") && !prev.is("INTO"):
		return false
	}
	return !p.peekAny("SELECT", "FROM", "WHERE", "HAVING", "LIMIT", "UNION", "AS", "ON", "JOIN", "SET", "WITH", "AND", "OR", "CREATE", "INSERT", "VALUES")
}

// enter guards one level of nesting; the caller defers leave.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.i, "nested more than %d levels deep", maxDepth)
	}
}

func (p *parser) leave() { p.depth-- }

// ---- small things of the grammar

func (p *parser) isName() bool {
	t := p.tok()
	return t.kind == quoted || t.kind == word && !reserved[t.upper]
}

// name parses an identifier; what it names is for the message.
func (p *parser) name(what string) ast.Ident {
	if !p.isName() {
		p.wantName(what)
	}
	t := p.tok()
	p.i++
	return ast.Ident{At: ast.At(t.start), Name: t.value, Quoted: t.kind == quoted}
}

func (p *parser) path(what string) ast.Path {
	out := ast.Path{p.name(what)}
	for p.accept(".") {
		out = append(out, p.name("a name"))
	}
	return out
}

// table parses the name of a table or another object of a catalog: three parts at most.
func (p *parser) table(what string) ast.Path {
	at := p.i
	out := p.path(what)
	if len(out) > 3 {
		p.fail(at, "%s has %d parts; a full name is catalog.database.name", out, len(out))
	}
	return out
}

// string parses a string literal; strings with a line end between them are one, as in Flink.
func (p *parser) string(what string) ast.StringLit {
	t := p.tok()
	if t.kind != text {
		p.unexpected(what)
	}
	p.i++
	lit := ast.StringLit{At: ast.At(t.start), Value: t.value}
	for n := p.tok(); n.kind == text; n = p.tok() {
		if !strings.Contains(p.src.Text[p.end():n.start], "\n") {
			p.failHint(p.i, "join strings with ||; a quote inside a string is written twice: ''", "a string follows a string")
		}
		lit.Value += n.value
		p.i++
	}
	return lit
}

func (p *parser) number(what string) ast.NumberLit {
	t := p.tok()
	if t.kind != number {
		p.unexpected(what)
	}
	p.i++
	return ast.NumberLit{At: ast.At(t.start), Text: t.value}
}

// whole parses a number without fraction and exponent.
func (p *parser) whole(what string) ast.NumberLit {
	n := p.number(what)
	if strings.Trim(n.Text, "0123456789") != "" {
		p.fail(p.i-1, "expected %s, found %s", what, n.Text)
	}
	return n
}

// brackets parses ( item, item, .. ); what a comma or the end may follow is for messages.
func (p *parser) brackets(limit int, item func()) {
	open := p.i
	p.expect("(")
	p.items(limit, item)
	p.close(open, ")")
}

// items parses item, item, ..
func (p *parser) items(limit int, item func()) {
	for n := 1; ; n++ {
		if n > limit {
			p.fail(p.i, "more than %d terms in this list", limit)
		}
		item()
		if !p.accept(",") {
			return
		}
	}
}

// close skips the bracket that ends what the token open began.
func (p *parser) close(open int, bracket string) {
	if p.accept(bracket) {
		return
	}
	if t := p.tok(); t.err == nil && (t.kind == eof || t.is(";") || open < len(p.match) && p.match[open] == 0 && bracket != ">" && bracket != "}") {
		p.fail(open, "%s is never closed", p.toks[open].value)
	}
	want := bracket
	if bracket != ">" {
		want = ", or " + bracket
	}
	p.unexpected(want)
}

func (p *parser) names(what string) (out []ast.Ident) {
	p.brackets(maxColumns, func() { out = append(out, p.name(what)) })
	return out
}

// options parses ( 'key' = 'value', .. ).
func (p *parser) options() (out []ast.Option) {
	if p.peek("(", ")") {
		p.i += 2
		return nil
	}
	p.brackets(maxColumns, func() { out = append(out, p.option()) })
	return out
}

func (p *parser) option() ast.Option {
	at := p.pos()
	if p.isName() {
		p.failHint(p.i, fmt.Sprintf("write '%s' = 'value'", p.tok().value), "an option's key is a string, found %s", p.show(p.i))
	}
	key := p.string("an option's key, a string")
	p.expect("=")
	switch t := p.tok(); {
	case t.kind != text && secret.Key(key.Value): // never the value in a message
		panic(p.src.Errorf(t.start, "an option's value is a string").WithHint("write '%s' = '%s'", key.Value, secret.Mask))
	case t.kind == number || t.kind == word:
		p.failHint(p.i, fmt.Sprintf("write '%s' = '%s'", key.Value, t.value), "an option's value is a string, found %s", p.show(p.i))
	}
	return ast.Option{At: at, Key: key, Value: p.string("an option's value, a string")}
}

func (p *parser) comment() *ast.StringLit {
	if !p.accept("COMMENT") {
		return nil
	}
	s := p.string("a string")
	return &s
}
