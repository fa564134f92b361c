package agg

import (
	"fmt"

	"github.com/sqlstream/sqlstream/sql/types"
)

func same(t types.Type) types.Type { return t }

// sumType and avgType are Flink's: its own type for everything but DECIMAL.
func sumType(t types.Type) types.Type {
	if t.Kind == types.Decimal {
		return types.DecimalT(38, t.Scale)
	}
	return t
}

func avgType(t types.Type) types.Type {
	if t.Kind == types.Decimal {
		return types.DecimalT(38, max(6, t.Scale))
	}
	return t
}

func isScalar(t types.Type) bool { return !t.IsNested() && t.Kind != types.Null }

// isOrdered is what MIN and MAX take: not binary, not intervals, as in Flink.
func isOrdered(t types.Type) bool {
	return isScalar(t) && !t.IsBinary() && !t.IsInterval()
}

func newSum(s shape) (kernel, error) { return sumKernel(s, false) }

func newAvg(s shape) (kernel, error) { return sumKernel(s, true) }

func sumKernel(s shape, avg bool) (kernel, error) {
	t := s.arg()
	switch t.Kind {
	case types.TinyInt:
		return sumInt[int8]{avg}, nil
	case types.SmallInt:
		return sumInt[int16]{avg}, nil
	case types.Int:
		return sumInt[int32]{avg}, nil
	case types.BigInt:
		return sumInt[int64]{avg}, nil
	case types.Float:
		return sumFloat[float32]{avg, s.retract}, nil
	case types.Double:
		return sumFloat[float64]{avg, s.retract}, nil
	case types.Decimal:
		return sumDec{avg: avg, up: avgType(t).Scale - t.Scale}, nil
	}
	return nil, fmt.Errorf("no sum of type %s", t)
}

// keeper makes the kernels of MIN, MAX, FIRST_VALUE and LAST_VALUE.
func keeper(p pick) func(shape) (kernel, error) {
	return func(s shape) (kernel, error) {
		t := s.arg()
		if s.retract {
			if p == pickMin || p == pickMax {
				return extreme{max: p == pickMax, typ: t}, nil
			}
			return nil, fmt.Errorf("it cannot take values away")
		}
		switch t.Physical() {
		case types.PhysBool:
			return keepBool{p}, nil
		case types.PhysI8:
			return keep[int8]{p}, nil
		case types.PhysI16:
			return keep[int16]{p}, nil
		case types.PhysI32:
			return keep[int32]{p}, nil
		case types.PhysI64:
			return keep[int64]{p}, nil
		case types.PhysF32:
			return keep[float32]{p}, nil
		case types.PhysF64:
			return keep[float64]{p}, nil
		case types.PhysD128:
			return keepDec{p}, nil
		case types.PhysBytes:
			return keepText{p}, nil
		}
		return nil, fmt.Errorf("no values of type %s", t)
	}
}

func isExtreme(k kernel) bool {
	_, ok := k.(extreme)
	return ok
}
