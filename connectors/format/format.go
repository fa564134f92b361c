// Package format owns the contract between connectors and the encodings of records: a
// Format turns the bytes of one record into a row of columns and back. Formats are handed
// to connectors as an explicit Set (package connectors/all makes it). It imports
// connectors, exec/vec and sql/types; connectors and the format packages import it.
package format

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/suggest"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Decoder turns records into rows. One goroutine uses a decoder; readers make their own.
type Decoder interface {
	// Decode appends exactly one row to cols and returns nil, or appends nothing and returns
	//
	//   - a *BadRecord: value cannot be read as a row; the connector applies its policy,
	//   - ErrIgnored: likewise, and the format's own options say to drop it (count it),
	//   - ErrNoRow: value is well formed but stands for no row (a comment, a nil value).
	//
	// cols[i] is the column projection[i] of the schema given to NewDecoder. value is
	// borrowed: nothing of it is kept or referenced after the call.
	//
	// A nil value (Kafka's tombstone) is the connector's business: upsert tables make a
	// delete of it. A decoder that is handed one all the same does what Flink's format does:
	// ErrNoRow for most, a row of NULL for 'raw'. An empty, non-nil value is a record like any
	// other.
	Decode(value []byte, cols []vec.Vec) error
}

// Splitter is a Decoder whose records in a file are not lines. Others have one record a
// line, without the line end.
type Splitter interface {
	// Split returns the length of the first record of data including its terminator, and
	// the record without it; 0 when data ends before the record does. At the end of the
	// file the rest is a record.
	Split(data []byte, atEOF bool) (advance int, record []byte)
}

// Encoder turns rows into records. One goroutine uses an encoder.
type Encoder interface {
	// Encode appends physical row `row` of b to dst as one record, without a terminator. On
	// an error nothing of dst counts. What b.Kinds says is not encoded.
	Encode(dst []byte, b *vec.Batch, row int) ([]byte, error)
}

// Nuller is an Encoder whose rows can be NULL as a whole, as Kafka's keys and values can.
type Nuller interface {
	Encoder
	// Null tells whether row stands for no bytes at all. Where a record cannot be NULL,
	// Encode makes an empty one of it.
	Null(b *vec.Batch, row int) bool
}

// Format makes decoders and encoders of one encoding ('format' = Name).
//
// opts are the options under the format's prefix, without it: 'json.ignore-parse-errors'
// arrives as 'ignore-parse-errors'. Both constructors check types and options: what they
// return works on every row, up to the data itself.
type Format interface {
	Name() string
	// Options lists the format's options without prefix.
	Options() []connectors.OptionDef
	// NewDecoder makes a decoder of records of the schema; projection holds the indexes of
	// the columns wanted, in the order in which they are filled.
	NewDecoder(schema types.Schema, projection []int, opts connectors.Options, env connectors.Env) (Decoder, error)
	NewEncoder(schema types.Schema, opts connectors.Options, env connectors.Env) (Encoder, error)
}

// FieldsByName reports whether the format finds the fields of ROW columns by their names, so
// that the schema of a decoder need not have those that nobody reads.
func FieldsByName(f Format) bool {
	n, ok := f.(interface{ FieldsByName() bool })
	return ok && n.FieldsByName()
}

// ErrIgnored and ErrNoRow are answers of Decode without a row.
var (
	ErrIgnored = errors.New("record dropped: ignore-parse-errors")
	ErrNoRow   = errors.New("record stands for no row")
)

// BadRecord says why a record is no row. The message names what was found and what was
// expected, never the whole record; the connector adds where the record came from.
type BadRecord struct {
	Field string // path of the column, "bid.price"; "" when the record as a whole is broken
	At    int    // byte offset in the record, -1 unknown
	Err   error
}

func (e *BadRecord) Error() string {
	var b strings.Builder
	if e.Field != "" {
		b.WriteString("field " + e.Field + ": ")
	}
	b.WriteString(e.Err.Error())
	if e.At >= 0 {
		fmt.Fprintf(&b, " (byte %d of the record)", e.At)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *BadRecord) Unwrap() error { return e.Err }

// Set is the formats a connector can use.
type Set []Format

// Lookup returns the format that an option ("format", "value.format") names.
func (s Set) Lookup(option, name string) (Format, error) {
	for _, f := range s {
		if f.Name() == name {
			return f, nil
		}
	}
	names := s.Names()
	if name == "" {
		return nil, exec.Userf("option '%s' is missing, expected one of %s", option, strings.Join(names, ", "))
	}
	return nil, exec.Userf("option '%s' = '%s': no such format%s; there are %s", option, name, suggest.Hint(name, names), strings.Join(names, ", "))
}

// Names returns the formats' names in order of the set.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name()
	}
	return names
}

// Options lists the options of a format under a prefix ("" or "key.") and its name, as
// they stand in a table: "key.json.ignore-parse-errors".
func Options(prefix string, f Format) []connectors.OptionDef {
	defs := f.Options()
	out := make([]connectors.OptionDef, len(defs))
	for i, d := range defs {
		d.Key = prefix + f.Name() + "." + d.Key
		out[i] = d
	}
	return out
}
