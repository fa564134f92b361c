package vec

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/sql/types"
)

// The methods below fill a column row by row or set its size at once. Buffers grow and
// are kept by Reset, so a reused column allocates nothing in the steady state.

// New returns an empty column of type t.
func New(t types.Type) Vec {
	v := Vec{Type: t}
	v.Reset()
	return v
}

// Reset empties the column and keeps its buffers.
func (v *Vec) Reset() {
	v.N, v.Valid, v.Data = 0, nil, v.Data[:0]
	switch v.Type.Physical() {
	case types.PhysBytes, types.PhysList, types.PhysMap:
		v.Off = append(v.Off[:0], 0)
	}
	if v.Kids == nil {
		v.Kids = kidsOf(v.Type)
	}
	for i := range v.Kids {
		v.Kids[i].Reset()
	}
}

func kidsOf(t types.Type) []Vec {
	switch t.Physical() {
	case types.PhysList:
		return []Vec{New(*t.Elem)}
	case types.PhysMap:
		if t.Kind == types.Multiset {
			return []Vec{New(*t.Elem), New(types.IntT.NotNullable())}
		}
		return []Vec{New(*t.Key), New(*t.Elem)}
	case types.PhysRow:
		kids := make([]Vec, len(t.Fields))
		for i := range kids {
			kids[i] = New(t.Fields[i].Type)
		}
		return kids
	}
	return nil
}

// alignedBytes returns n zeroed bytes on an 8-byte boundary.
func alignedBytes(n int) []byte {
	w := make([]uint64, (n+7)/8)
	if len(w) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), len(w)*8)[:n]
}

func growBytes(b []byte, n int) []byte {
	if n <= cap(b) {
		return b[:n]
	}
	c := 2 * cap(b)
	if c < n {
		c = n
	}
	if c < 64 {
		c = 64
	}
	nb := alignedBytes(c)[:n]
	copy(nb, b)
	return nb
}

// Resize makes the column n rows long with undefined contents and no NULLs: for kernels
// that write every row by index. Only for fixed-width and BOOLEAN columns.
func (v *Vec) Resize(n int) {
	v.N, v.Valid = n, nil
	if w := v.Type.Physical().Width(); w > 0 {
		v.Data = growBytes(v.Data, n*w)
	} else {
		v.Data = growBytes(v.Data, (n+63)/64*8)
	}
}

// Append adds one fixed-width value.
func Append[T Fixed](v *Vec, x T) {
	w := int(unsafe.Sizeof(x))
	n := len(v.Data)
	v.Data = growBytes(v.Data, n+w)
	*(*T)(unsafe.Pointer(&v.Data[n])) = x
	v.grow(true)
}

// AppendBool adds one BOOLEAN.
func (v *Vec) AppendBool(x bool) {
	if v.N&63 == 0 {
		n := len(v.Data)
		v.Data = growBytes(v.Data, n+8)
		clear(v.Data[n : n+8])
	}
	if x {
		v.Data[v.N>>3] |= 1 << (uint(v.N) & 7)
	}
	v.grow(true)
}

// AppendBytes adds one string or binary value, copying it.
func (v *Vec) AppendBytes(x []byte) {
	v.Data = append(v.Data, x...)
	v.Off = append(v.Off, int32(len(v.Data)))
	v.grow(true)
}

// AppendString adds one string, copying it.
func (v *Vec) AppendString(x string) {
	v.Data = append(v.Data, x...)
	v.Off = append(v.Off, int32(len(v.Data)))
	v.grow(true)
}

// AppendOpen closes a row of an ARRAY, MAP, MULTISET or ROW whose children were appended
// directly to Kids before this call.
func (v *Vec) AppendOpen() {
	if len(v.Kids) > 0 && v.Off != nil {
		v.Off = append(v.Off, int32(v.Kids[0].N))
	}
	v.grow(true)
}

