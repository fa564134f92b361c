// Package datetime owns calendar arithmetic on the engine's temporal values: days, time of
// day, timestamps in any unit; their texts, Java's format patterns, time zones. Functions
// are pure and allocate nothing unless said. exec/eval, formats and operators may import it.
package datetime

// Milliseconds of larger units.
const (
	MillisPerSecond = 1000
	MillisPerMinute = 60 * MillisPerSecond
	MillisPerHour   = 60 * MillisPerMinute
	MillisPerDay    = 24 * MillisPerHour
)

// FloorDiv and FloorMod round towards minus infinity; b > 0.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// FloorMod is a - FloorDiv(a, b)*b.
func FloorMod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}

// Date splits days since 1970-01-01 in the proleptic Gregorian calendar.
func Date(days int64) (year int64, month, day int) {
	z := days + 719468
	era := FloorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp) + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// Days is the inverse of Date. Months and days out of range count on.
func Days(year int64, month, day int) int64 {
	m := int64(month) - 1
	year += FloorDiv(m, 12)
	m = FloorMod(m, 12) + 1
	if m <= 2 {
		year--
	}
	era := FloorDiv(year, 400)
	yoe := year - era*400
	mp := m - 3
	if m <= 2 {
		mp = m + 9
	}
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// IsLeap reports a year with a 29th of February.
func IsLeap(y int64) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

// DaysIn is the number of days of a month, 1 to 12.
func DaysIn(y int64, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if IsLeap(y) {
			return 29
		}
		return 28
	}
	return 31
}

// AddMonths moves a date by whole months; a day past the end of the month becomes its last.
func AddMonths(days, months int64) int64 {
	y, m, d := Date(days)
	total := y*12 + int64(m) - 1 + months
	y, m = FloorDiv(total, 12), int(FloorMod(total, 12))+1
	return Days(y, m, min(d, DaysIn(y, m)))
}

// Weekday is 1 for Monday to 7 for Sunday.
func Weekday(days int64) int { return int(FloorMod(days+3, 7)) + 1 }

// YearDay is 1 to 366.
func YearDay(days int64) int {
	y, _, _ := Date(days)
	return int(days-Days(y, 1, 1)) + 1
}

// ISOWeek is the ISO 8601 week and the year it belongs to.
func ISOWeek(days int64) (year int64, week int) {
	thursday := days - int64(Weekday(days)) + 4
	year, _, _ = Date(thursday)
	return year, int(thursday-Days(year, 1, 1))/7 + 1
}
