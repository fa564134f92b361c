// Package vec owns the columnar batch that flows between operators: Arrow's memory
// layout with an engine-owned header. An arrow.Record costs about 3 us and dozens of
// allocations a batch; a Batch costs none, and becomes a Record without copying at the
// edges (Batch.Record). It imports sql/types and arrow only; everything that touches
// rows may import it.
package vec

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/sql/types"
)

// Kind is what a row of a changelog does, in Flink's codes: Sign works on them.
type Kind = int8

// The row kinds.
const (
	Insert       Kind = 0 // +I
	UpdateBefore Kind = 1 // -U
	UpdateAfter  Kind = 2 // +U
	Delete       Kind = 3 // -D
)

// Sign is +1 for a row that is added (+I, +U) and -1 for one that is taken away.
func Sign(k Kind) int64 { return 1 - 2*int64(k&1) }

// KindText is the two-letter form of a kind: "+I".
func KindText(k Kind) string { return [...]string{"+I", "-U", "+U", "-D"}[k&3] }

// Vec is one column of a batch in Arrow's layout, always with offset 0.
//
//   - Fixed-width types: Data holds N values, little endian; view them with Values.
//   - BOOLEAN: Data is a bitmap, bit i of byte i/8 (LSB first); see Bool and SetBool.
//   - Strings and bytes: Off has N+1 entries into Data.
//   - ARRAY: Off has N+1 entries into Kids[0]; MAP and MULTISET: into Kids[0] (keys)
//     and Kids[1] (values). ROW: Kids[i] is field i, N rows each.
//
// Valid is a bitmap like Data's of BOOLEAN, nil when no row is NULL. It has whole 64-bit
// words; bits past N are undefined. What Data holds in a NULL row is undefined but
// present (offsets are always monotone). A NULL type's column has Valid with all 0.
//
// Data of fixed-width columns is 8-byte aligned.
type Vec struct {
	Type  types.Type
	N     int
	Valid []uint64
	Data  []byte
	Off   []int32
	Kids  []Vec
}

// Fixed are the Go types of fixed-width values.
type Fixed interface {
	int8 | int16 | int32 | int64 | float32 | float64 | Dec128 | uint64
}

// Dec128 is an unscaled DECIMAL, 128-bit two's complement.
type Dec128 struct {
	Lo uint64
	Hi int64
}

// Values views the data of a fixed-width column as its N values, without copying. T must
// have the width of the column's physical type.
func Values[T Fixed](v *Vec) []T {
	if v.N == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(v.Data))), v.N)
}

// IsNull reports whether row i is NULL.
func (v *Vec) IsNull(i int) bool {
	return v.Valid != nil && v.Valid[i>>6]>>(uint(i)&63)&1 == 0
}

// Bool returns row i of a BOOLEAN column; undefined where it is NULL.
func (v *Vec) Bool(i int) bool { return v.Data[i>>3]>>(uint(i)&7)&1 != 0 }

// Bytes returns row i of a string or binary column, a view that lives as long as the batch.
func (v *Vec) Bytes(i int) []byte { return v.Data[v.Off[i]:v.Off[i+1]:v.Off[i+1]] }

// Batch is a bounded set of rows with the same schema, at most MaxRows.
//
// Lifetime: a batch is borrowed. Whoever is handed one (Process, Write, Collector.Emit)
// may read it until the call returns and must copy what it keeps; nobody changes a batch
// it was handed. The producer may reuse every buffer afterwards. Only the exchange between
// tasks copies batches into buffers of its own and recycles them.
type Batch struct {
	N     int     // physical rows in every column
	Cols  []Vec   // one per schema column
	Sel   []int32 // the rows that count, ascending; nil = all N
	Kinds []Kind  // per physical row; nil = all Insert
	Split int     // source batches: index of the split all rows came from; else 0
}

// MaxRows is the size at which a batch is passed on. An operator may emit fewer; it must
// not emit more.
const MaxRows = 4096

// Len is the number of selected rows.
func (b *Batch) Len() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Row returns the physical index of the i-th selected row.
func (b *Batch) Row(i int) int {
	if b.Sel != nil {
		return int(b.Sel[i])
	}
	return i
}

// Kind returns the row kind of physical row i.
func (b *Batch) Kind(i int) Kind {
	if b.Kinds == nil {
		return Insert
	}
	return b.Kinds[i]
}
