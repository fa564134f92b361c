package eval

import (
	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// bindTemporalArith binds + - * where a date, time, timestamp or interval takes part.
func bindTemporalArith(s *Site, op byte) (Kernel, error) {
	a, b := s.Args[0], s.Args[1]
	sign := int64(1)
	if op == '-' {
		sign = -1
	}
	switch {
	case op == '*':
		return scaleInterval(s)
	case a.IsInterval() && b.IsInterval():
		if a.Physical() == types.PhysI32 {
			return intervalSum[int32](op), nil
		}
		return intervalSum[int64](op), nil
	case b.IsInterval():
		return moveBy(s, 0, 1, sign)
	}
	return moveBy(s, 1, 0, sign)
}

func intervalSum[T int32 | int64](op byte) Kernel {
	if op == '-' {
		return subLoops[T]().kernel()
	}
	return addLoops[T]().kernel()
}

// scaleInterval multiplies an interval by an integer.
func scaleInterval(s *Site) (Kernel, error) {
	iv, num := 0, 1
	if s.Args[1].IsInterval() {
		iv, num = 1, 0
	}
	read, _ := decimalReader(s.Args[num])
	return func(f *Frame) error {
		n, o := read(f.Args[num]), f.Args[iv]
		if s.Result.Physical() == types.PhysI32 {
			return fill(f, func(i int) (int32, bool) { return value[int32](o, i) * int32(n(i).Lo), true })
		}
		return fill(f, func(i int) (int64, bool) { return value[int64](o, i) * int64(n(i).Lo), true })
	}, nil
}

// moveBy adds sign times an interval to a date, time or timestamp. A DATE takes whole days
// only, a TIME wraps round midnight, months leave the time of day alone.
func moveBy(s *Site, base, iv int, sign int64) (Kernel, error) {
	t, months := s.Args[base], s.Args[iv].Kind == types.IntervalYearMonth
	amount := func(f *Frame) func(i int) int64 {
		o := f.Args[iv]
		if months {
			x := vec.Values[int32](o.Vec)
			return func(i int) int64 { return sign * int64(x[i&o.mask]) }
		}
		x := vec.Values[int64](o.Vec)
		return func(i int) int64 { return sign * x[i&o.mask] }
	}
	switch t.Kind {
	case types.Date, types.Time:
		return func(f *Frame) error {
			by, o := amount(f), f.Args[base]
			x := vec.Values[int32](o.Vec)
			return fill(f, func(i int) (int32, bool) { return moveDay(t.Kind, int64(x[i&o.mask]), by(i), months), true })
		}, nil
	}
	units := t.UnitsPerSecond()
	if c := s.Consts[iv]; c != nil && !months && !c.IsNull(0) && s.Consts[base] == nil && units < 1_000_000_000 {
		by := sign * vec.Values[int64](c)[0] * (units / 1000)
		return func(f *Frame) error {
			addConst(vec.Values[int64](f.Out), vec.Values[int64](f.Args[base].Vec), by)
			return nil
		}, nil
	}
	return func(f *Frame) error {
		by, o := amount(f), f.Args[base]
		x := vec.Values[int64](o.Vec)
		return fill(f, func(i int) (int64, bool) {
			if months {
				return f.timestamp(i, addMonths(stampOf(x[i&o.mask], units), by(i)), units), true
			}
			t := stampOf(x[i&o.mask], units)
			t.millis += by(i)
			return f.timestamp(i, t, units), true
		})
	}, nil
}

func moveDay(kind types.Kind, x, by int64, months bool) int32 {
	switch {
	case kind == types.Time && months:
		return int32(x)
	case kind == types.Time:
		return int32(datetime.FloorMod(x+by, datetime.MillisPerDay))
	case months:
		return int32(datetime.AddMonths(x, by))
	}
	return int32(x + by/datetime.MillisPerDay)
}

func addMonths(t stamp, months int64) stamp {
	days := datetime.FloorDiv(t.millis, datetime.MillisPerDay)
	t.millis += (datetime.AddMonths(days, months) - days) * datetime.MillisPerDay
	return t
}
