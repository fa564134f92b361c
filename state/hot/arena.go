package hot

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Positions of blocks are in units of 8 bytes; 0 is no position.
const (
	unit       = 8
	chunkShift = 15
	chunkUnits = 1 << chunkShift
	chunkBytes = chunkUnits * unit
	maxChunks  = (1<<32 - 1) >> chunkShift // so that no position is state.NoRef

	exactClasses = 32 // blocks of up to so many units have a class each
	classes      = exactClasses + 4*(chunkShift-5)
)

var le = binary.LittleEndian

// arena hands out blocks of memory that never move. Free blocks wait in lists by size class:
// clean ones, and dirty ones, which stand on the current dirty list and may only be used
// again in the same generation or when no frozen list holds them.
type arena struct {
	chunks [][]byte
	next   uint32 // the rest of the newest ordinary chunk
	end    uint32
	clean  [classes][]uint32
	dirty  [classes][]uint32
	held   []heldBlocks        // dirty ones of sealed generations
	large  map[uint32][]uint32 // chunk numbers of free large blocks by number of chunks
	used   int64               // units handed out
}

type heldBlocks struct {
	gen  uint32
	free [classes][]uint32
}

// classOf returns the size class of a block of n units and the units it takes; n is at most chunkUnits/2.
func classOf(n uint32) (class int, units uint32) {
	if n <= exactClasses {
		return int(n) - 1, n
	}
	// Four classes per power of two.
	k := bits.Len32(n - 1) // 2^(k-1) < n <= 2^k, k >= 6
	step := uint32(1) << (k - 3)
	q := (n - 1<<(k-1) + step - 1) / step // 1..4
	return exactClasses + (k-6)*4 + int(q) - 1, 1<<(k-1) + q*step
}

// isLarge reports whether a block of n units gets chunks of its own.
func isLarge(n uint32) bool { return n > chunkUnits/2 }

func chunksOf(n uint32) uint32 { return (n + chunkUnits - 1) >> chunkShift }

// sameBlock reports whether blocks of a and b units are the same in size.
func sameBlock(a, b uint32) bool {
	if a == b {
		return true
	}
	if isLarge(a) || isLarge(b) {
		return isLarge(a) && isLarge(b) && chunksOf(a) == chunksOf(b)
	}
	x, _ := classOf(a)
	y, _ := classOf(b)
	return x == y
}

// alloc returns a block of at least n units. listed: it stands on the current dirty list.
func (a *arena) alloc(n uint32) (pos uint32, listed bool, err error) {
	if isLarge(n) {
		pos, err = a.allocLarge(n)
		return pos, false, err
	}
	c, units := classOf(n)
	a.used += int64(units)
	if l := a.dirty[c]; len(l) > 0 {
		a.dirty[c] = l[:len(l)-1]
		return l[len(l)-1], true, nil
	}
	if l := a.clean[c]; len(l) > 0 {
		a.clean[c] = l[:len(l)-1]
		return l[len(l)-1], false, nil
	}
	if a.end-a.next < units {
		if len(a.chunks) >= maxChunks {
			return 0, false, fmt.Errorf("state: a table has reached its limit of %d GiB in one subtask: raise the parallelism", uint64(maxChunks)*chunkBytes>>30)
		}
		a.next = uint32(len(a.chunks)) << chunkShift
		a.end = a.next + chunkUnits
		if a.next == 0 {
			a.next = 1 // position 0 is none
		}
		a.chunks = append(a.chunks, make([]byte, chunkBytes))
	}
	pos = a.next
	a.next += units
	return pos, false, nil
}

func (a *arena) allocLarge(n uint32) (uint32, error) {
	k := chunksOf(n)
	at := uint32(len(a.chunks))
	if l := a.large[k]; len(l) > 0 {
		at = l[len(l)-1]
		a.large[k] = l[:len(l)-1]
	} else {
		if at == 0 { // position 0 is none
			a.chunks = append(a.chunks, nil)
			at = 1
		}
		if at+k > maxChunks {
			return 0, fmt.Errorf("state: a table has reached its limit of %d GiB in one subtask: raise the parallelism", uint64(maxChunks)*chunkBytes>>30)
		}
		for range k {
			a.chunks = append(a.chunks, nil)
		}
	}
	a.chunks[at] = make([]byte, int(k)*chunkBytes)
	a.used += int64(k) << chunkShift
	return at << chunkShift, nil
}

// free takes a block of n units back. dirty: it stands on the current dirty list. Large
// blocks must not stand on any.
func (a *arena) free(pos, n uint32, dirty bool) {
	if isLarge(n) {
		if a.large == nil {
			a.large = map[uint32][]uint32{}
		}
		k, at := chunksOf(n), pos>>chunkShift
		a.chunks[at] = nil
		a.large[k] = append(a.large[k], at)
		a.used -= int64(k) << chunkShift
		return
	}
	c, units := classOf(n)
	a.used -= int64(units)
	if dirty {
		a.dirty[c] = append(a.dirty[c], pos)
	} else {
		a.clean[c] = append(a.clean[c], pos)
	}
}

// seal holds back the free blocks that stand on the dirty list just taken away.
func (a *arena) seal(gen uint32) {
	for _, l := range a.dirty {
		if len(l) > 0 {
			a.held = append(a.held, heldBlocks{gen, a.dirty})
			a.dirty = [classes][]uint32{}
			return
		}
	}
}

// release gives the blocks held for generations before live free.
func (a *arena) release(live uint32) {
	n := 0
	for n < len(a.held) && a.held[n].gen < live {
		for c, l := range a.held[n].free {
			a.clean[c] = append(a.clean[c], l...)
		}
		n++
	}
	a.held = append(a.held[:0], a.held[n:]...)
}

// rec returns the memory from the block's begin on.
func (a *arena) rec(pos uint32) []byte {
	return a.chunks[pos>>chunkShift][(pos&(chunkUnits-1))*unit:]
}
