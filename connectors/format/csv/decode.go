package csv

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// decoder cuts a record into fields and appends them to the columns, which it cuts back when
// a field is bad.
type decoder struct {
	dialect
	schema  types.Schema
	columns []int // by column of the batch: index into schema
	row     []field
	arena   []byte
}

func newDecoder(schema types.Schema, projection []int, d dialect) *decoder {
	return &decoder{dialect: d, schema: schema, columns: projection}
}

var (
	errNull  = errors.New("is NULL or missing, but its type is NOT NULL")
	errUTF8  = errors.New("the text is not valid UTF-8")
	errShort = errors.New("too few fields")
)

// Decode implements format.Decoder.
func (d *decoder) Decode(record []byte, cols []vec.Vec) error {
	if record == nil || d.isComment(record) {
		return format.ErrNoRow
	}
	if at, err := d.fields(record); err != nil {
		return d.bad("", at, err)
	}
	if n := len(d.row); n > len(d.schema) || n < len(d.schema) && !d.ignoreErrors {
		return d.bad("", -1, fmt.Errorf("found %d fields, expected %d", n, len(d.schema)))
	}
	for i := range cols {
		if err := d.column(d.columns[i], &cols[i]); err != nil {
			for k := range cols[:i] {
				cols[k].Truncate(cols[k].N - 1)
			}
			return err
		}
	}
	return nil
}

// column appends the value of schema column c, or nothing and an error.
func (d *decoder) column(c int, v *vec.Vec) error {
	f, n := &d.schema[c], v.N
	if c >= len(d.row) {
		if f.Type.NotNull {
			return d.bad(f.Name, -1, errNull)
		}
		v.AppendNull()
		return nil
	}
	err := d.append(d.row[c].text, &f.Type, v)
	if err == nil {
		return nil
	}
	v.Truncate(n)
	for k := range v.Kids { // of a ROW or ARRAY that was not finished
		v.Kids[k].Truncate(kidRows(v, n))
	}
	if d.ignoreErrors && !f.Type.NotNull && !errors.Is(err, errUTF8) {
		v.AppendNull()
		return nil
	}
	return d.bad(f.Name, d.row[c].at, err)
}

// kidRows is how many rows the children of a column have that has n.
func kidRows(v *vec.Vec, n int) int {
	if v.Type.Kind == types.Row {
		return n
	}
	return int(v.Off[n])
}

func (d *decoder) bad(column string, at int, err error) error {
	if d.ignoreErrors {
		return format.ErrIgnored
	}
	return &format.BadRecord{Field: column, At: at, Err: err}
}

// append adds the value of one field.
func (d *decoder) append(b []byte, t *types.Type, v *vec.Vec) error {
	if d.hasNull && string(b) == d.null {
		if t.NotNull {
			return errNull
		}
		v.AppendNull()
		return nil
	}
	switch t.Kind {
	case types.Array:
		if len(b) > 0 {
			for _, e := range strings.Split(string(b), d.array) {
				if err := d.inner([]byte(e), t.Elem, &v.Kids[0]); err != nil {
					return err
				}
			}
		}
		v.AppendOpen()
		return nil
	case types.Row:
		return d.rowOf(b, t, v)
	}
	return scalar(b, t, v)
}

// inner adds an element or field of a nested value, NULL for a bad one when errors are ignored.
func (d *decoder) inner(b []byte, t *types.Type, v *vec.Vec) error {
	n := v.N
	err := d.append(b, t, v)
	if err != nil && d.ignoreErrors && !t.NotNull && !errors.Is(err, errUTF8) {
		v.Truncate(n)
		v.AppendNull()
		return nil
	}
	return err
}

// rowOf adds a ROW; an empty text is NULL, surplus parts are left out, as in Flink.
func (d *decoder) rowOf(b []byte, t *types.Type, v *vec.Vec) error {
	if len(b) == 0 {
		if t.NotNull {
			return errNull
		}
		v.AppendNull()
		return nil
	}
	parts := strings.Split(string(b), d.array)
	if len(parts) < len(t.Fields) && !d.ignoreErrors {
		return fmt.Errorf("found %d fields of the ROW, expected %d: %w", len(parts), len(t.Fields), errShort)
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if i >= len(parts) {
			if f.Type.NotNull {
				return errNull
			}
			v.Kids[i].AppendNull()
		} else if err := d.inner([]byte(parts[i]), &f.Type, &v.Kids[i]); err != nil {
			return err
		}
	}
	v.AppendOpen()
	return nil
}

func no(b []byte, t *types.Type, want string) error {
	const most = 40
	if len(b) > most {
		b = append(b[:most:most], "..."...)
	}
	if want != "" {
		want = ", expected " + want
	}
	return fmt.Errorf("%s is no %s%s", strconv.Quote(string(b)), t.Nullable(), want)
}

// scalar adds a value that is not nested, or nothing and an error.
func scalar(b []byte, t *types.Type, v *vec.Vec) error {
	switch t.Kind {
	case types.Char, types.VarChar:
		if !utf8.Valid(b) {
			return errUTF8
		}
		v.AppendBytes(b)
	case types.Boolean: // as Java's parseBoolean: all but "true" is false
		v.AppendBool(bytes.EqualFold(text.Trim(b), []byte("true")))
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.IntervalYearMonth, types.IntervalDayTime:
		return integer(b, t, v)
	case types.Float, types.Double:
		f, ok := text.Float(b, t.Physical().Width()*8)
		switch {
		case !ok:
			return no(b, t, "")
		case t.Kind == types.Float:
			vec.Append(v, float32(f))
		default:
			vec.Append(v, f)
		}
	case types.Decimal:
		switch dec, st := text.Decimal(text.Trim(b), t.Precision, t.Scale); {
		case st == text.DecimalBad:
			return no(b, t, "")
		case st == text.DecimalOverflow && t.NotNull:
			return errNull
		case st == text.DecimalOverflow:
			v.AppendNull()
		default:
			vec.Append(v, dec)
		}
	case types.Date:
		days, ok := text.LenientDate(b)
		if !ok {
			return no(b, t, "yyyy-MM-dd")
		}
		vec.Append(v, days)
	case types.Time:
		ms, ok := text.Time(b, false)
		if !ok {
			return no(b, t, "HH:mm[:ss[.f]]")
		}
		vec.Append(v, ms)
	case types.Timestamp, types.TimestampLTZ:
		st := text.Style(*t, false)
		ts, ok := text.Timestamp(b, st, t.UnitsPerSecond())
		if !ok {
			return no(b, t, st.String())
		}
		vec.Append(v, ts)
	default:
		bin, err := base64.StdEncoding.Strict().AppendDecode(nil, b)
		if err != nil || bytes.ContainsAny(b, "\r\n") {
			return no(b, t, "base64")
		}
		v.AppendBytes(bin)
	}
	return nil
}

func integer(b []byte, t *types.Type, v *vec.Vec) error {
	p := t.Physical()
	i, ok := text.Integer(text.Trim(b), p.Width()*8)
	if !ok {
		return no(b, t, "")
	}
	switch p {
	case types.PhysI64:
		vec.Append(v, i)
	case types.PhysI32:
		vec.Append(v, int32(i))
	case types.PhysI16:
		vec.Append(v, int16(i))
	default:
		vec.Append(v, int8(i))
	}
	return nil
}
