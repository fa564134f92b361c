package rowkey

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Hash is the stable 64-bit hash of key bytes, the same in every process and version.
func Hash(key []byte) uint64 { return xxh3.Hash(key) }

// HashPrefixed is the hash of a key that starts with an 8-byte prefix, as NewPrefixed makes
// them.
func HashPrefixed(key []byte) uint64 {
	return mix(xxh3.Hash(key[8:]), binary.BigEndian.Uint64(key))
}

// mix makes one hash of two.
func mix(h, prefix uint64) uint64 {
	h ^= prefix * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// Encoder encodes the key columns of batches, column by column. Its results live until the
// next call of Encode. The zero value is not usable; see New.
type Encoder struct {
	cols   []int
	prefix bool
	Keys   state.Keys
	// Hash addresses the whole key; Group is the hash of the key without its prefix, which
	// state.GroupOf and exchanges see.
	Hash, Group []uint64
	cursor      []int32
}

// New makes an encoder of the given columns of a batch (none: one key for all rows).
func New(cols []int) *Encoder { return &Encoder{cols: cols} }

// NewPrefixed makes an encoder whose keys start with 8 bytes given for each row.
func NewPrefixed(cols []int) *Encoder { return &Encoder{cols: cols, prefix: true} }

// Encode encodes the given physical rows of b; key i is that of rows[i].
func (e *Encoder) Encode(b *vec.Batch, rows []int32) { e.encode(b, rows, nil) }

// EncodePrefixed is Encode with prefix[i], big endian, in front of key i.
func (e *Encoder) EncodePrefixed(b *vec.Batch, rows []int32, prefix []uint64) {
	e.encode(b, rows, prefix)
}

func (e *Encoder) encode(b *vec.Batch, rows []int32, prefix []uint64) {
	n := len(rows)
	e.cursor = grow(e.cursor, n)
	off := grow(e.Keys.Off, n+1)
	e.measure(b, rows, off)
	data := grow(e.Keys.Data, int(off[n]))
	copy(e.cursor, off[:n])
	if e.prefix {
		for i, p := range prefix {
			binary.BigEndian.PutUint64(data[e.cursor[i]:], p)
			e.cursor[i] += 8
		}
	}
	for _, c := range e.cols {
		encodeColumn(data, e.cursor, &b.Cols[c], rows)
	}
	e.Keys = state.Keys{Off: off, Data: data}
	e.hash(n, prefix)
}

// measure fills off with the offsets of the keys.
func (e *Encoder) measure(b *vec.Batch, rows, off []int32) {
	base := int32(0)
	if e.prefix {
		base = 8
	}
	sizes := off[1:]
	clear(sizes)
	for _, c := range e.cols {
		v := &b.Cols[c]
		size := fixedSize(v.Type)
		switch {
		case size >= 0 && v.Valid == nil:
			base += int32(size) + 1
		case size >= 0:
			base++
			for i, r := range rows {
				if !v.IsNull(int(r)) {
					sizes[i] += int32(size)
				}
			}
		case v.Type.Physical() == types.PhysBytes:
			base++
			for i, r := range rows {
				if !v.IsNull(int(r)) {
					l := v.Off[r+1] - v.Off[r]
					sizes[i] += l + int32(uvarintLen(uint32(l)))
				}
			}
		default:
			for i, r := range rows {
				sizes[i] += int32(nestedSize(v, int(r)))
			}
		}
	}
	off[0] = 0
	sum := int32(0)
	for i := range sizes {
		sum += base + sizes[i]
		sizes[i] = sum
	}
}

func uvarintLen(n uint32) int {
	k := 1
	for n >= 0x80 {
		n >>= 7
		k++
	}
	return k
}

// nestedSize is the encoded size of row i of a nested column, with its tag.
func nestedSize(v *vec.Vec, i int) int {
	if v.IsNull(i) {
		return 1
	}
	size := 1
	lo, hi := i, i+1
	switch v.Type.Physical() {
	case types.PhysList, types.PhysMap:
		lo, hi = int(v.Off[i]), int(v.Off[i+1])
		size += uvarintLen(uint32(hi - lo))
	case types.PhysBytes:
		l := v.Off[i+1] - v.Off[i]
		return size + int(l) + uvarintLen(uint32(l))
	case types.PhysRow:
	default:
		return size + fixedSize(v.Type)
	}
	for j := lo; j < hi; j++ {
		for k := range v.Kids {
			size += nestedSize(&v.Kids[k], j)
		}
	}
	return size
}

// encodeColumn writes row rows[i] of v at cursor[i] and moves the cursor.
func encodeColumn(data []byte, cursor []int32, v *vec.Vec, rows []int32) {
	switch {
	case v.Type.Physical() == types.PhysI64 && v.Valid == nil:
		x := vec.Values[int64](v)
		for i, r := range rows {
			at := data[cursor[i]:][:9]
			at[0] = tagValue
			binary.BigEndian.PutUint64(at[1:], uint64(x[r])^1<<63)
			cursor[i] += 9
		}
	case v.Type.Physical() == types.PhysI32 && v.Valid == nil:
		x := vec.Values[int32](v)
		for i, r := range rows {
			at := data[cursor[i]:][:5]
			at[0] = tagValue
			binary.BigEndian.PutUint32(at[1:], uint32(x[r])^1<<31)
			cursor[i] += 5
		}
	case v.Type.Physical() == types.PhysBytes && v.Valid == nil:
		for i, r := range rows {
			s := v.Data[v.Off[r]:v.Off[r+1]]
			c := int(cursor[i])
			data[c] = tagValue
			c++
			if len(s) < 0x80 {
				data[c] = byte(len(s))
				c++
			} else {
				c += binary.PutUvarint(data[c:], uint64(len(s)))
			}
			cursor[i] = int32(c + copy(data[c:], s))
		}
	default:
		for i, r := range rows {
			c := cursor[i]
			cursor[i] = int32(len(AppendValue(data[:c], v, int(r))))
		}
	}
}

func (e *Encoder) hash(n int, prefix []uint64) {
	e.Group = grow(e.Group, n)
	off, data := e.Keys.Off, e.Keys.Data
	skip := int32(0)
	if e.prefix {
		skip = 8
	}
	for i := range e.Group {
		e.Group[i] = xxh3.Hash(data[off[i]+skip : off[i+1]])
	}
	if !e.prefix {
		e.Hash = e.Group
		return
	}
	e.Hash = grow(e.Hash, n)
	for i, h := range e.Group {
		e.Hash[i] = mix(h, prefix[i])
	}
}

// Groups appends the key groups of the encoded keys to dst.
func (e *Encoder) Groups(dst []state.KeyGroup, maxParallelism int) []state.KeyGroup {
	if len(e.cols) == 0 && len(e.Group) > 0 {
		g := state.GroupOf(e.Group[0], maxParallelism)
		for range e.Group {
			dst = append(dst, g)
		}
		return dst
	}
	if maxParallelism&(maxParallelism-1) == 0 {
		mask := uint64(maxParallelism - 1)
		for _, h := range e.Group {
			dst = append(dst, state.KeyGroup(h>>32&mask))
		}
		return dst
	}
	for _, h := range e.Group {
		dst = append(dst, state.GroupOf(h, maxParallelism))
	}
	return dst
}

// grow returns s with length n; its content is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
