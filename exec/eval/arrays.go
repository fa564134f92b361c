package eval

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// span is one array: elements lo to hi of a child column.
type span struct {
	kid    *vec.Vec
	lo, hi int
}

func (o Operand) span(i int) span {
	r := o.at(i)
	return span{&o.Kids[0], int(o.Off[r]), int(o.Off[r+1])}
}

func (s span) len() int { return s.hi - s.lo }

// find returns the index in s of the first element equal to row k of v, NULLs being equal,
// or -1.
func (s span) find(v *vec.Vec, k int) int {
	for e := s.lo; e < s.hi; e++ {
		if equalRow(s.kid, e, v, k) {
			return e - s.lo
		}
	}
	return -1
}

// arrayRule1 is the rule of functions of an array.
func arrayRule1(r result, rest ...param) Rule { return fn(r, append([]param{pArray}, rest...)...) }

// elementRule is the rule of functions of an array and an element, which is converted to
// the type of the elements.
func elementRule(r func(array types.Type) types.Type, grows bool) Rule {
	return func(args []expr.Arg) (Sig, error) {
		if len(args) != 2 || args[0].Type.Kind != types.Array {
			return Sig{}, mismatch("the function", args)
		}
		array, e := args[0].Type, args[1].Type.WithoutAttr()
		elem := *array.Elem
		if e.Kind != types.Null {
			t, ok := leastRestrictive(elem.Nullable(), e.Nullable())
			if !ok {
				return Sig{}, fmt.Errorf("the elements are %s, not %s", elem.Nullable(), e.Nullable())
			}
			if !grows && !elem.IsString() && !t.Same(elem.Nullable()) {
				return Sig{}, fmt.Errorf("the elements are %s; %s is wider, convert it with CAST", elem.Nullable(), e.Nullable())
			}
			if grows {
				elem = t.WithNull(!elem.NotNull || !e.NotNull)
				array = types.ArrayT(elem).WithNull(!array.NotNull)
			}
		} else if grows {
			return Sig{}, fmt.Errorf("a NULL of no type; write CAST(NULL AS type)")
		}
		return Sig{Args: []types.Type{array, elem.WithNull(!e.NotNull)}, Result: r(array)}, nil
	}
}

func sameArray(a types.Type) types.Type { return a }

// setRule is the rule of functions of several arrays with a common type.
func setRule(args []expr.Arg) (Sig, error) {
	for _, a := range args {
		if a.Type.Kind != types.Array {
			return Sig{}, mismatch("the function", args)
		}
	}
	return commonRule(0, CommonType, func(t types.Type, a []types.Type) types.Type { return t.WithNull(anyNullable(a)) })(args)
}

// buildArray binds functions that make an array: add appends the elements of row i.
func buildArray(add func(f *Frame, out *vec.Vec, i int) bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fillNested(f, func(i int) bool { return add(f, &f.Out.Kids[0], i) })
		}, nil
	}
}

func (s span) appendTo(out *vec.Vec) {
	for e := s.lo; e < s.hi; e++ {
		out.AppendFrom(s.kid, e)
	}
}

// appendNew appends the elements that keep says, each once.
func (s span) appendNew(out *vec.Vec, from int, keep func(e int) bool) {
	for e := s.lo; e < s.hi; e++ {
		if keep(e) && (span{out, from, out.N}).find(s.kid, e) < 0 {
			out.AppendFrom(s.kid, e)
		}
	}
}

func arrayUnion(f *Frame, out *vec.Vec, i int) bool {
	from := out.N
	for _, a := range f.Args {
		a.span(i).appendNew(out, from, func(int) bool { return true })
	}
	return true
}

// arrayFilter keeps the elements of the first array that are (or are not) in the second.
func arrayFilter(in bool) func(f *Frame, out *vec.Vec, i int) bool {
	return func(f *Frame, out *vec.Vec, i int) bool {
		a, b := f.Args[0].span(i), f.Args[1].span(i)
		a.appendNew(out, out.N, func(e int) bool { return (b.find(a.kid, e) >= 0) == in })
		return true
	}
}

