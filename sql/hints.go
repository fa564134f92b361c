package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// hints parses the hint token here: NAME, NAME(a, 'b', 3), NAME('k' = 'v'), with commas
// between them.
func (p *parser) hints() (out []*ast.Hint) {
	t := p.tok()
	l := &lexer{src: p.src, s: p.src.Text[:t.end-len("*/")], i: t.start + len("/*+")}
	in := &parser{src: p.src, toks: l.all(false)}
	in.items(maxList, func() {
		h := &ast.Hint{At: in.pos(), Name: in.hintName()}
		if in.peek("(") {
			in.brackets(maxList, func() { in.hintArg(h) })
		}
		out = append(out, h)
	})
	if in.tok().kind != eof {
		in.unexpected(", or */")
	}
	p.i++
	return out
}

func (p *parser) hintName() ast.Ident {
	t := p.tok()
	if t.kind != word && t.kind != quoted {
		p.unexpected("the name of a hint")
	}
	p.i++
	return ast.Ident{At: ast.At(t.start), Name: t.value, Quoted: t.kind == quoted}
}

func (p *parser) hintArg(h *ast.Hint) {
	t := p.tok()
	if p.ahead(1).is("=") && (t.kind == text || t.kind == word) {
		key := ast.StringLit{At: p.pos(), Value: t.value}
		p.i += 2
		h.Options = append(h.Options, ast.Option{At: key.At, Key: key, Value: p.string("a string")})
		return
	}
	switch t.kind {
	case text, word, quoted, number:
		p.i++
		h.Args = append(h.Args, ast.HintArg{At: ast.At(t.start), Text: t.value, String: t.kind == text})
	default:
		p.unexpected("a name, a string, a number or 'key' = 'value'")
	}
}
