package stf

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/sqlstream/sqlstream/state"
)

const footerLen = 64

// The kinds of files, as state.File.Kind spells them.
const (
	Delta = "delta" // changes of its epochs: puts and deletes
	Full  = "full"  // everything there was: replaces all older files of its key groups
)

// footer is the last 64 bytes of a file:
//
//	indexOff u64 | indexLen u32 | indexCRC u32 | entries u64 | minEpoch u64 | maxEpoch u64 |
//	keyLo u16 | keyHi u16 | kind u8 | zero u8 | version u16 | crc u32 of the bytes before |
//	zero u32 | magic
type footer struct {
	indexOff uint64
	indexLen uint32
	indexCRC uint32
	entries  uint64
	min, max state.Epoch
	lo, hi   state.KeyGroup
	full     bool
}

func (f *footer) append(dst []byte) []byte {
	at := len(dst)
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, f.indexOff)
	dst = le.AppendUint32(dst, f.indexLen)
	dst = le.AppendUint32(dst, f.indexCRC)
	dst = le.AppendUint64(dst, f.entries)
	dst = le.AppendUint64(dst, uint64(f.min))
	dst = le.AppendUint64(dst, uint64(f.max))
	dst = le.AppendUint16(dst, uint16(f.lo))
	dst = le.AppendUint16(dst, uint16(f.hi))
	kind := byte(0)
	if f.full {
		kind = 1
	}
	dst = append(dst, kind, 0)
	dst = le.AppendUint16(dst, Version)
	dst = le.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
	dst = le.AppendUint32(dst, 0)
	return append(dst, magic...)
}

func (f *footer) decode(b []byte) error {
	le := binary.LittleEndian
	if string(b[56:]) != magic || le.Uint32(b[52:]) != 0 {
		return fmt.Errorf("%w: the last 8 bytes are %q, expected %q", ErrCorrupt, b[56:], magic)
	}
	if got, want := crc32.Checksum(b[:48], castagnoli), le.Uint32(b[48:]); got != want {
		return fmt.Errorf("%w: CRC32C of the footer is %08x, expected %08x", ErrCorrupt, got, want)
	}
	if v := le.Uint16(b[46:]); v != Version {
		return fmt.Errorf("%w: it is version %d, this program reads version %d", ErrVersion, v, Version)
	}
	if b[44] > 1 || b[45] != 0 {
		return fmt.Errorf("%w: unknown kind %d in the footer", ErrCorrupt, b[44])
	}
	*f = footer{
		indexOff: le.Uint64(b), indexLen: le.Uint32(b[8:]), indexCRC: le.Uint32(b[12:]),
		entries: le.Uint64(b[16:]), min: state.Epoch(le.Uint64(b[24:])), max: state.Epoch(le.Uint64(b[32:])),
		lo: state.KeyGroup(le.Uint16(b[40:])), hi: state.KeyGroup(le.Uint16(b[42:])), full: b[44] == 1,
	}
	return nil
}
