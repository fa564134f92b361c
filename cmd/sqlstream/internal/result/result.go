// Package result owns how answers are printed: a table for people, a changelog, CSV, and the
// JSON lines that programs compare. It imports exec/vec, sql/types and connectors/format/...;
// the command line and the shell import it.
package result

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/sqlstream/sqlstream/connectors/format/rowjson"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/suggest"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Format is the value of --output.
type Format string

// The formats.
const (
	Table     Format = "table"
	Changelog Format = "changelog"
	CSV       Format = "csv"
	JSON      Format = "json"
	Arrow     Format = "arrow" // an Arrow IPC stream, for other programs
)

// Formats lists them in the order of the documentation.
var Formats = []string{string(Table), string(Changelog), string(CSV), string(JSON), string(Arrow)}

// ParseFormat reads the value of --output.
func ParseFormat(s string) (Format, error) {
	for _, f := range Formats {
		if f == s {
			return Format(f), nil
		}
	}
	return "", fmt.Errorf("'%s' is no output format%s; expected table, changelog, csv, json or arrow", s, suggest.Hint(s, Formats))
}

// Layout says how tables look. The zero value is a table without limits.
type Layout struct {
	Width     int  // columns of the terminal; 0: lines are as long as they get
	MaxColumn int  // longest text of a column; 0: no limit
	Expanded  bool // one line per column instead of one per row
}

// Printer prints the answers of statements, one after another. Its methods are for one
// goroutine at a time.
type Printer struct {
	out    *bufio.Writer
	format Format
	Layout Layout
	buf    []byte
}

// NewPrinter prints to w.
func NewPrinter(w io.Writer, f Format) *Printer {
	return &Printer{out: bufio.NewWriterSize(w, 64<<10), format: f}
}

// Message prints what a statement without rows did.
func (p *Printer) Message(text string) error {
	switch p.format {
	case JSON:
		return p.line(append(appendJSON([]byte(`{"ok":`), text), '}'))
	case CSV, Arrow:
		return nil // they hold rows and nothing else
	}
	return p.line([]byte(text))
}

// Text prints the answer of EXPLAIN and SHOW CREATE.
func (p *Printer) Text(text string) error {
	switch p.format {
	case JSON, CSV, Arrow:
		return p.Rows([]string{"result"}, [][]string{{text}})
	}
	return p.line([]byte(text))
}

// Rows prints the answer of SHOW, DESCRIBE and SET.
func (p *Printer) Rows(header []string, rows [][]string) error {
	schema := make(types.Schema, len(header))
	b := &vec.Batch{N: len(rows)}
	for c, name := range header {
		schema[c] = types.Field{Name: name, Type: types.StringT}
		v := vec.New(types.StringT)
		for _, r := range rows {
			v.AppendString(r[c])
		}
		b.Cols = append(b.Cols, v)
	}
	s := p.Query(schema, true)
	s.plain = true
	if err := s.Batch(b); err != nil {
		return err
	}
	return s.End()
}

// Query begins the rows of a SELECT. appendOnly says that all of them are +I.
func (p *Printer) Query(schema types.Schema, appendOnly bool) *Rows {
	return &Rows{p: p, schema: schema, appendOnly: appendOnly}
}

func (p *Printer) line(b []byte) error {
	p.out.Write(b)
	p.out.WriteByte('\n')
	return p.out.Flush()
}

// Rows is a SELECT being printed: Batch any number of times, then End.
type Rows struct {
	p          *Printer
	schema     types.Schema
	appendOnly bool
	plain      bool // an answer, not a query: no row kinds, no summary
	began      bool
	N          int64 // rows printed
	grid       *grid
	arrow      *arrowStream
}

// Batch prints the selected rows of b and hands them to the terminal or file.
func (r *Rows) Batch(b *vec.Batch) error {
	p := r.p
	if err := r.begin(); err != nil {
		return err
	}
	switch p.format {
	case Table:
		r.N += int64(b.Len())
		r.grid.rows(b)
		return p.out.Flush()
	case Arrow:
		r.N += int64(b.Len())
		if err := r.arrow.write(b); err != nil {
			return err
		}
		return p.out.Flush()
	}
	for k := range b.Len() {
		i := b.Row(k)
		switch p.format {
		case JSON:
			p.buf = rowjson.AppendRow(p.buf[:0], b, i)
		case CSV:
			p.buf = r.appendCSV(p.buf[:0], b, i)
		default:
			p.buf = r.appendChange(p.buf[:0], b, i)
		}
		p.out.Write(append(p.buf, '\n'))
		r.N++
	}
	return p.out.Flush()
}

// begin prints the header before the first row.
func (r *Rows) begin() (err error) {
	if r.began {
		return nil
	}
	r.began = true
	switch p := r.p; p.format {
	case JSON:
		p.out.Write(append(rowjson.AppendHeader(p.buf[:0], r.schema), '\n'))
	case CSV:
		r.csvHeader()
	case Table:
		r.grid = newGrid(p.out, r.schema, !r.plain, p.Layout)
	case Arrow:
		r.arrow, err = r.newArrow()
	}
	return err
}

// End closes the table. It is called once, also when the query was cut short.
func (r *Rows) End() error {
	if err := r.begin(); err != nil {
		return err
	}
	if r.arrow != nil {
		if err := r.arrow.w.Close(); err != nil {
			return err
		}
	}
	if r.p.format == Table {
		r.grid.end()
		if !r.plain {
			fmt.Fprintf(r.p.out, "%s\n", Count(r.N, r.appendOnly))
		}
	}
	return r.p.out.Flush()
}

// Count says how much came: "3 rows", "5 changes".
func Count(n int64, appendOnly bool) string {
	noun := "changes"
	if appendOnly {
		noun = "rows"
	}
	if n == 1 {
		noun = noun[:len(noun)-1]
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// appendChange appends a row as Flink's print connector does: +I[a, b].
func (r *Rows) appendChange(dst []byte, b *vec.Batch, i int) []byte {
	if !r.plain {
		dst = append(dst, vec.KindText(b.Kind(i))...)
	}
	dst = append(dst, '[')
	for c := range b.Cols {
		if c > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendText(dst, &b.Cols[c], i)
	}
	return append(dst, ']')
}

func appendJSON(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string cannot fail
		return dst
	}
	return append(dst, b...)
}
