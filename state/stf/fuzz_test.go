package stf

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/sqlstream/sqlstream/state"
)

type bytesFile struct{ *bytes.Reader }

func (bytesFile) Close() error { return nil }

// FuzzChecksummed reads files whose checksums are right and whose content is arbitrary: what
// an attacker, or a bug of a writer, could make.
func FuzzChecksummed(f *testing.F) {
	id := IDOf("a", 1)
	first := appendKey(nil, id, 3, []byte("k"))
	block := []byte{opPut, 0, byte(len(first)), 1}
	block = append(append(block, first...), 'v')
	tables := appendString(appendString([]byte{1}, "a"), "t")
	tables = append(tables, 1, 1, 2)
	f.Add(block, tables, []byte{1, byte(blockHead + len(block)), 1, 0, byte(len(first))}, byte(codecNone), uint64(1))
	f.Add(block, tables, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, byte(codecS2), uint64(1)<<62)
	f.Fuzz(func(t *testing.T, block, tables, index []byte, codec byte, entries uint64) {
		b := header()
		var head [blockHead]byte
		binary.LittleEndian.PutUint32(head[0:], uint32(len(block)))
		binary.LittleEndian.PutUint32(head[4:], uint32(len(block)))
		head[8] = codec
		binary.LittleEndian.PutUint32(head[12:], blockCRC(head[:12], block))
		b = append(append(b, head[:]...), block...)
		ix := append(append(bytes.Clone(tables), index...), first...)
		foot := footer{indexOff: uint64(len(b)), indexLen: uint32(len(ix)), indexCRC: crc32.Checksum(ix, castagnoli), entries: entries, hi: 128}
		b = foot.append(append(b, ix...))
		r, err := NewReader(bytesFile{bytes.NewReader(b)}, "f")
		if err != nil {
			return
		}
		want := r.File()
		want.CRC32C = crc32.Checksum(b, castagnoli)
		verified := r.Verify(t.Context(), want) == nil
		n := int64(0)
		for _, tab := range r.Tables() {
			it := r.Iter(IDOf(tab.UID, tab.ID), state.Range{Lo: 0, Hi: 0xffff})
			for it.Next() {
				n++
			}
			if verified && it.Err() != nil {
				t.Fatal(it.Err())
			}
		}
		if verified && uint64(n) != entries {
			t.Fatalf("verified with %d entries, but %d were read", entries, n)
		}
	})
}
