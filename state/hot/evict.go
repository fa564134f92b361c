package hot

import (
	"github.com/sqlstream/sqlstream/state"
)

// MaxEvicted is the size of the largest value that is evicted; a cold store may leave larger
// ones out.
const MaxEvicted = 512 << 10

// evict drops clean records from memory until about bytes are free or the clock hand went round twice.
func (t *Table) evict(bytes int64) {
	live := t.set.minLive.Load()
	goal := t.used - bytes/unit
	for left := 2 * t.index.size; left > 0 && t.used > goal; left-- {
		pos := t.index.next(&t.hand)
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
