// Package rowjson owns the text form of results that programs compare: one JSON line with
// the columns, then one JSON array a row, the row kind first. It is what `--output json`
// prints and what the golden results of the tests hold:
//
//	{"columns":[{"name":"shop","type":"STRING"},{"name":"n","type":"BIGINT NOT NULL"}]}
//	["+I","north","1"]
//
// Values keep everything their type says: BIGINT and DECIMAL are strings (no reader rounds
// them), a DECIMAL has all digits of its scale, a timestamp all digits of its precision,
// binary is hexadecimal, maps are sorted lists of pairs. It imports sql/types, exec/vec and
// format/text; the command line and tests import it.
package rowjson

import (
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// AppendHeader appends the line of columns, without a line end.
func AppendHeader(dst []byte, schema types.Schema) []byte {
	dst = append(dst, `{"columns":[`...)
	for i, f := range schema {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":`...)
		dst = appendString(dst, []byte(f.Name))
		dst = append(dst, `,"type":`...)
		dst = appendString(dst, []byte(f.Type.Summary()))
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

// AppendRow appends physical row i of b as one array, without a line end.
func AppendRow(dst []byte, b *vec.Batch, i int) []byte {
	dst = append(dst, `["`...)
	dst = append(dst, vec.KindText(b.Kind(i))...)
	dst = append(dst, '"')
	for c := range b.Cols {
		dst = append(dst, ',')
		dst = AppendValue(dst, &b.Cols[c], i)
	}
	return append(dst, ']')
}
