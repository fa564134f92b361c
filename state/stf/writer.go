package stf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
	"github.com/sqlstream/sqlstream/state"
)

// Meta is what a writer has to know of a file in advance.
type Meta struct {
	Name               string
	Kind               string // Delta or Full
	Range              state.Range
	MinEpoch, MaxEpoch state.Epoch
}

// Writer writes one file front to back. Call Table for each table in ascending order of
// IDOf, each followed by its rows in ascending order of group and key; then Finish, or Abort.
// Not for concurrent use.
type Writer struct {
	dst  state.FileWriter
	meta Meta

	off     uint64 // bytes handed to dst
	crc     uint32
	entries int64

	tables []state.FileTable
	cur    TableID

	raw, packed []byte
	last, key   []byte // full keys: of the last entry; scratch
	inBlock     uint64
	index       []byte // encoded block entries
	blocks      uint64
	first       []byte // key of the block's first entry
	prevFirst   []byte
}

// NewWriter starts a file; nothing is written to dst before the first block is full.
func NewWriter(dst state.FileWriter, m Meta) *Writer {
	return &Writer{dst: dst, meta: m, raw: make([]byte, 0, blockRaw+blockRaw/4)}
}

// Table begins the rows of a table.
func (w *Writer) Table(uid, name string, id uint8) error {
	t := IDOf(uid, id)
	if len(w.tables) > 0 && bytes.Compare(t[:], w.cur[:]) <= 0 {
		return fmt.Errorf("stf writer: table %s.%s (%d) is out of order or a UID hash collides", uid, name, id)
	}
	if len(uid) > 1<<10 || len(name) > 1<<10 {
		return fmt.Errorf("stf writer: UID and table name are limited to 1024 bytes")
	}
	w.cur = t
	w.tables = append(w.tables, state.FileTable{UID: uid, Name: name, ID: id})
	return nil
}

// Put writes a row; stamp is the time of its last change in ms, 0 for a table without TTL.
func (w *Writer) Put(g state.KeyGroup, key, val []byte, stamp int64) error {
	op := byte(opPut)
	if stamp != 0 {
		op |= opStamped
	}
	return w.add(op, g, key, val, stamp)
}

// Delete writes the deletion of a row.
func (w *Writer) Delete(g state.KeyGroup, key []byte) error {
	return w.add(opDelete, g, key, nil, 0)
}

func (w *Writer) add(op byte, g state.KeyGroup, key, val []byte, stamp int64) error {
	if len(w.tables) == 0 {
		return fmt.Errorf("stf writer: a row before the first table")
	}
	if !w.meta.Range.Contains(g) {
		return fmt.Errorf("stf writer: key group %d is outside [%d, %d)", g, w.meta.Range.Lo, w.meta.Range.Hi)
	}
	if len(key) > maxUserKey || len(val) > MaxValue {
		return fmt.Errorf("stf writer: a key of %d and a value of %d bytes; the limits are %d and %d", len(key), len(val), maxUserKey, MaxValue)
	}
	w.key = appendKey(w.key[:0], w.cur, g, key)
	if w.entries > 0 && bytes.Compare(w.key, w.last) <= 0 {
		return fmt.Errorf("stf writer: key %x does not follow %x", w.key, w.last)
	}
	shared := 0
	if w.inBlock == 0 {
		w.first = append(w.first[:0], w.key...)
	} else {
		shared = sharedPrefix(w.key, w.last)
	}
	b := append(w.raw, op)
	b = binary.AppendUvarint(b, uint64(shared))
	b = binary.AppendUvarint(b, uint64(len(w.key)-shared))
	b = binary.AppendUvarint(b, uint64(len(val)))
	if op&opStamped != 0 {
		b = binary.AppendVarint(b, stamp)
	}
	b = append(b, w.key[shared:]...)
	w.raw = append(b, val...)

	w.last, w.key = w.key, w.last
	w.inBlock++
	w.entries++
	t := &w.tables[len(w.tables)-1]
	t.Entries++
	t.Bytes += int64(len(key) + len(val))
	if len(w.raw) >= blockRaw {
		return w.flush()
	}
	return nil
}

