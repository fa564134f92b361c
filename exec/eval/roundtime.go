package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// roundTimeRule is the rule of FLOOR and CEIL of a time to a unit.
func roundTimeRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(retArg(0), pTemporal, pUnit)(args)
	if err != nil {
		return sig, err
	}
	unit, _ := args[1].Literal.Value.(string)
	kind := sig.Args[0].Kind
	if kind != types.Date && !roundable(unit) || kind == types.Time && datetime.TimeUnit(unit) >= datetime.MillisPerDay ||
		kind == types.Time && datetime.TimeUnit(unit) == 0 && unit != "MICROSECOND" && unit != "NANOSECOND" {
		return Sig{}, fmt.Errorf("a time cannot be rounded to %s", unit)
	}
	if sig.Result = sig.Args[0]; sig.Result.Kind == types.Time {
		sig.Result.Precision = 0 // as Flink says, though milliseconds stay
	}
	return sig, nil
}

func roundable(unit string) bool {
	_, ok := datetime.FloorDay(unit, 0)
	return ok || datetime.TimeUnit(unit) > 0 || unit == "MICROSECOND" || unit == "NANOSECOND"
}

// bindRoundTime rounds in local time. Units from WEEK on round the date, which for times of
// day before 1970 is the following day, as everywhere in Flink; CEIL does not look at the
// time of day then.
func bindRoundTime(s *Site, floor bool) (Kernel, error) {
	unit, _ := s.text(1)
	t := s.Args[0]
	size := datetime.TimeUnit(unit)
	if t.Kind != types.Date && size == 0 && (unit == "MICROSECOND" || unit == "NANOSECOND") {
		return func(f *Frame) error {
			f.each(func(i int) { f.fail(i, "times cannot be rounded to %s, as in Flink", unit) })
			return f.failure()
		}, nil
	}
	round := datetime.CeilDay
	if floor {
		round = datetime.FloorDay
	}
	local := func(ms int64) int64 {
		if size > 0 {
			if floor {
				return datetime.FloorDiv(ms, size) * size
			}
			return datetime.FloorDiv(ms+size-1, size) * size
		}
		days, _ := round(unit, ms/datetime.MillisPerDay)
		return days * datetime.MillisPerDay
	}
	switch t.Kind {
	case types.Date:
		return func(f *Frame) error {
			return fill(f, func(i int) (int32, bool) {
				d := value[int32](f.Args[0], i)
				if unit == "DAY" && !floor {
					return d + 1, true // as Flink does
				}
				if r, ok := round(unit, int64(d)); ok {
					return int32(r), true
				}
				return d, true
			})
		}, nil
	case types.Time:
		return func(f *Frame) error {
			return fill(f, func(i int) (int32, bool) { return int32(local(int64(value[int32](f.Args[0], i)))), true })
		}, nil
	}
	units := t.UnitsPerSecond()
	zone := datetime.NewZone(nil)
	if t.Kind == types.TimestampLTZ {
		zone = datetime.NewZone(s.Env.Zone)
	}
	return func(f *Frame) error {
		return fill(f, func(i int) (int64, bool) {
			at := stampOf(value[int64](f.Args[0], i), units)
			offset := zone.Offset(datetime.FloorDiv(at.millis, 1000)) * 1000
			if at.nanos > 0 && !floor && size > 0 {
				at.millis++
			}
			return f.timestamp(i, stamp{millis: local(at.millis+offset) - offset}, units), true
		})
	}, nil
}