func arraySlice(f *Frame, out *vec.Vec, i int) bool {
	a := f.Args[0].span(i)
	n := a.len()
	at := func(arg int) int {
		k := int(value[int32](f.Args[arg], i))
		if k < 0 {
			k += n + 1
		}
		return k
	}
	from, to := at(1), n
	if len(f.Args) == 3 {
		to = at(2)
	}
	span{a.kid, a.lo + max(from-1, 0), a.lo + min(max(to, 0), n)}.appendTo(out)
	return true
}

// orderOf compares two elements of a column; NULLs are handled by the caller.
func orderOf(t types.Type) func(v *vec.Vec, i, j int) int {
	switch t.Physical() {
	case types.PhysI8:
		return compareAt[int8]
	case types.PhysI16:
		return compareAt[int16]
	case types.PhysI32:
		return compareAt[int32]
	case types.PhysI64:
		return compareAt[int64]
	case types.PhysF32:
		return compareAt[float32]
	case types.PhysF64:
		return compareAt[float64]
	case types.PhysD128:
		return func(v *vec.Vec, i, j int) int {
			x := vec.Values[vec.Dec128](v)
			return decimal.Cmp(x[i], x[j])
		}
	case types.PhysBytes:
		return func(v *vec.Vec, i, j int) int { return bytes.Compare(v.Bytes(i), v.Bytes(j)) }
	}
	return nil
}

// compareAt orders NaN above all numbers, as Java's comparators do.
func compareAt[T ordered](v *vec.Vec, i, j int) int {
	x := vec.Values[T](v)
	a, b := x[i], x[j]
	switch {
	case a < b, a == a && b != b:
		return -1
	case a > b, a != a && b == b:
		return 1
	}
	return 0
}

// extremeOrder is orderOf in which a NaN is neither above nor below anything.
func extremeOrder(t types.Type) func(v *vec.Vec, i, j int) int {
	switch t.Kind {
	case types.Float:
		return compareNaN[float32]
	case types.Double:
		return compareNaN[float64]
	}
	return orderOf(t)
}

func compareNaN[T float32 | float64](v *vec.Vec, i, j int) int {
	x := vec.Values[T](v)
	switch {
	case x[i] < x[j]:
		return -1
	case x[i] > x[j]:
		return 1
	}
	return 0
}

func orderedArray(args []expr.Arg) error {
	if len(args) > 0 && args[0].Type.Kind == types.Array && orderOf(*args[0].Type.Elem) == nil {
		return fmt.Errorf("elements of type %s have no order", args[0].Type.Elem.Nullable())
	}
	return nil
}

func sortRule(args []expr.Arg) (Sig, error) {
	if err := orderedArray(args); err != nil {
		return Sig{}, err
	}
	return arrayRule1(retArg(0), opt(pBool), opt(pBool))(args)
}

// bindArraySort sorts ascending with NULLs first, descending with NULLs last, unless told.
func bindArraySort(s *Site) (Kernel, error) {
	order := orderOf(*s.Args[0].Elem)
	var rows []int32
	return func(f *Frame) error {
		return fillNested(f, func(i int) bool {
			a := f.Args[0].span(i)
			asc := len(f.Args) < 2 || f.Args[1].bool(i)
			nullsFirst := asc
			if len(f.Args) == 3 {
				nullsFirst = f.Args[2].bool(i)
			}
			rows = rows[:0]
			for e := a.lo; e < a.hi; e++ {
				rows = append(rows, int32(e))
			}
			slices.SortStableFunc(rows, func(x, y int32) int {
				nx, ny := a.kid.IsNull(int(x)), a.kid.IsNull(int(y))
				switch {
				case nx && ny:
					return 0
				case nx || ny:
					if nx == nullsFirst {
						return -1
					}
					return 1
				case asc:
					return order(a.kid, int(x), int(y))
				}
				return order(a.kid, int(y), int(x))
			})
			for _, e := range rows {
				f.Out.Kids[0].AppendFrom(a.kid, int(e))
			}
			return true
		})
	}, nil
}

func extremeElementRule(args []expr.Arg) (Sig, error) {
	if err := orderedArray(args); err != nil {
		return Sig{}, err
	}
	return fnNull(elementType, pArray)(args)
}

