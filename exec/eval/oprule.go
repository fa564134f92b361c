package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Type rules of the operators. Decimal kernels take integers and decimals of any scale as
// they are; everything else is converted to the type the operation is done in.

func mismatch(op string, args []expr.Arg) error {
	return fmt.Errorf("cannot apply %s to %s; convert an operand with CAST", op, typeList(args))
}

// numericArgs gives the types in which two numbers are computed and the type of the result.
func numericArgs(a, b types.Type) (types.Type, types.Type, types.Type) {
	common := numericCommon(a, b).Nullable()
	work := common
	if a.IsApprox() && b.IsApprox() && a.Kind != b.Kind {
		work = types.DoubleT // Java computes in double; the first type says what remains of it
	}
	return work.WithNull(!a.NotNull), work.WithNull(!b.NotNull), common
}

func isDecimalOp(a, b types.Type) bool {
	return a.IsExact() && b.IsExact() && (a.Kind == types.Decimal || b.Kind == types.Decimal)
}

// arith is the rule of + - * / %: decimal computes the type for exact numbers one of which
// is a DECIMAL, temporal handles dates and intervals (nil: refused).
func arith(op string, decimal func(a, b types.Type) types.Type, temporal func(a, b types.Type) (types.Type, bool)) Rule {
	return func(args []expr.Arg) (Sig, error) {
		if len(args) != 2 {
			return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
		}
		ts := argTypes(args)
		a, b := ts[0], ts[1]
		nullable := !a.NotNull || !b.NotNull
		if temporal != nil {
			if t, ok := temporal(a, b); ok {
				return Sig{Args: ts, Result: t.WithNull(nullable)}, nil
			}
		}
		switch {
		case !a.IsNumeric() || !b.IsNumeric() || op == "%" && (a.IsApprox() || b.IsApprox()):
			return Sig{}, mismatch(op, args)
		case isDecimalOp(a, b):
			return Sig{Args: ts, Result: decimal(a, b).WithNull(nullable)}, nil
		}
		wa, wb, result := numericArgs(a, b)
		if op == "%" {
			result = b
		}
		return Sig{Args: []types.Type{wa, wb}, Result: result.WithNull(nullable)}, nil
	}
}

func isDateTime(t types.Type) bool {
	return t.IsTimestamp() || t.Kind == types.Date || t.Kind == types.Time
}

func plusTemporal(a, b types.Type) (types.Type, bool) {
	switch {
	case isDateTime(a) && b.IsInterval():
		return moved(a), true
	case a.IsInterval() && isDateTime(b):
		return moved(b), true
	case a.IsInterval() && a.Kind == b.Kind:
		return a, true
	}
	return types.Type{}, false
}

// moved is the type of a date or time moved by an interval: of TIME(p) Flink says TIME(0),
// though the milliseconds stay.
func moved(t types.Type) types.Type {
	if t.Kind == types.Time {
		t.Precision = 0
	}
	return t
}

func minusTemporal(a, b types.Type) (types.Type, bool) {
	switch {
	case isDateTime(a) && b.IsInterval():
		return moved(a), true
	case a.IsInterval() && a.Kind == b.Kind:
		return a, true
	}
	return types.Type{}, false
}

func timesTemporal(a, b types.Type) (types.Type, bool) {
	switch {
	case a.IsInterval() && b.IsInteger():
		return a, true
	case a.IsInteger() && b.IsInterval():
		return b, true
	}
	return types.Type{}, false
}

