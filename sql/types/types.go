// Package types owns the SQL type system: Flink's logical types, their text,
// their equality and their physical layout. It is pure data, imports nothing of
// ours, and every other package may import it.
package types

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind names a family of SQL types.
type Kind uint8

// The kinds, in Flink's order of documentation. Null is the type of a bare NULL
// literal before a context gives it another.
const (
	Invalid Kind = iota
	Null
	Boolean
	TinyInt
	SmallInt
	Int
	BigInt
	Float
	Double
	Decimal      // Precision 1..38, Scale 0..Precision
	Char         // Length in code points
	VarChar      // Length in code points; MaxLength is STRING
	Binary       // Length in bytes
	VarBinary    // Length in bytes; MaxLength is BYTES
	Date         // days since 1970-01-01
	Time         // Precision 0..9; milliseconds of the day
	Timestamp    // Precision 0..9, without time zone
	TimestampLTZ // Precision 0..9, an instant
	IntervalYearMonth
	IntervalDayTime
	Array
	Map
	Multiset
	Row
)

// MaxLength is the length of STRING and BYTES.
const MaxLength = 1<<31 - 1

// TimeAttribute marks a column that carries the stream's notion of time.
type TimeAttribute uint8

// NotTime is an ordinary column. RowTime columns have a watermark; ProcTime
// columns are PROCTIME().
const (
	NotTime TimeAttribute = iota
	RowTime
	ProcTime
)

// Type is one SQL type. The zero value is Invalid. Types are values: do not
// change one that others can see.
type Type struct {
	Kind      Kind
	NotNull   bool          // false: the type admits NULL
	Length    int           // Char, VarChar, Binary, VarBinary
	Precision int           // Decimal, Time, Timestamp, TimestampLTZ
	Scale     int           // Decimal
	Attr      TimeAttribute // Timestamp, TimestampLTZ
	Key       *Type         // Map
	Elem      *Type         // Array, Multiset; Map's value
	Fields    []Field       // Row
}

// Field is one named member of a row type or one column of a schema.
type Field struct {
	Name string
	Type Type
}

// Schema is the ordered columns of a table or of an operator's output.
type Schema []Field

// Index returns the position of the column called name, compared exactly, or -1.
func (s Schema) Index(name string) int {
	for i := range s {
		if s[i].Name == name {
			return i
		}
	}
	return -1
}

// Names returns the column names in order.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i := range s {
		names[i] = s[i].Name
	}
	return names
}

// String prints the schema as "(a BIGINT, b STRING)".
func (s Schema) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, f := range s {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteIdent(f.Name))
		b.WriteByte(' ')
		b.WriteString(f.Type.String())
	}
	b.WriteByte(')')
	return b.String()
}

// Constructors of nullable types; NotNullable makes the other kind.
var (
	NullT      = Type{Kind: Null}
	BooleanT   = Type{Kind: Boolean}
	TinyIntT   = Type{Kind: TinyInt}
	SmallIntT  = Type{Kind: SmallInt}
	IntT       = Type{Kind: Int}
	BigIntT    = Type{Kind: BigInt}
	FloatT     = Type{Kind: Float}
	DoubleT    = Type{Kind: Double}
	StringT    = Type{Kind: VarChar, Length: MaxLength}
	BytesT     = Type{Kind: VarBinary, Length: MaxLength}
	DateT      = Type{Kind: Date}
	YearMonthT = Type{Kind: IntervalYearMonth}
	DayTimeT   = Type{Kind: IntervalDayTime}
)

// DecimalT is DECIMAL(p, s).
func DecimalT(p, s int) Type { return Type{Kind: Decimal, Precision: p, Scale: s} }

// CharT is CHAR(n).
func CharT(n int) Type { return Type{Kind: Char, Length: n} }

// VarCharT is VARCHAR(n).
func VarCharT(n int) Type { return Type{Kind: VarChar, Length: n} }

// TimeT is TIME(p).
func TimeT(p int) Type { return Type{Kind: Time, Precision: p} }

// TimestampT is TIMESTAMP(p).
func TimestampT(p int) Type { return Type{Kind: Timestamp, Precision: p} }

// TimestampLTZT is TIMESTAMP_LTZ(p).
func TimestampLTZT(p int) Type { return Type{Kind: TimestampLTZ, Precision: p} }

// ArrayT is ARRAY<elem>.
func ArrayT(elem Type) Type { return Type{Kind: Array, Elem: &elem} }

// MultisetT is MULTISET<elem>.
func MultisetT(elem Type) Type { return Type{Kind: Multiset, Elem: &elem} }

// MapT is MAP<key, value>.
func MapT(key, value Type) Type { return Type{Kind: Map, Key: &key, Elem: &value} }

// RowT is ROW<fields>.
func RowT(fields ...Field) Type { return Type{Kind: Row, Fields: fields} }

// NotNullable returns t without NULL.
func (t Type) NotNullable() Type { t.NotNull = true; return t }

// Nullable returns t with NULL.
func (t Type) Nullable() Type { t.NotNull = false; return t }

// WithNull returns t admitting NULL iff nullable.
func (t Type) WithNull(nullable bool) Type { t.NotNull = !nullable; return t }

