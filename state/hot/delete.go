package hot

import (
	"github.com/sqlstream/sqlstream/state"
)

// How many slots of a table with a time to live are looked at for expired records: few after
// each batch, more at a checkpoint, which writes what is found.
const (
	sweepAtTrim = 256
	sweepAtSeal = 16 << 10
)

// Delete removes the record.
func (t *Table) Delete(r state.Ref) error { return t.kill(t.current(r)) }

// kill removes a record from memory when no checkpoint can know it, else makes it a tombstone.
func (t *Table) kill(pos uint32) error {
	rec := t.rec(pos)
	w0, w1 := le.Uint64(rec), le.Uint64(rec[8:])
	if w0&(deadBit|freeBit) != 0 {
		return nil // deleted already, through another Ref
	}
	gen, klen := genOf(w1), klenOf(w0)
	t.live--
	if t.links > 0 {
		t.unlink(pos)
	}
	if gen == t.set.cur && w1&freshBit != 0 {
		t.index.remove(tagOf(rec[t.hdr:t.hdr+klen]), pos)
		t.leave(pos, 0)
		return nil
	}
	var err error
	if gen != t.set.cur && gen >= t.set.minLive.Load() {
		pos, err = t.move(pos, w0|deadBit, 0)
	} else if pos, err = t.own(pos); err == nil {
		le.PutUint64(t.rec(pos), w0|deadBit)
	}
	if err != nil {
		return err
	}
	t.tombs.add(t.set.cur, pos)
	return nil
}

// revive makes a tombstone an empty record again.
func (t *Table) revive(pos uint32) (uint32, error) {
	pos, err := t.own(pos)
	if err != nil {
		return 0, err
	}
	rec := t.rec(pos)
	le.PutUint64(rec, le.Uint64(rec)&^uint64(deadBit)|emptyBit)
	t.touch(pos)
	t.join(pos)
	return pos, nil
}

// forget frees a block that no list and no Ref knows, and its slot.
func (t *Table) forget(pos uint32) {
	rec := t.rec(pos)
	w0 := le.Uint64(rec)
	klen := klenOf(w0)
	t.index.remove(tagOf(rec[t.hdr:t.hdr+klen]), pos)
	le.PutUint64(rec, w0|freeBit)
	t.free(pos, unitsOf(t.hdr, klen, roomOf(w0)), false)
}

// sweep looks at up to n slots for records whose time is over.
func (t *Table) sweep(n int) error {
	if t.ttl == 0 {
		return nil
	}
	end := t.set.now().UnixMilli() - t.ttl
	for range min(n, t.index.size) {
		pos := t.index.next(&t.broom)
		if pos == 0 {
			continue
		}
		rec := t.rec(pos)
		if le.Uint64(rec)&deadBit == 0 && int64(le.Uint64(rec[t.stamp:])) <= end {
			if err := t.kill(pos); err != nil {
				return err
			}
		}
	}
	return nil
}
