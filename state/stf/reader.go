package stf

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/sqlstream/sqlstream/state"
)

// maxIndex bounds an index; a block index entry is about 40 bytes for 64 KiB of rows.
const maxIndex = 1 << 30

// Reader reads one file. Opening it reads and checks footer and index; blocks are checked
// as they are read. Several iterators may be used at once, each by one goroutine.
type Reader struct {
	name   string
	src    state.FileReader
	foot   footer
	tables []state.FileTable
	blocks []block
}

type block struct {
	off     int64
	len     int // with its head
	entries uint64
	first   []byte
}

// Open opens a file that a manifest lists and checks that it is that file: length, kind,
// key groups, epochs, counts. The checksum of the whole is left to Verify.
func Open(files state.Files, want state.File) (*Reader, error) {
	src, err := files.Open(want.Name)
	if err != nil {
		return nil, fmt.Errorf("checkpoint file %s: %w", want.Name, err)
	}
	r, err := open(src, want)
	if err != nil {
		src.Close()
		return nil, err
	}
	return r, nil
}

func open(src state.FileReader, want state.File) (*Reader, error) {
	if got := src.Size(); got != want.Size {
		return nil, fmt.Errorf("checkpoint file %s: %w: it has %d bytes, the manifest says %d", want.Name, ErrCorrupt, got, want.Size)
	}
	r, err := NewReader(src, want.Name)
	if err != nil {
		return nil, err
	}
	got := r.File()
	if got.Kind != want.Kind || got.KeyLo != want.KeyLo || got.KeyHi != want.KeyHi ||
		got.MinEpoch != want.MinEpoch || got.MaxEpoch != want.MaxEpoch || got.Entries != want.Entries {
		return nil, fmt.Errorf("checkpoint file %s: %w: it is a %s file of key groups [%d, %d), epochs %d to %d with %d entries; the manifest says %s, [%d, %d), %d to %d, %d",
			want.Name, ErrCorrupt, got.Kind, got.KeyLo, got.KeyHi, got.MinEpoch, got.MaxEpoch, got.Entries,
			want.Kind, want.KeyLo, want.KeyHi, want.MinEpoch, want.MaxEpoch, want.Entries)
	}
	return r, nil
}

// NewReader opens a file without a manifest to compare with; name is for messages. It takes
// src over unless it fails.
func NewReader(src state.FileReader, name string) (*Reader, error) {
	r := &Reader{name: name, src: src}
	if err := r.load(); err != nil {
		return nil, fmt.Errorf("checkpoint file %s: %w", name, err)
	}
	return r, nil
}

func (r *Reader) load() error {
	size := r.src.Size()
	if size < headerLen+footerLen {
		return fmt.Errorf("%w: it has %d bytes, the shortest one has %d", ErrCorrupt, size, headerLen+footerLen)
	}
	var buf [footerLen]byte
	if err := readAt(r.src, buf[:headerLen], 0); err != nil {
		return err
	}
	if string(buf[:len(magic)]) != magic {
		return fmt.Errorf("%w: it begins with %q, expected %q", ErrCorrupt, buf[:len(magic)], magic)
	}
	if v := binary.LittleEndian.Uint16(buf[8:]); v != Version {
		return fmt.Errorf("%w: it is version %d, this program reads version %d", ErrVersion, v, Version)
	}
	if !bytes.Equal(buf[:headerLen], header()) {
		return fmt.Errorf("%w: the header is not zero after the version", ErrCorrupt)
	}
	if err := readAt(r.src, buf[:], size-footerLen); err != nil {
		return err
	}
	if err := r.foot.decode(buf[:]); err != nil {
		return err
	}
	off, n := r.foot.indexOff, uint64(r.foot.indexLen)
	if off < headerLen || n > maxIndex || off+n != uint64(size-footerLen) {
		return fmt.Errorf("%w: index of %d bytes at %d does not fit a file of %d bytes", ErrCorrupt, n, off, size)
	}
	ix := make([]byte, n)
	if err := readAt(r.src, ix, int64(off)); err != nil {
		return err
	}
	if got := crc32.Checksum(ix, castagnoli); got != r.foot.indexCRC {
		return fmt.Errorf("%w: CRC32C of the index is %08x, expected %08x", ErrCorrupt, got, r.foot.indexCRC)
	}
	return r.decodeIndex(ix)
}

