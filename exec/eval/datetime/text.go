package datetime

import "strconv"

// AppendYear writes a year with at least four digits, a sign when it needs more.
func AppendYear(dst []byte, y int64) []byte {
	if y < 0 {
		dst = append(dst, '-')
		y = -y
	} else if y > 9999 {
		dst = append(dst, '+')
	}
	return appendPadded(dst, y, 4)
}

// appendPadded writes x >= 0 with at least width digits, width <= 9.
func appendPadded(dst []byte, x int64, width int) []byte {
	if width == 2 && x < 100 {
		return append2(dst, int(x))
	}
	if x >= pow10[width] {
		return strconv.AppendInt(dst, x, 10)
	}
	var buf [9]byte
	for i := width - 1; i >= 0; i-- {
		q := x / 10
		buf[i] = byte('0' + x - q*10)
		x = q
	}
	return append(dst, buf[:width]...)
}

var pow10 = [...]int64{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000}

func append2(dst []byte, x int) []byte { return append(dst, byte('0'+x/10), byte('0'+x%10)) }

// AppendDate writes "2020-02-29".
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := Date(days)
	return append2(append(append2(append(AppendYear(dst, y), '-'), m), '-'), d)
}

// AppendTime writes "12:34:56" and, for precision > 0, a point and that many digits.
func AppendTime(dst []byte, nanos int64, precision int) []byte {
	sec := nanos / 1e9
	dst = append2(append(append2(append(append2(dst, int(sec/3600)), ':'), int(sec/60%60)), ':'), int(sec%60))
	if precision > 0 {
		dst = append(dst, '.')
		dst = appendPadded(dst, nanos%1e9/pow10[9-precision], precision)
	}
	return dst
}

// AppendTimestamp writes "2020-02-29 12:34:56.123" for a value of the given units a second.
func AppendTimestamp(dst []byte, v, units int64, precision int, sep byte) []byte {
	sec := FloorDiv(v, units)
	days := FloorDiv(sec, 86400)
	nanos := (sec-days*86400)*1e9 + (v-sec*units)*(1e9/units)
	return AppendTime(append(AppendDate(dst, days), sep), nanos, precision)
}

// TimestampWriter is AppendTimestamp with a blank, remembering the text of the last day. Not
// for concurrent use.
type TimestampWriter struct {
	units     int64
	precision int
	day       int64
	text      []byte // of the day, with the blank
}

// NewTimestampWriter makes a writer for values of the given units a second.
func NewTimestampWriter(units int64, precision int) *TimestampWriter {
	return &TimestampWriter{units: units, precision: precision, day: 1 << 62}
}

// Append writes "2020-02-29 12:34:56.123".
func (w *TimestampWriter) Append(dst []byte, v int64) []byte {
	perDay := w.units * 86400
	day := FloorDiv(v, perDay)
	if day != w.day {
		w.day, w.text = day, append(AppendDate(w.text[:0], day), ' ')
	}
	return AppendTime(append(dst, w.text...), (v-day*perDay)*(1e9/w.units), w.precision)
}

// AppendDayTime writes an interval of milliseconds: "+1 02:03:04.567".
func AppendDayTime(dst []byte, ms int64) []byte {
	sign := byte('+')
	if ms < 0 {
		sign, ms = '-', -ms
	}
	dst = strconv.AppendInt(append(dst, sign), ms/MillisPerDay, 10)
	return AppendTime(append(dst, ' '), ms%MillisPerDay*1e6, 3)
}

// AppendYearMonth writes an interval of months: "+1-02".
func AppendYearMonth(dst []byte, months int64) []byte {
	sign := byte('+')
	if months < 0 {
		sign, months = '-', -months
	}
	dst = strconv.AppendInt(append(dst, sign), months/12, 10)
	return append2(append(dst, '-'), int(months%12))
}
