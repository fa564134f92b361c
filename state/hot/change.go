package hot

import (
	"fmt"

	"github.com/sqlstream/sqlstream/state"
)

// place makes a block of the current generation and puts it on the dirty list. The value is
// not written.
func (t *Table) place(w0, flags uint64, key []byte) (uint32, error) {
	n := unitsOf(t.hdr, len(key), roomOf(w0))
	pos, listed, err := t.alloc(n)
	if err != nil {
		return 0, err
	}
	rec := t.rec(pos)
	le.PutUint64(rec, w0)
	le.PutUint64(rec[8:], uint64(t.set.cur)<<genShift|flags)
	copy(rec[t.hdr:], key)
	if !listed {
		t.list(pos, n)
	}
	return pos, nil
}

// list puts a block on the dirty list.
func (t *Table) list(pos, n uint32) {
	if isLarge(n) {
		t.big = append(t.big, pos)
	} else {
		t.changed.add(pos)
	}
}

// touch stamps a record that this generation owns.
func (t *Table) touch(pos uint32) {
	if t.ttl > 0 {
		le.PutUint64(t.rec(pos)[t.stamp:], uint64(t.set.now().UnixMilli()))
	}
}

// join counts a record in and links it to those of its prefix.
func (t *Table) join(pos uint32) {
	t.live++
	if t.links > 0 {
		t.link(pos)
	}
}

// own makes the record's block writable: marks it changed, and moves it when a frozen
// generation holds the block. It returns the block.
func (t *Table) own(pos uint32) (uint32, error) {
	rec := t.rec(pos)
	w1 := le.Uint64(rec[8:])
	gen := genOf(w1)
	switch {
	case gen == t.set.cur:
		return pos, nil
	case gen >= t.set.minLive.Load():
		w0 := le.Uint64(rec)
		return t.move(pos, w0, roomOf(w0))
	}
	le.PutUint64(rec[8:], uint64(t.set.cur)<<genShift|w1&clockBit)
	w0 := le.Uint64(rec)
	t.list(pos, unitsOf(t.hdr, klenOf(w0), roomOf(w0)))
	return pos, nil
}

// move gives a record another block, with room bytes for the value, and copies as much of
// the value as fits.
func (t *Table) move(pos uint32, w0 uint64, room int) (uint32, error) {
	rec := t.rec(pos)
	klen, w1 := klenOf(w0), le.Uint64(rec[8:])
	flags := w1 & clockBit
	if genOf(w1) == t.set.cur {
		flags |= w1 & freshBit
	}
	key := rec[t.hdr : t.hdr+klen]
	to, err := t.place(w0&^(maxValue<<32)|uint64(room)<<32, flags, key)
	if err != nil {
		return 0, err
	}
	dst, at := t.rec(to), t.hdr+pad(klen)
	copy(dst[at:at+room], rec[at:at+min(room, vlenOf(w0))])
	if t.stamp > 0 {
		copy(dst[t.stamp:t.stamp+8], rec[t.stamp:])
	}
	if t.links > 0 && w0&deadBit == 0 {
		t.relink(pos, to)
	}
	tag := tagOf(key)
	t.index.replace(tag, pos, to)
	t.leave(pos, uint64(to)<<32)
	return to, nil
}

// leave gives a block up that Refs may still lead through.
func (t *Table) leave(pos uint32, fwd uint64) {
	rec := t.rec(pos)
	w1 := le.Uint64(rec[8:])
	le.PutUint64(rec[8:], w1|fwd)
	if genOf(w1) == t.set.cur {
		le.PutUint64(rec, le.Uint64(rec)|freeBit)
		t.left = append(t.left, pos)
	} else {
		t.frozen.add(t.set.cur-1, pos)
	}
}

// Edit returns the record's value for writing in place.
//
// It cannot fail in its contract. Should moving the record fail because the table has reached
// its size limit, the write goes to a copy that nobody keeps and Set, Upsert and the next
// Seal report the full table.
func (t *Table) Edit(r state.Ref) []byte {
	rec := t.rec(uint32(r))
	if w1 := le.Uint64(rec[8:]); w1>>genShift == uint64(t.set.cur) && t.ttl == 0 {
		w0 := le.Uint64(rec) // owned, and not forwarded: its upper half is zero
		at := t.hdr + pad(klenOf(w0))
		n := at + vlenOf(w0)
		return rec[at:n:n]
	}
	pos, err := t.own(t.current(r))
	if err != nil {
		t.set.fail(err)
		return append([]byte(nil), t.Get(r)...)
	}
	t.touch(pos)
	return t.value(pos)
}

// Set replaces the record's value.
func (t *Table) Set(r state.Ref, val []byte) error {
	if len(val) == 0 || len(val) > maxValue {
		return fmt.Errorf("state: a value of %d bytes in table %s, expected 1 to %d", len(val), t, maxValue)
	}
	pos := t.current(r)
	rec := t.rec(pos)
	w0, w1 := le.Uint64(rec), le.Uint64(rec[8:])
	gen, klen := genOf(w1), klenOf(w0)
	if w0&emptyBit != 0 {
		t.room = min(len(val), maxRoom)
	}
	var err error
	if !sameBlock(unitsOf(t.hdr, klen, roomOf(w0)), unitsOf(t.hdr, klen, len(val))) ||
		gen != t.set.cur && gen >= t.set.minLive.Load() {
		pos, err = t.move(pos, w0|emptyBit, len(val)) // empty: nothing to copy
	} else {
		pos, err = t.own(pos)
	}
	if err != nil {
		return err
	}
	rec = t.rec(pos)
	le.PutUint64(rec, word0(klen, groupOf(w0), len(val)))
	copy(rec[t.hdr+pad(klen):], val)
	t.touch(pos)
	return nil
}
