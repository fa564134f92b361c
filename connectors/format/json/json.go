// Package json owns the format 'json': records that are one JSON object, read and written
// as Flink's json format does. It imports connectors/format and format/text; only the
// registry (connectors/all) imports it.
//
// Reading is directed by the schema: values go from the text straight into columns, columns
// nobody wants are skipped. Rules, the same on every path through the decoder:
//
//   - A record is one object in strict JSON (RFC 8259; control characters in strings are
//     allowed, as in Flink), nothing after it but blanks, at most 1,000 levels deep. A record
//     of blanks only stands for no row.
//   - Of equal keys the last one counts, also in objects inside.
//   - Keys are compared exactly, case and all. A missing field is NULL.
//   - Values that are not needed are skipped by their structure; escapes and UTF-8 inside
//     their strings are not looked at.
//   - No value changes silently: what does not fit its column's type makes the record a bad
//     one. (DECIMALs with too many digits before the point are NULL, as everywhere in Flink.)
package json

import (
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// New returns the format.
func New() format.Format { return jsonFormat{} }

type jsonFormat struct{}

func (jsonFormat) Name() string { return "json" }

// FieldsByName is asked by format.FieldsByName.
func (jsonFormat) FieldsByName() bool { return true }

const (
	optMissing   = "fail-on-missing-field"
	optIgnore    = "ignore-parse-errors"
	optTimestamp = "timestamp-format.standard"
	optKeyMode   = "map-null-key.mode"
	optKeyText   = "map-null-key.literal"
	optPlain     = "encode.decimal-as-plain-number"
	optNoNulls   = "encode.ignore-null-fields"
	optParser    = "decode.json-parser.enabled"

	keyFail    = "FAIL"
	keyDrop    = "DROP"
	keyLiteral = "LITERAL"
)

var (
	standards = []string{"SQL", "ISO-8601"}
	keyModes  = []string{keyFail, keyDrop, keyLiteral}
)

func (jsonFormat) Options() []connectors.OptionDef {
	return []connectors.OptionDef{
		{Key: optMissing, Type: "Boolean", Default: "false", Doc: "Whether a field that is missing makes the record bad; otherwise it is NULL."},
		{Key: optIgnore, Type: "Boolean", Default: "false", Doc: "Whether a field that cannot be read becomes NULL and a record that is no JSON object is dropped, instead of being bad."},
		{Key: optTimestamp, Type: "Enum", Enum: standards, Default: "SQL", Doc: "How timestamps are written: SQL '2020-12-30 12:13:14.123', ISO-8601 '2020-12-30T12:13:14.123'; TIMESTAMP_LTZ with a Z at the end."},
		{Key: optKeyMode, Type: "Enum", Enum: keyModes, Default: keyFail, Doc: "What to do with a NULL key of a MAP when writing."},
		{Key: optKeyText, Type: "String", Default: "null", Doc: "The key to write for NULL in mode LITERAL."},
		{Key: optPlain, Type: "Boolean", Default: "false", Doc: "Whether DECIMALs are written with all digits of their scale instead of without trailing zeros and, where shorter, with an exponent."},
		{Key: optNoNulls, Type: "Boolean", Default: "false", Doc: "Whether fields that are NULL are left out when writing."},
		{Key: optParser, Type: "Boolean", Default: "true", Doc: "Flink's choice between two parsers; without effect here."},
	}
}

// settings are the options, read.
type settings struct {
	failOnMissing, ignoreErrors, iso, plain, noNulls bool
	keyMode, keyText                                 string
}

func readOptions(o connectors.Options) (s settings, err error) {
	bools := []struct {
		to  *bool
		key string
	}{{&s.failOnMissing, optMissing}, {&s.ignoreErrors, optIgnore}, {&s.plain, optPlain}, {&s.noNulls, optNoNulls}}
	for _, b := range bools {
		if *b.to, err = o.Bool(b.key, false); err != nil {
			return s, err
		}
	}
	standard, err := o.Enum(optTimestamp, standards, "SQL")
	if err != nil {
		return s, err
	}
	s.iso = standard == "ISO-8601"
	if s.keyMode, err = o.Enum(optKeyMode, keyModes, keyFail); err != nil {
		return s, err
	}
	s.keyText = o.Text(optKeyText, "null")
	if s.failOnMissing && s.ignoreErrors {
		return s, exec.Userf("options 'json.%s' and 'json.%s' exclude each other; remove one", optMissing, optIgnore)
	}
	return s, nil
}

func (jsonFormat) NewDecoder(schema types.Schema, projection []int, opts connectors.Options, _ connectors.Env) (format.Decoder, error) {
	s, err := readOptions(opts)
	if err != nil {
		return nil, err
	}
	return newDecoder(schema, projection, s)
}

func (jsonFormat) NewEncoder(schema types.Schema, opts connectors.Options, _ connectors.Env) (format.Encoder, error) {
	s, err := readOptions(opts)
	if err != nil {
		return nil, err
	}
	return newEncoder(schema, s)
}
