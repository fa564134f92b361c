package ast

// UnaryOp is an operator before its operand.
type UnaryOp uint8

// The unary operators.
const (
	OpNot UnaryOp = iota
	OpNegate
	OpPlus
)

var unaryNames = [...]string{OpNot: "NOT", OpNegate: "-", OpPlus: "+"}

// String returns the operator's sign.
func (o UnaryOp) String() string { return unaryNames[o] }

// BinaryOp is an operator between two operands.
type BinaryOp uint8

// The binary operators. <> also stands for !=.
const (
	OpOr BinaryOp = iota
	OpAnd
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMod
	OpConcat
	OpOverlaps // between two rows of two, ranks as a comparison
)

var binaryNames = [...]string{OpOr: "OR", OpAnd: "AND", OpEq: "=", OpNe: "<>", OpLt: "<", OpLe: "<=", OpGt: ">", OpGe: ">=",
	OpAdd: "+", OpSub: "-", OpMul: "*", OpDiv: "/", OpMod: "%", OpConcat: "||", OpOverlaps: "OVERLAPS"}

// String returns the operator's sign.
func (o BinaryOp) String() string { return binaryNames[o] }

// IsTest is what IS asks.
type IsTest uint8

// The tests of IS.
const (
	IsNull IsTest = iota
	IsTrue
	IsFalse
	IsUnknown
	IsJSON // IS JSON and IS JSON VALUE
	IsJSONObject
	IsJSONArray
	IsJSONScalar
)

var isNames = [...]string{IsNull: "NULL", IsTrue: "TRUE", IsFalse: "FALSE", IsUnknown: "UNKNOWN", IsJSON: "JSON VALUE",
	IsJSONObject: "JSON OBJECT", IsJSONArray: "JSON ARRAY", IsJSONScalar: "JSON SCALAR"}

// String returns the words after IS [NOT].
func (t IsTest) String() string { return isNames[t] }

// Unit is a unit of time in an interval or a function (EXTRACT, FLOOR, TIMESTAMPADD).
type Unit uint8

// The units, from long to short; not every place takes every one.
const (
	UnitNone Unit = iota
	Millennium
	Century
	Decade
	Year
	Quarter
	Month
	Week
	Day
	Hour
	Minute
	Second
	Millisecond
	Microsecond
	Nanosecond
	DayOfWeek    // DOW
	IsoDayOfWeek // ISODOW
	DayOfYear    // DOY
	IsoYear      // ISOYEAR
	Epoch        // seconds since 1970
	unitsEnd
)

var unitNames = [...]string{UnitNone: "", Millennium: "MILLENNIUM", Century: "CENTURY", Decade: "DECADE", Year: "YEAR", Quarter: "QUARTER",
	Month: "MONTH", Week: "WEEK", Day: "DAY", Hour: "HOUR", Minute: "MINUTE", Second: "SECOND", Millisecond: "MILLISECOND",
	Microsecond: "MICROSECOND", Nanosecond: "NANOSECOND", DayOfWeek: "DOW", IsoDayOfWeek: "ISODOW", DayOfYear: "DOY", IsoYear: "ISOYEAR", Epoch: "EPOCH"}

// String returns the unit's word.
func (u Unit) String() string { return unitNames[u] }

// UnitOf returns the unit an upper-case word names, UnitNone for none.
func UnitOf(word string) Unit {
	for u := Millennium; u < unitsEnd; u++ {
		if unitNames[u] == word {
			return u
		}
	}
	return UnitNone
}
