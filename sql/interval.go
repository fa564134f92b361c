package sql

import (
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// interval parses INTERVAL [-] 'value' unit [TO unit].
func (p *parser) interval() ast.Expr {
	iv := &ast.IntervalLit{At: p.pos(), Precision: -1, FracPrecision: -1}
	if p.i++; p.accept("-") {
		iv.Negative = true
	} else {
		p.accept("+")
	}
	switch t := p.tok(); t.kind {
	case text:
		iv.Value = p.string("a string")
	case number:
		n := p.number("a number")
		iv.Value = ast.StringLit{At: n.At, Value: n.Text}
	default:
		p.failHint(p.i, "write INTERVAL '5' MINUTE; for a column write n * INTERVAL '1' MINUTE or TIMESTAMPADD(MINUTE, n, ts)",
			"expected a quoted value after INTERVAL, found %s", p.show(p.i))
	}
	p.units(iv)
	return iv
}

// units parses unit [(precision)] [TO unit [(precision)]].
func (p *parser) units(iv *ast.IntervalLit) {
	iv.From = p.intervalUnit(iv)
	p.precision(iv, iv.From)
	if !p.accept("TO") {
		return
	}
	at := p.i
	iv.To = p.intervalUnit(iv)
	if !intervalRange(iv.From, iv.To) {
		p.failHint(at, "YEAR TO MONTH, or from DAY, HOUR or MINUTE to a shorter unit", "there is no interval %s TO %s", iv.From, iv.To)
	}
	if iv.To == ast.Second && p.peek("(") {
		p.brackets(1, func() { iv.FracPrecision = p.small("a precision", 0, 9) })
	}
}

// precision parses (2), and (2, 3) of a second.
func (p *parser) precision(iv *ast.IntervalLit, unit ast.Unit) {
	if !p.peek("(") {
		return
	}
	n := 0
	p.brackets(2, func() {
		if n++; n == 1 {
			iv.Precision = p.small("a precision", 1, 10)
		} else if unit == ast.Second {
			iv.FracPrecision = p.small("a precision of fractions", 0, 9)
		} else {
			p.fail(p.i, "%s takes one precision", unit)
		}
	})
}

// small parses a whole number between lo and hi.
func (p *parser) small(what string, lo, hi int) int {
	lit := p.whole(what)
	n, err := strconv.Atoi(lit.Text)
	if err != nil || n < lo || n > hi {
		p.fail(p.i-1, "%s is between %d and %d, found %s", what, lo, hi, lit.Text)
	}
	return n
}

// unitAhead returns the unit the current word names, in the singular or plural.
func (p *parser) unitAhead() ast.Unit {
	t := p.tok()
	if t.kind != word {
		return ast.UnitNone
	}
	if u := ast.UnitOf(t.upper); u != ast.UnitNone {
		return u
	}
	if u := ast.UnitOf(strings.TrimSuffix(t.upper, "S")); u >= ast.Year && u <= ast.Second {
		return u
	}
	return ast.UnitNone
}

func (p *parser) intervalUnit(iv *ast.IntervalLit) ast.Unit {
	u := p.unitAhead()
	if u >= ast.Year && u <= ast.Second {
		p.i++
		return u
	}
	const units = "YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE or SECOND"
	hint := ""
	if f := strings.Fields(iv.Value.Value); len(f) == 2 && ast.UnitOf(strings.TrimSuffix(strings.ToUpper(f[1]), "S")) != ast.UnitNone {
		hint = "write INTERVAL '" + f[0] + "' " + strings.TrimSuffix(strings.ToUpper(f[1]), "S")
	} else if u != ast.UnitNone {
		hint = "write fractions of a second, as in INTERVAL '0.250' SECOND"
	}
	p.failHint(p.i, hint, "expected %s%s, found %s", units, p.after(), p.show(p.i))
	return u
}

// difference parses the unit behind (a - b), which makes it an interval.
func (p *parser) difference(x operand) ast.Expr {
	d := &ast.Difference{At: p.pos()}
	iv := &ast.IntervalLit{Precision: -1, FracPrecision: -1}
	at := p.tok().start
	p.units(iv)
	d.From, d.To, d.Precision, d.FracPrecision = iv.From, iv.To, iv.Precision, iv.FracPrecision
	x.give(p.sk, func(e ast.Expr) {
		b, ok := e.(*ast.Binary)
		if !ok || b.Op != ast.OpSub {
			panic(p.src.Errorf(at, "a unit of time stands only behind (a - b)"))
		}
		d.Left, d.Right = b.Left, b.Right
	})
	return d
}

// intervalRange reports whether Flink has an interval FROM one unit TO another.
func intervalRange(from, to ast.Unit) bool {
	if from == ast.Year {
		return to == ast.Month
	}
	return from >= ast.Day && to > from && to <= ast.Second
}
