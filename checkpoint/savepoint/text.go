package savepoint

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/sqlstream/sqlstream/sql/types"
)

// appendJSON appends row i of a, a column of type t, as JSON: numbers as numbers, what JSON has
// no form for as text (times as SQL writes them, binary in base64), maps with other keys than
// strings as lists of pairs.
func appendJSON(dst []byte, t *types.Type, a arrow.Array, i int) []byte {
	if a.IsNull(i) {
		return append(dst, "null"...)
	}
	switch a := a.(type) {
	case *array.Map:
		return appendMap(dst, t, a, i)
	case *array.List:
		lo, hi := a.ValueOffsets(i)
		dst = append(dst, '[')
		for j := lo; j < hi; j++ {
			if j > lo {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, t.Elem, a.ListValues(), int(j))
		}
		return append(dst, ']')
	case *array.Struct:
		dst = append(dst, '{')
		for k := range t.Fields {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, t.Fields[k].Name), ':')
			dst = appendJSON(dst, &t.Fields[k].Type, a.Field(k), i)
		}
		return append(dst, '}')
	}
	text, number := scalarText(t, a, i)
	if number {
		return append(dst, text...)
	}
	return appendString(dst, text)
}

func appendMap(dst []byte, t *types.Type, a *array.Map, i int) []byte {
	key, value := t.Key, t.Elem
	if t.Kind == types.Multiset {
		count := types.IntT
		key, value = t.Elem, &count
	}
	object := key.IsString()
	open, end := byte('['), byte(']')
	if object {
		open, end = '{', '}'
	}
	lo, hi := a.ValueOffsets(i)
	dst = append(dst, open)
	for j := int(lo); j < int(hi); j++ {
		if j > int(lo) {
			dst = append(dst, ',')
		}
		if !object {
			dst = append(dst, `{"key":`...)
		}
		dst = appendJSON(dst, key, a.Keys(), j)
		if object {
			dst = append(dst, ':')
		} else {
			dst = append(dst, `,"value":`...)
		}
		dst = appendJSON(dst, value, a.Items(), j)
		if !object {
			dst = append(dst, '}')
		}
	}
	return append(dst, end)
}

func appendString(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // strings have a form
	}
	return append(dst, b...)
}

// scalarText is a value that is not NULL as text, and whether that is a number or a boolean of
// JSON.
func scalarText(t *types.Type, a arrow.Array, i int) (text string, number bool) {
	switch a := a.(type) {
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), true
	case *array.Int8:
		return strconv.FormatInt(int64(a.Value(i)), 10), true
	case *array.Int16:
		return strconv.FormatInt(int64(a.Value(i)), 10), true
	case *array.Uint16:
		return strconv.FormatInt(int64(a.Value(i)), 10), true
	case *array.Int32:
		return strconv.FormatInt(int64(a.Value(i)), 10), true
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10), true
	case *array.Float32:
		return floatText(float64(a.Value(i)), 32)
	case *array.Float64:
		return floatText(a.Value(i), 64)
	case *array.Decimal128:
		return decimalText(a.Value(i).BigInt(), t.Scale), true
	case *array.String:
		return a.Value(i), false
	case *array.Binary:
		return base64.StdEncoding.EncodeToString(a.Value(i)), false
	case *array.Date32:
		return time.Unix(int64(a.Value(i))*86400, 0).UTC().Format(time.DateOnly), false
	case *array.Time32:
		return time.UnixMilli(int64(a.Value(i))).UTC().Format("15:04:05.000"[:len("15:04:05")+digits(min(t.Precision, 3))]), false
	case *array.Timestamp:
		s := timestamp(int64(a.Value(i)), t.UnitsPerSecond()).Format("2006-01-02 15:04:05.000000000"[:len(time.DateTime)+digits(t.Precision)])
		if t.Kind == types.TimestampLTZ {
			s += "Z"
		}
		return s, false
	}
	return "", false
}

// digits is the length of a point and n digits.
func digits(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + n
}

func timestamp(v, units int64) time.Time {
	s, rest := v/units, v%units
	if rest < 0 {
		s, rest = s-1, rest+units
	}
	return time.Unix(s, rest*(1e9/units)).UTC()
}

func floatText(f float64, bits int) (string, bool) {
	switch {
	case f != f:
		return "NaN", false
	case math.IsInf(f, 0):
		return strings.Replace(strconv.FormatFloat(f, 'g', -1, bits), "+", "", 1) + "inity", false
	}
	return strconv.FormatFloat(f, 'g', -1, bits), true
}

func decimalText(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	if scale > 0 {
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// jsonl writes an object per row and line.
type jsonl struct {
	w     *bufio.Writer
	names [][]byte
	types []types.Type
	line  []byte
}

func newJSONL(w io.Writer, s *shape) *jsonl {
	j := &jsonl{w: bufio.NewWriterSize(w, 1<<16), types: s.columnTypes()}
	for _, f := range s.schema.Fields() {
		j.names = append(j.names, append(appendString(nil, f.Name), ':'))
	}
	return j
}

func (j *jsonl) write(rec arrow.Record) error {
	for i := range int(rec.NumRows()) {
		line := append(j.line[:0], '{')
		for c := range j.names {
			if c > 0 {
				line = append(line, ',')
			}
			line = appendJSON(append(line, j.names[c]...), &j.types[c], rec.Column(c), i)
		}
		j.line = append(line, '}', '\n')
		if _, err := j.w.Write(j.line); err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonl) close() error { return j.w.Flush() }

// csvSink writes a header and a line per row. NULL is nothing, an empty string is "".
type csvSink struct {
	w     *bufio.Writer
	types []types.Type
	line  []byte
	head  []string
}

func newCSV(w io.Writer, s *shape) *csvSink {
	c := &csvSink{w: bufio.NewWriterSize(w, 1<<16), types: s.columnTypes()}
	for _, f := range s.schema.Fields() {
		c.head = append(c.head, f.Name)
	}
	return c
}

func (c *csvSink) write(rec arrow.Record) error {
	if err := c.header(); err != nil {
		return err
	}
	for i := range int(rec.NumRows()) {
		line := c.line[:0]
		for k := range c.types {
			if k > 0 {
				line = append(line, ',')
			}
			a := rec.Column(k)
			switch {
			case a.IsNull(i):
			case c.types[k].IsNested():
				line = appendField(line, string(appendJSON(nil, &c.types[k], a, i)))
			default:
				text, _ := scalarText(&c.types[k], a, i)
				line = appendField(line, text)
			}
		}
		c.line = append(line, '\n')
		if _, err := c.w.Write(c.line); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvSink) header() error {
	if c.head == nil {
		return nil
	}
	var line []byte
	for i, h := range c.head {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendField(line, h)
	}
	c.head = nil
	_, err := c.w.Write(append(line, '\n'))
	return err
}

func appendField(dst []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, bytes.ReplaceAll([]byte(s), []byte(`"`), []byte(`""`))...)
	return append(dst, '"')
}

func (c *csvSink) close() error {
	if err := c.header(); err != nil {
		return err
	}
	return c.w.Flush()
}
