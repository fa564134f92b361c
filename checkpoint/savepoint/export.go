package savepoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/sql/types"
)

// The formats of Export.
const (
	CSV     = "csv"
	JSONL   = "jsonl"
	Parquet = "parquet"
)

// Formats lists them.
var Formats = []string{CSV, JSONL, Parquet}

// ErrNoTable is wrapped by errors about tables that a snapshot does not have.
var ErrNoTable = errors.New("no such table of state")

// Export writes one table of a snapshot's state to w, with the columns of canonical files. uid may
// be "" when only one operator has state, and table when the operator has one table with entries.
func Export(ctx context.Context, c checkpoint.Content, m *checkpoint.Manifest, uid, table, format string, w io.Writer) error {
	o, t, err := find(c, m, uid, table)
	if err != nil {
		return err
	}
	// Which columns there are must be known before the first row.
	s, err := neededShape(ctx, c, m, o, t)
	if err != nil {
		return err
	}
	var out rowSink
	switch format {
	case CSV:
		out = newCSV(w, s)
	case JSONL:
		out = newJSONL(w, s)
	case Parquet:
		out, err = newParquet(w, s)
	default:
		err = fmt.Errorf("format %.40q, expected one of %s", format, strings.Join(Formats, ", "))
	}
	if err != nil {
		return err
	}
	e := newEncoder(s)
	defer e.release()
	flush := func() error {
		rec := e.take()
		defer rec.Release()
		if err := out.write(rec); err != nil {
			return err
		}
		return ctx.Err()
	}
	r, err := c.Table(o.UID, t.ID)
	if err != nil {
		return err
	}
	for r != nil && r.Next() {
		if need := e.add(r); need != s.wide {
			return fmt.Errorf("table %q of %s changes while it is read", t.Name, o.UID)
		}
		if e.rows == batchRows || e.bytes >= batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if r != nil && r.Err() != nil {
		return r.Err()
	}
	if err := flush(); err != nil {
		return err
	}
	return out.close()
}

// rowSink writes records in a format.
type rowSink interface {
	write(rec arrow.Record) error
	close() error
}

// find returns the table that is meant.
func find(c checkpoint.Content, m *checkpoint.Manifest, uid, table string) (*checkpoint.Operator, *checkpoint.Table, error) {
	type found struct {
		o *checkpoint.Operator
		t *checkpoint.Table
	}
	var fits, filled []found
	var has []string
	for i := range m.Operators {
		o := &m.Operators[i]
		for k := range o.Tables {
			t := &o.Tables[k]
			has = append(has, fmt.Sprintf("%s %q", o.UID, t.Name))
			if uid != "" && o.UID != uid || table != "" && t.Name != table {
				continue
			}
			fits = append(fits, found{o, t})
			r, err := c.Table(o.UID, t.ID)
			if err != nil {
				return nil, nil, err
			}
			if r != nil {
				filled = append(filled, found{o, t})
			}
		}
	}
	if len(fits) > 1 && len(filled) > 0 {
		fits = filled
	}
	switch {
	case len(has) == 0:
		return nil, nil, fmt.Errorf("%w: the snapshot has no keyed state", ErrNoTable)
	case len(fits) == 0:
		return nil, nil, fmt.Errorf("%w: operator %q, table %q; there are %s", ErrNoTable, uid, table, strings.Join(has, ", "))
	case len(fits) > 1:
		return nil, nil, fmt.Errorf("%w: say which: there are %s", ErrNoTable, strings.Join(has, ", "))
	}
	return fits[0].o, fits[0].t, nil
}

// neededShape reads a table to find out which columns its rows need.
func neededShape(ctx context.Context, c checkpoint.Content, m *checkpoint.Manifest, o *checkpoint.Operator, t *checkpoint.Table) (*shape, error) {
	s, err := newShape(m, o, t, wide{})
	if err != nil {
		return nil, err
	}
	r, err := c.Table(o.UID, t.ID)
	if err != nil || r == nil {
		return s, err
	}
	e := newEncoder(s)
	defer e.release()
	need := wide{}
	for n := 0; r.Next(); n++ {
		if n%batchRows == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x := e.needs(r)
		need.stamp = need.stamp || x.stamp
		need.rawKey = need.rawKey || x.rawKey
		need.rawValue = need.rawValue || x.rawValue
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	return newShape(m, o, t, need)
}

// columnTypes are the SQL types of a shape's columns, in the order of its schema.
func (s *shape) columnTypes() []types.Type {
	out := make([]types.Type, s.schema.NumFields())
	for i, f := range s.schema.Fields() {
		switch f.Name {
		case groupColumn:
			out[i] = types.IntT.NotNullable()
		case stampColumn:
			out[i] = types.TimestampLTZT(3)
		case rawKeyColumn, rawValColumn:
			out[i] = types.BytesT
		default:
			text, _ := f.Metadata.GetValue(keyform.SQLType)
			out[i], _ = types.Parse(text) // addKey and addSlot wrote it
		}
	}
	return out
}
