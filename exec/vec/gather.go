package vec

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/sql/types"
)

// AppendRows adds the given rows of src, a column of the same physical layout, in order:
// AppendFrom column-wise, with one type switch for all rows.
func (v *Vec) AppendRows(src *Vec, rows []int32) {
	if src.Valid != nil || v.Valid != nil {
		for _, r := range rows {
			v.AppendFrom(src, int(r))
		}
		return
	}
	switch p := v.Type.Physical(); p {
	case types.PhysI8:
		gatherFixed[int8](v, src, rows)
	case types.PhysI16:
		gatherFixed[int16](v, src, rows)
	case types.PhysI32, types.PhysF32:
		gatherFixed[int32](v, src, rows)
	case types.PhysI64, types.PhysF64:
		gatherFixed[int64](v, src, rows)
	case types.PhysD128:
		gatherFixed[Dec128](v, src, rows)
	case types.PhysBytes:
		for _, r := range rows {
			v.Data = append(v.Data, src.Data[src.Off[r]:src.Off[r+1]]...)
			v.Off = append(v.Off, int32(len(v.Data)))
		}
		v.N += len(rows)
	default:
		for _, r := range rows {
			v.AppendFrom(src, int(r))
		}
	}
}

func gatherFixed[T Fixed](v, src *Vec, rows []int32) {
	w := int(unsafe.Sizeof(*new(T)))
	n := v.N
	v.Data = growBytes(v.Data, (n+len(rows))*w)
	v.N = n + len(rows)
	dst, in := Values[T](v)[n:], Values[T](src)
	for i, r := range rows {
		dst[i] = in[r]
	}
}

// AppendBatch adds the physical rows of src, which has the same schema, with their kinds.
func (b *Batch) AppendBatch(src *Batch, rows []int32) {
	for c := range b.Cols {
		b.Cols[c].AppendRows(&src.Cols[c], rows)
	}
	if src.Kinds != nil || b.Kinds != nil {
		for len(b.Kinds) < b.N {
			b.Kinds = append(b.Kinds, Insert)
		}
		for _, r := range rows {
			b.Kinds = append(b.Kinds, src.Kind(int(r)))
		}
	}
	b.N += len(rows)
}

// Rows returns the selected physical rows. all is the caller's list 0, 1, 2, .., which grows as
// far as needed and serves when no selection is set.
func (b *Batch) Rows(all *[]int32) []int32 {
	if b.Sel != nil {
		return b.Sel
	}
	for i := len(*all); i < b.N; i++ {
		*all = append(*all, int32(i))
	}
	return (*all)[:b.N]
}
