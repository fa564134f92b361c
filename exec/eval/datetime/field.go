package datetime

// Field reads one calendar field of a local time in milliseconds since the epoch, as
// Flink's EXTRACT does: dates before 1970 with a time of day belong to the following day
// (division towards zero), and their time fields are negative. ok is false for a unit it
// does not know.
func Field(unit string, ms int64) (v int64, ok bool) {
	switch unit {
	case "MILLISECOND":
		return ms % 1000, true
	case "SECOND":
		return ms % MillisPerMinute / 1000, true
	case "MINUTE":
		return ms % MillisPerHour / MillisPerMinute, true
	case "HOUR":
		return ms % MillisPerDay / MillisPerHour, true
	case "EPOCH":
		return ms / 1000, true
	}
	return DayField(unit, ms/MillisPerDay)
}

// DayField reads a field of a date.
func DayField(unit string, days int64) (v int64, ok bool) {
	switch unit {
	case "DOW":
		return int64(Weekday(days)%7) + 1, true
	case "ISODOW":
		return int64(Weekday(days)), true
	case "DOY":
		return int64(YearDay(days)), true
	case "WEEK":
		_, w := ISOWeek(days)
		return int64(w), true
	case "ISOYEAR":
		y, _ := ISOWeek(days)
		return y, true
	case "EPOCH":
		return days * 86400, true
	}
	y, m, d := Date(days)
	switch unit {
	case "DAY":
		return int64(d), true
	case "MONTH":
		return int64(m), true
	case "QUARTER":
		return int64(m+2) / 3, true
	case "YEAR":
		return y, true
	case "DECADE":
		return y / 10, true
	case "CENTURY":
		return roundYear(y, 100), true
	case "MILLENNIUM":
		return roundYear(y, 1000), true
	}
	return 0, false
}

func roundYear(y, span int64) int64 {
	if y > 0 {
		return (y + span - 1) / span
	}
	return (y - span + 1) / span
}

// TimeUnit is the length of a unit from MILLISECOND to DAY in milliseconds, 0 for others.
func TimeUnit(unit string) int64 {
	switch unit {
	case "MILLISECOND":
		return 1
	case "SECOND":
		return MillisPerSecond
	case "MINUTE":
		return MillisPerMinute
	case "HOUR":
		return MillisPerHour
	case "DAY":
		return MillisPerDay
	}
	return 0
}

// FloorDay and CeilDay round a date to a unit from WEEK (beginning on Sunday) on; ok is
// false for other units.
func FloorDay(unit string, days int64) (int64, bool) {
	y, m, _ := Date(days)
	switch unit {
	case "WEEK":
		return days - int64(Weekday(days)%7), true
	case "MONTH":
		return Days(y, m, 1), true
	case "QUARTER":
		return Days(y, (m-1)/3*3+1, 1), true
	case "YEAR":
		return Days(y, 1, 1), true
	case "DECADE":
		return Days(FloorDiv(y, 10)*10, 1, 1), true
	case "CENTURY":
		return Days((roundYear(y, 100)-1)*100+1, 1, 1), true
	case "MILLENNIUM":
		return Days((roundYear(y, 1000)-1)*1000+1, 1, 1), true
	}
	return 0, false
}

// CeilDay is the first day of the next unit unless days begins one.
func CeilDay(unit string, days int64) (int64, bool) {
	f, ok := FloorDay(unit, days)
	if !ok || f == days && unit != "DECADE" { // Flink moves a decade's first day, too
		return f, ok
	}
	switch unit {
	case "WEEK":
		return f + 7, true
	case "MONTH":
		return AddMonths(f, 1), true
	case "QUARTER":
		return AddMonths(f, 3), true
	case "YEAR":
		return AddMonths(f, 12), true
	case "DECADE":
		return AddMonths(f, 120), true
	case "CENTURY":
		return AddMonths(f, 1200), true
	}
	return AddMonths(f, 12000), true
}

// MonthsBetween counts whole months from a to b (milliseconds), negative when b is
// earlier.
func MonthsBetween(a, b int64) int64 {
	if b < a {
		return -MonthsBetween(b, a)
	}
	da, db := FloorDiv(a, MillisPerDay), FloorDiv(b, MillisPerDay)
	ya, ma, _ := Date(da)
	yb, mb, _ := Date(db)
	n := (yb-ya)*12 + int64(mb-ma)
	if moved := AddMonths(da, n)*MillisPerDay + (a - da*MillisPerDay); moved > b {
		n--
	}
	return n
}
