package datetime

import (
	"strings"
	"time"
)

// Parser reads local times by a pattern of Java's DateTimeFormatter, resolving fields the
// smart way (the 30th of February is the last day). Fields that are missing are those of
// 1970-01-01 00:00. It allocates per value.
type Parser struct {
	items []item
}

// NewParser compiles a pattern.
func NewParser(pattern string) (*Parser, error) {
	items, err := tokenize(pattern, formatterLetters, true)
	if err != nil {
		return nil, err
	}
	return &Parser{items}, nil
}

// fields collects what a text says; -1 is unset.
type fields struct {
	year, month, day, yearDay    int64
	hour, hour12, minute, second int64
	nanos, clock                 int64 // clock: nanoseconds of the day
	pm                           int64
}

// Parse reads all of s. The result is seconds since the epoch (local) and nanoseconds.
func (p *Parser) Parse(s string) (sec, nanos int64, ok bool) {
	f := fields{-1 << 40, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}
	rest, ok := parseItems(p.items, s, &f)
	if !ok || rest != "" {
		return 0, 0, false
	}
	return f.resolve()
}

// parseItems reads items; a bracketed part that does not match is skipped.
func parseItems(items []item, s string, f *fields) (rest string, ok bool) {
	for i := 0; i < len(items); i++ {
		switch items[i].letter {
		case '[':
			end := closing(items, i)
			saved := *f
			if r, ok := parseItems(items[i+1:end], s, f); ok {
				s = r
			} else {
				*f = saved
			}
			i = end
		case ']':
		default:
			if s, ok = f.parse(items[i], s); !ok {
				return s, false
			}
		}
	}
	return s, true
}

