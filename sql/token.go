package sql

import (
	"github.com/sqlstream/sqlstream/sql/ast"
)

// kind tells tokens apart.
type kind uint8

const (
	eof kind = iota
	word
	quoted // `name`
	text   // '..', U&'..', E'..'
	binary // X'..'
	number
	operator
	hint    // /*+ .. */
	comment // not seen by the parser
	invalid // err says why
)

// token is one lexeme of the user's text.
type token struct {
	kind       kind
	value      string // decoded: a name or string; the raw text of the others
	upper      string // of a word, in upper case
	start, end int    // byte offsets
	err        *ast.Error
	open       bool // an invalid token that more text could complete: an unclosed string or comment
}

// is reports whether the token is the keyword or operator s (in upper case).
func (t token) is(s string) bool {
	return t.kind == word && t.upper == s || t.kind == operator && t.value == s
}

// TokenKind says how to show a piece of text.
type TokenKind uint8

// The kinds of Token.
const (
	TokenKeyword  TokenKind = iota // a reserved word, or another word of the grammar
	TokenName                      // an identifier, with or without backquotes
	TokenFunction                  // a name before an opening bracket
	TokenString
	TokenNumber
	TokenOperator
	TokenHint
	TokenComment
	TokenInvalid
)

// Token is a piece of text for colouring and completion.
type Token struct {
	Kind       TokenKind
	Start, End int // byte offsets
}

// Tokens cuts any text, also an unfinished or wrong one, into its tokens, comments included and
// white space left out. What cannot be a token is TokenInvalid; an unclosed string or comment
// is one invalid token to the end of the text.
func Tokens(src string) []Token {
	toks := scan(ast.Source{Text: src}, true)
	out := make([]Token, 0, len(toks))
	for i, t := range toks {
		out = append(out, Token{Kind: t.show(i+1 < len(toks) && toks[i+1].is("(")), Start: t.start, End: t.end})
	}
	return out[:len(out)-1] // without the end of the text
}

func (t token) show(call bool) TokenKind {
	switch t.kind {
	case word:
		switch {
		case call && (!reserved[t.upper] || callable[t.upper]):
			return TokenFunction
		case keywords[t.upper]:
			return TokenKeyword
		}
		return TokenName
	case quoted:
		return TokenName
	case text, binary:
		return TokenString
	case number:
		return TokenNumber
	case operator:
		return TokenOperator
	case hint:
		return TokenHint
	case comment:
		return TokenComment
	}
	return TokenInvalid
}
