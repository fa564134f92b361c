package layout

import (
	"fmt"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// distinctMatters tells aggregates whose result DISTINCT can change from those for which it
// is noise.
func distinctMatters(name string) bool {
	switch name {
	case "AVG", "COUNT", "LAST_VALUE", "SUM":
		return true
	}
	return false
}

// slotOf is the slot of one aggregate, without its place.
func slotOf(a *expr.Aggregate, retract bool) (Slot, error) {
	s := Slot{Arg: None, Filter: None, Values: None, Use: None}
	for _, e := range a.Args {
		c, ok := e.(*expr.Column)
		if !ok {
			return s, fmt.Errorf("an argument of an aggregate must be a column of its input, found %T", e)
		}
		s.Arg = c.Index
	}
	if a.Name == "COUNT" {
		s.Size, s.Fields = 8, []Field{{Name: "count", Type: types.BigIntT}}
		return s, nil
	}
	if len(a.Args) != 1 {
		return s, fmt.Errorf("one argument expected, found %d", len(a.Args))
	}
	t := a.Args[0].Type().WithoutAttr().Nullable()
	switch a.Name {
	case "SUM", "AVG":
		return s, s.sum(t)
	case "MIN", "MAX":
		if retract {
			// The values are in a table; the slot has the best of them and how many there are.
			s.Extreme, s.Size = true, 16
			s.Fields = []Field{{Name: "value", Type: t, Variable: true, Key: true}, {Name: "values", Type: types.BigIntT, Off: 8}}
			return s, nil
		}
		return s, s.kept(t)
	case "FIRST_VALUE", "LAST_VALUE":
		if retract {
			return s, fmt.Errorf("it is not supported yet over input that is updated or deleted")
		}
		s.InOrder = true
		return s, s.kept(t)
	}
	return s, fmt.Errorf("no layout of its state is known")
}

// sum is a sum and the number of values in it.
func (s *Slot) sum(t types.Type) error {
	size := 8
	switch t.Kind {
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt:
		t = types.BigIntT
	case types.Float, types.Double:
	case types.Decimal:
		t, size = types.DecimalT(38, t.Scale), 16
	default:
		return fmt.Errorf("no sum of type %s", t)
	}
	s.Size = size + 8
	s.Fields = []Field{{Name: "sum", Type: t}, {Name: "count", Type: types.BigIntT, Off: size}}
	return nil
}

// kept is one value and whether there is one.
func (s *Slot) kept(t types.Type) error {
	size, variable := 8, false
	switch t.Physical() {
	case types.PhysD128:
		size = 16
	case types.PhysBytes:
		variable = true
	case types.PhysList, types.PhysMap, types.PhysRow:
		return fmt.Errorf("no values of type %s", t)
	}
	s.Size = size + 8
	s.Fields = []Field{{Name: "value", Type: t, Variable: variable}, {Name: "present", Type: types.BigIntT, Off: size}}
	return nil
}
