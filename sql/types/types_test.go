package types

import "testing"

// every has one type of each kind and layout.
var every = []struct {
	t     Type
	text  string
	phys  Physical
	width int
}{
	{NullT, "NULL", PhysBool, 0},
	{BooleanT, "BOOLEAN", PhysBool, 0},
	{TinyIntT, "TINYINT", PhysI8, 1},
	{SmallIntT, "SMALLINT", PhysI16, 2},
	{IntT, "INT", PhysI32, 4},
	{BigIntT.NotNullable(), "BIGINT NOT NULL", PhysI64, 8},
	{FloatT, "FLOAT", PhysF32, 4},
	{DoubleT, "DOUBLE", PhysF64, 8},
	{DecimalT(10, 2), "DECIMAL(10, 2)", PhysD128, 16},
	{CharT(3), "CHAR(3)", PhysBytes, 0},
	{VarCharT(5), "VARCHAR(5)", PhysBytes, 0},
	{StringT, "STRING", PhysBytes, 0},
	{Type{Kind: Binary, Length: 4}, "BINARY(4)", PhysBytes, 0},
	{Type{Kind: VarBinary, Length: 4}, "VARBINARY(4)", PhysBytes, 0},
	{BytesT, "BYTES", PhysBytes, 0},
	{DateT, "DATE", PhysI32, 4},
	{TimeT(0), "TIME(0)", PhysI32, 4},
	{TimestampT(3), "TIMESTAMP(3)", PhysI64, 8},
	{TimestampLTZT(9), "TIMESTAMP_LTZ(9)", PhysI64, 8},
	{YearMonthT, "INTERVAL MONTH", PhysI32, 4},
	{DayTimeT, "INTERVAL SECOND(3)", PhysI64, 8},
	{ArrayT(IntT.NotNullable()), "ARRAY<INT NOT NULL>", PhysList, 0},
	{MultisetT(StringT), "MULTISET<STRING>", PhysMap, 0},
	{MapT(StringT.NotNullable(), ArrayT(IntT)), "MAP<STRING NOT NULL, ARRAY<INT>>", PhysMap, 0},
	{RowT(Field{"a", IntT}, Field{"b`c", StringT}).NotNullable(), "ROW<`a` INT, `b``c` STRING> NOT NULL", PhysRow, 0},
	{Type{}, "INVALID", PhysNone, 0},
	{Type{Kind: Row + 1}, "INVALID", PhysNone, 0},
}

func TestTextAndLayout(t *testing.T) {
	for _, c := range every {
		if got := c.t.String(); got != c.text {
			t.Errorf("text %q, want %q", got, c.text)
		}
		if got := c.t.Physical(); got != c.phys || got.Width() != c.width {
			t.Errorf("%s: layout %d of width %d, want %d of %d", c.text, got, got.Width(), c.phys, c.width)
		}
	}
}

func TestTypesEqualThemselvesOnly(t *testing.T) {
	for i, a := range every {
		for j, b := range every {
			if got := a.t.Equal(b.t); got != (i == j) {
				t.Errorf("%s and %s: equal %v", a.text, b.text, got)
			}
		}
	}
}

func TestWhatCountsForEquality(t *testing.T) {
	a, b := Field{"a", IntT}, Field{"b", IntT}
	for _, c := range []struct {
		name        string
		l, r        Type
		equal, same bool
	}{
		{"NULL", IntT, IntT.NotNullable(), false, true},
		{"NULL inside", ArrayT(IntT), ArrayT(IntT.NotNullable()), false, false},
		{"NULL of a map's key", MapT(IntT, IntT), MapT(IntT.NotNullable(), IntT), false, false},
		{"length", VarCharT(1), VarCharT(2), false, false},
		{"precision", TimestampT(3), TimestampT(6), false, false},
		{"scale", DecimalT(5, 1), DecimalT(5, 2), false, false},
		{"time attribute", TimestampT(3), Type{Kind: Timestamp, Precision: 3, Attr: RowTime}, true, true},
		{"name of a field", RowT(a), RowT(b), false, false},
		{"order of fields", RowT(a, b), RowT(b, a), false, false},
		{"number of fields", RowT(a), RowT(a, b), false, false},
		{"equal rows", RowT(a, b), RowT(a, b), true, true},
	} {
		if c.l.Equal(c.r) != c.equal || c.r.Equal(c.l) != c.equal || c.l.Same(c.r) != c.same || c.r.Same(c.l) != c.same {
			t.Errorf("%s: %s and %s: equal %v, same %v", c.name, c.l, c.r, c.l.Equal(c.r), c.l.Same(c.r))
		}
	}
}

