// Package inflight owns the form in which rows that a barrier has overtaken lie in a checkpoint:
// a header with the schema, then frames, each a batch column by column. It imports exec/vec and
// sql/types only; exec/flow writes, exec/build reads.
//
//	file    "sqlsflt1"  u32 length, schema as text   frames
//	frame   u32 length   u32 rows   u8 kinds?  kinds   columns
//	column  u8 validity?  words   then by layout: values | offsets, bytes | offsets, children
//
// Numbers are little endian. Checksum and length of the file are in the manifest; still nothing
// here is believed: no length is used before it was compared with what is there.
package inflight

import (
	"encoding/binary"
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

const magic = "sqlsflt1"

// Header begins a file of rows of a schema.
func Header(s types.Schema) []byte {
	text := s.String()
	b := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(text)))
	return append(b, text...)
}

// Append adds rows of a batch to dst as one frame.
func Append(dst []byte, b *vec.Batch, rows []int32) []byte {
	if len(rows) < b.N {
		part := &vec.Batch{Cols: make([]vec.Vec, len(b.Cols))}
		for i := range part.Cols {
			part.Cols[i] = vec.New(b.Cols[i].Type)
		}
		part.AppendBatch(b, rows)
		b = part
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(b.N))
	if b.Kinds == nil {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		for _, k := range b.Kinds[:b.N] {
			dst = append(dst, byte(k))
		}
	}
	for i := range b.Cols {
		dst = appendVec(dst, &b.Cols[i])
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

func appendVec(dst []byte, v *vec.Vec) []byte {
	if v.Valid == nil {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		for _, w := range v.Valid[:words(v.N)] {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
	}
	switch p := v.Type.Physical(); p {
	case types.PhysBool:
		return append(dst, v.Data[:words(v.N)*8]...)
	case types.PhysBytes:
		dst = appendOffsets(dst, v)
		return append(dst, v.Data[:v.Off[v.N]]...)
	case types.PhysList, types.PhysMap:
		dst = appendOffsets(dst, v)
	case types.PhysRow:
	default:
		return append(dst, v.Data[:v.N*p.Width()]...)
	}
	for i := range v.Kids {
		dst = appendVec(dst, &v.Kids[i])
	}
	return dst
}

func appendOffsets(dst []byte, v *vec.Vec) []byte {
	off := v.Off[:v.N+1]
	return append(dst, unsafe.Slice((*byte)(unsafe.Pointer(&off[0])), len(off)*4)...)
}

// words is how many 64-bit words a bitmap of n rows has.
func words(n int) int { return (n + 63) / 64 }
