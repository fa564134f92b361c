package eval

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Sig is a resolved signature: the types the arguments are converted to, one each, and
// the type of the result.
type Sig struct {
	Args   []types.Type
	Result types.Type
	Steady bool // this form of a volatile function always gives the same
}

// Rule is the type rule of a function.
type Rule func(args []expr.Arg) (Sig, error)

// param accepts one argument: it returns the type to convert it to, or false.
type param struct {
	want     string
	accept   func(t types.Type) (types.Type, bool)
	optional bool
	rest     bool // this and all further arguments
	constant bool // the argument must be a literal
	bareNull bool // a NULL without a type may stand here
}

// opt makes a parameter optional, rest makes it repeatable (once or more).
func opt(p param) param   { p.optional = true; return p }
func rest(p param) param  { p.rest = true; return p }
func konst(p param) param { p.constant = true; return p }

// orNull admits a bare NULL: most functions refuse it, as Flink does.
func orNull(p param) param { p.bareNull = true; return p }

// exactly accepts the kinds that ok reports, unconverted; a bare NULL becomes null.
func exactly(want string, null types.Type, ok func(types.Type) bool) param {
	return param{want: want, accept: func(t types.Type) (types.Type, bool) {
		if t.Kind == types.Null {
			return null, true
		}
		return t, ok(t)
	}}
}

// convert accepts the kinds that ok reports and converts them to one type.
func convert(want string, to types.Type, ok func(types.Type) bool) param {
	return param{want: want, accept: func(t types.Type) (types.Type, bool) {
		if t.Kind == types.Null {
			return to, true
		}
		return to.WithNull(!t.NotNull), ok(t)
	}}
}

func kindIs(kinds ...types.Kind) func(types.Type) bool {
	return func(t types.Type) bool {
		for _, k := range kinds {
			if t.Kind == k {
				return true
			}
		}
		return false
	}
}

func either(fs ...func(types.Type) bool) func(types.Type) bool {
	return func(t types.Type) bool {
		for _, f := range fs {
			if f(t) {
				return true
			}
		}
		return false
	}
}

func anyType(types.Type) bool { return true }

// The parameters most functions are made of.
var (
	pStr       = exactly("STRING", types.StringT, types.Type.IsString)
	pBin       = exactly("BYTES", types.BytesT, types.Type.IsBinary)
	pStrOrBin  = exactly("STRING or BYTES", types.StringT, either(types.Type.IsString, types.Type.IsBinary))
	pBool      = exactly("BOOLEAN", types.BooleanT, kindIs(types.Boolean))
	pInt       = convert("INT", types.IntT, kindIs(types.TinyInt, types.SmallInt, types.Int))
	pBigInt    = convert("BIGINT", types.BigIntT, types.Type.IsInteger)
	pDouble    = convert("a number", types.DoubleT, types.Type.IsNumeric)
	pNum       = exactly("a number", types.IntT, types.Type.IsNumeric)
	pExact     = exactly("an integer or DECIMAL", types.IntT, types.Type.IsExact)
	pAny       = orNull(exactly("any type", types.NullT, anyType))
	pUnit      = konst(exactly("a time unit", types.StringT, types.Type.IsString))
	pDate      = exactly("DATE", types.DateT, kindIs(types.Date))
	pTimestamp = exactly("TIMESTAMP or TIMESTAMP_LTZ", types.TimestampT(3), types.Type.IsTimestamp)
	pArray     = exactly("ARRAY", types.ArrayT(types.NullT), kindIs(types.Array))
	pMap       = exactly("MAP", types.MapT(types.NullT, types.NullT), kindIs(types.Map))
	pTemporal  = exactly("DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ", types.TimestampT(3),
		either(types.Type.IsTimestamp, kindIs(types.Date, types.Time)))
)

// result computes the type of the result from the converted arguments; its nullability is
// set by the caller.
type result func(args []types.Type) types.Type

func ret(t types.Type) result { return func([]types.Type) types.Type { return t } }
func retArg(i int) result     { return func(a []types.Type) types.Type { return a[i] } }

// fn is the rule of a function with the given parameters whose result is NULL only where
// an argument is.
func fn(r result, params ...param) Rule {
	return func(args []expr.Arg) (Sig, error) {
		sig, err := matchParams(params, args)
		if err != nil {
			return Sig{}, err
		}
		sig.Result = r(sig.Args).WithNull(anyNullable(sig.Args))
		return sig, nil
	}
}

// fnNull is fn for functions that may give NULL for arguments that are not.
func fnNull(r result, params ...param) Rule { return withNull(fn(r, params...), true) }

// fnNotNull is fn for functions that never give NULL.
func fnNotNull(r result, params ...param) Rule { return withNull(fn(r, params...), false) }

func withNull(r Rule, nullable bool) Rule {
	return func(args []expr.Arg) (Sig, error) {
		sig, err := r(args)
		sig.Result = sig.Result.WithNull(nullable)
		return sig, err
	}
}

func anyNullable(ts []types.Type) bool {
	for _, t := range ts {
		if !t.NotNull {
			return true
		}
	}
	return false
}

func matchParams(params []param, args []expr.Arg) (Sig, error) {
	least, most := 0, len(params)
	for _, p := range params {
		if !p.optional {
			least++
		}
		if p.rest {
			most = 1 << 30
		}
	}
	if len(args) < least || len(args) > most {
		return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
	}
	sig := Sig{Args: make([]types.Type, len(args))}
	for i, a := range args {
		p := params[min(i, len(params)-1)]
		if a.Type.Kind == types.Null && !p.bareNull {
			return Sig{}, fmt.Errorf("argument %d is a NULL of no type; write CAST(NULL AS type)", i+1)
		}
		t, ok := p.accept(a.Type.WithoutAttr())
		if !ok {
			return Sig{}, fmt.Errorf("argument %d is %s, not %s", i+1, a.Type.Nullable(), p.want)
		}
		if p.constant && a.Literal == nil {
			return Sig{}, fmt.Errorf("argument %d must be a constant", i+1)
		}
		sig.Args[i] = t
	}
	return sig, nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// oneOf tries rules in order and gives the first that fits, else the last error.
func oneOf(rules ...Rule) Rule {
	return func(args []expr.Arg) (sig Sig, err error) {
		for _, r := range rules {
			if sig, err = r(args); err == nil {
				return sig, nil
			}
		}
		return sig, err
	}
}

// typeList prints argument types for messages: "INT and STRING".
func typeList(args []expr.Arg) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.Type.Nullable().String()
	}
	return strings.Join(parts, " and ")
}

func argTypes(args []expr.Arg) []types.Type {
	ts := make([]types.Type, len(args))
	for i := range args {
		ts[i] = args[i].Type.WithoutAttr()
	}
	return ts
}
