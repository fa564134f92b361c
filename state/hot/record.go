package hot

// The header of a record:
//
//	word 0: key length u16 | key group u16 | value length 29 bits, empty, dead, free
//	word 1: clock bit, fresh, generation 30 bits | forwarding address u32
//	[links: next u32, previous u32]   in tables with a prefix
//	[stamp: last change in ms]        in tables with a time to live
//
// Then the key, padded to a multiple of 8, and the value. The value length of an empty record is the room it has.
const (
	emptyBit = 1 << 61 // just made: no value yet
	deadBit  = 1 << 62 // a tombstone
	freeBit  = 1 << 63 // given up in its generation; the block waits for reuse

	clockBit = 1 // used since the clock hand passed
	freshBit = 2 // made in its generation: no checkpoint knows the key
	genShift = 2
	genMask  = 1<<30 - 1

	maxKey   = 65000
	maxValue = 1<<29 - 1
)

func word0(klen int, group uint16, vlen int) uint64 {
	return uint64(klen) | uint64(group)<<16 | uint64(vlen)<<32
}

func klenOf(w0 uint64) int { return int(w0 & 0xffff) }

func groupOf(w0 uint64) uint16 { return uint16(w0 >> 16) }

// roomOf is the value length, of an empty record the room.
func roomOf(w0 uint64) int { return int(w0 >> 32 & maxValue) }

func vlenOf(w0 uint64) int {
	if w0&emptyBit != 0 {
		return 0
	}
	return roomOf(w0)
}

func pad(n int) int { return (n + 7) &^ 7 }

func genOf(w1 uint64) uint32 { return uint32(w1) >> genShift & genMask }

func fwdOf(w1 uint64) uint32 { return uint32(w1 >> 32) }

// unitsOf is the size of a block with a header of hdr bytes.
func unitsOf(hdr, klen, vlen int) uint32 { return uint32(hdr+pad(klen)+pad(vlen)) / unit }

// positions is a list that grows without copying, in pieces.
type positions struct {
	full [][]uint32
	last []uint32
}

// piece is the number of positions of a piece, after a first small one.
const piece = 16 << 10

func (p *positions) add(pos uint32) {
	if len(p.last) == cap(p.last) {
		p.grow()
	}
	p.last = append(p.last, pos)
}

func (p *positions) grow() {
	if cap(p.last) < piece {
		// Small lists are copied, like any slice.
		p.last = append(make([]uint32, 0, min(max(64, 4*cap(p.last)), piece)), p.last...)
		return
	}
	p.full = append(p.full, p.last)
	p.last = make([]uint32, 0, piece)
}

func (p *positions) len() int { return len(p.full)*piece + len(p.last) }

// all is an iterator.
func (p *positions) all(yield func(uint32) bool) {
	for _, l := range p.full {
		for _, pos := range l {
			if !yield(pos) {
				return
			}
		}
	}
	for _, pos := range p.last {
		if !yield(pos) {
			return
		}
	}
}
