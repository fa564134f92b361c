package sql

import (
	"sort"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// skeleton is a query as TiDB sees it, one token a line:
//
//   - An operand (a column, a literal, a call, a CASE, a table ..) is a number in backquotes: `7`.
//     If expressions or subqueries stand inside it, they follow as arguments: `7`(.., ..).
//   - A slot is a place in our tree for an expression that has operators: `8`(`9` + `10`).
//     An expression without operators is put into its place at once and needs no slot.
//   - SELECT, FROM, JOIN ON, WHERE, GROUP BY, HAVING, ORDER BY, WITH, UNION and brackets are MySQL's own.
//   - The operators are OR, AND, NOT, =, |, +, -, * and /, by rank: = carries every comparison and what
//     Flink ranks with it (IS NULL and the like: `1` = `2`, where `2` is the test), | carries IN, LIKE and
//     BETWEEN, * carries %, and || too, which ranks as * in Flink. Which one it was is in the token.
//
// For example
//
//	SELECT b.x + 1, count(DISTINCT y) FILTER (WHERE p < 10) FROM t AS b WHERE b.x IN (1, 2) AND s LIKE 'a%' || b.k
//
// becomes
//
//	SELECT `0`(`1` + `2`), `4`(`7`(`8` = `9`)) FROM `10` WHERE `11`(`12` | `13` AND `18` | `19`(`20`(`21` * `22`)))
//
// where 4 is the call, 7 its filter, 10 the table, 13 and 19 the right sides of IN and LIKE, and 20 the
// pattern. The numbers that are missing needed no place: the list of IN has no operators.
type skeleton struct {
	out    []outToken
	refs   []ref
	frames []*frame // the operand whose arguments are being written is the last; nil: a clause
	lines  []int    // out tokens that stand in the text, by line
	starts []int    // byte offset in the text of each line
}

// outToken is one token of the skeleton. A token without text is left out.
type outToken struct {
	text string
	src  int // byte offset in the user's text
	join func(left, right ast.Expr) ast.Expr
	wrap func(arg ast.Expr) ast.Expr
}

// ref is what a number stands for.
type ref struct {
	node ast.Expr       // of an operand; nil for a table and other things without a value
	slot bool           // its value is that of its argument
	set  func(ast.Expr) // of a slot: takes the value, nil for brackets between operators
	// test makes the predicate whose right side this operand is: IS NULL, IN (..).
	test func(left ast.Expr) ast.Expr
}

// frame is an operand or slot while it is written.
type frame struct {
	ref  int
	at   int // index of its name in out; the opening bracket is next
	args int
}

func (s *skeleton) emit(src int, texts ...string) {
	for _, t := range texts {
		s.out = append(s.out, outToken{text: t, src: src})
	}
}

// open begins an operand or slot.
func (s *skeleton) open(src int) *frame {
	f := &frame{ref: len(s.refs), at: len(s.out)}
	s.refs = append(s.refs, ref{})
	s.emit(src, "`"+strconv.Itoa(f.ref)+"`", "")
	s.frames = append(s.frames, f)
	return f
}

// close ends it, with brackets if it has arguments.
func (s *skeleton) close(f *frame) {
	s.frames = s.frames[:len(s.frames)-1]
	if f.args > 0 {
		s.out[f.at+1].text = "("
		s.emit(s.out[len(s.out)-1].src, ")")
	}
}

// unwrap leaves only the arguments of a frame that was closed or is about to be.
func (s *skeleton) unwrap(f *frame) {
	s.frames = s.frames[:len(s.frames)-1]
	s.out[f.at].text = ""
}

// mark remembers a state to return to when what follows leaves no trace.
type mark struct{ out, args int }

func (s *skeleton) mark() mark {
	m := mark{out: len(s.out)}
	if f := s.top(); f != nil {
		m.args = f.args
	}
	return m
}

func (s *skeleton) undo(m mark) {
	s.out = s.out[:m.out]
	if f := s.top(); f != nil {
		f.args = m.args
	}
}

func (s *skeleton) top() *frame {
	if len(s.frames) == 0 {
		return nil
	}
	return s.frames[len(s.frames)-1]
}

// arg announces an argument of the current operand; in a clause it does nothing.
func (s *skeleton) arg(src int) {
	f := s.top()
	if f == nil {
		return
	}
	if f.args > 0 {
		s.emit(src, ",")
	}
	f.args++
}

// clause lets what is written next stand between keywords, not among arguments.
func (s *skeleton) clause() (done func()) {
	s.frames = append(s.frames, nil)
	return func() { s.frames = s.frames[:len(s.frames)-1] }
}

// text returns the skeleton.
func (s *skeleton) text() string {
	var b strings.Builder
	for i, t := range s.out {
		if t.text == "" {
			continue
		}
		s.lines, s.starts = append(s.lines, i), append(s.starts, b.Len())
		b.WriteString(t.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// at returns the line of a byte offset of the text.
func (s *skeleton) at(offset int) int { return max(0, sort.SearchInts(s.starts, offset+1)-1) }

// line returns the token of a line.
func (s *skeleton) line(n int) outToken { return s.out[s.lines[min(max(n, 0), len(s.lines)-1)]] }
