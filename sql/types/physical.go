package types

// Physical is how the values of a type lie in memory. See exec/vec.
type Physical uint8

// The physical layouts. Fixed layouts hold one little-endian value per row;
// PhysBytes is offsets plus bytes; the last three hold children.
const (
	PhysNone  Physical = iota
	PhysBool           // one bit per row
	PhysI8             // TINYINT
	PhysI16            // SMALLINT
	PhysI32            // INT; DATE (days); TIME (milliseconds of the day); INTERVAL MONTH (months)
	PhysI64            // BIGINT; timestamps in TimeUnit; INTERVAL SECOND (milliseconds)
	PhysF32            // FLOAT
	PhysF64            // DOUBLE
	PhysD128           // DECIMAL: 128-bit two's complement unscaled value, low word first
	PhysBytes          // CHAR, VARCHAR (UTF-8), BINARY, VARBINARY
	PhysList           // ARRAY: offsets plus one child
	PhysMap            // MAP, MULTISET (value INT): offsets plus children key and value
	PhysRow            // ROW: one child per field
)

// Width returns the bytes of one value of a fixed layout, 0 for the others.
func (p Physical) Width() int {
	switch p {
	case PhysI8:
		return 1
	case PhysI16:
		return 2
	case PhysI32, PhysF32:
		return 4
	case PhysI64, PhysF64:
		return 8
	case PhysD128:
		return 16
	}
	return 0
}

// Physical returns the layout of t's values.
func (t Type) Physical() Physical {
	switch t.Kind {
	case Boolean:
		return PhysBool
	case TinyInt:
		return PhysI8
	case SmallInt:
		return PhysI16
	case Int, Date, Time, IntervalYearMonth:
		return PhysI32
	case BigInt, Timestamp, TimestampLTZ, IntervalDayTime:
		return PhysI64
	case Float:
		return PhysF32
	case Double:
		return PhysF64
	case Decimal:
		return PhysD128
	case Char, VarChar, Binary, VarBinary:
		return PhysBytes
	case Array:
		return PhysList
	case Map, Multiset:
		return PhysMap
	case Row:
		return PhysRow
	case Null:
		return PhysBool // every row NULL
	}
	return PhysNone
}

// UnitsPerSecond returns the resolution of a timestamp type's int64: 1,000 up to
// precision 3, 1,000,000 up to 6, 1,000,000,000 up to 9. Values count from
// 1970-01-01 00:00:00 (for TIMESTAMP_LTZ in UTC). With nanoseconds the years
// 1677 to 2262 can be represented; a value outside is an error, never a wrap.
func (t Type) UnitsPerSecond() int64 {
	switch {
	case t.Precision <= 3:
		return 1_000
	case t.Precision <= 6:
		return 1_000_000
	}
	return 1_000_000_000
}
