package types

import (
	"fmt"
	"strconv"
	"strings"
)

// maxNesting bounds the depth of types that Parse reads.
const maxNesting = 64

// Parse reads a type in the form that String writes. It is no parser of SQL: manifests hold
// types in this form.
func Parse(text string) (Type, error) {
	p := typeParser{rest: text}
	t := p.parse(0)
	if p.err == nil && p.rest != "" {
		p.fail("the end of the type")
	}
	if p.err != nil {
		return Type{}, fmt.Errorf("type %.200q: %w", text, p.err)
	}
	return t, nil
}

type typeParser struct {
	rest string
	err  error
}

func (p *typeParser) fail(expected string) {
	if p.err == nil {
		p.err = fmt.Errorf("expected %s, found %.40q", expected, p.rest)
	}
}

func (p *typeParser) take(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *typeParser) need(s string) {
	if !p.take(s) {
		p.fail(strconv.Quote(s))
	}
}

// parsedKinds are the kinds that begin a type, no name before one that it is the start of.
var parsedKinds = []Kind{
	Null, Boolean, TinyInt, SmallInt, IntervalYearMonth, IntervalDayTime, Int, BigInt, Float, Double, Decimal, Char, VarChar,
	Binary, VarBinary, Date, TimestampLTZ, Timestamp, Time, Array, Map, Multiset, Row,
}

func (p *typeParser) parse(depth int) Type {
	t := Type{}
	if depth > maxNesting {
		p.fail(fmt.Sprintf("at most %d types inside each other", maxNesting))
		return t
	}
	switch {
	case p.take("STRING"):
		t = StringT
	case p.take("BYTES"):
		t = BytesT
	default:
		for _, k := range parsedKinds {
			if p.take(k.String()) {
				t.Kind = k
				break
			}
		}
		p.arguments(&t, depth)
	}
	t.NotNull = p.take(" NOT NULL")
	return t
}

// arguments reads what follows the name of t's kind.
func (p *typeParser) arguments(t *Type, depth int) {
	switch t.Kind {
	case Invalid:
		p.fail("the name of a type")
	case Decimal:
		p.need("(")
		t.Precision = p.number(1, 38)
		p.need(", ")
		t.Scale = p.number(0, t.Precision)
		p.need(")")
	case Char, VarChar, Binary, VarBinary:
		p.need("(")
		t.Length = p.number(0, MaxLength)
		p.need(")")
	case Time, Timestamp, TimestampLTZ:
		p.need("(")
		t.Precision = p.number(0, 9)
		p.need(")")
	case Array, Multiset:
		p.need("<")
		t.Elem = p.inner(depth)
		p.need(">")
	case Map:
		p.need("<")
		t.Key = p.inner(depth)
		p.need(", ")
		t.Elem = p.inner(depth)
		p.need(">")
	case Row:
		p.need("<")
		for p.err == nil && !p.take(">") {
			if len(t.Fields) > 0 {
				p.need(", ")
			}
			name := p.name()
			p.need(" ")
			t.Fields = append(t.Fields, Field{Name: name, Type: *p.inner(depth)})
		}
	}
}

func (p *typeParser) inner(depth int) *Type {
	t := Type{}
	if p.err == nil {
		t = p.parse(depth + 1)
	}
	return &t
}

func (p *typeParser) number(lo, hi int) int {
	n := 0
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		n++
	}
	v, err := strconv.Atoi(p.rest[:n])
	if err != nil || v < lo || v > hi || n > 1 && p.rest[0] == '0' {
		p.fail(fmt.Sprintf("a number from %d to %d", lo, hi))
		return lo
	}
	p.rest = p.rest[n:]
	return v
}

// name reads a name as QuoteIdent writes it.
func (p *typeParser) name() string {
	p.need("`")
	var b strings.Builder
	for p.err == nil {
		i := strings.IndexByte(p.rest, '`')
		if i < 0 {
			p.fail("a name that ends with a backquote")
			break
		}
		b.WriteString(p.rest[:i])
		p.rest = p.rest[i+1:]
		if !p.take("`") {
			break
		}
		b.WriteByte('`')
	}
	return b.String()
}
