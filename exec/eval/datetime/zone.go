package datetime

import (
	"math"
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

// IsUTC reports a zone without any offset.
func (z *Zone) IsUTC() bool { return z.fixed }

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
