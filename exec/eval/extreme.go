package eval

import (
	"bytes"

	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
)

// Kernels of GREATEST (op = opGt) and LEAST (opLt).

func extreme[T ordered](op cmpOp) Kernel {
	return func(f *Frame) error {
		return fill(f, func(i int) (T, bool) {
			best := value[T](f.Args[0], i)
			for _, o := range f.Args[1:] {
				x := value[T](o, i)
				if (op == opGt && (x > best || x != x)) || (op == opLt && (x < best || best != best)) {
					best = x
				}
			}
			return best, true
		})
	}
}

func extremeDecimal(op cmpOp) Kernel {
	return func(f *Frame) error {
		return fill(f, func(i int) (vec.Dec128, bool) {
			best := value[vec.Dec128](f.Args[0], i)
			for _, o := range f.Args[1:] {
				if x := value[vec.Dec128](o, i); holds(op, decimal.Cmp(x, best)) {
					best = x
				}
			}
			return best, true
		})
	}
}

func extremeBytes(op cmpOp) Kernel {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			best := f.Args[0].bytes(i)
			for _, o := range f.Args[1:] {
				if x := o.bytes(i); holds(op, bytes.Compare(x, best)) {
					best = x
				}
			}
			return append(dst, best...), true
		})
	}
}

func extremeBool(op cmpOp) Kernel {
	return func(f *Frame) error {
		return fillBool(f, func(i int) (bool, bool) {
			best := f.Args[0].bool(i)
			for _, o := range f.Args[1:] {
				if x := o.bool(i); holds(op, int(b2u(x))-int(b2u(best))) {
					best = x
				}
			}
			return best, true
		})
	}
}
