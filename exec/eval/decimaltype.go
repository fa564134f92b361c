package eval

import "github.com/sqlstream/sqlstream/sql/types"

// The result types of decimal arithmetic, from Flink's LogicalTypeMerging and
// FlinkTypeSystem. Precisions over 38 are cut so that the integer part is kept and at
// least six digits of scale remain.

const (
	maxPrecision = 38
	minAdjusted  = 6
)

// asDecimal returns an exact number's precision and scale: TINYINT is DECIMAL(3,0),
// SMALLINT (5,0), INT (10,0), BIGINT (19,0). For FLOAT and DOUBLE it gives (30,15), as
// Calcite does where a decimal meets them.
func asDecimal(t types.Type) (p, s int) {
	switch t.Kind {
	case types.TinyInt:
		return 3, 0
	case types.SmallInt:
		return 5, 0
	case types.Int:
		return 10, 0
	case types.BigInt:
		return 19, 0
	case types.Float, types.Double:
		return 30, 15
	}
	return t.Precision, t.Scale
}

func adjustDecimal(p, s int) types.Type {
	if p <= maxPrecision {
		return types.DecimalT(p, s)
	}
	integer := p - s
	minScale := min(s, minAdjusted)
	return types.DecimalT(maxPrecision, max(maxPrecision-integer, minScale))
}

func addType(a, b types.Type) types.Type {
	p1, s1 := asDecimal(a)
	p2, s2 := asDecimal(b)
	s := max(s1, s2)
	return adjustDecimal(max(p1-s1, p2-s2)+s+1, s)
}

func mulType(a, b types.Type) types.Type {
	p1, s1 := asDecimal(a)
	p2, s2 := asDecimal(b)
	return adjustDecimal(p1+p2+1, s1+s2)
}

func divType(a, b types.Type) types.Type {
	p1, s1 := asDecimal(a)
	p2, s2 := asDecimal(b)
	s := max(6, s1+p2+1)
	return adjustDecimal(p1-s1+s2+s, s)
}

func modType(a, b types.Type) types.Type {
	p1, s1 := asDecimal(a)
	p2, s2 := asDecimal(b)
	if s1 == 0 && s2 == 0 {
		return b.Nullable()
	}
	s := max(s1, s2)
	return adjustDecimal(min(p1-s1, p2-s2)+s, s)
}

// roundType is the type of ROUND and TRUNCATE of a decimal to r digits.
func roundType(t types.Type, r int) types.Type {
	p, s := t.Precision, t.Scale
	if r >= s {
		return types.DecimalT(p, s)
	}
	if r < 0 {
		return types.DecimalT(min(maxPrecision, 1+p-s), 0)
	}
	return types.DecimalT(1+p-s+r, r)
}
