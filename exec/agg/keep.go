package agg

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
)

// pick says which of the values of a group an aggregate keeps.
type pick uint8

const (
	pickMin pick = iota
	pickMax
	pickFirst
	pickLast
)

// keptSlot holds the kept value; n is 1 when there is one.
type keptSlot[T any] struct {
	v T
	n int64
}

// ordered are the fixed-width values that < compares as SQL does.
type ordered interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

// keep is MIN, MAX, FIRST_VALUE and LAST_VALUE of a fixed-width type over rows that are
// never taken away. MIN and MAX replace the kept value only by one that < or > says is
// better: a NaN that came first stays, one that comes later is ignored, and of 0.0 and -0.0
// the earlier stays. That is what Flink does.
type keep[T ordered] struct{ pick pick }

func (keep[T]) size() int { return 16 }

func (k keep[T]) better(x, than T) bool {
	switch k.pick {
	case pickMin:
		return x < than
	case pickMax:
		return x > than
	}
	return k.pick == pickLast
}

func (k keep[T]) update(u *run, off uintptr, arg *vec.Vec) {
	x := vec.Values[T](arg)
	snap := snaps[keptSlot[T]](u)
	for i, r := range u.rec {
		p := at[keptSlot[T]](r, off)
		if u.reset != nil && u.reset[i] {
			*p = keptSlot[T]{}
		}
		was := *p
		now := was
		if u.sign == nil || u.sign[i] != 0 {
			if v := x[u.row[i]]; was.n == 0 || k.better(v, was.v) {
				now = keptSlot[T]{v, 1}
				*p = now
			}
		}
		if snap != nil {
			snap[2*i], snap[2*i+1] = was, now
		}
	}
}

func (k keep[T]) value(dst *vec.Vec, slots, _ []byte) {
	in := slotsOf[keptSlot[T]](slots)
	base := dst.N
	out := fixed[T](dst, len(in))
	for i := range in {
		out[i] = in[i].v
		if in[i].n == 0 {
			dst.SetNull(base + i)
		}
	}
}

func (k keep[T]) merge(dst, src unsafe.Pointer) {
	d, s := (*keptSlot[T])(dst), (*keptSlot[T])(src)
	if s.n != 0 && (d.n == 0 || k.better(s.v, d.v)) {
		*d = *s
	}
}

// keepDec is keep for DECIMAL.
type keepDec struct{ pick pick }

func (keepDec) size() int { return 24 }

func lessDec(a, b vec.Dec128) bool { return a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo }

func (k keepDec) better(x, than vec.Dec128) bool {
	switch k.pick {
	case pickMin:
		return lessDec(x, than)
	case pickMax:
		return lessDec(than, x)
	}
	return k.pick == pickLast
}

func (k keepDec) update(u *run, off uintptr, arg *vec.Vec) {
	x := vec.Values[vec.Dec128](arg)
	snap := snaps[keptSlot[vec.Dec128]](u)
	for i, r := range u.rec {
		p := at[keptSlot[vec.Dec128]](r, off)
		if u.reset != nil && u.reset[i] {
			*p = keptSlot[vec.Dec128]{}
		}
		was := *p
		now := was
		if u.sign == nil || u.sign[i] != 0 {
			if v := x[u.row[i]]; was.n == 0 || k.better(v, was.v) {
				now = keptSlot[vec.Dec128]{v, 1}
				*p = now
			}
		}
		if snap != nil {
			snap[2*i], snap[2*i+1] = was, now
		}
	}
}

func (k keepDec) value(dst *vec.Vec, slots, _ []byte) {
	in := slotsOf[keptSlot[vec.Dec128]](slots)
	base := dst.N
	out := fixed[vec.Dec128](dst, len(in))
	for i := range in {
		out[i] = in[i].v
		if in[i].n == 0 {
			dst.SetNull(base + i)
		}
	}
}

func (k keepDec) merge(dst, src unsafe.Pointer) {
	d, s := (*keptSlot[vec.Dec128])(dst), (*keptSlot[vec.Dec128])(src)
	if s.n != 0 && (d.n == 0 || k.better(s.v, d.v)) {
		*d = *s
	}
}

// keepBool is keep for BOOLEAN; FALSE is less than TRUE.
type keepBool struct{ pick pick }

func (keepBool) size() int { return 16 }

func (k keepBool) update(u *run, off uintptr, arg *vec.Vec) {
	snap := snaps[keptSlot[int8]](u)
	as := keep[int8]{pick: k.pick}
	for i, r := range u.rec {
		p := at[keptSlot[int8]](r, off)
		if u.reset != nil && u.reset[i] {
			*p = keptSlot[int8]{}
		}
		was := *p
		now := was
		if u.sign == nil || u.sign[i] != 0 {
			var v int8
			if arg.Bool(int(u.row[i])) {
				v = 1
			}
			if was.n == 0 || as.better(v, was.v) {
				now = keptSlot[int8]{v, 1}
				*p = now
			}
		}
		if snap != nil {
			snap[2*i], snap[2*i+1] = was, now
		}
	}
}

func (keepBool) value(dst *vec.Vec, slots, _ []byte) {
	for _, s := range slotsOf[keptSlot[int8]](slots) {
		if s.n == 0 {
			dst.AppendNull()
		} else {
			dst.AppendBool(s.v != 0)
		}
	}
}

func (k keepBool) merge(dst, src unsafe.Pointer) { keep[int8]{pick: k.pick}.merge(dst, src) }