// AppendNull adds a NULL of any type.
func (v *Vec) AppendNull() {
	switch p := v.Type.Physical(); p {
	case types.PhysBool:
		if v.N&63 == 0 {
			n := len(v.Data)
			v.Data = growBytes(v.Data, n+8)
			clear(v.Data[n : n+8])
		}
	case types.PhysBytes:
		v.Off = append(v.Off, int32(len(v.Data)))
	case types.PhysList, types.PhysMap:
		v.Off = append(v.Off, int32(v.Kids[0].N))
	case types.PhysRow:
		for i := range v.Kids {
			v.Kids[i].AppendNull()
		}
	default:
		n := len(v.Data)
		v.Data = growBytes(v.Data, n+p.Width())
		clear(v.Data[n:])
	}
	v.grow(false)
}

// grow counts a row just appended and keeps the validity bitmap in step.
func (v *Vec) grow(valid bool) {
	i := v.N
	v.N++
	if v.Valid == nil {
		if valid {
			return
		}
		v.Valid = make([]uint64, (i>>6)+1, MaxRows/64)
		for w := range v.Valid {
			v.Valid[w] = ^uint64(0)
		}
	} else if i>>6 >= len(v.Valid) {
		v.Valid = append(v.Valid, ^uint64(0))
	}
	if !valid {
		v.Valid[i>>6] &^= 1 << (uint(i) & 63)
	}
}

// SetNull makes row i of an already filled column NULL.
func (v *Vec) SetNull(i int) {
	v.EnsureValid()
	v.Valid[i>>6] &^= 1 << (uint(i) & 63)
}

// EnsureValid gives the column a validity bitmap with all rows valid unless it has one.
func (v *Vec) EnsureValid() {
	if v.Valid == nil {
		v.Valid = make([]uint64, (v.N+63)/64)
		for w := range v.Valid {
			v.Valid[w] = ^uint64(0)
		}
	}
}

// SetBool writes row i of a BOOLEAN column made with Resize.
func (v *Vec) SetBool(i int, x bool) {
	if x {
		v.Data[i>>3] |= 1 << (uint(i) & 7)
	} else {
		v.Data[i>>3] &^= 1 << (uint(i) & 7)
	}
}

// AppendFrom adds row i of src, a column of the same physical layout, at any depth.
func (v *Vec) AppendFrom(src *Vec, i int) {
	if src.IsNull(i) {
		v.AppendNull()
		return
	}
	switch p := v.Type.Physical(); p {
	case types.PhysBool:
		v.AppendBool(src.Bool(i))
	case types.PhysBytes:
		v.AppendBytes(src.Bytes(i))
	case types.PhysList, types.PhysMap:
		for j := src.Off[i]; j < src.Off[i+1]; j++ {
			for k := range v.Kids {
				v.Kids[k].AppendFrom(&src.Kids[k], int(j))
			}
		}
		v.AppendOpen()
	case types.PhysRow:
		for k := range v.Kids {
			v.Kids[k].AppendFrom(&src.Kids[k], i)
		}
		v.AppendOpen()
	default:
		w := p.Width()
		n := len(v.Data)
		v.Data = growBytes(v.Data, n+w)
		copy(v.Data[n:], src.Data[i*w:i*w+w])
		v.grow(true)
	}
}

// NewBatch returns an empty batch of the schema.
func NewBatch(s types.Schema) *Batch {
	b := &Batch{Cols: make([]Vec, len(s))}
	for i := range s {
		b.Cols[i] = New(s[i].Type)
	}
	return b
}

// Reset empties the batch and keeps its buffers.
func (b *Batch) Reset() {
	b.N, b.Sel, b.Kinds, b.Split = 0, nil, nil, 0
	for i := range b.Cols {
		b.Cols[i].Reset()
	}
}

// AppendRow adds physical row i of src, which has the same schema, with its kind.
func (b *Batch) AppendRow(src *Batch, i int) {
	for c := range b.Cols {
		b.Cols[c].AppendFrom(&src.Cols[c], i)
	}
	b.AddKind(src.Kind(i))
}

// AddKind counts a row whose columns were just appended and records its kind.
func (b *Batch) AddKind(k Kind) {
	if k != Insert || b.Kinds != nil {
		for len(b.Kinds) < b.N {
			b.Kinds = append(b.Kinds, Insert)
		}
		b.Kinds = append(b.Kinds, k)
	}
	b.N++
}