// bindArrayExtreme picks the largest (sign 1) or smallest element that is not NULL.
func bindArrayExtreme(sign int) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		order := extremeOrder(*s.Args[0].Elem)
		return func(f *Frame) error {
			return pickRows(f, func(f *Frame, i int) (*vec.Vec, int) {
				a, best := f.Args[0].span(i), -1
				for e := a.lo; e < a.hi; e++ {
					if !a.kid.IsNull(e) && (best < 0 || sign*order(a.kid, e, best) > 0) {
						best = e
					}
				}
				return a.kid, best
			})
		}, nil
	}
}

func bindArrayContains(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBool(f, func(i int) (bool, bool) {
			if f.Args[0].null(i) {
				return false, false
			}
			return f.Args[0].span(i).find(f.Args[1].Vec, f.Args[1].at(i)) >= 0, true
		})
	}, nil
}

func bindArrayJoin(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			a, sep, first := f.Args[0].span(i), f.Args[1].bytes(i), true
			for e := a.lo; e < a.hi; e++ {
				null := a.kid.IsNull(e)
				if null && len(f.Args) < 3 {
					continue
				}
				if !first {
					dst = append(dst, sep...)
				}
				first = false
				if null {
					dst = append(dst, f.Args[2].bytes(i)...)
				} else {
					dst = append(dst, a.kid.Bytes(e)...)
				}
			}
			return dst, true
		})
	}, nil
}

var pStrArray = exactly("ARRAY<STRING>", types.ArrayT(types.StringT), func(t types.Type) bool { return t.Kind == types.Array && t.Elem.IsString() })

