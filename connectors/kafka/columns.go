package kafka

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
)

// columns turns records into the rows of a batch: key and value through their decoders,
// metadata by setters. A decoder fills adjacent columns; where its columns are scattered
// over the batch it fills scratch columns that lend their place in the batch's array for the
// time of a read, so that nothing is copied.
type columns struct {
	upsert     bool
	key, value decoding
	meta       []metaColumn
}

type metaColumn struct {
	at  int // column of the batch
	set setter
}

// decoding is the key's or the value's way into the batch.
type decoding struct {
	dec  format.Decoder // nil: the job needs none of its columns
	at   []int          // columns of the batch, in the decoder's order
	cols []vec.Vec      // the decoder's columns during a read
}

func newColumns(cfg *tableConfig, projection []int, env connectors.Env) (*columns, error) {
	c := &columns{upsert: cfg.upsert}
	loc := time.UTC
	if env.TimeZone != "" {
		var err error
		if loc, err = time.LoadLocation(env.TimeZone); err != nil {
			return nil, exec.Userf("time zone %s: %w", env.TimeZone, err)
		}
	}
	physical := cfg.table.Physical
	var key, value []int // indexes into the part's schema
	for at, col := range projection {
		if col >= len(physical) {
			m := cfg.table.Metadata[col-len(physical)]
			set := metaSetter(m, loc)
			if set == nil {
				return nil, checkReadable(cfg.table.Name, m)
			}
			c.meta = append(c.meta, metaColumn{at, set})
			continue
		}
		// With value.fields-include = ALL a key column is in both; Flink lets the value win,
		// except that the key is all a tombstone has.
		if i := indexOf(cfg.key.columns, col); i >= 0 && (cfg.upsert || indexOf(cfg.value.columns, col) < 0) {
			key = append(key, i)
			c.key.at = append(c.key.at, at)
			continue
		}
		value = append(value, indexOf(cfg.value.columns, col))
		c.value.at = append(c.value.at, at)
	}
	var err error
	if len(key) > 0 {
		if c.key.dec, err = cfg.key.format.NewDecoder(cfg.key.schema, key, cfg.key.options, env); err != nil {
			return nil, fmt.Errorf("table %s, 'key.format' = '%s': %w", cfg.table.Name, cfg.key.format.Name(), err)
		}
	}
	// The value is decoded even when no column of it is needed, so that a bad record is one
	// whatever the query selects.
	if c.value.dec, err = cfg.value.format.NewDecoder(cfg.value.schema, value, cfg.value.options, env); err != nil {
		return nil, fmt.Errorf("table %s, 'format' = '%s': %w", cfg.table.Name, cfg.value.format.Name(), err)
	}
	c.key.cols, c.value.cols = make([]vec.Vec, len(key)), make([]vec.Vec, len(value))
	return c, nil
}

func indexOf(s []int, x int) int {
	for i, y := range s {
		if x == y {
			return i
		}
	}
	return -1
}

// lend moves the batch's columns into the decoders' slices; giveBack returns them.
func (c *columns) lend(b *vec.Batch) {
	c.key.lend(b)
	c.value.lend(b)
}

func (c *columns) giveBack(b *vec.Batch) {
	c.key.giveBack(b)
	c.value.giveBack(b)
}

func (d *decoding) lend(b *vec.Batch) {
	for i, at := range d.at {
		d.cols[i] = b.Cols[at]
	}
}

func (d *decoding) giveBack(b *vec.Batch) {
	for i, at := range d.at {
		b.Cols[at] = d.cols[i]
	}
}

// add appends the record as one row. On a *format.BadRecord nothing is appended; n is the
// number of rows before.
func (c *columns) add(r *kgo.Record, b *vec.Batch, n int) error {
	kind := vec.Insert
	if c.upsert {
		kind = vec.UpdateAfter
	}
	if c.upsert && r.Value == nil {
		kind = vec.Delete
		for i := range c.value.cols {
			c.value.cols[i].AppendNull()
		}
	} else if err := c.value.dec.Decode(r.Value, c.value.cols); err != nil {
		return err
	}
	if c.key.dec != nil {
		if err := c.key.dec.Decode(r.Key, c.key.cols); err != nil {
			for i := range c.value.cols {
				c.value.cols[i].Truncate(n)
			}
			return err
		}
	}
	for _, m := range c.meta {
		m.set(r, &b.Cols[m.at])
	}
	b.AddKind(kind)
	return nil
}
