package hot

import (
	"slices"
)

// freeListed frees a block that stands on the current dirty list.
func (t *Table) freeListed(pos, n uint32) {
	if isLarge(n) {
		i := slices.Index(t.big, pos)
		t.big = slices.Delete(t.big, i, i+1)
	}
	t.free(pos, n, true)
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
