package agg

import (
	"bytes"
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// varSlot is the slot of a variable-length value: len bytes at off, counted from the start
// of the record (in state) or of a heap (outside). They lie behind the record's fixed part.
type varSlot struct {
	off, len uint32
	n        int64
}

// varKernel is a kernel whose value lies behind the fixed part of the record. Its updates
// may move records, so they come after those of all other kernels.
type varKernel interface {
	kernel
	// updateVar is update; it appends values for snapshots to heap and returns it.
	updateVar(t *records, u *Updates, r *run, off int, arg *vec.Vec, heap []byte) ([]byte, error)
	// mergeVar is merge; from is the record or heap that src points into, heap the one of dst.
	mergeVar(dst, src unsafe.Pointer, from, heap []byte) []byte
}

// records is the table of group records, with the layout of their variable part.
type records struct {
	table   state.Table
	stride  int
	varOffs []int // offsets of the variable-length slots
	scratch []byte
}

// tail returns the bytes a variable-length slot of a record points to.
func tail(rec []byte, off int) []byte {
	s := varAt(rec, off)
	return rec[s.off : s.off+s.len]
}

// varAt views a variable-length slot of a record.
func varAt(rec []byte, off int) *varSlot { return (*varSlot)(unsafe.Pointer(&rec[off])) }

// setTail gives a variable-length slot of record r the value x and count n.
func (t *records) setTail(r state.Ref, off int, x []byte, n int64) error {
	rec := t.table.Get(r)
	out := append(t.scratch[:0], rec[:t.stride]...)
	for _, o := range t.varOffs {
		v := x
		if o != off {
			v = tail(rec, o)
		}
		s := varAt(out, o)
		s.off, s.len = uint32(len(out)), uint32(len(v))
		out = append(out, v...)
	}
	varAt(out, off).n = n
	t.scratch = out
	return t.table.Set(r, out)
}

// word views eight bytes of a record for writing. Unlike run.rec it is valid after other
// records, or this one, have moved.
func (t *records) word(r state.Ref, off int) *int64 {
	return (*int64)(unsafe.Pointer(&t.table.Edit(r)[off]))
}

// resetVar empties a variable-length slot; its bytes go with the next setTail.
func (t *records) resetVar(r state.Ref, off int) { *varAt(t.table.Edit(r), off) = varSlot{} }

// toHeap appends the value of a slot of rec to heap and returns the slot that points there.
func toHeap(rec []byte, off int, heap []byte) (varSlot, []byte) {
	s := *varAt(rec, off)
	x := tail(rec, off)
	s.off = uint32(len(heap))
	return s, append(heap, x...)
}

// keepText is MIN, MAX, FIRST_VALUE and LAST_VALUE of strings and binary over rows that are
// never taken away. Strings compare as UTF-8 bytes.
type keepText struct{ pick pick }

func (keepText) size() int { return 16 }

func (keepText) update(*run, uintptr, *vec.Vec) {}

func (keepText) merge(unsafe.Pointer, unsafe.Pointer) {}

func (k keepText) better(x, than []byte) bool {
	switch k.pick {
	case pickMin:
		return bytes.Compare(x, than) < 0
	case pickMax:
		return bytes.Compare(x, than) > 0
	}
	return k.pick == pickLast
}

func (k keepText) updateVar(t *records, u *Updates, r *run, off int, arg *vec.Vec, heap []byte) ([]byte, error) {
	snap := snaps[varSlot](r)
	for i, ref := range u.Refs {
		if r.reset != nil && r.reset[i] {
			t.resetVar(ref, off)
		}
		rec := t.table.Get(ref)
		if snap != nil {
			snap[2*i], heap = toHeap(rec, off, heap)
			snap[2*i+1] = snap[2*i]
		}
		if r.sign != nil && r.sign[i] == 0 {
			continue
		}
		x := arg.Bytes(int(r.row[i]))
		if varAt(rec, off).n != 0 && !k.better(x, tail(rec, off)) {
			continue
		}
		if err := t.setTail(ref, off, x, 1); err != nil {
			return heap, err
		}
		if snap != nil {
			snap[2*i+1] = varSlot{uint32(len(heap)), uint32(len(x)), 1}
			heap = append(heap, x...)
		}
	}
	return heap, nil
}

func (keepText) value(dst *vec.Vec, slots, heap []byte) {
	for _, s := range slotsOf[varSlot](slots) {
		if s.n == 0 {
			dst.AppendNull()
		} else {
			dst.AppendBytes(heap[s.off : s.off+s.len])
		}
	}
}

func (k keepText) mergeVar(dst, src unsafe.Pointer, from, heap []byte) []byte {
	d, s := (*varSlot)(dst), (*varSlot)(src)
	if s.n == 0 {
		return heap
	}
	x := from[s.off : s.off+s.len]
	if d.n != 0 && !k.better(x, heap[d.off:d.off+d.len]) {
		return heap
	}
	*d = varSlot{uint32(len(heap)), s.len, 1}
	return append(heap, x...)
}
