package agg

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
)

// kernel is what one aggregate does to its slot, the fixed-size piece of a record that
// holds its state. Methods work on whole runs of updates: one dynamic call per batch, a
// plain loop inside.
//
// A slot of zero bytes is the state before the first value.
type kernel interface {
	// size is the length of the slot in bytes, which must be the layout's.
	size() int
	// update applies a run to the slots at offset off of its records.
	update(u *run, off uintptr, arg *vec.Vec)
	// value appends to dst what each of the slots, one after the other, means. Variable-length
	// slots point into heap.
	value(dst *vec.Vec, slots, heap []byte)
	// merge adds the slot at src to the one at dst. Kernels that depend on the order of rows
	// are not mergeable: merge is then never called.
	merge(dst, src unsafe.Pointer)
}

// run is a sequence of updates as kernels see it: update i changes the record at rec[i] by
// row row[i] of the batch.
type run struct {
	rec   []unsafe.Pointer
	row   []int32
	sign  []int8 // +1 add, -1 take away, 0 leave alone; nil: all +1
	reset []bool // start from nothing before update i; nil: never
	snap  []byte // room for the slot before and after each update; nil: not wanted
}

// snaps views the snapshot room as slots, nil when none is wanted.
func snaps[S any](u *run) []S {
	if u.snap == nil {
		return nil
	}
	return slotsOf[S](u.snap)
}

// slotsOf views bytes as slots.
func slotsOf[S any](b []byte) []S {
	if len(b) == 0 {
		return nil
	}
	var s S
	return unsafe.Slice((*S)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(s)))
}

// at returns the slot of a record. Records are not aligned; every platform Go supports for
// servers reads unaligned words.
func at[S any](rec unsafe.Pointer, off uintptr) *S { return (*S)(unsafe.Add(rec, off)) }

// step is the sign of update i.
func (u *run) step(i int) int64 {
	if u.sign == nil {
		return 1
	}
	return int64(u.sign[i])
}

// fixed makes room for n more values at the end of a fixed-width column and returns them.
func fixed[T vec.Fixed](dst *vec.Vec, n int) []T {
	start := dst.N
	valid := dst.Valid
	grown := vec.Vec{Type: dst.Type, Data: dst.Data}
	grown.Resize(start + n)
	dst.N, dst.Data = grown.N, grown.Data
	if valid != nil {
		for len(valid) < (dst.N+63)/64 {
			valid = append(valid, 0)
		}
		dst.Valid = valid
		for i := start; i < dst.N; i++ {
			valid[i>>6] |= 1 << (uint(i) & 63)
		}
	}
	return vec.Values[T](dst)[start:]
}

// countKernel is COUNT(*) and COUNT(x): the run's signs already leave out what is not counted.
type countKernel struct{}

func (countKernel) size() int { return 8 }

func (countKernel) update(u *run, off uintptr, _ *vec.Vec) {
	snap := snaps[int64](u)
	if snap == nil && u.sign == nil && u.reset == nil {
		for _, r := range u.rec {
			*at[int64](r, off)++
		}
		return
	}
	for i, r := range u.rec {
		p := at[int64](r, off)
		if u.reset != nil && u.reset[i] {
			*p = 0
		}
		was := *p
		now := was + u.step(i)
		*p = now
		if snap != nil {
			snap[2*i], snap[2*i+1] = was, now
		}
	}
}

func (countKernel) value(dst *vec.Vec, slots, _ []byte) {
	copy(fixed[int64](dst, len(slots)/8), slotsOf[int64](slots))
}

func (countKernel) merge(dst, src unsafe.Pointer) { *(*int64)(dst) += *(*int64)(src) }
