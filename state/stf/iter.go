package stf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/klauspost/compress/s2"
	"github.com/sqlstream/sqlstream/state"
)

// Iter walks the rows of one table and a range of key groups in order. Key and Value are
// valid until the next Next.
type Iter struct {
	r           *Reader
	lower, hi   []byte // full keys: from, up to
	block       int    // the next one to read
	stored, raw []byte
	rest        []byte // of raw
	left        uint64 // entries of the block not yet decoded
	full, val   []byte
	stamp       int64
	del         bool
	started     bool
	err         error
}

// Iter returns an iterator over the rows of table t whose key groups lie in g.
func (r *Reader) Iter(t TableID, g state.Range) *Iter {
	it := &Iter{r: r, lower: appendKey(nil, t, g.Lo, nil), hi: appendKey(nil, t, g.Hi, nil)}
	// The first wanted row may be inside the block before the first one that begins later.
	i := sort.Search(len(r.blocks), func(i int) bool { return bytes.Compare(r.blocks[i].first, it.lower) > 0 })
	it.block = max(i-1, 0)
	return it
}

// Next moves to the next row, the first one at the first call.
func (it *Iter) Next() bool {
	for it.err == nil {
		if it.left == 0 {
			if it.started && len(it.rest) != 0 {
				return it.fail(it.block-1, "has %d bytes after its last entry", len(it.rest))
			}
			if it.block >= len(it.r.blocks) || bytes.Compare(it.r.blocks[it.block].first, it.hi) >= 0 {
				return false
			}
			if !it.load() {
				return false
			}
		}
		if !it.decode() {
			return false
		}
		if bytes.Compare(it.full, it.hi) >= 0 {
			it.left, it.rest, it.block = 0, nil, len(it.r.blocks)
			return false
		}
		if bytes.Compare(it.full, it.lower) >= 0 {
			return true
		}
	}
	return false
}

// Group is the row's key group.
func (it *Iter) Group() state.KeyGroup { return groupOf(it.full) }

// Key is the row's key.
func (it *Iter) Key() []byte { return it.full[keyPrefix:] }

// Value is the row's value, empty for a deletion.
func (it *Iter) Value() []byte { return it.val }

// Stamp is the time of the row's last change in ms, 0 in tables without TTL.
func (it *Iter) Stamp() int64 { return it.stamp }

// Deleted reports whether the row is a deletion.
func (it *Iter) Deleted() bool { return it.del }

// Err is what ended the iteration early, or nil.
func (it *Iter) Err() error { return it.err }

func (it *Iter) fail(block int, format string, args ...any) bool {
	it.err = fmt.Errorf("checkpoint file %s: %w: block %d at offset %d %s", it.r.name, ErrCorrupt, block, it.r.blocks[block].off, fmt.Sprintf(format, args...))
	return false
}

func (it *Iter) load() bool {
	n := it.block
	b := it.r.blocks[n]
	if cap(it.stored) < b.len {
		it.stored = make([]byte, b.len)
	}
	s := it.stored[:b.len]
	if err := readAt(it.r.src, s, b.off); err != nil {
		it.err = fmt.Errorf("checkpoint file %s: %w", it.r.name, err)
		return false
	}
	rawLen, storedLen := binary.LittleEndian.Uint32(s), binary.LittleEndian.Uint32(s[4:])
	if got, want := blockCRC(s[:12], s[blockHead:]), binary.LittleEndian.Uint32(s[12:]); got != want {
		return it.fail(n, "has CRC32C %08x, expected %08x", got, want)
	}
	if int(storedLen) != b.len-blockHead || s[9]|s[10]|s[11] != 0 {
		return it.fail(n, "has %d stored bytes, the index says %d", storedLen, b.len-blockHead)
	}
	switch body := s[blockHead:]; s[8] {
	case codecNone:
		if rawLen != storedLen {
			return it.fail(n, "is not compressed but has %d raw and %d stored bytes", rawLen, storedLen)
		}
		it.raw = append(it.raw[:0], body...)
	case codecS2:
		if got, err := s2.DecodedLen(body); err != nil || got != int(rawLen) || got > maxPacked {
			return it.fail(n, "expands to %d bytes, its head says %d, the limit is %d", got, rawLen, maxPacked)
		}
		raw, err := s2.Decode(it.raw[:cap(it.raw)], body)
		if err != nil {
			return it.fail(n, "cannot be decompressed: %v", err)
		}
		it.raw = raw
	default:
		return it.fail(n, "has the unknown codec %d", s[8])
	}
	it.rest, it.left = it.raw, b.entries
	it.block++
	return true
}

func (it *Iter) decode() bool {
	n := it.block - 1
	d := decoder{b: it.rest}
	op := d.u8()
	shared, unshared, vlen := d.int(), d.int(), d.int()
	it.stamp = 0
	if op&opStamped != 0 {
		v, k := binary.Varint(d.b)
		if k <= 0 {
			return it.fail(n, "has an entry that is cut")
		}
		it.stamp, d.b = v, d.b[k:]
	}
	first := it.left == it.r.blocks[n].entries
	if first && it.started {
		// The order across a block boundary is that of the index, checked below.
		it.full = it.full[:0]
	}
	if d.bad || op > opDelete|opStamped || op == opDelete|opStamped || shared > len(it.full) || first && shared != 0 || unshared > len(d.b) || vlen > len(d.b)-unshared {
		return it.fail(n, "has an entry that does not fit")
	}
	suffix := d.b[:unshared]
	if !first && bytes.Compare(suffix, it.full[shared:]) <= 0 {
		return it.fail(n, "has entries out of order")
	}
	it.full = append(it.full[:shared], suffix...)
	if len(it.full) < keyPrefix || first && !bytes.Equal(it.full, it.r.blocks[n].first) {
		return it.fail(n, "does not begin with the key the index says")
	}
	if it.block < len(it.r.blocks) && bytes.Compare(it.full, it.r.blocks[it.block].first) >= 0 {
		return it.fail(n, "has keys of the next block")
	}
	it.val = d.b[unshared : unshared+vlen]
	it.del = op&opDelete != 0
	it.rest = d.b[unshared+vlen:]
	it.left--
	it.started = true
	return true
}
