package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// extractRule is the rule of EXTRACT(unit, x).
func extractRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(ret(types.BigIntT), pUnit, exactly("a date, time, timestamp or interval", types.TimestampT(3),
		either(isDateTime, types.Type.IsInterval)))(args)
	if err != nil {
		return sig, err
	}
	unit, _ := args[0].Literal.Value.(string)
	t := sig.Args[1]
	if !extractable(unit, t) {
		return Sig{}, fmt.Errorf("%s cannot be taken from %s", unit, t.Nullable())
	}
	sig.Result = types.BigIntT.WithNull(!t.NotNull)
	return sig, nil
}

func extractable(unit string, t types.Type) bool {
	clock := unit == "HOUR" || unit == "MINUTE" || unit == "SECOND" || unit == "MILLISECOND"
	switch t.Kind {
	case types.Time:
		return clock
	case types.IntervalDayTime:
		return clock || unit == "DAY" || unit == "EPOCH"
	case types.IntervalYearMonth:
		return unit == "YEAR" || unit == "MONTH" || unit == "QUARTER"
	}
	if t.IsTimestamp() && (unit == "MICROSECOND" || unit == "NANOSECOND") {
		return true
	}
	_, ok := datetime.Field(unit, 0)
	return ok
}

func bindExtract(s *Site) (Kernel, error) {
	unit, _ := s.text(0)
	return extractKernel(s, unit, 1)
}

// unitOf binds YEAR(x), HOUR(x) and the like.
func unitOf(unit string) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) { return extractKernel(s, unit, 0) }
}

func unitRule(unit string) Rule {
	return func(args []expr.Arg) (Sig, error) {
		sig, err := fn(ret(types.BigIntT), pTemporal)(args)
		if err == nil && !extractable(unit, sig.Args[0]) {
			return Sig{}, fmt.Errorf("%s cannot be taken from %s", unit, sig.Args[0].Nullable())
		}
		return sig, err
	}
}

func extractKernel(s *Site, unit string, arg int) (Kernel, error) {
	t := s.Args[arg]
	switch t.Kind {
	case types.IntervalYearMonth:
		return func(f *Frame) error {
			return fill(f, func(i int) (int64, bool) { return monthsField(unit, int64(value[int32](f.Args[arg], i))), true })
		}, nil
	case types.IntervalDayTime:
		return func(f *Frame) error {
			return fill(f, func(i int) (int64, bool) {
				ms := value[int64](f.Args[arg], i)
				if unit == "DAY" {
					return ms / datetime.MillisPerDay, true
				}
				v, _ := datetime.Field(unit, ms)
				return v, true
			})
		}, nil
	case types.Date:
		if datetime.TimeUnit(unit) == 0 || unit == "DAY" {
			return dayField(unit, arg), nil
		}
		// Flink reads the number of days as milliseconds here.
		return func(f *Frame) error {
			return fill(f, func(i int) (int64, bool) {
				v, _ := datetime.Field(unit, int64(value[int32](f.Args[arg], i)))
				return v, true
			})
		}, nil
	}
	if unit == "MICROSECOND" || unit == "NANOSECOND" {
		return subSecond(t, unit, arg), nil
	}
	if _, ok := datetime.Field(unit, 0); !ok {
		return nil, s.errorf("there is no field %s of %s", unit, t.Nullable())
	}
	zone := datetime.NewZone(s.Env.Zone)
	if t.Kind == types.Timestamp && t.UnitsPerSecond() == 1000 && datetime.TimeUnit(unit) > 0 && unit != "DAY" {
		return clockField(unit, arg), nil
	}
	read := localReader(t, zone)
	if datetime.TimeUnit(unit) > 0 && unit != "DAY" || unit == "EPOCH" {
		epoch := unit == "EPOCH" && t.Kind == types.TimestampLTZ
		return func(f *Frame) error {
			a := read(f.Args[arg])
			return fill(f, func(i int) (int64, bool) {
				ms := a(i).millis
				if epoch { // an instant, whatever the zone
					ms -= zone.Offset(datetime.FloorDiv(ms, 1000)) * 1000
				}
				v, _ := datetime.Field(unit, ms)
				return v, true
			})
		}, nil
	}
	return func(f *Frame) error {
		a := read(f.Args[arg])
		day, cached := int64(1)<<62, int64(0)
		return fill(f, func(i int) (int64, bool) {
			if d := a(i).millis / datetime.MillisPerDay; d != day { // rows near in time share a day
				day = d
				cached, _ = datetime.DayField(unit, d)
			}
			return cached, true
		})
	}, nil
}

// subSecond is the part of a timestamp within its second.
func subSecond(t types.Type, unit string, arg int) Kernel {
	read := localReader(t, datetime.NewZone(nil))
	per := int64(1)
	if unit == "MICROSECOND" {
		per = 1000
	}
	return func(f *Frame) error {
		a := read(f.Args[arg])
		return fill(f, func(i int) (int64, bool) {
			at := a(i)
			return (at.millis%1000*1_000_000 + int64(at.nanos)) / per, true
		})
	}
}

func monthsField(unit string, m int64) int64 {
	switch unit {
	case "YEAR":
		return m / 12
	case "QUARTER":
		return (m%12-1)/3 + 1
	}
	return m % 12
}

func dayField(unit string, arg int) Kernel {
	return func(f *Frame) error {
		day, cached := int64(1)<<62, int64(0)
		x, m := vec.Values[int32](f.Args[arg].Vec), f.Args[arg].mask
		return fill(f, func(i int) (int64, bool) {
			if d := int64(x[i&m]); d != day {
				day = d
				cached, _ = datetime.DayField(unit, d)
			}
			return cached, true
		})
	}
}

// clockField is the fast path of HOUR, MINUTE, SECOND and MILLISECOND of TIMESTAMP(3).
func clockField(unit string, arg int) Kernel {
	return func(f *Frame) error {
		dst, src := vec.Values[int64](f.Out), vec.Values[int64](f.Args[arg].Vec)
		if f.Args[arg].mask == 0 {
			src = src[:1]
			dst = dst[:1]
		}
		switch unit {
		case "HOUR":
			hours(dst, src)
		case "MINUTE":
			minutes(dst, src)
		case "SECOND":
			seconds(dst, src)
		default:
			millis(dst, src)
		}
		return nil
	}
}

//go:noinline
func hours(dst, src []int64) {
	for i, x := range src[:len(dst)] {
		dst[i] = x % datetime.MillisPerDay / datetime.MillisPerHour
	}
}

//go:noinline
func minutes(dst, src []int64) {
	for i, x := range src[:len(dst)] {
		dst[i] = x % datetime.MillisPerHour / datetime.MillisPerMinute
	}
}

//go:noinline
func seconds(dst, src []int64) {
	for i, x := range src[:len(dst)] {
		dst[i] = x % datetime.MillisPerMinute / datetime.MillisPerSecond
	}
}

//go:noinline
func millis(dst, src []int64) {
	for i, x := range src[:len(dst)] {
		dst[i] = x % datetime.MillisPerSecond
	}
}
