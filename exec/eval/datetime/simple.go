package datetime

import (
	"strings"
	"time"
)

// Simple formats and reads by a pattern of Java's SimpleDateFormat, lenient as it is by
// default: numbers out of range count on, text behind what the pattern needs is ignored.
// UNIX_TIMESTAMP, FROM_UNIXTIME, CONVERT_TZ, TO_DATE and DATE_FORMAT of a STRING use it.
type Simple struct {
	items []item
}

// lastShortYear is the last year that two digits mean. Java takes twenty years from today;
// a fixed year gives a replay the same results.
const lastShortYear = 2045

// NewSimple compiles a pattern.
func NewSimple(pattern string) (*Simple, error) {
	items, err := tokenize(pattern, "GyYMLwWDdFEuaHkKhmsSzZX", false)
	if err != nil {
		return nil, err
	}
	return &Simple{items}, nil
}

// Append writes an instant in seconds in a zone.
func (p *Simple) Append(dst []byte, sec int64, zone *Zone) []byte {
	off := zone.Offset(sec)
	local := sec + off
	day := FloorDiv(local, 86400)
	clock := (local - day*86400) * 1000
	for _, it := range p.items {
		switch {
		case it.letter == 'u':
			dst = appendPadded(dst, int64(Weekday(day)), min(it.count, 9))
		case it.letter == 'S':
			dst = appendPadded(dst, 0, min(it.count, 9))
		case it.letter == 'y' || it.letter == 'Y':
			y, _, _ := Date(day)
			if it.letter == 'Y' {
				y, _ = weekOfYear(day)
			}
			if it.count == 2 {
				dst = append2(dst, int(FloorMod(y, 100)))
			} else {
				dst = appendPadded(dst, y, min(max(it.count, 1), 9))
			}
		case it.letter == 'E' && it.count > 3:
			dst = append(dst, dayNames[Weekday(day)-1]...)
		case it.letter == 'E':
			dst = append(dst, dayNames[Weekday(day)-1][:3]...)
		case it.letter == 'z' || it.letter == 'Z' || it.letter == 'X':
			dst = appendZone(dst, it, sec, off, zone)
		case timeField(it.letter):
			dst = appendClock(dst, it, clock, 0)
		default:
			dst = appendDay(dst, it, day)
		}
	}
	return dst
}

func appendZone(dst []byte, it item, sec, off int64, zone *Zone) []byte {
	if it.letter == 'z' {
		name, _ := time.Unix(sec, 0).In(zone.Location()).Zone()
		return append(dst, name...)
	}
	if it.letter == 'X' && off == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	dst = append2(append(dst, sign), int(off/3600))
	if it.letter == 'X' && it.count == 1 {
		return dst
	}
	if it.letter == 'X' && it.count == 3 {
		dst = append(dst, ':')
	}
	return append2(dst, int(off/60%60))
}

// Parse reads the start of s as an instant in seconds, local times being of the zone.
func (p *Simple) Parse(s string, zone *Zone) (sec int64, ok bool) {
	v := map[byte]int64{'y': 1970, 'M': 1, 'd': 1}
	pm, offset := int64(0), (*int64)(nil)
	for _, it := range p.items {
		if it.letter == 0 {
			if s, ok = strings.CutPrefix(s, it.text); !ok {
				return 0, false
			}
			continue
		}
		s = strings.TrimLeft(s, " \t")
		switch {
		case (it.letter == 'M' || it.letter == 'L') && it.count > 2:
			var m int64
			if s, ok = name(s, monthNames[:], it.count, &m); !ok {
				return 0, false
			}
			v['M'] = m
			continue
		case it.letter == 'E', it.letter == 'G', it.letter == 'a':
			names := map[byte][]string{'E': dayNames[:], 'G': {"AD", "BC"}, 'a': {"AM", "PM"}}[it.letter]
			var n int64
			if s, ok = name(s, names, it.count+1, &n); !ok {
				return 0, false
			}
			if it.letter == 'a' {
				pm = n
			}
			continue
		case it.letter == 'z' || it.letter == 'Z' || it.letter == 'X':
			off, rest, ok := zoneOffset(s)
			if !ok {
				return 0, false
			}
			s, offset = rest, &off
			continue
		}
		n, rest, ok := lenientNumber(s, it)
		if !ok {
			return 0, false
		}
		if it.letter == 'y' && it.count <= 2 && len(s)-len(rest) == 2 {
			if n += 2000; n > lastShortYear {
				n -= 100
			}
		}
		v[it.letter], s = n, rest
	}
	hour := v['H']
	if k, ok := v['k']; ok {
		hour = k % 24
	}
	if h, ok := v['h']; ok {
		hour = h%12 + 12*max(pm-1, 0)
	}
	if h, ok := v['K']; ok {
		hour = h + 12*max(pm-1, 0)
	}
	days := Days(v['y'], int(v['M']), int(v['d']))
	if d, ok := v['D']; ok {
		days = Days(v['y'], 1, 1) + d - 1
	}
	sec = days*86400 + hour*3600 + v['m']*60 + v['s']
	if offset != nil {
		return sec - *offset, true
	}
	return zone.ToUTC(sec, true), true
}

// lenientNumber reads digits with a sign in front; exactly count when a number follows.
func lenientNumber(s string, it item) (int64, string, bool) {
	most := 18
	if it.after {
		most = it.count
	}
	neg := strings.HasPrefix(s, "-")
	n, rest, ok := digits(strings.TrimPrefix(s, "-"), 1, most)
	if neg {
		n = -n
	}
	return n, rest, ok
}

func zoneOffset(s string) (off int64, rest string, ok bool) {
	for _, utc := range []string{"Z", "UTC", "GMT"} {
		if rest, ok := strings.CutPrefix(s, utc); ok {
			return 0, rest, true
		}
	}
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if len(s) >= len(layout) {
			if t, err := time.Parse(layout, s[:len(layout)]); err == nil {
				_, o := t.Zone()
				return int64(o), s[len(layout):], true
			}
		}
	}
	return 0, s, false
}