func TestNullabilityIsACopy(t *testing.T) {
	a := IntT
	b := a.NotNullable()
	if a.NotNull || !b.NotNull || b.Nullable().NotNull || !a.WithNull(false).Equal(b) || !b.WithNull(true).Equal(a) {
		t.Errorf("%s, %s", a, b)
	}
}

func TestSummaryShowsTimeAttributes(t *testing.T) {
	row, proc := TimestampT(3), TimestampLTZT(3).NotNullable()
	row.Attr, proc.Attr = RowTime, ProcTime
	for want, typ := range map[string]Type{
		"TIMESTAMP(3) *ROWTIME*": row, "TIMESTAMP_LTZ(3) NOT NULL *PROCTIME*": proc, "TIMESTAMP(3)": row.WithoutAttr(),
	} {
		if got := typ.Summary(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestResolutionOfTimestamps(t *testing.T) {
	for p, want := range map[int]int64{0: 1e3, 3: 1e3, 4: 1e6, 6: 1e6, 7: 1e9, 9: 1e9} {
		if got := TimestampT(p).UnitsPerSecond(); got != want {
			t.Errorf("TIMESTAMP(%d): %d a second, want %d", p, got, want)
		}
	}
}

func TestFamilies(t *testing.T) {
	for _, c := range []struct {
		name string
		is   func(Type) bool
		want []Kind
	}{
		{"integer", Type.IsInteger, []Kind{TinyInt, SmallInt, Int, BigInt}},
		{"exact", Type.IsExact, []Kind{TinyInt, SmallInt, Int, BigInt, Decimal}},
		{"approximate", Type.IsApprox, []Kind{Float, Double}},
		{"numeric", Type.IsNumeric, []Kind{TinyInt, SmallInt, Int, BigInt, Float, Double, Decimal}},
		{"string", Type.IsString, []Kind{Char, VarChar}},
		{"binary", Type.IsBinary, []Kind{Binary, VarBinary}},
		{"timestamp", Type.IsTimestamp, []Kind{Timestamp, TimestampLTZ}},
		{"interval", Type.IsInterval, []Kind{IntervalYearMonth, IntervalDayTime}},
		{"nested", Type.IsNested, []Kind{Array, Map, Multiset, Row}},
	} {
		in := map[Kind]bool{}
		for _, k := range c.want {
			in[k] = true
		}
		for k := Invalid; k <= Row; k++ {
			if got := c.is(Type{Kind: k}); got != in[k] {
				t.Errorf("%s is %s: %v", k, c.name, got)
			}
		}
	}
}

func TestSchema(t *testing.T) {
	s := Schema{{"a", BigIntT}, {"A", StringT.NotNullable()}, {"x`y", DateT}}
	if got := s.String(); got != "(`a` BIGINT, `A` STRING NOT NULL, `x``y` DATE)" {
		t.Errorf("text %s", got)
	}
	if s.Index("A") != 1 || s.Index("x`y") != 2 || s.Index("b") != -1 {
		t.Error("columns are found by exact name")
	}
	if got := s.Names(); len(got) != 3 || got[1] != "A" {
		t.Errorf("names %q", got)
	}
}
