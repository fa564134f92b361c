package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// unitLength splits a unit into months or milliseconds.
func unitLength(unit string) (months, millis int64) {
	switch unit {
	case "WEEK":
		return 0, 7 * datetime.MillisPerDay
	case "MONTH":
		return 1, 0
	case "QUARTER":
		return 3, 0
	case "YEAR":
		return 12, 0
	case "DECADE":
		return 120, 0
	case "CENTURY":
		return 1200, 0
	case "MILLENNIUM":
		return 12000, 0
	}
	return 0, datetime.TimeUnit(unit)
}

func timestampAddRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(retArg(2), pUnit, pBigInt, pTemporal)(args)
	if err != nil {
		return sig, err
	}
	unit, _ := args[0].Literal.Value.(string)
	if m, ms := unitLength(unit); m == 0 && ms == 0 {
		return Sig{}, fmt.Errorf("%s cannot be added", unit)
	}
	if sig.Result = sig.Args[2]; sig.Result.Kind == types.Time {
		sig.Result.Precision = 0 // as Flink says, though milliseconds stay
	}
	sig.Result = sig.Result.WithNull(!sig.Args[1].NotNull || !sig.Args[2].NotNull)
	return sig, nil
}

func bindTimestampAdd(s *Site) (Kernel, error) {
	unit, _ := s.text(0)
	months, ms := unitLength(unit)
	t := s.Args[2]
	if t.Kind == types.Date || t.Kind == types.Time {
		return func(f *Frame) error {
			return fill(f, func(i int) (int32, bool) {
				n, x := value[int64](f.Args[1], i), int64(value[int32](f.Args[2], i))
				return moveDay(t.Kind, x, n*(months+ms), months != 0), true
			})
		}, nil
	}
	units := t.UnitsPerSecond()
	return func(f *Frame) error {
		n, mn := vec.Values[int64](f.Args[1].Vec), f.Args[1].mask
		x, mx := vec.Values[int64](f.Args[2].Vec), f.Args[2].mask
		return fill(f, func(i int) (int64, bool) {
			t := stampOf(x[i&mx], units)
			if months != 0 {
				t = addMonths(t, months*n[i&mn])
			}
			t.millis += n[i&mn] * ms
			return f.timestamp(i, t, units), true
		})
	}, nil
}

func timestampDiffRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(ret(types.IntT), pUnit, pTemporal, pTemporal)(args)
	if err != nil {
		return sig, err
	}
	if a, b := sig.Args[1], sig.Args[2]; (a.Kind == types.TimestampLTZ) != (b.Kind == types.TimestampLTZ) {
		return Sig{}, fmt.Errorf("a difference of %s and %s; convert one of them with CAST", a.Nullable(), b.Nullable())
	}
	unit, _ := args[0].Literal.Value.(string)
	nullable := !sig.Args[1].NotNull || !sig.Args[2].NotNull
	sig.Result = types.IntT.WithNull(nullable)
	switch m, ms := unitLength(unit); {
	case unit == "NANOSECOND":
		sig.Result = types.BigIntT.WithNull(nullable)
	case unit != "MICROSECOND" && m == 0 && ms == 0:
		return Sig{}, fmt.Errorf("differences cannot be counted in %s", unit)
	}
	return sig, nil
}

// bindTimestampDiff counts whole units from the second argument to the third; the INT
// wraps.
func bindTimestampDiff(s *Site) (Kernel, error) {
	unit, _ := s.text(0)
	months, ms := unitLength(unit)
	zone := datetime.NewZone(nil)
	ra, rb := localReader(s.Args[1], zone), localReader(s.Args[2], zone)
	diff := func(a, b int64) int64 {
		switch {
		case months != 0:
			return datetime.MonthsBetween(a, b) / months
		case unit == "MILLISECOND": // Flink counts whole seconds here
			return (b - a) / 1000 * 1000
		case unit == "MICROSECOND":
			return (b - a) / 1000 * 1_000_000
		case unit == "NANOSECOND":
			return (b - a) / 1000 * 1_000_000_000
		case unit == "WEEK": // an INT of seconds first
			return int64(int32((b-a)/1000)) / (7 * 86400)
		}
		return (b - a) / ms
	}
	return func(f *Frame) error {
		a, b := ra(f.Args[1]), rb(f.Args[2])
		if s.Result.Kind == types.BigInt {
			return fill(f, func(i int) (int64, bool) { return diff(a(i).millis, b(i).millis), true })
		}
		return fill(f, func(i int) (int32, bool) { return int32(diff(a(i).millis, b(i).millis)), true })
	}, nil
}
