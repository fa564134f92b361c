package agg

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
)

// sumSlot is a sum and the number of values in it.
type sumSlot[T int64 | float32 | float64] struct {
	v T
	n int64
}

// sumInt is SUM and AVG of an integer type. Sums wrap in the argument's own type, as Flink's
// do: they are kept in 64 bits and cut when read, which is the same.
type sumInt[T int8 | int16 | int32 | int64] struct{ avg bool }

func (sumInt[T]) size() int { return 16 }

func (sumInt[T]) update(u *run, off uintptr, arg *vec.Vec) {
	x := vec.Values[T](arg)
	snap := snaps[sumSlot[int64]](u)
	if snap == nil && u.sign == nil && u.reset == nil {
		for i, r := range u.rec {
			p := at[sumSlot[int64]](r, off)
			p.v += int64(x[u.row[i]])
			p.n++
		}
		return
	}
	for i, r := range u.rec {
		p := at[sumSlot[int64]](r, off)
		if u.reset != nil && u.reset[i] {
			*p = sumSlot[int64]{}
		}
		was := *p
		now := was
		if s := u.step(i); s != 0 {
			now.v += s * int64(x[u.row[i]])
			now.n += s
			*p = now
		}
		if snap != nil {
			snap[2*i], snap[2*i+1] = was, now
		}
	}
}

func (k sumInt[T]) value(dst *vec.Vec, slots, _ []byte) {
	in := slotsOf[sumSlot[int64]](slots)
	base := dst.N
	out := fixed[T](dst, len(in))
	for i := range in {
		switch {
		case in[i].n == 0:
			dst.SetNull(base + i)
		case k.avg:
			out[i] = T(int64(T(in[i].v)) / in[i].n)
		default:
			out[i] = T(in[i].v)
		}
	}
}

func (sumInt[T]) merge(dst, src unsafe.Pointer) {
	d, s := (*sumSlot[int64])(dst), (*sumSlot[int64])(src)
	d.v += s.v
	d.n += s.n
}

// sumFloat is SUM and AVG of FLOAT and DOUBLE, added in the argument's own type and not
// compensated. SUM starts with the first value (so SUM of -0.0 is -0.0); AVG, and SUM where
// rows can be taken away, start at 0.0.
type sumFloat[T float32 | float64] struct{ avg, retract bool }

func (sumFloat[T]) size() int { return 16 }

func (k sumFloat[T]) update(u *run, off uintptr, arg *vec.Vec) {
	x := vec.Values[T](arg)
	snap := snaps[sumSlot[T]](u)
	startFirst := !k.avg && !k.retract
	for i, r := range u.rec {
		p := at[sumSlot[T]](r, off)
		if u.reset != nil && u.reset[i] {
			*p = sumSlot[T]{}
		}
		was := *p
		now := was
		if s := u.step(i); s != 0 {
			switch v := x[u.row[i]]; {
			case s < 0:
				now.v -= v
			case startFirst && was.n == 0:
				now.v = v
			default:
				now.v += v
			}
			now.n += s
			*p = now
		}
		if snap != nil {
			snap[2*i], snap[2*i+1] = was, now
		}
	}
}

func (k sumFloat[T]) value(dst *vec.Vec, slots, _ []byte) {
	in := slotsOf[sumSlot[T]](slots)
	base := dst.N
	out := fixed[T](dst, len(in))
	for i := range in {
		switch {
		case in[i].n == 0:
			dst.SetNull(base + i)
		case k.avg:
			out[i] = T(float64(in[i].v) / float64(in[i].n))
		default:
			out[i] = in[i].v
		}
	}
}

func (sumFloat[T]) merge(dst, src unsafe.Pointer) {
	d, s := (*sumSlot[T])(dst), (*sumSlot[T])(src)
	switch {
	case s.n == 0:
	case d.n == 0:
		*d = *s
	default:
		d.v += s.v
		d.n += s.n
	}
}