func (r *Reader) decodeIndex(ix []byte) error {
	d := decoder{b: ix}
	var sum int64
	var last TableID
	n := d.count(5)
	r.tables = make([]state.FileTable, 0, n)
	for i := range n {
		t := state.FileTable{UID: string(d.bytes()), Name: string(d.bytes()), ID: d.u8(), Entries: int64(d.uvarint()), Bytes: int64(d.uvarint())}
		id := IDOf(t.UID, t.ID)
		if t.Entries < 0 || t.Bytes < 0 || i > 0 && bytes.Compare(id[:], last[:]) <= 0 {
			return fmt.Errorf("%w: table %d of the index is out of order or its counts overflow", ErrCorrupt, i)
		}
		last, sum = id, sum+t.Entries
		r.tables = append(r.tables, t)
	}
	n = d.count(4 + keyPrefix/2)
	r.blocks = make([]block, 0, n)
	off, entries := int64(headerLen), uint64(0)
	var prev []byte
	for i := range n {
		b := block{off: off, len: d.int(), entries: d.uvarint()}
		shared := d.int()
		rest := d.bytes()
		if d.bad || shared > len(prev) || b.len <= blockHead || b.entries == 0 {
			return fmt.Errorf("%w: block %d of the index makes no sense", ErrCorrupt, i)
		}
		b.first = append(append(make([]byte, 0, shared+len(rest)), prev[:shared]...), rest...)
		if len(b.first) < keyPrefix || len(b.first) > keyPrefix+maxUserKey || i > 0 && bytes.Compare(b.first, prev) <= 0 {
			return fmt.Errorf("%w: block %d of the index is out of order", ErrCorrupt, i)
		}
		off += int64(b.len)
		entries += b.entries
		prev = b.first
		r.blocks = append(r.blocks, b)
	}
	switch {
	case d.bad || len(d.b) != 0:
		return fmt.Errorf("%w: the index is cut or has bytes left over", ErrCorrupt)
	case uint64(off) != r.foot.indexOff:
		return fmt.Errorf("%w: blocks end at %d, the index begins at %d", ErrCorrupt, off, r.foot.indexOff)
	case entries != r.foot.entries || uint64(sum) != r.foot.entries:
		return fmt.Errorf("%w: blocks hold %d entries, tables %d, the footer says %d", ErrCorrupt, entries, sum, r.foot.entries)
	}
	return nil
}

// File describes the file as its footer and index do; CRC32C is left out.
func (r *Reader) File() state.File {
	kind := Delta
	if r.foot.full {
		kind = Full
	}
	return state.File{
		Name: r.name, Kind: kind, KeyLo: uint16(r.foot.lo), KeyHi: uint16(r.foot.hi),
		MinEpoch: r.foot.min, MaxEpoch: r.foot.max, Size: r.src.Size(), Entries: int64(r.foot.entries), Tables: r.tables,
	}
}

// Tables lists the tables in file order.
func (r *Reader) Tables() []state.FileTable { return r.tables }

// Close closes the file; iterators end.
func (r *Reader) Close() error { return r.src.Close() }

// Verify reads the whole file: checksum of the file (when want has one), of every block, order
// and counts of every row.
func (r *Reader) Verify(ctx context.Context, want state.File) error {
	crc, buf := uint32(0), make([]byte, 256<<10)
	for off, size := int64(0), r.src.Size(); off < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), size-off)]
		if err := readAt(r.src, b, off); err != nil {
			return fmt.Errorf("checkpoint file %s: %w", r.name, err)
		}
		crc = crc32.Update(crc, castagnoli, b)
		off += int64(len(b))
	}
	if crc != want.CRC32C {
		return fmt.Errorf("checkpoint file %s: %w: its CRC32C is %08x, the manifest says %08x", r.name, ErrCorrupt, crc, want.CRC32C)
	}
	var total int64
	for _, t := range r.tables {
		it := r.Iter(IDOf(t.UID, t.ID), state.Range{Lo: 0, Hi: 0xffff})
		var n, size int64
		for it.Next() {
			if n++; n%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			size += int64(len(it.Key()) + len(it.Value()))
			if g := it.Group(); g < r.foot.lo || g >= r.foot.hi {
				return fmt.Errorf("checkpoint file %s: %w: table %s.%s has key group %d, the file is for [%d, %d)", r.name, ErrCorrupt, t.UID, t.Name, g, r.foot.lo, r.foot.hi)
			}
		}
		if it.Err() != nil {
			return it.Err()
		}
		if n != t.Entries || size != t.Bytes {
			return fmt.Errorf("checkpoint file %s: %w: table %s.%s has %d entries of %d bytes, the index says %d of %d", r.name, ErrCorrupt, t.UID, t.Name, n, size, t.Entries, t.Bytes)
		}
		total += n
	}
	if total != want.Entries {
		return fmt.Errorf("checkpoint file %s: %w: it has %d entries, the manifest says %d", r.name, ErrCorrupt, total, want.Entries)
	}
	return nil
}

func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return fmt.Errorf("%w: it ends at %d, inside the %d bytes at %d", ErrCorrupt, off+int64(n), len(b), off)
	}
	return fmt.Errorf("read of %d bytes at %d: %w", len(b), off, err)
}

// decoder takes an index apart; after the first misfit bad is set and everything is zero.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.b, d.bad = nil, true
		return 0
	}
	d.b = d.b[n:]
	return v
}

// int is a length: what is not below 2^31 is bad.
func (d *decoder) int() int {
	v := d.uvarint()
	if v >= 1<<31 {
		d.b, d.bad = nil, true
		return 0
	}
	return int(v)
}

// count is a number of items of at least size bytes each: more than fit is bad.
func (d *decoder) count(size int) int {
	n := d.int()
	if n > len(d.b)/size {
		d.b, d.bad = nil, true
		return 0
	}
	return n
}

func (d *decoder) u8() uint8 {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.int()
	if n > len(d.b) {
		d.b, d.bad = nil, true
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}