// compareTypes gives the types in which two values are compared. equality is for = <> and
// IS [NOT] DISTINCT FROM, where Flink treats strings differently: against a number they
// are refused, against a BOOLEAN never equal, against a date they give NULL when they are
// none.
func compareTypes(a, b types.Type, equality bool) (types.Type, types.Type, error) {
	a, b = a.WithoutAttr(), b.WithoutAttr()
	switch {
	case a.Kind == types.Null:
		return b.Nullable(), b, nil
	case b.Kind == types.Null:
		return a, a.Nullable(), nil
	case a.IsNumeric() && b.IsNumeric():
		if a.IsExact() && b.IsExact() && (a.Kind == types.Decimal || b.Kind == types.Decimal) {
			return a, b, nil
		}
		t := numericCommon(a, b)
		if a.IsApprox() && b.IsApprox() && a.Kind != b.Kind {
			t = types.DoubleT
		}
		return t.WithNull(!a.NotNull), t.WithNull(!b.NotNull), nil
	case a.IsString() && b.IsString(), a.IsBinary() && b.IsBinary():
		return a, b, nil
	case a.IsString() && stringComparable(b, equality):
		if equality {
			return a, b, nil
		}
		return b.WithNull(!a.NotNull), b, nil
	case b.IsString() && stringComparable(a, equality):
		if equality {
			return a, b, nil
		}
		return a, a.WithNull(!b.NotNull), nil
	case a.IsTimestamp() && b.IsTimestamp():
		t, _ := leastRestrictive(a.Nullable(), b.Nullable())
		return t.WithNull(!a.NotNull), t.WithNull(!b.NotNull), nil
	case a.IsNested() && a.Kind == b.Kind && equality:
		t, err := CommonType(a, b)
		return t.WithNull(!a.NotNull), t.WithNull(!b.NotNull), err
	case a.Kind == b.Kind && !a.IsNested():
		return a, b, nil
	}
	return a, b, fmt.Errorf("cannot compare %s with %s; convert one of them with CAST", a.Nullable(), b.Nullable())
}

func stringComparable(t types.Type, equality bool) bool {
	switch {
	case t.IsNumeric():
		return !equality
	case t.IsInterval():
		return equality
	}
	return t.Kind == types.Boolean || isDateTime(t)
}

// compare is the rule of the comparison operators. distinct is for IS [NOT] DISTINCT FROM,
// which is never NULL.
func compare(equality, distinct bool) Rule {
	return func(args []expr.Arg) (Sig, error) {
		if len(args) != 2 {
			return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
		}
		a, b, err := compareTypes(args[0].Type, args[1].Type, equality)
		if err != nil {
			return Sig{}, err
		}
		nullable := !distinct && (hasNulls(a) || hasNulls(b))
		return Sig{Args: []types.Type{a, b}, Result: types.BooleanT.WithNull(nullable)}, nil
	}
}

// hasNulls reports a type whose comparison may be NULL: of a ROW also because of a field.
func hasNulls(t types.Type) bool {
	if t.Kind == types.Row {
		for _, f := range t.Fields {
			if hasNulls(f.Type) {
				return true
			}
		}
	}
	return !t.NotNull
}

func anyHasNulls(ts []types.Type) bool {
	for _, t := range ts {
		if hasNulls(t) {
			return true
		}
	}
	return false
}

// exactDecimals reports exact numbers with a DECIMAL among them: they are compared as they
// are, a common type might not hold them all.
func exactDecimals(ts []types.Type) bool {
	decimals := false
	for _, t := range ts {
		if !t.IsExact() && t.Kind != types.Null {
			return false
		}
		decimals = decimals || t.Kind == types.Decimal
	}
	return decimals
}

func bareNull(ts []types.Type) bool {
	for _, t := range ts {
		if t.Kind != types.Null {
			return false
		}
	}
	return true
}

// logical is the rule of AND, OR and NOT.
func logical(n int) Rule {
	params := make([]param, n)
	for i := range params {
		params[i] = pBool
	}
	return fn(ret(types.BooleanT), params...)
}

// memberOf is the rule of IN (unify: all operands to one type) and of BETWEEN.
func memberOf(args []expr.Arg) (Sig, error) {
	if len(args) < 2 {
		return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
	}
	ts := argTypes(args)
	if bareNull(ts) {
		return Sig{}, fmt.Errorf("nothing says what type the NULLs have")
	}
	if exactDecimals(ts) {
		return Sig{Args: ts, Result: types.BooleanT.WithNull(anyNullable(ts))}, nil
	}
	common := ts[0]
	for _, t := range ts[1:] {
		a, b, err := compareTypes(common, t, false)
		if err != nil && common.IsNested() {
			a, b, err = compareTypes(common, t, true)
		}
		if err != nil {
			return Sig{}, err
		}
		merged, ok := leastRestrictive(a.Nullable(), b.Nullable())
		if !ok {
			return Sig{}, mismatch("IN", args)
		}
		common = merged
	}
	nullable := anyHasNulls(ts)
	for i := range ts {
		ts[i] = common.WithNull(!ts[i].NotNull)
	}
	return Sig{Args: ts, Result: types.BooleanT.WithNull(nullable)}, nil
}
