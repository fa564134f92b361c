package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/sql/types"
)

// CastAllowed reports whether CAST(from AS to) is accepted, with the reason when not:
// Flink's matrix of LogicalTypeCasts.supportsExplicitCast.
func CastAllowed(from, to types.Type) error {
	if castAllowed(from, to) {
		return nil
	}
	err := fmt.Errorf("cannot cast %s to %s", from.Nullable(), to.Nullable())
	switch {
	case from.IsNumeric() && to.IsTimestamp():
		return fmt.Errorf("%w; use TO_TIMESTAMP_LTZ(n, 0) for seconds or TO_TIMESTAMP_LTZ(n, 3) for milliseconds", err)
	case from.IsTimestamp() && to.IsNumeric():
		return fmt.Errorf("%w; use UNIX_TIMESTAMP or EXTRACT", err)
	}
	return err
}

func castAllowed(from, to types.Type) bool {
	switch {
	case from.Kind == types.Null:
		return true
	case to.IsString():
		return true
	case from.IsNested() || to.IsNested():
		return nestedCastAllowed(from, to)
	case to.IsBinary():
		return from.IsString() || from.IsBinary()
	case from.IsString():
		return !to.IsInterval()
	case from.IsNumeric():
		return to.IsNumeric() || to.Kind == types.Boolean
	case from.Kind == types.Boolean:
		return to.IsNumeric() || to.Kind == types.Boolean
	case from.IsInterval():
		return from.Kind == to.Kind
	case from.Kind == types.Date:
		return to.Kind == types.Date || to.IsTimestamp()
	case from.Kind == types.Time:
		return to.Kind == types.Time || to.IsTimestamp()
	case from.IsTimestamp():
		return to.IsTimestamp() || to.Kind == types.Date || to.Kind == types.Time
	}
	return false
}

func nestedCastAllowed(from, to types.Type) bool {
	if from.Kind != to.Kind || len(from.Fields) != len(to.Fields) {
		return false
	}
	for i := range from.Fields {
		if !castAllowed(from.Fields[i].Type, to.Fields[i].Type) {
			return false
		}
	}
	return (from.Elem == nil || castAllowed(*from.Elem, *to.Elem)) && (from.Key == nil || castAllowed(*from.Key, *to.Key))
}
