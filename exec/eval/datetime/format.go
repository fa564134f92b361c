package datetime

import "fmt"

// Formatter writes local times by a pattern of Java's DateTimeFormatter. Runs of date
// fields are remembered for the last day, which rows near in time share. Not for
// concurrent use.
type Formatter struct {
	parts []part
}

// part is a run of date fields and literals with its text for one day, or one time field.
type part struct {
	items []item
	date  bool
	day   int64
	text  []byte
}

// letters of DateTimeFormatter.
const formatterLetters = "GuyDMLdQqYwWEecFaBhKkHmsSAnNVvzOXxZp"

// NewFormatter compiles a pattern. Zone fields are an error: the times are local.
func NewFormatter(pattern string) (*Formatter, error) {
	items, err := tokenize(pattern, formatterLetters, true)
	if err != nil {
		return nil, err
	}
	f := &Formatter{}
	for _, it := range items {
		switch it.letter {
		case '[', ']':
			continue
		case 'V', 'v', 'z', 'O', 'X', 'x', 'Z':
			return nil, fmt.Errorf("%c in %q needs a time zone, which a local time does not have", it.letter, pattern)
		case 'B', 'p', 'c':
			return nil, fmt.Errorf("%c in %q is not supported", it.letter, pattern)
		}
		date := !timeField(it.letter)
		if n := len(f.parts); date && n > 0 && f.parts[n-1].date {
			f.parts[n-1].items = append(f.parts[n-1].items, it)
			continue
		}
		f.parts = append(f.parts, part{items: []item{it}, date: date, day: 1 << 62})
	}
	return f, nil
}

func timeField(c byte) bool {
	switch c {
	case 'a', 'h', 'K', 'k', 'H', 'm', 's', 'S', 'A', 'n', 'N':
		return true
	}
	return false
}

// Append writes the local time of ms milliseconds since the epoch and nanos within it.
func (f *Formatter) Append(dst []byte, ms int64, nanos int32) []byte {
	day := FloorDiv(ms, MillisPerDay)
	clock := ms - day*MillisPerDay
	for i := range f.parts {
		p := &f.parts[i]
		if !p.date {
			dst = appendClock(dst, p.items[0], clock, nanos)
			continue
		}
		if p.day != day {
			p.day, p.text = day, p.text[:0]
			for _, it := range p.items {
				p.text = appendDay(p.text, it, day)
			}
		}
		dst = append(dst, p.text...)
	}
	return dst
}

func appendClock(dst []byte, it item, ms int64, nanos int32) []byte {
	h := ms / MillisPerHour
	if it.count == 2 {
		switch it.letter {
		case 'H':
			return append2(dst, int(h))
		case 'm':
			return append2(dst, int(ms/MillisPerMinute%60))
		case 's':
			return append2(dst, int(ms/MillisPerSecond%60))
		}
	}
	pad := func(v int64) []byte { return appendPadded(dst, v, min(it.count, 9)) }
	switch it.letter {
	case 'a':
		if h < 12 {
			return append(dst, "AM"...)
		}
		return append(dst, "PM"...)
	case 'H':
		return pad(h)
	case 'k':
		return pad((h+23)%24 + 1)
	case 'K':
		return pad(h % 12)
	case 'h':
		return pad((h+11)%12 + 1)
	case 'm':
		return pad(ms / MillisPerMinute % 60)
	case 's':
		return pad(ms / MillisPerSecond % 60)
	case 'S':
		n := ms%1000*1e6 + int64(nanos)
		c := min(it.count, 9)
		return appendPadded(dst, n/pow10[9-c], c)
	case 'A':
		return pad(ms)
	case 'n':
		return pad(ms%1000*1e6 + int64(nanos))
	}
	return pad(ms*1e6 + int64(nanos)) // N
}

func appendDay(dst []byte, it item, day int64) []byte {
	y, m, d := Date(day)
	pad := func(v int64) []byte { return appendPadded(dst, v, min(it.count, 9)) }
	switch it.letter {
	case 0:
		return append(dst, it.text...)
	case 'G':
		if y > 0 {
			return append(dst, "AD"...)
		}
		return append(dst, "BC"...)
	case 'y', 'u':
		if it.letter == 'y' && y <= 0 {
			y = 1 - y
		}
		return appendYearField(dst, it.count, y)
	case 'Y':
		wy, _ := weekOfYear(day)
		return appendYearField(dst, it.count, wy)
	case 'M', 'L':
		return appendName(dst, it, monthNames[m-1], int64(m))
	case 'd':
		return pad(int64(d))
	case 'D':
		return pad(int64(YearDay(day)))
	case 'Q', 'q':
		q := int64(m+2) / 3
		switch {
		case it.count == 3:
			return append(dst, 'Q', byte('0'+q))
		case it.count > 3:
			return append(append(dst, [...]string{"1st", "2nd", "3rd", "4th"}[q-1]...), " quarter"...)
		}
		return pad(q)
	case 'w':
		_, w := weekOfYear(day)
		return pad(int64(w))
	case 'W':
		return pad(int64(weekOfMonth(day)))
	case 'F':
		return pad(int64(d-1)%7 + 1)
	case 'e':
		wd := Weekday(day)
		if it.count > 2 {
			return appendName(dst, it, dayNames[wd-1], 0)
		}
		return pad(int64(wd%7) + 1)
	}
	return appendName(dst, item{count: max(it.count, 3)}, dayNames[Weekday(day)-1], 0) // E
}

func appendYearField(dst []byte, count int, y int64) []byte {
	switch {
	case count == 2:
		return append2(dst, int(FloorMod(y, 100)))
	case count < 4:
		return appendPadded(dst, y, count)
	}
	if y > pow10[min(count, 9)]-1 {
		dst = append(dst, '+')
	}
	if y < 0 {
		dst = append(dst, '-')
		y = -y
	}
	return appendPadded(dst, y, min(count, 9))
}

// appendName writes a number up to two letters, the short name for three, the full one for
// four, the first letter for five.
func appendName(dst []byte, it item, name string, v int64) []byte {
	switch it.count {
	case 1, 2:
		return appendPadded(dst, v, it.count)
	case 3:
		return append(dst, name[:3]...)
	case 5:
		return append(dst, name[0])
	}
	return append(dst, name...)
}
