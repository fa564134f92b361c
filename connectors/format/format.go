// Package format owns the contract between connectors and the encodings of their records
// (JSON, CSV, raw, Avro, ...): a Decoder turns the bytes of one record into one row of
// columns, an Encoder does the reverse. Connectors import it; it imports connectors for
// options and nothing of any single connector.
package format

import (
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Decoder turns records into rows. It is used by one goroutine.
type Decoder interface {
	// Decode appends exactly one row to the columns b, or returns a *BadRecord and leaves
	// them as they were. b has one column per entry of the projection the decoder was made
	// with. The columns copy what they keep: value may be reused after the call.
	Decode(value []byte, b []vec.Vec) error
}

// Encoder turns rows into records. It is used by one goroutine.
type Encoder interface {
	// Encode appends the encoding of physical row `row` of b to dst and returns it. b has
	// the columns of the schema the encoder was made with, in order.
	Encode(dst []byte, b *vec.Batch, row int) ([]byte, error)
}

// Format makes decoders and encoders of one encoding ('format' = Name).
type Format interface {
	Name() string
	// Options lists the format's own options without its prefix: "ignore-parse-errors".
	Options() []connectors.OptionDef
	// NewDecoder makes a decoder that fills the columns of schema named by projection
	// (indexes into schema, in batch order). opts are the format's options without prefix.
	NewDecoder(schema types.Schema, projection []int, opts connectors.Options, env connectors.Env) (Decoder, error)
	// NewEncoder makes an encoder of rows of the schema.
	NewEncoder(schema types.Schema, opts connectors.Options, env connectors.Env) (Encoder, error)
}

// BadRecord is the error of a record that the format cannot decode. The message names what
// was found and what was expected, never the whole record.
type BadRecord struct {
	Field string // the column or path in which decoding failed, "" for the whole record
	At    int    // byte offset in the record, -1 when unknown
	Err   error
}

func (e *BadRecord) Error() string {
	if e.Field == "" {
		return e.Err.Error()
	}
	return "field " + e.Field + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *BadRecord) Unwrap() error { return e.Err }
