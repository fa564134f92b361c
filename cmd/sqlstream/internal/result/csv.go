package result

import (
	"bytes"

	"github.com/sqlstream/sqlstream/exec/vec"
)

// CSV is RFC 4180's, with \n for line ends: fields with quotes, commas or line ends stand in
// quotes, NULL is an empty field and the empty text "".

func (r *Rows) csvHeader() {
	p := r.p
	dst := p.buf[:0]
	if !r.appendOnly {
		dst = append(dst, "op,"...)
	}
	for c, f := range r.schema {
		if c > 0 {
			dst = append(dst, ',')
		}
		dst = appendField(dst, []byte(f.Name))
	}
	p.out.Write(append(dst, '\n'))
}

func (r *Rows) appendCSV(dst []byte, b *vec.Batch, i int) []byte {
	if !r.appendOnly {
		dst = append(dst, vec.KindText(b.Kind(i))...)
		dst = append(dst, ',')
	}
	var field []byte
	for c := range b.Cols {
		if c > 0 {
			dst = append(dst, ',')
		}
		if b.Cols[c].IsNull(i) {
			continue
		}
		field = appendText(field[:0], &b.Cols[c], i)
		dst = appendField(dst, field)
	}
	return dst
}

func appendField(dst, field []byte) []byte {
	if len(field) > 0 && bytes.IndexAny(field, "\",\r\n") < 0 && field[0] != ' ' && field[len(field)-1] != ' ' {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	for _, c := range field {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
