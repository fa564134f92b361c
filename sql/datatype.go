package sql

import (
	"maps"
	"slices"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/suggest"
	"github.com/sqlstream/sqlstream/sql/types"
)

// simpleTypes are the types without parameters.
var simpleTypes = map[string]types.Type{
	"BOOLEAN": types.BooleanT, "TINYINT": types.TinyIntT, "SMALLINT": types.SmallIntT, "INT": types.IntT, "INTEGER": types.IntT,
	"BIGINT": types.BigIntT, "FLOAT": types.FloatT, "REAL": types.FloatT, "DOUBLE": types.DoubleT, "STRING": types.StringT, "BYTES": types.BytesT,
	"DATE": types.DateT,
}

// typeWords are the first words of all types, for misspellings.
var typeWords = append(slices.Sorted(maps.Keys(simpleTypes)), "CHAR", "VARCHAR", "BINARY", "VARBINARY", "DECIMAL", "NUMERIC", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ",
	"INTERVAL", "ARRAY", "MULTISET", "MAP", "ROW")

// otherTypes are what people write from habit, and what the type is called here.
var otherTypes = map[string]string{
	"TEXT": "STRING", "LONGTEXT": "STRING", "CLOB": "STRING", "NVARCHAR": "STRING", "VARCHAR2": "STRING", "UUID": "STRING", "JSON": "STRING",
	"JSONB": "STRING", "DATETIME": "TIMESTAMP(3)", "TIMESTAMPTZ": "TIMESTAMP_LTZ(3)", "BOOL": "BOOLEAN", "BLOB": "BYTES", "BYTEA": "BYTES",
	"LONG": "BIGINT", "INT8": "BIGINT", "INT64": "BIGINT", "INT4": "INT", "INT32": "INT", "INT2": "SMALLINT", "FLOAT8": "DOUBLE", "FLOAT64": "DOUBLE",
	"FLOAT4": "FLOAT", "NUMBER": "DECIMAL(p, s)", "MONEY": "DECIMAL(p, s)", "SERIAL": "BIGINT", "STRUCT": "ROW<name type, ..>", "LIST": "ARRAY<type>",
}

// dataType parses a data type.
func (p *parser) dataType() ast.TypeRef {
	p.enter()
	defer p.leave()
	at := p.pos()
	t := p.baseType()
	for n := 0; ; n++ {
		switch {
		case p.accept("NOT", "NULL"):
			t = t.NotNullable()
		case p.peek("NULL") && !p.peekAt(1, "ON"): // RETURNING type NULL ON EMPTY
			p.i++
			t = t.Nullable()
		case p.accept("ARRAY"):
			t = types.ArrayT(t)
		case p.accept("MULTISET"):
			t = types.MultisetT(t)
		default:
			return ast.TypeRef{At: at, Type: t}
		}
		if n > maxDepth {
			p.fail(p.i, "nested more than %d levels deep", maxDepth)
		}
	}
}

