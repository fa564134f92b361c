package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// arrayRule is the rule of ARRAY[a, b, ..].
func arrayRule(args []expr.Arg) (Sig, error) {
	return commonRule(0, CommonType, func(t types.Type, _ []types.Type) types.Type { return types.ArrayT(t).NotNullable() })(args)
}

// mapRule is the rule of MAP[k, v, ..]: keys and values each have one type.
func mapRule(args []expr.Arg) (Sig, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
	}
	ts := argTypes(args)
	var half [2][]types.Type
	for i, t := range ts {
		half[i%2] = append(half[i%2], t)
	}
	var common [2]types.Type
	for h := range half {
		t, err := CommonType(half[h]...)
		if err != nil {
			return Sig{}, err
		}
		if t.Kind == types.Null {
			return Sig{}, fmt.Errorf("NULL has no type here; write CAST(NULL AS type)")
		}
		common[h] = t
	}
	for i := range ts {
		ts[i] = common[i%2].WithNull(!ts[i].NotNull)
	}
	return Sig{Args: ts, Result: types.MapT(common[0], common[1]).NotNullable()}, nil
}

func rowRule(args []expr.Arg) (Sig, error) {
	ts := argTypes(args)
	row := types.RowT().NotNullable()
	for i, t := range ts {
		if t.Kind == types.Null {
			return Sig{}, fmt.Errorf("NULL has no type here; write CAST(NULL AS type)")
		}
		row.Fields = append(row.Fields, types.Field{Name: fmt.Sprintf("EXPR$%d", i), Type: t})
	}
	return Sig{Args: ts, Result: row}, nil
}

// bindBuild fills a ROW (a child per argument), an ARRAY (one child) or a MAP (two, in turn).
func bindBuild(s *Site) (Kernel, error) {
	isMap := s.Result.Kind == types.Map
	return func(f *Frame) error {
		return fillNested(f, func(i int) bool {
			for k, a := range f.Args {
				child := 0
				switch {
				case s.Result.Kind == types.Row:
					child = k
				case isMap:
					child = k % 2
				}
				if isMap && k%2 == 0 && laterKey(f.Args, k, i) {
					// A key given twice keeps its last value.
					continue
				}
				if isMap && k%2 == 1 && laterKey(f.Args, k-1, i) {
					continue
				}
				f.Out.Kids[child].AppendFrom(a.Vec, a.at(i))
			}
			return true
		})
	}, nil
}

// laterKey reports whether the key at argument k is given again after it.
func laterKey(args []Operand, k, i int) bool {
	for j := k + 2; j < len(args); j += 2 {
		if equalRow(args[k].Vec, args[k].at(i), args[j].Vec, args[j].at(i)) {
			return true
		}
	}
	return false
}

// itemRule is the rule of a[i] and m[k].
func itemRule(args []expr.Arg) (Sig, error) {
	if len(args) != 2 {
		return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
	}
	a, k := args[0].Type.WithoutAttr(), args[1].Type.WithoutAttr()
	switch a.Kind {
	case types.Array:
		if !k.IsInteger() {
			return Sig{}, fmt.Errorf("the index of an ARRAY is an INT, not %s", k.Nullable())
		}
		if l := args[1].Literal; l != nil {
			if n, ok := l.Value.(int64); ok && n < 1 {
				return Sig{}, fmt.Errorf("the elements of an ARRAY are counted from 1; %d was given", n)
			}
		}
		return Sig{Args: []types.Type{a, types.IntT.WithNull(!k.NotNull)}, Result: a.Elem.Nullable()}, nil
	case types.Map:
		key := *a.Key
		if _, ok := leastRestrictive(key.Nullable(), k.Nullable()); !ok && k.Kind != types.Null {
			return Sig{}, fmt.Errorf("the keys are %s, not %s", key.Nullable(), k.Nullable())
		}
		if key.IsString() {
			return Sig{Args: []types.Type{a, k}, Result: a.Elem.Nullable()}, nil
		}
		return Sig{Args: []types.Type{a, key.WithNull(!k.NotNull)}, Result: a.Elem.Nullable()}, nil
	}
	return Sig{}, fmt.Errorf("%s has no elements", a.Nullable())
}

