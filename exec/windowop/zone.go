package windowop

import "time"

// zone converts between instants and the session's local time, both in milliseconds since
// 1970-01-01 00:00:00. Windows over TIMESTAMP_LTZ are cut in local time. It remembers the
// stretch of constant offset it was in, so that most conversions are an addition. It is not
// for concurrent use.
type zone struct {
	loc    *time.Location // nil: local time is UTC
	lo, hi int64          // instants of the remembered stretch, [lo, hi)
	offset int64
}

func newZone(loc *time.Location) zone {
	if loc == time.UTC {
		loc = nil
	}
	return zone{loc: loc}
}

// far bounds the stretch of a zone that has no earlier or later transition.
const far = int64(1) << 62

// stretch remembers the stretch of instant ms.
func (z *zone) stretch(ms int64) {
	t := time.UnixMilli(ms).In(z.loc)
	start, end := t.ZoneBounds()
	_, sec := t.Zone()
	z.lo, z.hi, z.offset = -far, far, int64(sec)*1000
	if !start.IsZero() {
		z.lo = start.UnixMilli()
	}
	if !end.IsZero() {
		z.hi = end.UnixMilli()
	}
}

// local returns the local time of an instant.
func (z *zone) local(ms int64) int64 {
	if z.loc == nil {
		return ms
	}
	if ms < z.lo || ms >= z.hi {
		z.stretch(ms)
	}
	return ms + z.offset
}

// day is more than any offset from UTC.
const day = 26 * 3600 * 1000

// instant returns the instant of a local time, as java.time does: in a gap the time moves
// forward by the gap's length, in an overlap the earlier instant is taken.
func (z *zone) instant(local int64) int64 {
	if z.loc == nil {
		return local
	}
	z.stretch(local - day)
	for {
		offset, end := z.offset, z.hi
		if local-offset < end {
			return local - offset // before the stretch's end by its own offset
		}
		z.stretch(end)
		if local-z.offset < end {
			return local - offset // in the gap: by the offset before it
		}
	}
}

const hour = 3600 * 1000

// trigger returns the instant at which the clock has passed a local time for good. It is
// Flink's TimeWindowUtil.toEpochMillsForTimer: in an overlap of an hour the later instant
// is taken, so that the repeated hour is in one window with its first time; a time in a gap
// is passed at the gap.
func (z *zone) trigger(local int64) int64 {
	if z.loc == nil {
		return local
	}
	t1, t2 := z.instant(local), z.instant(local+hour)
	switch {
	case t1 == t2:
		return t1 - mod(t1, hour)
	case t2-t1 > hour:
		return t1 + hour
	}
	return t1
}

// mod is the remainder of a / b that has b's sign.
func mod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}
