// Package inflight owns the form in which rows that a barrier has overtaken lie in a checkpoint:
// a header with the types, then frames, each a batch column by column. It imports exec/vec and
// sql/types only; exec/flow writes, exec/build reads.
//
//	file    "sqlsflt1"  u32 length, types as text   frames
//	frame   u32 length   u32 rows   u8 kinds?  kinds   columns
//	column  u8 validity?  words   then by layout: values | offsets, bytes | offsets, children
//
// Numbers are little endian. Checksum and length of the file are in the manifest; still nothing
// here is believed: no length is used before it was compared with what is there.
package inflight

import (
	"encoding/binary"
	"slices"
	"strings"
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

const magic = "sqlsflt1"

// Header begins a file of rows like those of b.
func Header(b *vec.Batch) []byte {
	cols := make([]types.Type, len(b.Cols))
	for i := range b.Cols {
		cols[i] = b.Cols[i].Type
	}
	text := typesText(cols)
	out := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(text)))
	return append(out, text...)
}

// typesText is what the types of columns have in common with those that only say more or less
// about NULL, or are the same column under another name.
func typesText(cols []types.Type) string {
	var b strings.Builder
	for i, t := range cols {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(nullable(t).String())
	}
	return b.String()
}

// nullable allows NULL at any depth.
func nullable(t types.Type) types.Type {
	t = t.Nullable().WithoutAttr()
	if t.Key != nil {
		k := nullable(*t.Key)
		t.Key = &k
	}
	if t.Elem != nil {
		e := nullable(*t.Elem)
		t.Elem = &e
	}
	t.Fields = slices.Clone(t.Fields)
	for i := range t.Fields {
		t.Fields[i].Type = nullable(t.Fields[i].Type)
	}
	return t
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