func (p *parser) baseType() types.Type {
	t := p.tok()
	if t.kind != word {
		p.unexpected("a data type")
	}
	if simple, ok := simpleTypes[t.upper]; ok {
		if p.i++; t.upper == "DOUBLE" {
			p.accept("PRECISION")
		}
		if p.peek("(") {
			p.fail(p.i, "%s takes no length", t.upper)
		}
		return simple
	}
	switch p.i++; t.upper {
	case "CHAR", "CHARACTER", "VARCHAR":
		if p.accept("VARYING") || t.upper == "VARCHAR" {
			return types.VarCharT(p.parameter("a length", 1, types.MaxLength, types.MaxLength))
		}
		return types.CharT(p.parameter("a length", 1, types.MaxLength, 1))
	case "BINARY":
		if p.accept("VARYING") {
			return types.Type{Kind: types.VarBinary, Length: p.parameter("a length", 1, types.MaxLength, types.MaxLength)}
		}
		return types.Type{Kind: types.Binary, Length: p.parameter("a length", 1, types.MaxLength, 1)}
	case "VARBINARY":
		return types.Type{Kind: types.VarBinary, Length: p.parameter("a length", 1, types.MaxLength, types.MaxLength)}
	case "DECIMAL", "DEC", "NUMERIC":
		return p.decimal()
	case "TIME":
		precision := p.parameter("a precision", 0, 9, 0)
		p.accept("WITHOUT", "TIME", "ZONE")
		return types.TimeT(precision)
	case "TIMESTAMP":
		return p.timestamp()
	case "TIMESTAMP_LTZ":
		return types.TimestampLTZT(p.parameter("a precision", 0, 9, 6))
	case "INTERVAL":
		return p.intervalType()
	case "ARRAY", "MULTISET":
		elem := p.angle(1)[0]
		if t.upper == "ARRAY" {
			return types.ArrayT(elem)
		}
		return types.MultisetT(elem)
	case "MAP":
		kv := p.angle(2)
		return types.MapT(kv[0], kv[1])
	case "ROW":
		return p.rowType()
	}
	p.i--
	if t.upper == "RAW" || t.upper == "VARIANT" || t.upper == "STRUCTURED" || t.upper == "NULL" {
		p.fail(p.i, "the data type %s is not supported", t.upper)
	}
	hint := didYouMean(t.value, suggest.Nearest(t.upper, typeWords))
	if other := otherTypes[t.upper]; other != "" {
		hint = "write " + other
	}
	p.failHint(p.i, hint, "there is no data type %s here", t.value)
	return types.Type{}
}

// parameter parses (n), or returns the default.
func (p *parser) parameter(what string, lo, hi, def int) int {
	if p.peek("(") {
		p.brackets(1, func() { def = p.small(what, lo, hi) })
	}
	return def
}

func (p *parser) decimal() types.Type {
	precision, scale, n := 10, 0, 0
	if p.peek("(") {
		p.brackets(2, func() {
			if n++; n == 1 {
				precision = p.small("the precision of a DECIMAL", 1, 38)
			} else {
				scale = p.small("the scale of a DECIMAL", 0, precision)
			}
		})
	}
	return types.DecimalT(precision, scale)
}

func (p *parser) timestamp() types.Type {
	precision := p.parameter("a precision", 0, 9, 6)
	switch {
	case p.accept("WITH", "LOCAL", "TIME", "ZONE"):
		return types.TimestampLTZT(precision)
	case p.peek("WITH", "TIME", "ZONE"):
		p.failHint(p.i, "write TIMESTAMP_LTZ for an instant", "TIMESTAMP WITH TIME ZONE is not supported")
	}
	p.accept("WITHOUT", "TIME", "ZONE")
	return types.TimestampT(precision)
}

// intervalType parses the units of an interval type. The type is one of two whatever they are.
func (p *parser) intervalType() types.Type {
	iv := &ast.IntervalLit{}
	p.units(iv)
	if iv.From <= ast.Month {
		return types.YearMonthT
	}
	return types.DayTimeT
}

// angle parses <type, ..>, n types.
func (p *parser) angle(n int) (out []types.Type) {
	open := p.i
	p.expect("<")
	for len(out) < n {
		if len(out) > 0 {
			p.expect(",")
		}
		out = append(out, p.dataType().Type)
	}
	p.close(open, ">")
	return out
}

// rowType parses ROW<name type ['comment'], ..>, also with round brackets.
func (p *parser) rowType() types.Type {
	if p.accept("<>") {
		return types.RowT()
	}
	open, end := p.i, ">"
	if p.accept("(") {
		end = ")"
	} else {
		p.expect("<")
	}
	var fields []types.Field
	if !p.peek(end) {
		p.items(maxColumns, func() {
			f := types.Field{Name: p.name("a field's name").Name, Type: p.dataType().Type}
			if p.tok().kind == text {
				p.string("a comment")
			}
			fields = append(fields, f)
		})
	}
	p.close(open, end)
	return types.RowT(fields...)
}
