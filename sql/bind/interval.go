package bind

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// unitMillis are the units of day-time intervals, unitMonths those of year-month intervals.
var (
	unitMillis = map[ast.Unit]int64{ast.Day: 86_400_000, ast.Hour: 3_600_000, ast.Minute: 60_000, ast.Second: 1000}
	unitMonths = map[ast.Unit]int64{ast.Year: 12, ast.Month: 1}
)

// maxPrecision is the most digits that the leading field of a day-time interval may have in
// Flink (FlinkTypeFactory).
const maxPrecision = 3

// interval types INTERVAL '..' unit [TO unit]. The declared fields are lost, as in Flink:
// INTERVAL MONTH or INTERVAL SECOND(3), fractions cut to milliseconds.
func (b *binder) interval(l *ast.IntervalLit) (expr.Expr, error) {
	bad := func(why string) error {
		unit := l.From.String()
		if l.To != ast.UnitNone {
			unit += " TO " + l.To.String()
		}
		return b.errorf(l.Pos(), "INTERVAL '%s' %s is not valid: %s", l.Value.Value, unit, why)
	}
	if l.From == ast.Week || l.From == ast.Quarter {
		instead := map[ast.Unit]string{ast.Week: "INTERVAL '7' DAY", ast.Quarter: "INTERVAL '3' MONTH"}[l.From]
		meaning := map[ast.Unit]string{ast.Week: "an hour", ast.Quarter: "a month"}[l.From]
		return nil, b.errorf(l.Pos(), "a %s in an INTERVAL is refused: Flink takes it for %s", l.From, meaning).WithHint("write %s", instead)
	}
	precision := l.Precision
	if precision < 0 {
		precision = 2 // Flink's default for the leading field
	}
	if _, months := unitMonths[l.From]; !months && precision > maxPrecision {
		return nil, b.errorf(l.Pos(), "an INTERVAL with more than %d digits before the point is not possible in Flink SQL: %s(%d)", maxPrecision, l.From, precision).
			WithHint("use a larger unit")
	}
	text, negative := strings.TrimSpace(l.Value.Value), l.Negative
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		text, negative = rest, !negative
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	fields, frac, ok := splitInterval(text, l.From, l.To)
	if !ok {
		return nil, bad("expected a value like '" + exampleInterval(l.From, l.To) + "'")
	}
	units, total := unitMillis, int64(0)
	t := types.DayTimeT
	if _, months := unitMonths[l.From]; months {
		units, t = unitMonths, types.YearMonthT
	}
	for i, unit := 0, l.From; i < len(fields); i, unit = i+1, nextUnit(unit) {
		v, ok := digits(fields[i], 10)
		scale, known := units[unit]
		switch {
		case !known:
			return nil, bad("these units do not go together")
		case !ok:
			return nil, bad("'" + fields[i] + "' is no number")
		case i == 0 && len(strings.TrimLeft(fields[0], "0")) > precision:
			err := b.errorf(l.Pos(), "INTERVAL '%s' %s has more than %d digits", l.Value.Value, unit, precision)
			if n := len(fields[0]); n <= maxPrecision || t.Kind == types.IntervalYearMonth {
				return nil, err.WithHint("write %s(%d)", unit, n)
			}
			return nil, err.WithHint("use a larger unit: at most %d digits are possible", maxPrecision)
		case i > 0 && v > maxField[unit]:
			return nil, bad("too many " + strings.ToLower(unit.String()) + "s")
		}
		total += v * scale
	}
	if frac != "" {
		ms, ok := digits((frac + "000")[:3], 3)
		if !ok || len(frac) > 9 {
			return nil, bad("'" + frac + "' is no fraction of a second")
		}
		total += ms
	}
	if negative {
		total = -total
	}
	return b.lit(total, t, l.Pos()), nil
}

var maxField = map[ast.Unit]int64{ast.Month: 11, ast.Hour: 23, ast.Minute: 59, ast.Second: 59}

func nextUnit(u ast.Unit) ast.Unit {
	switch u {
	case ast.Year:
		return ast.Month
	case ast.Day:
		return ast.Hour
	case ast.Hour:
		return ast.Minute
	case ast.Minute:
		return ast.Second
	}
	return ast.UnitNone
}

// splitInterval cuts "1 12:30:45.5" at the separators that from .. to demand.
func splitInterval(text string, from, to ast.Unit) (fields []string, frac string, ok bool) {
	last := to
	if last == ast.UnitNone {
		last = from
	}
	for u := from; u != last; u = nextUnit(u) {
		sep := map[ast.Unit]string{ast.Year: "-", ast.Day: " ", ast.Hour: ":", ast.Minute: ":"}[u]
		head, rest, found := strings.Cut(text, sep)
		if sep == "" || !found {
			return nil, "", false
		}
		fields, text = append(fields, head), strings.TrimLeft(rest, " ")
	}
	if last == ast.Second {
		text, frac, _ = strings.Cut(text, ".")
	}
	return append(fields, text), frac, text != ""
}

func exampleInterval(from, to ast.Unit) string {
	if to == ast.UnitNone {
		return "5"
	}
	out := "1"
	for u := from; u != to && u != ast.UnitNone; u = nextUnit(u) {
		out += map[ast.Unit]string{ast.Year: "-2", ast.Day: " 12", ast.Hour: ":30", ast.Minute: ":45"}[u]
	}
	return out
}