func bindItem(s *Site) (Kernel, error) {
	isMap := s.Args[0].Kind == types.Map
	find := func(f *Frame, i int) (*vec.Vec, int) {
		a, k := f.Args[0], f.Args[1]
		r := a.at(i)
		if isMap {
			return &a.Kids[1], mapFind(a.Vec, r, k.Vec, k.at(i))
		}
		n := value[int32](k, i)
		if n < 1 || n > a.Off[r+1]-a.Off[r] {
			return &a.Kids[0], -1
		}
		return &a.Kids[0], int(a.Off[r] + n - 1)
	}
	return func(f *Frame) error { return pickRows(f, find) }, nil
}

// pickRows makes a column of rows of another: find gives the column and row, -1 for NULL.
func pickRows(f *Frame, find func(f *Frame, i int) (*vec.Vec, int)) error {
	n, out := f.N, f.Out
	valid := out.Valid
	out.Reset()
	next := 0
	f.each(func(i int) {
		for ; next < i; next++ {
			out.AppendNull()
		}
		next++
		if valid != nil && valid[i>>6]>>(uint(i)&63)&1 == 0 {
			out.AppendNull()
			return
		}
		if src, k := find(f, i); k >= 0 {
			out.AppendFrom(src, k)
			return
		}
		out.AppendNull()
	})
	for ; next < n; next++ {
		out.AppendNull()
	}
	return f.failure()
}

func bindCardinality(*Site) (Kernel, error) {
	return func(f *Frame) error {
		a := f.Args[0]
		return fill(f, func(i int) (int32, bool) { r := a.at(i); return a.Off[r+1] - a.Off[r], true })
	}, nil
}

// bindElement gives the only element; more than one is an error.
func bindElement(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return pickRows(f, func(f *Frame, i int) (*vec.Vec, int) {
			a := f.Args[0]
			r := a.at(i)
			switch a.Off[r+1] - a.Off[r] {
			case 0:
				return &a.Kids[0], -1
			case 1:
				return &a.Kids[0], int(a.Off[r])
			}
			f.fail(i, "the array has %d elements; one is expected", a.Off[r+1]-a.Off[r])
			return &a.Kids[0], -1
		})
	}, nil
}

func elementType(a []types.Type) types.Type { return *a[0].Elem }

var pCollection = exactly("ARRAY, MAP or MULTISET", types.ArrayT(types.NullT), kindIs(types.Array, types.Map, types.Multiset))

var collectionFamily = Family{"Collection functions", []Function{
	{Name: "ARRAY", Signature: "ARRAY[a, b, ...]", Doc: "An array of values of one type.",
		Example: "ARRAY[1, 2]", Result: "[1, 2]", Type: arrayRule, Nulls: Custom, Bind: bindBuild},
	{Name: "MAP", Signature: "MAP[key, value, ...]", Doc: "A map; a key given twice keeps its last value.",
		Example: "MAP['a', 1]", Result: "{a=1}", Type: mapRule, Nulls: Custom, Bind: bindBuild},
	{Name: "ROW", Signature: "ROW(a, b, ...)", Doc: "A row of values.",
		Example: "ROW(1, 'a')", Result: "(1, a)", Type: rowRule, Nulls: Custom, Bind: bindBuild},
	{Name: "ITEM", Signature: "collection[index or key]", Doc: "An element of an array, counted from 1, or the value of a key; NULL when there is none.",
		Example: "ARRAY[7, 8][2]", Result: "8", Type: itemRule, Bind: bindItem},
	{Name: "CARDINALITY", Signature: "CARDINALITY(collection)", Doc: "The number of elements.",
		Example: "CARDINALITY(ARRAY[1, 2])", Result: "2", Type: fn(ret(types.IntT), pCollection), Bind: bindCardinality},
	{Name: "ELEMENT", Signature: "ELEMENT(array)", Doc: "The only element of an array; NULL when it is empty.",
		Example: "ELEMENT(ARRAY[1])", Result: "1", Type: fn(elementType, pArray), Bind: bindElement},
}}
