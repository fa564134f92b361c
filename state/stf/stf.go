// Package stf owns the checkpoint file format (".stf"): immutable sorted files of keyed
// state, deltas and full ones alike, their writer, their reader, the k-way merge that
// restores, rescales and rolls up, and nothing of where files lie (state.Files). Stores and
// the checkpoint packages import it.
//
// # Format
//
//	file    = header block* index footer
//	header  = magic (8 bytes) version u16 zero (6 bytes)
//	block   = rawLen u32 | storedLen u32 | codec u8 | zero (3 bytes) | crc32c u32 | stored bytes
//	entry   = op u8 | shared uvarint | unshared uvarint | value length uvarint |
//	          [stamp varint] | last unshared bytes of the key | value
//	key     = hash of the operator's UID (8 bytes, big endian) | table id (1) | key group (2, big endian) | user key
//	index   = tables, then blocks, see writer.go
//	footer  = fixed 64 bytes, see footer.go
//
// All integers are little endian unless said otherwise. Keys strictly ascend over the whole
// file; the first entry of a block shares nothing. Blocks lie back to back between header and
// index, so that every byte of a file is covered by a check: magic, CRC32C or equality. A
// block of more than maxPacked raw bytes (one huge value) is stored uncompressed: a reader
// therefore never allocates more than maxPacked for a few bytes on disk, nor more than the
// file is long.
//
// UID hashes are 8 bytes. Two UIDs of one job with the same hash are refused (Unique), not
// disambiguated: 10,000 operators collide with a chance of 3e-12.
package stf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/sqlstream/sqlstream/state"
	"github.com/zeebo/xxh3"
)

// Version is the format version that this package writes; it reads no other.
const Version = 1

const (
	magic      = "sqlsSTF\n"
	headerLen  = 16
	blockHead  = 16
	blockRaw   = 64 << 10 // a block is closed when it has this many raw bytes
	maxPacked  = 1 << 20  // raw size above which a block is stored as it is
	tableKey   = 9        // UID hash and table id
	keyPrefix  = tableKey + 2
	maxUserKey = 65000

	// MaxValue is the size in bytes above which no value is accepted.
	MaxValue = 1<<30 - 1
)

// The operations of entries; opStamped is a flag.
const (
	opPut     = 0
	opDelete  = 1
	opStamped = 2
)

// The codecs of blocks.
const (
	codecNone = 0
	codecS2   = 1
)

// ErrCorrupt is wrapped by every error that says a file is damaged, cut, or not what the
// manifest says.
var ErrCorrupt = errors.New("checkpoint file is damaged")

// ErrVersion is wrapped by errors about files of another format version.
var ErrVersion = errors.New("checkpoint file has another format version")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// TableID identifies a table of a job in the order of files: UID hash, then table id.
type TableID [tableKey]byte

// IDOf returns the table id of table id of the operator uid.
func IDOf(uid string, id uint8) TableID {
	var t TableID
	binary.BigEndian.PutUint64(t[:], xxh3.HashString(uid))
	t[8] = id
	return t
}

// Unique fails when two different UIDs have the same hash.
func Unique(uids []string) error {
	seen := make(map[uint64]string, len(uids))
	for _, u := range uids {
		h := xxh3.HashString(u)
		if o, ok := seen[h]; ok && o != u {
			return fmt.Errorf("operators %q and %q have the same UID hash %016x: give one of them another UID with the hint /*+ UID('...') */", o, u, h)
		}
		seen[h] = u
	}
	return nil
}

// appendKey appends the full key of a row.
func appendKey(dst []byte, t TableID, g state.KeyGroup, key []byte) []byte {
	dst = append(dst, t[:]...)
	dst = append(dst, byte(g>>8), byte(g))
	return append(dst, key...)
}

// groupOf returns the key group of a full key.
func groupOf(full []byte) state.KeyGroup {
	return state.KeyGroup(binary.BigEndian.Uint16(full[tableKey:]))
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
