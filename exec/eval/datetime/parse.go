package datetime

import "bytes"

// atoi reads an unsigned decimal number of at most 9 digits.
func atoi(s []byte) (int64, bool) {
	if len(s) == 0 || len(s) > 9 {
		return 0, false
	}
	var n int64
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// ParseDate reads what Flink casts to DATE: "2020-2-9", also without day or month, with
// blanks around the parts; whatever follows a blank is ignored. Years 0 to 9999.
func ParseDate(s []byte) (days int64, ok bool) {
	if i := bytes.IndexByte(s, ' '); i > 0 {
		s = s[:i]
	}
	part := [3]int64{0, 1, 1}
	for i := range part {
		j := bytes.IndexByte(s, '-')
		if j < 0 || i == 2 {
			j = len(s)
		}
		n, ok := atoi(bytes.TrimSpace(s[:j]))
		if !ok {
			return 0, false
		}
		part[i] = n
		if j == len(s) {
			s = nil
			break
		}
		s = s[j+1:]
	}
	y, m, d := part[0], part[1], part[2]
	if y > 9999 || m < 1 || m > 12 || d < 1 || d > int64(DaysIn(y, int(m))) {
		return 0, false
	}
	return Days(y, int(m), int(d)), true
}

// ParseTime reads "12", "12:34", "12:34:56" and fractions; the result is milliseconds of
// the day.
func ParseTime(s []byte) (ms int64, ok bool) {
	s = bytes.TrimSpace(s)
	var part [3]int64
	limit := [3]int64{24, 60, 60}
	var frac int64
	for i := range part {
		j := bytes.IndexByte(s, ':')
		if j < 0 || i == 2 {
			j = len(s)
		}
		text := s[:j]
		if i == 2 {
			if k := bytes.IndexByte(text, '.'); k >= 0 {
				if frac, ok = fraction(text[k+1:], 9); !ok {
					return 0, false
				}
				text = text[:k]
			}
		}
		n, ok := atoi(bytes.TrimSpace(text))
		if !ok || n >= limit[i] {
			return 0, false
		}
		part[i] = n
		if j == len(s) {
			return part[0]*MillisPerHour + part[1]*MillisPerMinute + part[2]*MillisPerSecond + frac/1e6, true
		}
		s = s[j+1:]
	}
	return 0, false
}

// fraction reads up to most digits as nanoseconds.
func fraction(s []byte, most int) (int64, bool) {
	if len(s) > most {
		return 0, false
	}
	n := int64(0)
	for i := range 9 {
		n *= 10
		if i < len(s) {
			if s[i] < '0' || s[i] > '9' {
				return 0, false
			}
			n += int64(s[i] - '0')
		}
	}
	return n, true
}

// ParseTimestamp reads "2020-2-9[ 1:2:3[.123456789]]" as seconds since the epoch and
// nanoseconds. Years have four digits (more with a sign) from 1 on, the 30th of February is its last day, 24:00:00 the
// next day's start: Java's smart resolver.
func ParseTimestamp(s []byte) (sec, nanos int64, ok bool) {
	plus := len(s) > 0 && s[0] == '+'
	if plus {
		s = s[1:]
	}
	i := bytes.IndexByte(s, '-')
	if i < 4 || (i > 4) != plus {
		return 0, 0, false
	}
	y, ok1 := atoi(s[:i])
	m, rest, ok2 := number2(s[i+1:])
	if !ok1 || !ok2 || len(rest) == 0 || rest[0] != '-' {
		return 0, 0, false
	}
	d, rest, ok3 := number2(rest[1:])
	if !ok3 || y < 1 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, 0, false
	}
	sec = Days(y, m, min(d, DaysIn(y, m))) * 86400
	if len(rest) == 0 {
		return sec, 0, true
	}
	if rest[0] != ' ' {
		return 0, 0, false
	}
	of, nanos, ok := clock(rest[1:])
	return sec + of, nanos, ok
}

// number2 reads one or two digits.
func number2(s []byte) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(s) && i < 2 && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i > 0
}

// clock reads "h:m:s[.fraction]".
func clock(s []byte) (sec, nanos int64, ok bool) {
	var part [3]int
	for i := range part {
		if i > 0 {
			if len(s) == 0 || s[0] != ':' {
				return 0, 0, false
			}
			s = s[1:]
		}
		if part[i], s, ok = number2(s); !ok {
			return 0, 0, false
		}
	}
	if len(s) > 0 {
		if s[0] != '.' {
			return 0, 0, false
		}
		if nanos, ok = fraction(s[1:], 9); !ok {
			return 0, 0, false
		}
	}
	h, m, sc := part[0], part[1], part[2]
	if m > 59 || sc > 59 || h > 24 || h == 24 && (m != 0 || sc != 0 || nanos != 0) {
		return 0, 0, false
	}
	return int64(h*3600 + m*60 + sc), nanos, true
}
