// Package csv owns the format 'csv': records of delimited fields, read and written as Flink's
// csv format (Jackson) does. It imports connectors/format and format/text; only the registry
// (connectors/all) imports it.
//
// A record is one line unless a quoted field contains line ends. Its number of fields has to
// be the table's number of columns whatever columns a query needs. An empty field is an
// empty string, or an error for other types; 'null-literal' is how NULL is written.
package csv

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// New returns the format.
func New() format.Format { return csvFormat{} }

type csvFormat struct{}

func (csvFormat) Name() string { return "csv" }

const (
	optDelimiter  = "field-delimiter"
	optQuote      = "quote-character"
	optNoQuote    = "disable-quote-character"
	optComments   = "allow-comments"
	optIgnore     = "ignore-parse-errors"
	optArray      = "array-element-delimiter"
	optEscape     = "escape-character"
	optNull       = "null-literal"
	optScientific = "write-bigdecimal-in-scientific-notation"
)

func (csvFormat) Options() []connectors.OptionDef {
	return []connectors.OptionDef{
		{Key: optDelimiter, Type: "String", Default: ",", Doc: `Character between fields; \t and \u0001 are understood.`},
		{Key: optNoQuote, Type: "Boolean", Default: "false", Doc: "Whether no character encloses fields."},
		{Key: optQuote, Type: "String", Default: `"`, Doc: "Character that encloses fields."},
		{Key: optComments, Type: "Boolean", Default: "false", Doc: "Whether lines that begin with # are skipped."},
		{Key: optIgnore, Type: "Boolean", Default: "false", Doc: "Whether a field that cannot be read becomes NULL, missing ones too, and a broken record is dropped, instead of being bad."},
		{Key: optArray, Type: "String", Default: ";", Doc: "Text between the elements of an ARRAY and the fields of a ROW."},
		{Key: optEscape, Type: "String", Doc: "Character that takes its special meaning from the next one."},
		{Key: optNull, Type: "String", Doc: "Text of a field that is NULL."},
		{Key: optScientific, Type: "Boolean", Default: "true", Doc: "Whether DECIMALs are written without trailing zeros and, where shorter, with an exponent."},
	}
}

// dialect is the options, read. A character that is 0 is not there.
type dialect struct {
	delimiter, quote, escape byte
	comments, ignoreErrors   bool
	scientific               bool
	array                    string
	null                     string
	hasNull                  bool
}

func readOptions(o connectors.Options) (d dialect, err error) {
	var noQuote bool
	for _, b := range []struct {
		to  *bool
		key string
		def bool
	}{{&noQuote, optNoQuote, false}, {&d.comments, optComments, false}, {&d.ignoreErrors, optIgnore, false}, {&d.scientific, optScientific, true}} {
		if *b.to, err = o.Bool(b.key, b.def); err != nil {
			return d, err
		}
	}
	if d.delimiter, err = character(o, optDelimiter, ","); err != nil {
		return d, err
	}
	if d.escape, err = character(o, optEscape, ""); err != nil {
		return d, err
	}
	if !noQuote {
		if d.quote, err = character(o, optQuote, `"`); err != nil {
			return d, err
		}
	} else if _, ok := o[optQuote]; ok {
		return d, exec.Userf("options 'csv.%s' and 'csv.%s' exclude each other; remove one", optQuote, optNoQuote)
	}
	if d.delimiter == d.quote || d.delimiter == d.escape || d.delimiter == '\n' || d.delimiter == '\r' {
		return d, exec.Userf("option 'csv.%s' = %q: the character has another meaning already", optDelimiter, d.delimiter)
	}
	if d.array = o.Text(optArray, ";"); d.array == "" {
		return d, exec.Userf("option 'csv.%s' is empty, expected a text", optArray)
	}
	d.null, d.hasNull = o[optNull]
	return d, nil
}

// character reads an option of one character, written as itself or as a Java escape.
func character(o connectors.Options, key, def string) (byte, error) {
	text := o.Text(key, def)
	if text == "" && def == "" {
		return 0, nil
	}
	plain := text
	if len(text) > 1 && text[0] == '\\' {
		if s, err := strconv.Unquote(`"` + text + `"`); err == nil {
			plain = s
		}
	}
	if len(plain) != 1 || plain[0] >= utf8.RuneSelf || plain[0] == 0 {
		return 0, exec.Userf("option 'csv.%s' = '%s': expected one ASCII character", key, text)
	}
	return plain[0], nil
}

// checkSchema refuses what a field cannot hold.
func checkSchema(schema types.Schema) error {
	for _, f := range schema {
		var inner []types.Type
		switch f.Type.Kind {
		case types.Array:
			inner = []types.Type{*f.Type.Elem}
		case types.Row:
			for _, g := range f.Type.Fields {
				inner = append(inner, g.Type)
			}
		case types.Map, types.Multiset, types.Null:
			return exec.Userf("column %s: format 'csv' cannot hold the type %s", f.Name, f.Type)
		}
		for _, t := range inner {
			if t.IsNested() || t.Kind == types.Null {
				return exec.Userf("column %s: format 'csv' cannot hold %s inside of %s, simple types only", f.Name, t, strings.ToLower(f.Type.Kind.String()))
			}
		}
	}
	return nil
}

func (csvFormat) NewDecoder(schema types.Schema, projection []int, opts connectors.Options, _ connectors.Env) (format.Decoder, error) {
	d, err := readOptions(opts)
	if err == nil {
		err = checkSchema(schema)
	}
	if err != nil {
		return nil, err
	}
	return newDecoder(schema, projection, d), nil
}

func (csvFormat) NewEncoder(schema types.Schema, opts connectors.Options, _ connectors.Env) (format.Encoder, error) {
	d, err := readOptions(opts)
	if err == nil {
		err = checkSchema(schema)
	}
	if err != nil {
		return nil, err
	}
	return newEncoder(schema, d), nil
}
