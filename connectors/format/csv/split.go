package csv

import (
	"bytes"
	"errors"
	"fmt"
)

// Split implements format.Splitter: a record ends at a line end (\n, \r\n or \r) that is not
// inside of quotes.
func (d *decoder) Split(data []byte, atEOF bool) (advance int, record []byte) {
	if len(data) == 0 {
		return 0, nil
	}
	if line := bytes.IndexByte(data, '\n'); line >= 0 && d.simple(data[:line]) {
		return line + 1, bytes.TrimSuffix(data[:line], []byte{'\r'})
	}
	end := d.recordEnd(data)
	switch {
	case end < len(data) && data[end] == '\n':
		return end + 1, data[:end]
	case end+1 < len(data) && data[end+1] == '\n':
		return end + 2, data[:end]
	case end+1 < len(data) || end < len(data) && atEOF:
		return end + 1, data[:end]
	case !atEOF: // also a \r at the very end: \n may follow
		return 0, nil
	}
	return len(data), data
}

// simple reports that a line, up to \n, has nothing that could hide a record's end.
func (d *decoder) simple(line []byte) bool {
	if d.quote != 0 && bytes.IndexByte(line, d.quote) >= 0 || d.escape != 0 && bytes.IndexByte(line, d.escape) >= 0 {
		return false
	}
	cr := bytes.IndexByte(line, '\r')
	return cr < 0 || cr == len(line)-1
}

// recordEnd returns where the first record ends, len(data) when it does not.
func (d *decoder) recordEnd(data []byte) int {
	comment := d.isComment(data)
	start, quoted := true, false // at the start of a field; inside of quotes
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case c == d.escape && d.escape != 0 && !comment:
			i++
			start = false
		case quoted:
			quoted = c != d.quote // a doubled quote closes and opens again
			start = !quoted
		case c == '\n' || c == '\r':
			return i
		case comment:
		case c == d.quote && d.quote != 0 && start:
			quoted = true
		default:
			start = c == d.delimiter
		}
	}
	return len(data)
}

// isComment reports a line whose first character that is not blank is #.
func (d *decoder) isComment(line []byte) bool {
	if !d.comments {
		return false
	}
	line = bytes.TrimLeft(line, " \t")
	return len(line) > 0 && line[0] == '#'
}

// field is the text of one field, in the record or in the arena.
type field struct {
	text []byte
	at   int // where it begins in the record
}

var errOpen = errors.New("a quoted field is not closed")

// fields cuts the record into d.row.
func (d *decoder) fields(record []byte) (at int, err error) {
	d.row, d.arena = d.row[:0], d.arena[:0]
	for p := 0; ; {
		f := field{at: p}
		var end int
		switch {
		case d.quote != 0 && p < len(record) && record[p] == d.quote:
			if f.text, end, err = d.quotedField(record, p+1); err != nil {
				return p, err
			}
		case d.escape != 0:
			f.text, end = d.escapedField(record, p)
		default:
			if end = bytes.IndexByte(record[p:], d.delimiter); end < 0 {
				end = len(record)
			} else {
				end += p
			}
			f.text = record[p:end]
		}
		d.row = append(d.row, f)
		if end >= len(record) {
			return 0, nil
		}
		p = end + 1
	}
}

// quotedField reads up to the closing quote and on to the delimiter.
func (d *decoder) quotedField(record []byte, p int) (text []byte, end int, err error) {
	start := len(d.arena)
	for ; ; p++ {
		if p >= len(record) {
			return nil, p, errOpen
		}
		c := record[p]
		switch {
		case c == d.escape && d.escape != 0 && p+1 < len(record):
			p++
			d.arena = append(d.arena, meant(record[p]))
		case c != d.quote:
			d.arena = append(d.arena, c)
		case p+1 < len(record) && record[p+1] == d.quote:
			p++
			d.arena = append(d.arena, c)
		default:
			text = d.arena[start:]
			for p++; p < len(record) && record[p] == ' '; p++ {
			}
			if p < len(record) && record[p] != d.delimiter {
				return nil, p, fmt.Errorf("found %q after a closing quote, expected %q", rune(record[p]), rune(d.delimiter))
			}
			return text, p, nil
		}
	}
}

func (d *decoder) escapedField(record []byte, p int) (text []byte, end int) {
	start := len(d.arena)
	for ; p < len(record) && record[p] != d.delimiter; p++ {
		c := record[p]
		if c == d.escape && p+1 < len(record) {
			p++
			c = meant(record[p])
		}
		d.arena = append(d.arena, c)
	}
	return d.arena[start:], p
}

// meant is the character that an escaped one stands for.
func meant(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case '0':
		return 0
	}
	return c
}