var arrayFamily = Family{"Array functions", []Function{
	{Name: "ARRAY_CONTAINS", Signature: "ARRAY_CONTAINS(array, element)", Doc: "Whether an element, also NULL, is in the array.",
		Example: "ARRAY_CONTAINS(ARRAY[1, 2], 2)", Result: "TRUE",
		Type: elementRule(func(a types.Type) types.Type { return types.BooleanT.WithNull(!a.NotNull) }, false), Nulls: Custom, Bind: bindArrayContains},
	{Name: "ARRAY_POSITION", Signature: "ARRAY_POSITION(array, element)", Doc: "The first place of an element, counted from 1; 0 when it is not there.",
		Example: "ARRAY_POSITION(ARRAY[1, 2], 2)", Result: "2", Type: elementRule(func(types.Type) types.Type { return types.IntT }, false),
		Bind: int32Of(func(args []Operand, i int) int32 {
			return int32(args[0].span(i).find(args[1].Vec, args[1].at(i))) + 1
		})},
	{Name: "ARRAY_APPEND", Signature: "ARRAY_APPEND(array, element)", Doc: "The array with an element behind.",
		Example: "ARRAY_APPEND(ARRAY[1], 2)", Result: "[1, 2]", Type: elementRule(sameArray, true), Nulls: Custom,
		Bind: buildArray(func(f *Frame, out *vec.Vec, i int) bool {
			if f.Args[0].null(i) {
				return false
			}
			f.Args[0].span(i).appendTo(out)
			out.AppendFrom(f.Args[1].Vec, f.Args[1].at(i))
			return true
		})},
	{Name: "ARRAY_PREPEND", Signature: "ARRAY_PREPEND(array, element)", Doc: "The array with an element in front.",
		Example: "ARRAY_PREPEND(ARRAY[1], 2)", Result: "[2, 1]", Type: elementRule(sameArray, true), Nulls: Custom,
		Bind: buildArray(func(f *Frame, out *vec.Vec, i int) bool {
			if f.Args[0].null(i) {
				return false
			}
			out.AppendFrom(f.Args[1].Vec, f.Args[1].at(i))
			f.Args[0].span(i).appendTo(out)
			return true
		})},
	{Name: "ARRAY_REMOVE", Signature: "ARRAY_REMOVE(array, element)", Doc: "The array without an element.",
		Example: "ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", Result: "[2]", Type: elementRule(sameArray, false), Nulls: Custom,
		Bind: buildArray(func(f *Frame, out *vec.Vec, i int) bool {
			if f.Args[0].null(i) {
				return false
			}
			a := f.Args[0].span(i)
			for e := a.lo; e < a.hi; e++ {
				if !equalRow(a.kid, e, f.Args[1].Vec, f.Args[1].at(i)) {
					out.AppendFrom(a.kid, e)
				}
			}
			return true
		})},
	{Name: "ARRAY_DISTINCT", Signature: "ARRAY_DISTINCT(array)", Doc: "The array without repetitions.",
		Example: "ARRAY_DISTINCT(ARRAY[1, 2, 1])", Result: "[1, 2]", Type: arrayRule1(retArg(0)), Bind: buildArray(arrayUnion)},
	{Name: "ARRAY_REVERSE", Signature: "ARRAY_REVERSE(array)", Doc: "The array backwards.",
		Example: "ARRAY_REVERSE(ARRAY[1, 2])", Result: "[2, 1]", Type: arrayRule1(retArg(0)),
		Bind: buildArray(func(f *Frame, out *vec.Vec, i int) bool {
			a := f.Args[0].span(i)
			for e := a.hi - 1; e >= a.lo; e-- {
				out.AppendFrom(a.kid, e)
			}
			return true
		})},
	{Name: "ARRAY_SORT", Signature: "ARRAY_SORT(array [, ascending BOOLEAN [, nulls_first BOOLEAN]])", Doc: "The array in order; NULLs first ascending, last descending, unless told otherwise.",
		Example: "ARRAY_SORT(ARRAY[2, 1])", Result: "[1, 2]", Type: sortRule, Bind: bindArraySort},
	{Name: "ARRAY_MAX", Signature: "ARRAY_MAX(array)", Doc: "The largest element; NULL when there is none.",
		Example: "ARRAY_MAX(ARRAY[1, 2])", Result: "2", Type: extremeElementRule, Bind: bindArrayExtreme(1)},
	{Name: "ARRAY_MIN", Signature: "ARRAY_MIN(array)", Doc: "The smallest element; NULL when there is none.",
		Example: "ARRAY_MIN(ARRAY[1, 2])", Result: "1", Type: extremeElementRule, Bind: bindArrayExtreme(-1)},
	{Name: "ARRAY_SLICE", Signature: "ARRAY_SLICE(array, from INT [, to INT])", Doc: "The elements from one place to another, counted from 1, or from the end if negative.",
		Example: "ARRAY_SLICE(ARRAY[1, 2, 3], 2, 3)", Result: "[2, 3]", Type: arrayRule1(retArg(0), orNull(pInt), opt(orNull(pInt))), Bind: buildArray(arraySlice)},
	{Name: "ARRAY_UNION", Signature: "ARRAY_UNION(a, b)", Doc: "The elements of either array, each once.",
		Example: "ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", Result: "[1, 2, 3]", Type: setRule, Bind: buildArray(arrayUnion)},
	{Name: "ARRAY_CONCAT", Signature: "ARRAY_CONCAT(a, b, ...)", Doc: "The arrays one after another.",
		Example: "ARRAY_CONCAT(ARRAY[1], ARRAY[1, 2])", Result: "[1, 1, 2]", Type: setRule,
		Bind: buildArray(func(f *Frame, out *vec.Vec, i int) bool {
			for _, a := range f.Args {
				a.span(i).appendTo(out)
			}
			return true
		})},
	{Name: "ARRAY_EXCEPT", Signature: "ARRAY_EXCEPT(a, b)", Doc: "The elements of a that are not in b, each once.",
		Example: "ARRAY_EXCEPT(ARRAY[1, 2], ARRAY[2])", Result: "[1]", Type: setRule, Bind: buildArray(arrayFilter(false))},
	{Name: "ARRAY_INTERSECT", Signature: "ARRAY_INTERSECT(a, b)", Doc: "The elements of a that are also in b, each once.",
		Example: "ARRAY_INTERSECT(ARRAY[1, 2], ARRAY[2])", Result: "[2]", Type: setRule, Bind: buildArray(arrayFilter(true))},
	{Name: "ARRAY_JOIN", Signature: "ARRAY_JOIN(array, separator STRING [, null_text STRING])", Doc: "The elements as one text; NULLs are skipped unless a text for them is given.",
		Example: "ARRAY_JOIN(ARRAY['a', 'b'], '-')", Result: "a-b", Type: fn(ret(types.StringT), pStrArray, orNull(pStr), opt(orNull(pStr))), Bind: bindArrayJoin},
}}
