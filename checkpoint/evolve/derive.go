package evolve

import (
	"bytes"
	"errors"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// derived is what slots of a table of groups get from tables of values.
type derived struct {
	parts []*derivedPart
}

// derivedPart is what comes from one table of values: for each group the slots, in the order of groups.
type derivedPart struct {
	from    []derivation
	sorter  *sorter
	records checkpoint.Records // nil: nothing
	more    bool
}

// derive reads the tables of values that t is made of; nil when there are none.
func (w *rewriter) derive(t *table) (*derived, error) {
	if len(t.derived) == 0 {
		return nil, nil
	}
	d := &derived{}
	for _, x := range t.derived {
		i := 0
		for i < len(d.parts) && d.parts[i].from[0].values.ID != x.values.ID {
			i++
		}
		if i == len(d.parts) {
			d.parts = append(d.parts, &derivedPart{})
		}
		d.parts[i].from = append(d.parts[i].from, x)
	}
	for _, p := range d.parts {
		if err := w.collect(t, p); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// close deletes what was written in between.
func (d *derived) close() {
	if d == nil {
		return
	}
	for _, p := range d.parts {
		if p.sorter != nil {
			p.sorter.close() // what is left behind is listed nowhere
		}
	}
}

// collect computes the slots of every group.
func (w *rewriter) collect(t *table, p *derivedPart) error {
	v := p.from[0].values
	records, err := w.content.Table(v.uid, v.ID)
	if err != nil || records == nil {
		return err
	}
	p.sorter = &sorter{ctx: w.ctx, dst: w.dst, groups: state.Range{Hi: state.KeyGroup(w.groups)}, epoch: w.epoch}
	split, err := newKeySplit(v)
	if err != nil {
		return err
	}
	sums := make([]*sum, len(p.from))
	for i, x := range p.from {
		if sums[i], err = newSum(x, split.value); err != nil {
			return err
		}
	}
	var group []byte
	var of state.KeyGroup
	begun := false
	flush := func() error {
		if !begun {
			return nil
		}
		var out []byte
		for _, s := range sums {
			image, tail := s.result()
			out = appendField(appendField(out, image), tail)
			s.reset()
		}
		return p.sorter.add(of, group, out, 0)
	}
	for records.Next() {
		g, value, err := split.cut(records.Key())
		if err != nil {
			return err
		}
		if !begun || records.Group() != of || !bytes.Equal(g, group) {
			if err := flush(); err != nil {
				return err
			}
			begun, of, group = true, records.Group(), append(group[:0], g...)
		}
		if len(records.Value()) < v.Size {
			return errValue
		}
		for _, s := range sums {
			if err := s.add(records.Value(), value); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(records.Err(), flush()); err != nil {
		return err
	}
	if p.records, err = p.sorter.records(); err == nil && p.records != nil {
		p.more = p.records.Next()
		err = p.records.Err()
	}
	return err
}

// fill writes the slots of a group, whose key is the snapshot's, into its new record. Groups come in order.
func (d *derived) fill(t *table, g state.KeyGroup, key, value []byte) ([]byte, error) {
	for _, p := range d.parts {
		if p.records == nil {
			continue
		}
		for p.more && (p.records.Group() < g || p.records.Group() == g && bytes.Compare(p.records.Key(), key) < 0) {
			p.more = p.records.Next()
		}
		if err := p.records.Err(); err != nil {
			return nil, err
		}
		if !p.more || p.records.Group() != g || !bytes.Equal(p.records.Key(), key) {
			continue
		}
		rest := p.records.Value()
		for _, x := range p.from {
			var image, tail []byte
			var ok, ok2 bool
			image, rest, ok = cutField(rest)
			tail, rest, ok2 = cutField(rest)
			if !ok || !ok2 || len(image) != x.to.Size {
				return nil, errValue
			}
			copy(value[x.to.Offset:], image)
			if len(tail) > 0 {
				start := len(value)
				value = append(value, tail...)
				point(value, x.to.Offset, start)
			}
		}
	}
	return value, nil
}

// keySplit cuts the keys of a table of values.
type keySplit struct {
	skip   int // a hash, which the keys of groups do not have
	prefix int // an instant, which they have
	group  []types.Type
	value  types.Type
}

func newKeySplit(v *held) (*keySplit, error) {
	k := &keySplit{}
	for i, p := range v.Key {
		switch {
		case p.Form == formHash:
			k.skip += 8
		case p.Form != formColumn:
			k.prefix += 8
		default:
			t, err := types.Parse(p.Type)
			if err != nil {
				return nil, err
			}
			if i == len(v.Key)-1 {
				k.value = t
			} else {
				k.group = append(k.group, t)
			}
		}
	}
	return k, nil
}

// cut returns the key of the group's record, and the value.
func (k *keySplit) cut(key []byte) (group, value []byte, err error) {
	if len(key) < k.skip+k.prefix {
		return nil, nil, errKey(k.value)
	}
	key = key[k.skip:]
	value, err = skipKeys(k.group, key[k.prefix:])
	return key[:len(key)-len(value)], value, err
}