// flush ends the block. Its index entry is: stored length of the block with its head,
// entries, shared and unshared length of the first key, the unshared bytes.
func (w *Writer) flush() error {
	if w.inBlock == 0 {
		return nil
	}
	if w.off == 0 {
		if err := w.write(header()); err != nil {
			return err
		}
	}
	codec, stored := byte(codecNone), w.raw
	if len(w.raw) <= maxPacked {
		w.packed = s2.Encode(w.packed[:cap(w.packed)], w.raw)
		if len(w.packed) < len(w.raw) {
			codec, stored = codecS2, w.packed
		}
	}
	var head [blockHead]byte
	binary.LittleEndian.PutUint32(head[0:], uint32(len(w.raw)))
	binary.LittleEndian.PutUint32(head[4:], uint32(len(stored)))
	head[8] = codec
	binary.LittleEndian.PutUint32(head[12:], blockCRC(head[:12], stored))

	shared := sharedPrefix(w.first, w.prevFirst)
	w.index = binary.AppendUvarint(w.index, uint64(len(stored)+blockHead))
	w.index = binary.AppendUvarint(w.index, w.inBlock)
	w.index = binary.AppendUvarint(w.index, uint64(shared))
	w.index = binary.AppendUvarint(w.index, uint64(len(w.first)-shared))
	w.index = append(w.index, w.first[shared:]...)
	w.first, w.prevFirst = w.prevFirst, w.first
	w.blocks++
	w.inBlock = 0
	if err := w.write(head[:]); err != nil {
		return err
	}
	err := w.write(stored)
	if cap(w.raw) > 4*blockRaw {
		w.raw = make([]byte, 0, blockRaw+blockRaw/4) // one huge value must not keep its memory
	}
	w.raw = w.raw[:0]
	return err
}

// Finish writes index and footer, makes the file durable and describes it.
func (w *Writer) Finish() (state.File, error) {
	if err := w.flush(); err != nil {
		return state.File{}, err
	}
	if w.off == 0 {
		if err := w.write(header()); err != nil {
			return state.File{}, err
		}
	}
	var ix []byte
	ix = binary.AppendUvarint(ix, uint64(len(w.tables)))
	for _, t := range w.tables {
		ix = appendString(ix, t.UID)
		ix = appendString(ix, t.Name)
		ix = append(ix, t.ID)
		ix = binary.AppendUvarint(ix, uint64(t.Entries))
		ix = binary.AppendUvarint(ix, uint64(t.Bytes))
	}
	ix = binary.AppendUvarint(ix, w.blocks)
	ix = append(ix, w.index...)

	f := footer{
		indexOff: w.off, indexLen: uint32(len(ix)), indexCRC: crc32.Checksum(ix, castagnoli),
		entries: uint64(w.entries), min: w.meta.MinEpoch, max: w.meta.MaxEpoch,
		lo: w.meta.Range.Lo, hi: w.meta.Range.Hi, full: w.meta.Kind == Full,
	}
	if err := w.write(f.append(ix)); err != nil {
		return state.File{}, err
	}
	if err := w.dst.Commit(); err != nil {
		return state.File{}, fmt.Errorf("checkpoint file %s: %w", w.meta.Name, err)
	}
	return state.File{
		Name: w.meta.Name, Kind: w.meta.Kind, KeyLo: uint16(w.meta.Range.Lo), KeyHi: uint16(w.meta.Range.Hi),
		MinEpoch: w.meta.MinEpoch, MaxEpoch: w.meta.MaxEpoch,
		Size: int64(w.off), CRC32C: w.crc, Entries: w.entries, Tables: w.tables,
	}, nil
}

// Abort gives the file up.
func (w *Writer) Abort() { w.dst.Abort() }

func (w *Writer) write(b []byte) error {
	if _, err := w.dst.Write(b); err != nil {
		return fmt.Errorf("checkpoint file %s: %w", w.meta.Name, err)
	}
	w.off += uint64(len(b))
	w.crc = crc32.Update(w.crc, castagnoli, b)
	return nil
}

func header() []byte {
	h := make([]byte, headerLen)
	copy(h, magic)
	binary.LittleEndian.PutUint16(h[8:], Version)
	return h
}

func blockCRC(head, stored []byte) uint32 {
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, stored)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
