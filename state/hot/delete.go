package hot

import (
	"slices"

	"github.com/sqlstream/sqlstream/state"
)

// How many slots of a table with a time to live are looked at for expired records: few after
// each batch, more at a checkpoint, which writes what is found.
const (
	sweepAtTrim = 256
	sweepAtSeal = 16 << 10
)

// MaxEvicted is the size of the largest value that is evicted; a cold store may leave larger
// ones out.
const MaxEvicted = 512 << 10

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

// freeListed frees a block that stands on the current dirty list.
func (t *Table) freeListed(pos, n uint32) {
	if isLarge(n) {
		i := slices.Index(t.big, pos)
		t.big = slices.Delete(t.big, i, i+1)
	}
	t.free(pos, n, true)
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

// backlog is blocks that wait until all generations up to a label are released. Labels do not
// decrease.
type backlog struct {
	waits []wait
	at    int // taken from the first one
}

type wait struct {
	label uint32
	pos   []uint32
}

func (b *backlog) add(label, pos uint32) {
	n := len(b.waits)
	if n == 0 || b.waits[n-1].label != label {
		b.waits = append(b.waits, wait{label: label})
		n++
	}
	w := &b.waits[n-1]
	w.pos = append(w.pos, pos)
}

// take returns up to n blocks that wait no longer; live is the oldest generation not released.
func (b *backlog) take(live uint32, n int) []uint32 {
	for len(b.waits) > 0 && b.waits[0].label < live {
		w := b.waits[0].pos
		if b.at == len(w) {
			b.waits, b.at = b.waits[1:], 0
			continue
		}
		end := min(b.at+n, len(w))
		out := w[b.at:end]
		b.at = end
		return out
	}
	return nil
}

// reclaimBlocks is how many blocks of a backlog one Trim works off: about a millisecond's work.
const reclaimBlocks = 16 << 10

// reclaim frees what Refs and released generations held.
func (t *Table) reclaim() {
	// What is sealed but not released has a generation of at least live; without any, cur does.
	live := min(t.set.minLive.Load(), t.set.cur)
	t.release(live)
	for _, pos := range t.left {
		t.freeListed(pos, t.units(pos))
	}
	t.left = t.left[:0]
	for _, pos := range t.frozen.take(live, reclaimBlocks) {
		t.free(pos, t.units(pos), false)
	}
	for _, pos := range t.tombs.take(live, reclaimBlocks) {
		if t.chunks[pos>>chunkShift] == nil {
			continue // it was large, and is freed
		}
		rec := t.rec(pos)
		w0, w1 := le.Uint64(rec), le.Uint64(rec[8:])
		if w0&deadBit == 0 || w0&freeBit != 0 || fwdOf(w1) != 0 || genOf(w1) >= live {
			continue // it lives again, is gone, or died again later and waits once more
		}
		t.forget(pos)
	}
}

// units is the size of a block.
func (t *Table) units(pos uint32) uint32 {
	w0 := le.Uint64(t.rec(pos))
	return unitsOf(t.hdr, klenOf(w0), roomOf(w0))
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
	for range min(n, len(t.slots)) {
		t.broom = (t.broom + 1) & t.mask
		pos := uint32(t.slots[t.broom])
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

// evict drops clean records from memory until about bytes are free or the clock hand went round twice.
func (t *Table) evict(bytes int64) {
	live := t.set.minLive.Load()
	goal := t.used - bytes/unit
	for left := 2 * len(t.slots); left > 0 && t.used > goal; left-- {
		t.hand = (t.hand + 1) & t.mask
		pos := uint32(t.slots[t.hand])
		if pos == 0 {
			continue
		}
		rec := t.rec(pos)
		w0, w1 := le.Uint64(rec), le.Uint64(rec[8:])
		if gen := genOf(w1); w0&deadBit != 0 || gen == t.set.cur || gen >= live || vlenOf(w0) > MaxEvicted {
			continue
		}
		if w1&clockBit != 0 {
			le.PutUint64(rec[8:], w1&^clockBit)
			continue
		}
		if t.links > 0 {
			t.unlinkEvicted(pos)
		}
		t.live--
		t.evicted++
		t.forget(pos)
	}
}

// fault brings an evicted record back and returns its block, or 0 when there is none.
func (t *Table) fault(g state.KeyGroup, tag uint32, key []byte) (uint32, error) {
	if t.links > 0 && len(key) >= t.spec.Prefix {
		if p := t.pfx.find(key); p < 0 || t.pfx.list[p].evicted == 0 {
			return 0, nil
		}
	}
	val, stamp, ok, err := t.set.cold.Get(t.id, g, key)
	if !ok || err != nil {
		return 0, err
	}
	t.uncount(key)
	return t.load(g, tag, key, val, stamp)
}

// uncount takes one record off the evicted ones.
func (t *Table) uncount(key []byte) {
	t.evicted--
	if t.links > 0 {
		t.pfx.list[t.pfx.find(key)].evicted--
	}
}

// faultAll brings back all evicted records whose keys start with prefix.
func (t *Table) faultAll(prefix []byte) error {
	return t.set.cold.Scan(t.id, prefix, func(g state.KeyGroup, key, val []byte, stamp int64) error {
		tag := tagOf(key)
		if t.lookup(tag, key) != 0 {
			return nil // the cold record is old, or the same
		}
		t.uncount(key)
		_, err := t.load(g, tag, key, val, stamp)
		return err
	})
}

// Load adds a record that the newest checkpoint holds; the table must not have it.
func (t *Table) Load(g state.KeyGroup, key, val []byte, stamp int64) error {
	_, err := t.load(g, tagOf(key), key, val, stamp)
	return err
}

// LoadEvicted counts a record that is in the cold store only.
func (t *Table) LoadEvicted(key []byte) {
	t.evicted++
	if t.links > 0 {
		t.pfx.list[t.pfx.get(key)].evicted++
	}
}

func (t *Table) load(g state.KeyGroup, tag uint32, key, val []byte, stamp int64) (uint32, error) {
	// The record begins in generation 0: clean, and not on the dirty list.
	pos, listed, err := t.alloc(unitsOf(t.hdr, len(key), len(val)))
	if err != nil {
		return 0, err
	}
	rec := t.rec(pos)
	w0 := word0(len(key), uint16(g), len(val))
	if len(val) == 0 {
		w0 |= emptyBit
	}
	w1 := uint64(clockBit)
	if listed {
		w1 |= uint64(t.set.cur) << genShift // written once more than needed
	}
	le.PutUint64(rec, w0)
	le.PutUint64(rec[8:], w1)
	if t.stamp > 0 {
		le.PutUint64(rec[t.stamp:], uint64(stamp))
	}
	copy(rec[t.hdr:], key)
	copy(rec[t.hdr+pad(len(key)):], val)
	t.index.put(tag, pos)
	t.join(pos)
	return pos, nil
}
