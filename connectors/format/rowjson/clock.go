package rowjson

import (
	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	nanosPerSecond = 1_000_000_000
	secondsPerDay  = 86_400
)

// AppendTimestamp appends a value of a timestamp type as yyyy-MM-dd, sep, HH:mm:ss and as
// many fraction digits as the type has, or more where the value itself has more.
func AppendTimestamp(dst []byte, v int64, t types.Type, sep byte) []byte {
	units := t.UnitsPerSecond()
	sec, frac := v/units, v%units
	if frac < 0 {
		sec, frac = sec-1, frac+units
	}
	day, rest := sec/secondsPerDay, sec%secondsPerDay
	if rest < 0 {
		day, rest = day-1, rest+secondsPerDay
	}
	dst = append(text.AppendDate(dst, int32(day)), sep)
	return appendClock(dst, rest, frac*(nanosPerSecond/units), t.Precision)
}

// AppendTime appends milliseconds of a day as a TIME of the given precision.
func AppendTime(dst []byte, millis int32, precision int) []byte {
	return appendClock(dst, int64(millis)/1000, int64(millis)%1000*1_000_000, precision)
}

// appendClock appends HH:mm:ss and precision fraction digits or more.
func appendClock(dst []byte, sec, nanos int64, precision int) []byte {
	two := func(n int64, before byte) {
		if before != 0 {
			dst = append(dst, before)
		}
		dst = append(dst, byte('0'+n/10), byte('0'+n%10))
	}
	two(sec/3600, 0)
	two(sec/60%60, ':')
	two(sec%60, ':')
	digits := [9]byte{}
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + nanos%10)
		nanos /= 10
	}
	n := len(digits)
	for n > precision && digits[n-1] == '0' {
		n--
	}
	if n == 0 {
		return dst
	}
	return append(append(dst, '.'), digits[:n]...)
}
