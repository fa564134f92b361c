package eval

import (
	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// castTemporal converts between DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ. Precision is cut:
// above milliseconds towards the past, below them towards 1970, as Flink does; so is the
// time of day when a timestamp becomes a DATE.
func castTemporal(s *Site) (Kernel, error) {
	from, to := s.Args[0], s.Result
	zone := datetime.NewZone(s.Env.Zone)
	read := localReader(from, zone)
	switch {
	case to.Kind == types.Date && from.IsTimestamp():
		return func(f *Frame) error {
			a := read(f.Args[0])
			return fill(f, func(i int) (int32, bool) {
				if from.Kind == types.TimestampLTZ {
					return int32(datetime.FloorDiv(a(i).millis, datetime.MillisPerDay)), true
				}
				return int32(a(i).millis / datetime.MillisPerDay), true
			})
		}, nil
	case to.Kind == types.Time && from.IsTimestamp():
		unit := int64(1000)
		for range min(to.Precision, 3) {
			unit /= 10
		}
		return func(f *Frame) error {
			a := read(f.Args[0])
			return fill(f, func(i int) (int32, bool) {
				if from.Kind == types.TimestampLTZ {
					return int32(datetime.FloorMod(a(i).millis, datetime.MillisPerDay) / unit * unit), true
				}
				return int32(a(i).millis % datetime.MillisPerDay / unit * unit), true
			})
		}, nil
	case to.IsTimestamp():
		instant := from.Kind == types.TimestampLTZ && to.Kind == types.TimestampLTZ
		if instant {
			read = localReader(from, datetime.NewZone(nil))
		}
		return func(f *Frame) error {
			a := read(f.Args[0])
			return fill(f, func(i int) (int64, bool) {
				t := a(i)
				if to.Kind == types.TimestampLTZ && !instant {
					sec := datetime.FloorDiv(t.millis, 1000)
					t.millis += (zone.ToUTC(sec, false) - sec) * 1000
				}
				if from.IsTimestamp() {
					t = t.cut(to.Precision)
				}
				x, ok := t.value(to.UnitsPerSecond())
				if !ok {
					s.reject(f, i, "the timestamp is out of the range of %s", to.Nullable())
				}
				return x, ok
			})
		}, nil
	}
	return nil, s.errorf("%v", CastAllowed(from, to))
}

// stamp is a point in time in Flink's own form: milliseconds and nanoseconds within.
type stamp struct {
	millis int64
	nanos  int32 // 0 to 999,999
}

// cut drops digits below a precision as Flink's truncate does.
func (t stamp) cut(precision int) stamp {
	if precision <= 3 {
		unit := int64(1)
		for range 3 - precision {
			unit *= 10
		}
		return stamp{millis: t.millis / unit * unit}
	}
	unit := int32(1)
	for range 9 - precision {
		unit *= 10
	}
	return stamp{t.millis, t.nanos / unit * unit}
}

// value converts to a timestamp of the given units a second; false when out of range.
func (t stamp) value(units int64) (int64, bool) {
	switch units {
	case 1000:
		return t.millis, true
	case 1_000_000:
		return t.millis*1000 + int64(t.nanos)/1000, true
	}
	return t.millis*1_000_000 + int64(t.nanos), inRange(t.millis/1000, units)
}

// timestamp converts t for row i, which fails when t is out of range.
func (f *Frame) timestamp(i int, t stamp, units int64) int64 {
	x, ok := t.value(units)
	if !ok {
		f.fail(i, "the timestamp is out of range: with nanoseconds the years 1677 to 2262 can be represented")
	}
	return x
}

func stampOf(x, units int64) stamp {
	per := units / 1000
	m := datetime.FloorDiv(x, per)
	return stamp{m, int32((x - m*per) * (1_000_000_000 / units))}
}

// localReader reads any temporal operand as local date and time.
func localReader(t types.Type, zone *datetime.Zone) func(o Operand) func(i int) stamp {
	units := t.UnitsPerSecond()
	return func(o Operand) func(i int) stamp {
		switch t.Kind {
		case types.Date:
			x, m := vec.Values[int32](o.Vec), o.mask
			return func(i int) stamp { return stamp{millis: int64(x[i&m]) * datetime.MillisPerDay} }
		case types.Time:
			x, m := vec.Values[int32](o.Vec), o.mask
			return func(i int) stamp { return stamp{millis: int64(x[i&m])} }
		case types.TimestampLTZ:
			x, m := vec.Values[int64](o.Vec), o.mask
			return func(i int) stamp {
				t := stampOf(x[i&m], units)
				t.millis += zone.Offset(datetime.FloorDiv(t.millis, 1000)) * 1000
				return t
			}
		}
		x, m := vec.Values[int64](o.Vec), o.mask
		return func(i int) stamp { return stampOf(x[i&m], units) }
	}
}
