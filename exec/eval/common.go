package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/sql/types"
)

// CommonType is the type that values of all the given types are converted to in CASE, IF,
// ARRAY[..], MAP[..], VALUES, UNION and IN: Calcite's least restrictive type as Flink uses
// it. Among FLOAT and DOUBLE the first one wins, FLOAT with DECIMAL is DOUBLE. Bare NULLs
// make the result nullable. The error names the two types that have none.
func CommonType(ts ...types.Type) (types.Type, error) {
	return foldTypes(leastRestrictive, ts)
}

// mergeType is the other rule Flink has, LogicalTypeMerging, for COALESCE, IFNULL,
// GREATEST, LEAST and the collection functions: the wider of FLOAT and DOUBLE wins.
func mergeType(ts ...types.Type) (types.Type, error) {
	return foldTypes(func(a, b types.Type) (types.Type, bool) {
		switch {
		case a.Kind == types.Float && b.Kind == types.Double, a.Kind == types.Double && b.Kind == types.Float:
			return types.DoubleT, true
		case a.Kind == types.Decimal && b.Kind == types.Float:
			return types.FloatT, true
		}
		return leastRestrictive(a, b)
	}, ts)
}

func foldTypes(merge func(a, b types.Type) (types.Type, bool), ts []types.Type) (types.Type, error) {
	if len(ts) == 0 {
		return types.Type{}, fmt.Errorf("no types given")
	}
	out := ts[0].WithoutAttr()
	for _, t := range ts[1:] {
		t = t.WithoutAttr()
		nullable := !out.NotNull || !t.NotNull
		switch {
		case t.Kind == types.Null:
		case out.Kind == types.Null:
			out = t
		default:
			m, ok := merge(out, t)
			if !ok {
				return types.Type{}, fmt.Errorf("%s and %s have no common type; convert one of them with CAST", out.Nullable(), t.Nullable())
			}
			out = m
		}
		out = out.WithNull(nullable)
	}
	return out, nil
}

func leastRestrictive(a, b types.Type) (types.Type, bool) {
	if a.Same(b) {
		return a, true
	}
	switch {
	case a.IsNumeric() && b.IsNumeric():
		return numericCommon(a, b), true
	case a.IsString() && b.IsString():
		return stringCommon(a, b, types.Char, types.VarChar), true
	case a.IsBinary() && b.IsBinary():
		return stringCommon(a, b, types.Binary, types.VarBinary), true
	case a.Kind == types.Timestamp && b.Kind == types.TimestampLTZ, a.Kind == types.TimestampLTZ && b.Kind == types.Timestamp:
		return types.TimestampLTZT(max(a.Precision, b.Precision)), true
	case a.Kind == b.Kind && (a.IsTimestamp() || a.Kind == types.Time):
		a.Precision = max(a.Precision, b.Precision)
		return a, true
	case a.Kind == b.Kind && a.IsNested():
		return nestedCommon(a, b)
	}
	return types.Type{}, false
}

func numericCommon(a, b types.Type) types.Type {
	switch {
	case a.IsApprox() && b.IsApprox():
		return a.Nullable()
	case a.IsApprox() && b.Kind == types.Decimal, b.IsApprox() && a.Kind == types.Decimal:
		return types.DoubleT
	case a.IsApprox():
		return a.Nullable()
	case b.IsApprox():
		return b.Nullable()
	case a.Kind == types.Decimal || b.Kind == types.Decimal:
		p1, s1 := asDecimal(a)
		p2, s2 := asDecimal(b)
		s := max(s1, s2)
		i := max(p1-s1, p2-s2)
		if i+s > maxPrecision { // the integer part is kept
			s = maxPrecision - i
		}
		return types.DecimalT(i+s, s)
	case a.Kind > b.Kind:
		return a.Nullable()
	}
	return b.Nullable()
}

func stringCommon(a, b types.Type, fixed, varying types.Kind) types.Type {
	if a.Kind == fixed && b.Kind == fixed && a.Length == b.Length {
		return a
	}
	return types.Type{Kind: varying, Length: max(a.Length, b.Length)}
}

func nestedCommon(a, b types.Type) (types.Type, bool) {
	if len(a.Fields) != len(b.Fields) {
		return types.Type{}, false
	}
	merge := func(x, y *types.Type) (*types.Type, bool) {
		if x == nil {
			return nil, true
		}
		t, err := CommonType(*x, *y)
		return &t, err == nil
	}
	var ok1, ok2 bool
	out := a.Nullable()
	out.Elem, ok1 = merge(a.Elem, b.Elem)
	out.Key, ok2 = merge(a.Key, b.Key)
	if !ok1 || !ok2 {
		return types.Type{}, false
	}
	out.Fields = nil
	for i := range a.Fields {
		t, ok := merge(&a.Fields[i].Type, &b.Fields[i].Type)
		if !ok {
			return types.Type{}, false
		}
		out.Fields = append(out.Fields, types.Field{Name: a.Fields[i].Name, Type: *t})
	}
	return out, true
}