func closing(items []item, open int) int {
	depth := 0
	for i := open; i < len(items); i++ {
		switch items[i].letter {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(items)
}

func (f *fields) parse(it item, s string) (rest string, ok bool) {
	set := func(to *int64, least, most int, lo, hi int64) (string, bool) {
		v, rest, ok := digits(s, least, most)
		if !ok || v < lo || v > hi || *to >= 0 && *to != v {
			return s, false
		}
		*to = v
		return rest, true
	}
	most := 19
	if it.after {
		most = it.count
	}
	switch it.letter {
	case 0:
		rest, ok = strings.CutPrefix(s, it.text)
		return rest, ok
	case 'y', 'u':
		return f.parseYear(it, s)
	case 'M', 'L':
		if it.count > 2 {
			return name(s, monthNames[:], it.count, &f.month)
		}
		return set(&f.month, it.count, max(most, 2), 1, 12)
	case 'd':
		return set(&f.day, it.count, max(min(most, 2), 2), 1, 31)
	case 'D':
		return set(&f.yearDay, it.count, 3, 1, 366)
	case 'H':
		return set(&f.hour, it.count, 2, 0, 23)
	case 'k':
		rest, ok = set(&f.hour, it.count, 2, 1, 24)
		f.hour %= 24
		return rest, ok
	case 'h':
		rest, ok = set(&f.hour12, it.count, 2, 1, 12)
		f.hour12 %= 12
		return rest, ok
	case 'K':
		return set(&f.hour12, it.count, 2, 0, 11)
	case 'm':
		return set(&f.minute, it.count, 2, 0, 59)
	case 's':
		return set(&f.second, it.count, 2, 0, 59)
	case 'S':
		v, rest, ok := digits(s, it.count, it.count)
		if ok && it.count <= 9 {
			f.nanos = v * pow10[9-it.count]
		}
		return rest, ok && it.count <= 9
	case 'n':
		return set(&f.nanos, it.count, 19, 0, 999_999_999)
	case 'A', 'N':
		v, rest, ok := digits(s, it.count, 19)
		if it.letter == 'A' {
			v *= 1e6
		}
		f.clock = v
		return rest, ok
	case 'a':
		return name(s, []string{"AM", "PM"}, 4, &f.pm)
	case 'E':
		var ignored int64
		return name(s, dayNames[:], it.count, &ignored)
	case 'G':
		var ignored int64
		return name(s, []string{"AD", "BC"}, 4, &ignored)
	case 'X', 'x', 'Z':
		return offset(s, it)
	}
	_, rest, ok = digits(s, 1, 19) // w, W, F, Q, q, Y, e: read and not used
	return rest, ok
}

func (f *fields) parseYear(it item, s string) (string, bool) {
	switch {
	case it.count == 2:
		v, rest, ok := digits(s, 2, 2)
		f.year = 2000 + v
		return rest, ok
	case it.after:
		v, rest, ok := digits(s, it.count, it.count)
		f.year = v
		return rest, ok && (it.letter == 'u' || v > 0)
	}
	plus := strings.HasPrefix(s, "+")
	v, rest, ok := digits(strings.TrimPrefix(s, "+"), it.count, 9)
	if used := len(s) - len(rest); it.count >= 4 && (used > it.count) != plus {
		return s, false
	}
	f.year = v
	return rest, ok && (it.letter == 'u' || v > 0)
}

// resolve makes a time of the fields.
func (f *fields) resolve() (sec, nanos int64, ok bool) {
	year := f.year
	known := year > -1<<40
	if !known {
		year = 1970
	}
	var days int64
	if known && f.yearDay > 0 && f.month < 0 {
		if f.yearDay == 366 && !IsLeap(year) {
			return 0, 0, false
		}
		days = Days(year, 1, 1) + f.yearDay - 1
	} else {
		m, d := max(f.month, 1), max(f.day, 1)
		days = Days(year, int(m), min(int(d), DaysIn(year, int(m))))
	}
	hour := f.hour
	if hour < 0 && f.hour12 >= 0 && f.pm >= 0 {
		hour = f.hour12
		if f.pm == 2 {
			hour += 12
		}
	}
	if f.clock >= 0 {
		return days*86400 + f.clock/1e9, f.clock % 1e9, true
	}
	return days*86400 + max(hour, 0)*3600 + max(f.minute, 0)*60 + max(f.second, 0), max(f.nanos, 0), true
}

// digits reads between least and most digits.
func digits(s string, least, most int) (v int64, rest string, ok bool) {
	n := 0
	for n < len(s) && n < most && n < 18 && s[n] >= '0' && s[n] <= '9' {
		v = v*10 + int64(s[n]-'0')
		n++
	}
	return v, s[n:], n >= max(least, 1)
}

// name reads one of the names, in its short form for three letters; to gets its number
// from 1.
func name(s string, names []string, count int, to *int64) (string, bool) {
	for i, n := range names {
		if count <= 3 && len(n) > 3 {
			n = n[:3]
		}
		if rest, ok := strings.CutPrefix(s, n); ok {
			*to = int64(i + 1)
			return rest, true
		}
	}
	return s, false
}

// offset reads and drops a zone offset: "Z", "+02", "+0200", "+02:00".
func offset(s string, it item) (string, bool) {
	if it.letter == 'X' && strings.HasPrefix(s, "Z") {
		return s[1:], true
	}
	for _, layout := range []string{"-07:00:00", "-07:00", "-0700", "-07"} {
		if len(s) >= len(layout) {
			if _, err := time.Parse(layout, s[:len(layout)]); err == nil {
				return s[len(layout):], true
			}
		}
	}
	return s, false
}

// ParseLoose reads what java.sql.Timestamp.valueOf (with a blank) or Date.valueOf accept:
// what TO_TIMESTAMP falls back to when its pattern does not fit.
func ParseLoose(s string) (sec, nanos int64, ok bool) {
	s = strings.TrimSpace(s)
	date, clock, timed := strings.Cut(s, " ")
	var v [3]int64
	for i, t := range strings.SplitN(date, "-", 3) {
		n, rest, ok := digits(t, 1, 4)
		if !ok || rest != "" {
			return 0, 0, false
		}
		v[i] = n
	}
	if strings.Count(date, "-") != 2 || len(date[:strings.IndexByte(date, '-')]) != 4 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 {
		return 0, 0, false
	}
	sec = Days(v[0], int(v[1]), int(v[2])) * 86400
	if !timed {
		return sec, 0, true
	}
	var h [3]int64
	parts := strings.SplitN(strings.TrimSpace(clock), ":", 3)
	if len(parts) != 3 {
		return 0, 0, false
	}
	whole, frac, fracGiven := strings.Cut(parts[2], ".")
	parts[2] = whole
	for i, t := range parts {
		n, rest, ok := digits(t, 1, 2)
		if !ok || rest != "" {
			return 0, 0, false
		}
		h[i] = n
	}
	if fracGiven {
		if nanos, ok = fraction([]byte(frac), 9); !ok || frac == "" {
			return 0, 0, false
		}
	}
	return sec + h[0]*3600 + h[1]*60 + h[2], nanos, true
}
