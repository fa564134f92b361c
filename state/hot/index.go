package hot

import (
	"github.com/zeebo/xxh3"
)

// A slot of the index is tag<<32 | position. The tag is 32 bits of the key's hash; its top bits
// choose the segment, the next ones say where the search begins: growing needs no look at the
// records.
const (
	slotGone = 1 << 32 // was used: search on
	minSlots = 16

	segmentBits = 6
	segments    = 1 << segmentBits
	segmentOf   = 32 - segmentBits // shift
)

// tagOf hashes a key for the index. The callers' hashes are not used: they come back from a
// checkpoint of another version only if every operator's hash never changes.
func tagOf(key []byte) uint32 { return uint32(xxh3.Hash(key)) }

// index maps tags to positions. It is cut into segments that grow on their own, so that the
// pause of growing stays short however large the table is.
type index struct {
	segs [segments]segment
	size int // slots of all segments
}

// segment is open addressing with linear probing.
type segment struct {
	slots []uint64
	shift uint
	mask  uint32
	full  int // slots not empty
	gone  int // of these, no longer used
	built int // how often the slots were laid out
}

func (x *index) init() {
	all := make([]uint64, segments*minSlots)
	for i := range x.segs {
		x.segs[i].use(all[i*minSlots : (i+1)*minSlots : (i+1)*minSlots])
	}
	x.size = segments * minSlots
}

// use lays the segment out anew, empty; the number of slots is a power of two.
func (g *segment) use(slots []uint64) {
	g.slots, g.mask, g.shift = slots, uint32(len(slots)-1), 32
	for n := len(slots); n > 1; n /= 2 {
		g.shift--
	}
	g.full, g.gone = 0, 0
	g.built++
}

// home is where the search for a tag begins.
func (g *segment) home(tag uint32) uint32 { return tag << segmentBits >> g.shift }

func (x *index) segment(tag uint32) *segment { return &x.segs[tag>>segmentOf] }

// put adds a slot; the key is known not to be there.
func (x *index) put(tag, pos uint32) {
	g := x.segment(tag)
	if (g.full+1)*10 > len(g.slots)*7 {
		x.grow(g)
	}
	for i := g.home(tag); ; i = (i + 1) & g.mask {
		switch g.slots[i] {
		case 0:
			g.full++
		case slotGone:
			g.gone--
		default:
			continue
		}
		g.slots[i] = uint64(tag)<<32 | uint64(pos)
		return
	}
}

func (x *index) grow(g *segment) {
	old, size := g.slots, minSlots
	for size*7/10 <= (g.full-g.gone+1)*2 {
		size *= 2
	}
	x.size += size - len(old)
	g.use(make([]uint64, size))
	for _, s := range old {
		if uint32(s) == 0 {
			continue
		}
		i := g.home(uint32(s >> 32))
		for g.slots[i] != 0 {
			i = (i + 1) & g.mask
		}
		g.slots[i] = s
		g.full++
	}
}

// replace gives the slot of a record that is there another position.
func (x *index) replace(tag, pos, to uint32) {
	g := x.segment(tag)
	g.slots[g.slotOf(tag, pos)] = uint64(tag)<<32 | uint64(to)
}

func (g *segment) slotOf(tag, pos uint32) uint32 {
	want := uint64(tag)<<32 | uint64(pos)
	i := g.home(tag)
	for g.slots[i] != want {
		i = (i + 1) & g.mask
	}
	return i
}

// remove takes a record's slot out.
func (x *index) remove(tag, pos uint32) {
	g := x.segment(tag)
	i := g.slotOf(tag, pos)
	if g.slots[(i+1)&g.mask] == 0 {
		g.slots[i] = 0
		g.full--
		return
	}
	g.slots[i] = slotGone
	g.gone++
}

// cursor walks over all slots, round and round.
type cursor struct{ seg, at int }

// next returns the position in the next slot, 0 when it is free. It does not care when slots are
// laid out anew meanwhile: some are then seen twice or not at all in this round.
func (x *index) next(c *cursor) uint32 {
	c.at++
	for c.at >= len(x.segs[c.seg].slots) {
		c.seg, c.at = (c.seg+1)%segments, 0
	}
	return uint32(x.segs[c.seg].slots[c.at])
}
