package hot

import (
	"github.com/zeebo/xxh3"
)

// A slot of the index is tag<<32 | position. The tag is 32 bits of the key's hash, its top bits
// say where the search begins: growing needs no look at the records.
const (
	slotGone = 1 << 32 // was used: search on
	minSlots = 16
)

// tagOf hashes a key for the index. The callers' hashes are not used: they come back from a
// checkpoint of another version only if every operator's hash never changes.
func tagOf(key []byte) uint32 { return uint32(xxh3.Hash(key)) }

// index is open addressing with linear probing over 8-byte slots.
type index struct {
	slots []uint64
	shift uint
	mask  uint32
	full  int // slots not empty
	gone  int // of these, no longer used
	built int // how often the slots were laid out
}

func (x *index) init(n int) {
	size, shift := minSlots, uint(28)
	for size*7/10 <= n {
		size *= 2
		shift--
	}
	x.slots = make([]uint64, size)
	x.shift, x.mask = shift, uint32(size-1)
	x.full, x.gone = 0, 0
	x.built++
}

// put adds a slot; the key is known not to be there.
func (x *index) put(tag, pos uint32) {
	if (x.full+1)*10 > len(x.slots)*7 {
		x.grow()
	}
	i := tag >> x.shift
	for {
		switch x.slots[i] {
		case 0:
			x.full++
		case slotGone:
			x.gone--
		default:
			i = (i + 1) & x.mask
			continue
		}
		x.slots[i] = uint64(tag)<<32 | uint64(pos)
		return
	}
}

func (x *index) grow() {
	old := x.slots
	x.init((x.full - x.gone + 1) * 2)
	for _, s := range old {
		if uint32(s) == 0 {
			continue
		}
		i := uint32(s>>32) >> x.shift
		for x.slots[i] != 0 {
			i = (i + 1) & x.mask
		}
		x.slots[i] = s
		x.full++
	}
}

// slotOf returns the slot of a record that is there.
func (x *index) slotOf(tag, pos uint32) uint32 {
	want := uint64(tag)<<32 | uint64(pos)
	i := tag >> x.shift
	for x.slots[i] != want {
		i = (i + 1) & x.mask
	}
	return i
}

// remove takes a record's slot out.
func (x *index) remove(tag, pos uint32) {
	i := x.slotOf(tag, pos)
	if x.slots[(i+1)&x.mask] == 0 {
		x.slots[i] = 0
		x.full--
		return
	}
	x.slots[i] = slotGone
	x.gone++
}