// WithoutAttr returns t as an ordinary column's type.
func (t Type) WithoutAttr() Type { t.Attr = NotTime; return t }

// Equal reports whether the types are the same including nullability, at every
// depth; time attributes are not compared.
func (t Type) Equal(o Type) bool { return t.NotNull == o.NotNull && t.Same(o) }

// Same is Equal without the outermost nullability.
func (t Type) Same(o Type) bool {
	if t.Kind != o.Kind || t.Length != o.Length || t.Precision != o.Precision || t.Scale != o.Scale || len(t.Fields) != len(o.Fields) {
		return false
	}
	if (t.Key == nil) != (o.Key == nil) || (t.Elem == nil) != (o.Elem == nil) {
		return false
	}
	if t.Key != nil && !t.Key.Equal(*o.Key) || t.Elem != nil && !t.Elem.Equal(*o.Elem) {
		return false
	}
	for i := range t.Fields {
		if t.Fields[i].Name != o.Fields[i].Name || !t.Fields[i].Type.Equal(o.Fields[i].Type) {
			return false
		}
	}
	return true
}

// IsInteger reports TINYINT, SMALLINT, INT and BIGINT.
func (t Type) IsInteger() bool { return t.Kind >= TinyInt && t.Kind <= BigInt }

// IsExact reports the integers and DECIMAL.
func (t Type) IsExact() bool { return t.IsInteger() || t.Kind == Decimal }

// IsApprox reports FLOAT and DOUBLE.
func (t Type) IsApprox() bool { return t.Kind == Float || t.Kind == Double }

// IsNumeric reports every number type.
func (t Type) IsNumeric() bool { return t.IsExact() || t.IsApprox() }

// IsString reports CHAR and VARCHAR.
func (t Type) IsString() bool { return t.Kind == Char || t.Kind == VarChar }

// IsBinary reports BINARY and VARBINARY.
func (t Type) IsBinary() bool { return t.Kind == Binary || t.Kind == VarBinary }

// IsTimestamp reports TIMESTAMP and TIMESTAMP_LTZ.
func (t Type) IsTimestamp() bool { return t.Kind == Timestamp || t.Kind == TimestampLTZ }

// IsInterval reports both families of intervals.
func (t Type) IsInterval() bool { return t.Kind == IntervalYearMonth || t.Kind == IntervalDayTime }

// IsNested reports ARRAY, MAP, MULTISET and ROW.
func (t Type) IsNested() bool { return t.Kind >= Array }

var kindNames = [...]string{
	Invalid: "INVALID", Null: "NULL", Boolean: "BOOLEAN", TinyInt: "TINYINT", SmallInt: "SMALLINT", Int: "INT", BigInt: "BIGINT",
	Float: "FLOAT", Double: "DOUBLE", Decimal: "DECIMAL", Char: "CHAR", VarChar: "VARCHAR", Binary: "BINARY", VarBinary: "VARBINARY",
	Date: "DATE", Time: "TIME", Timestamp: "TIMESTAMP", TimestampLTZ: "TIMESTAMP_LTZ", IntervalYearMonth: "INTERVAL MONTH",
	IntervalDayTime: "INTERVAL SECOND(3)", Array: "ARRAY", Map: "MAP", Multiset: "MULTISET", Row: "ROW",
}

// String returns the kind's SQL name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "INVALID"
}

// String prints the type as Flink's asSummaryString does: "BIGINT NOT NULL",
// "VARCHAR(3)", "STRING", "ROW<`a` INT, `b` STRING>". (Flink writes
// VARCHAR(2147483647); STRING is the same type in SQL text and what people type.)
func (t Type) String() string {
	s := t.base()
	if t.NotNull {
		s += " NOT NULL"
	}
	return s
}

// Summary is String with time attributes as Flink prints them: *ROWTIME*.
func (t Type) Summary() string {
	s := t.String()
	switch t.Attr {
	case RowTime:
		return s + " *ROWTIME*"
	case ProcTime:
		return s + " *PROCTIME*"
	}
	return s
}

func (t Type) base() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.Precision, t.Scale)
	case Char, Binary:
		return t.Kind.String() + "(" + strconv.Itoa(t.Length) + ")"
	case VarChar, VarBinary:
		if t.Length == MaxLength {
			if t.Kind == VarChar {
				return "STRING"
			}
			return "BYTES"
		}
		return t.Kind.String() + "(" + strconv.Itoa(t.Length) + ")"
	case Time, Timestamp, TimestampLTZ:
		return t.Kind.String() + "(" + strconv.Itoa(t.Precision) + ")"
	case Array, Multiset:
		return t.Kind.String() + "<" + t.Elem.String() + ">"
	case Map:
		return "MAP<" + t.Key.String() + ", " + t.Elem.String() + ">"
	case Row:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = QuoteIdent(f.Name) + " " + f.Type.String()
		}
		return "ROW<" + strings.Join(parts, ", ") + ">"
	}
	return t.Kind.String()
}

// QuoteIdent writes a name in backquotes, doubling those inside.
func QuoteIdent(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
