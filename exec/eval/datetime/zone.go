package datetime

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Zone converts between instants and local time. It remembers the last transition interval,
// so that a run of near timestamps costs a comparison each. Not for concurrent use.
type Zone struct {
	loc      *time.Location
	from, to int64 // seconds: offset holds for from <= t < to
	offset   int64
	fixed    bool
}

// NewZone wraps a location; nil is UTC.
func NewZone(loc *time.Location) *Zone {
	z := &Zone{loc: loc}
	if loc == nil || loc == time.UTC {
		z.loc, z.fixed = time.UTC, true
	}
	return z
}

// Location returns the location.
func (z *Zone) Location() *time.Location { return z.loc }

// Offset is the offset in seconds east of UTC at an instant (seconds since the epoch).
func (z *Zone) Offset(sec int64) int64 {
	if z.fixed {
		return 0
	}
	if sec >= z.from && sec < z.to {
		return z.offset
	}
	t := time.Unix(sec, 0).In(z.loc)
	_, off := t.Zone()
	z.from, z.to, z.offset = math.MinInt64, math.MaxInt64, int64(off)
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		z.from = start.Unix()
	}
	if !end.IsZero() {
		z.to = end.Unix()
	}
	return z.offset
}

// ToUTC converts local seconds to an instant. In a gap it moves forward by the gap; of two
// instants it takes the earlier one (java.time), or the later one when late is set
// (java.util.Calendar).
func (z *Zone) ToUTC(local int64, late bool) int64 {
	if z.fixed {
		return local
	}
	// Offsets a day before and after bracket any transition.
	before, after := z.Offset(local-86400), z.Offset(local+86400)
	u1, u2 := local-before, local-after
	ok1, ok2 := z.Offset(u1) == before, z.Offset(u2) == after
	switch {
	case ok1 && ok2 && late:
		return max(u1, u2)
	case ok1:
		return u1
	case ok2:
		return u2
	}
	return u1 // a gap: the offset before it moves the time forward
}

// LoadZone reads a time zone as Flink's session option does: a region of the time zone
// database, UTC, or GMT with an offset ("GMT+02:00").
func LoadZone(name string) (*time.Location, error) {
	if rest, ok := strings.CutPrefix(name, "GMT"); ok && rest != "" {
		if t, err := time.Parse("-07:00", rest); err == nil {
			_, off := t.Zone()
			return time.FixedZone(name, off), nil
		}
	}
	if loc, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
		return loc, nil
	}
	return nil, fmt.Errorf("there is no time zone %q; use a region such as 'America/Los_Angeles', 'UTC' or 'GMT+08:00'", name)
}

// javaZones are the short names java.util.TimeZone knows.
var javaZones = map[string]string{"PST": "America/Los_Angeles", "CST": "America/Chicago", "MST": "America/Phoenix", "EST": "Etc/GMT+5", "HST": "Etc/GMT+10",
	"JST": "Asia/Tokyo", "IST": "Asia/Kolkata", "CTT": "Asia/Shanghai", "ECT": "Europe/Paris", "AET": "Australia/Sydney", "PRC": "Asia/Shanghai"}

// JavaZone reads a time zone as java.util.TimeZone.getTimeZone does: unknown ones are UTC.
func JavaZone(name string) *time.Location {
	if region, ok := javaZones[name]; ok {
		name = region
	}
	if loc, err := LoadZone(name); err == nil {
		return loc
	}
	if rest, ok := strings.CutPrefix(name, "GMT"); ok && len(rest) > 1 {
		h, m, _ := strings.Cut(rest[1:], ":")
		hours, err1 := strconv.Atoi(h)
		minutes, err2 := 0, error(nil)
		if m != "" {
			minutes, err2 = strconv.Atoi(m)
		}
		if err1 == nil && err2 == nil && hours < 24 && minutes < 60 {
			off := hours*3600 + minutes*60
			if rest[0] == '-' {
				off = -off
			}
			return time.FixedZone(name, off)
		}
	}
	return time.UTC
}
