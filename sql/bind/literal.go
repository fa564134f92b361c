package bind

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

func (b *binder) lit(v any, t types.Type, pos int) *expr.Literal {
	return &expr.Literal{Value: v, Typ: t.NotNullable(), Offset: b.at(pos)}
}

// number types a number as Calcite does (SqlNumericLiteral): with an exponent DOUBLE;
// without a fraction INT, or BIGINT where INT is too small; else DECIMAL of as many digits
// as are written. Its digits together must fit a BIGINT.
func (b *binder) number(text string, negative bool, pos int) (expr.Expr, error) {
	sign := ""
	if negative {
		sign = "-"
	}
	if strings.ContainsAny(text, "eE") {
		v, err := strconv.ParseFloat(sign+text, 64)
		if err != nil {
			return nil, b.errorf(pos, "number %s%s is out of the range of DOUBLE", sign, text)
		}
		return b.lit(v, types.DoubleT, pos), nil
	}
	whole, frac, _ := strings.Cut(text, ".")
	unscaled, ok := new(big.Int).SetString(sign+whole+frac, 10)
	switch {
	case !ok:
		return nil, b.errorf(pos, "%s is no number", text)
	case len(frac) > 38:
		return nil, b.errorf(pos, "number %s has %d digits after the point, at most 38 are possible", text, len(frac))
	case !unscaled.IsInt64():
		return nil, b.errorf(pos, "number %s%s is out of range: a number without exponent has at most 19 digits", sign, text).
			WithHint("write CAST('%s%s' AS DECIMAL(p, s))", sign, text)
	}
	if frac == "" {
		if v := unscaled.Int64(); v != int64(int32(v)) {
			return b.lit(v, types.BigIntT, pos), nil
		}
		return b.lit(unscaled.Int64(), types.IntT, pos), nil
	}
	if p := len(whole) + len(frac); p <= 38 {
		return b.lit(unscaled, types.DecimalT(p, len(frac)), pos), nil
	}
	return nil, b.errorf(pos, "number %s has more than 38 digits", text)
}

// text types a string as CHAR(n); n counts UTF-16 units, as in Flink.
func (b *binder) text(s string, pos int) expr.Expr {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return b.lit(s, types.CharT(n), pos)
}

// typed checks and types DATE, TIME and TIMESTAMP literals.
func (b *binder) typed(l *ast.TypedLit) (expr.Expr, error) {
	text := strings.TrimSpace(l.Value.Value)
	bad := func(form string) error {
		return b.errorf(l.Pos(), "%s '%s' is not valid, expected the form '%s'", l.Kind, l.Value.Value, form)
	}
	switch l.Kind {
	case types.Date:
		days, ok := parseDate(text)
		if !ok {
			return nil, bad("yyyy-MM-dd")
		}
		return b.lit(days, types.DateT, l.Pos()), nil
	case types.Time:
		nanos, digits, ok := parseClock(text)
		if !ok {
			return nil, bad("HH:mm:ss")
		}
		// Flink's type is TIME(0) whatever the fraction, but the value keeps milliseconds.
		_ = digits
		return b.lit(nanos/1_000_000, types.TimeT(0), l.Pos()), nil
	}
	date, clock, hasClock := strings.Cut(text, " ")
	days, ok := parseDate(date)
	if !ok {
		return nil, bad("yyyy-MM-dd HH:mm:ss")
	}
	nanos, digits := int64(0), 0
	if hasClock {
		if nanos, digits, ok = parseClock(strings.TrimSpace(clock)); !ok {
			return nil, bad("yyyy-MM-dd HH:mm:ss")
		}
	}
	t := types.TimestampT(min(digits, 9))
	v, ok := timestampValue(days, nanos, t)
	if !ok {
		return nil, b.errorf(l.Pos(), "%s '%s' is beyond what %s can hold: with nanoseconds, the years 1677 to 2262", l.Kind, text, t)
	}
	return b.lit(v, t, l.Pos()), nil
}

// timestampValue converts to the units of t; false when it does not fit.
func timestampValue(days, nanos int64, t types.Type) (int64, bool) {
	per := t.UnitsPerSecond()
	seconds := new(big.Int).SetInt64(days*86400 + nanos/1_000_000_000)
	v := seconds.Mul(seconds, big.NewInt(per))
	v.Add(v, big.NewInt(nanos%1_000_000_000/(1_000_000_000/per)))
	return v.Int64(), v.IsInt64()
}

// parseDate reads y-m-d with one or two digits of month and day, years 1 to 9999. The days
// that the Gregorian reform left out do not exist, as in Flink's literals.
func parseDate(s string) (days int64, ok bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 || len(parts[0]) != 4 {
		return 0, false
	}
	y, ok1 := digits(parts[0], 4)
	m, ok2 := digits(parts[1], 2)
	d, ok3 := digits(parts[2], 2)
	if !ok1 || !ok2 || !ok3 || y < 1 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, false
	}
	if y == 1582 && m == 10 && d > 4 && d < 15 {
		return 0, false
	}
	return civilDays(y, m, d), true
}

func daysIn(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// civilDays counts days since 1970-01-01 in the proleptic Gregorian calendar.
func civilDays(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
}

// parseClock reads H:m:s[.fraction] and returns nanoseconds of the day and the number of
// digits of the fraction.
func parseClock(s string) (nanos int64, fraction int, ok bool) {
	s, frac, hasFrac := strings.Cut(s, ".")
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, 0, false
	}
	h, ok1 := digits(parts[0], 2)
	m, ok2 := digits(parts[1], 2)
	sec, ok3 := digits(parts[2], 2)
	if !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || sec > 59 {
		return 0, 0, false
	}
	if hasFrac {
		if _, ok := digits(frac, 18); !ok && frac != "" {
			return 0, 0, false
		}
		padded := (frac + "000000000")[:9]
		nanos, _ = digits(padded, 9)
	}
	return (h*3600+m*60+sec)*1_000_000_000 + nanos, len(frac), true
}

// digits reads 1 to most decimal digits.
func digits(s string, most int) (int64, bool) {
	if s == "" || len(s) > most {
		return 0, false
	}
	n := int64(0)
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
