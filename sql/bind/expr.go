package bind

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/suggest"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Expression binds one expression over the columns of schema; alias, when not empty, is
// what they may be qualified with.
func Expression(env Env, e ast.Expr, schema types.Schema, alias string) (expr.Expr, error) {
	b := newBinder(env)
	out, err := b.expr(e, &scope{alias: alias, columns: schema, clause: "an expression"})
	if err != nil {
		return nil, err
	}
	return out, b.typeKnown(out, e.Pos())
}

// typeKnown refuses an expression whose type nothing says: SELECT NULL.
func (b *binder) typeKnown(e expr.Expr, pos int) error {
	if hasNull(e.Type()) {
		return b.errorf(pos, "nothing says what type this NULL has").WithHint("write CAST(NULL AS type)")
	}
	return nil
}

func hasNull(t types.Type) bool {
	if t.Kind == types.Null || t.Elem != nil && hasNull(*t.Elem) || t.Key != nil && hasNull(*t.Key) {
		return true
	}
	for _, f := range t.Fields {
		if hasNull(f.Type) {
			return true
		}
	}
	return false
}

func (b *binder) expr(e ast.Expr, sc *scope) (expr.Expr, error) {
	switch e := e.(type) {
	case *ast.ColumnRef:
		return b.column(e, sc)
	case *ast.NumberLit:
		return b.number(e.Text, false, e.Pos())
	case *ast.StringLit:
		return b.text(e.Value, e.Pos()), nil
	case *ast.BinaryLit:
		return b.lit(e.Value, types.Type{Kind: types.Binary, Length: len(e.Value)}, e.Pos()), nil
	case *ast.NullLit:
		return &expr.Literal{Typ: types.NullT, Offset: b.at(e.Pos())}, nil
	case *ast.BoolLit:
		return b.lit(e.Value, types.BooleanT, e.Pos()), nil
	case *ast.TypedLit:
		return b.typed(e)
	case *ast.IntervalLit:
		return b.interval(e)
	case *ast.Unary:
		return b.unary(e, sc)
	case *ast.Binary:
		return b.operator(e.Op.String(), begin(e), sc, e.Left, e.Right)
	case *ast.Is:
		return b.is(e, sc)
	case *ast.IsDistinct:
		op := "IS DISTINCT FROM"
		if e.Not {
			op = "IS NOT DISTINCT FROM"
		}
		return b.operator(op, begin(e), sc, e.Left, e.Right)
	case *ast.Between:
		op := "BETWEEN"
		if e.Symmetric {
			op = "BETWEEN SYMMETRIC"
		}
		if e.Not {
			op = "NOT " + op
		}
		return b.operator(op, begin(e), sc, e.Arg, e.Low, e.High)
	case *ast.In:
		return b.in(e, sc)
	case *ast.Like:
		op, args := "LIKE", []ast.Expr{e.Arg, e.Pattern}
		if e.Similar {
			op = "SIMILAR TO"
		}
		if e.Escape != nil {
			args = append(args, e.Escape)
		}
		out, err := b.operator(op, begin(e), sc, args...)
		return b.negate(out, e.Not, begin(e), err)
	case *ast.Case:
		return b.caseExpr(e, sc)
	case *ast.Cast:
		return b.castExpr(e, sc)
	case *ast.ArrayLit:
		return b.operator("ARRAY", e.Pos(), sc, e.Items...)
	case *ast.MapLit:
		var items []ast.Expr
		for i := range e.Keys {
			items = append(items, e.Keys[i], e.Values[i])
		}
		return b.operator("MAP", e.Pos(), sc, items...)
	case *ast.RowLit:
		return b.operator("ROW", e.Pos(), sc, e.Items...)
	case *ast.Index:
		return b.operator("ITEM", begin(e), sc, e.Arg, e.Index)
	case *ast.Field:
		arg, err := b.expr(e.Arg, sc)
		if err != nil {
			return nil, err
		}
		return b.field(arg, e.Name, "the value")
	case *ast.Call:
		return b.callExpr(e, sc)
	case *ast.Difference:
		return nil, b.notYet(begin(e), "the difference of two times, (a - b) "+e.From.String())
	case *ast.Star:
		return nil, b.errorf(e.Pos(), "* stands only in a select list and in COUNT(*)")
	case *ast.Exists:
		return nil, b.notYet(e.Pos(), "EXISTS (subquery)")
	case *ast.Subquery:
		return nil, b.notYet(e.Pos(), "a subquery as a value")
	case *ast.Quantified:
		return nil, b.notYet(e.Pos(), e.Op.String()+" ANY or ALL")
	case *ast.NamedArg:
		return nil, b.errorf(e.Pos(), "a named argument (%s => ..) stands only in a table function", e.Name)
	}
	return nil, b.errorf(e.Pos(), "this cannot stand in an expression")
}

// exprs binds several expressions.
func (b *binder) exprs(es []ast.Expr, sc *scope) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		var err error
		if out[i], err = b.expr(e, sc); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// begin is where the text of an expression begins. Errors about an operator stand there, as
// in Flink, and not at the operator.
func begin(e ast.Expr) int {
	switch e := e.(type) {
	case *ast.Binary:
		return begin(e.Left)
	case *ast.Is:
		return begin(e.Arg)
	case *ast.IsDistinct:
		return begin(e.Left)
	case *ast.Between:
		return begin(e.Arg)
	case *ast.In:
		return begin(e.Arg)
	case *ast.Like:
		return begin(e.Arg)
	case *ast.Index:
		return begin(e.Arg)
	case *ast.Field:
		return begin(e.Arg)
	case *ast.Difference:
		return begin(e.Left)
	}
	return e.Pos()
}

// operator binds the operands and resolves the operator over them.
func (b *binder) operator(name string, pos int, sc *scope, operands ...ast.Expr) (expr.Expr, error) {
	args, err := b.exprs(operands, sc)
	if err != nil {
		return nil, err
	}
	return b.resolve(name, args, pos)
}

// resolve makes a call of a function or operator: the registry picks the overload, and the
// arguments are cast to its types.
func (b *binder) resolve(name string, args []expr.Expr, pos int) (expr.Expr, error) {
	if err := b.untypedNull(name, args, pos); err != nil {
		return nil, err
	}
	given := make([]expr.Arg, len(args))
	for i, a := range args {
		given[i].Type = a.Type()
		given[i].Literal, _ = a.(*expr.Literal)
	}
	o, err := b.Functions.Scalar(name, given)
	if errors.Is(err, expr.ErrUnknown) {
		return nil, b.unknownFunction(name, pos)
	}
	if err != nil {
		return nil, b.errorf(pos, "%s", err)
	}
	return &expr.Call{Name: o.Name, Args: coerceAll(args, o.Args), Typ: o.Result, Offset: b.at(pos), Volatile: o.Volatile}, nil
}

// untypedNull refuses a bare NULL where Flink cannot say what type it has: everywhere but in
// comparisons and in functions whose arguments share a type.
func (b *binder) untypedNull(name string, args []expr.Expr, pos int) error {
	switch name {
	case "=", "<>", "<", "<=", ">", ">=", "COALESCE", "IFNULL", "GREATEST", "LEAST", "ARRAY", "TYPEOF",
		"ARRAY_CONTAINS", "ARRAY_JOIN", "ARRAY_POSITION", "ARRAY_REMOVE", "ARRAY_SLICE", "ARRAY_APPEND", "ARRAY_PREPEND":
		if name != "COALESCE" && name != "ARRAY" {
			return nil
		}
		for _, a := range args { // one has a type
			if a.Type().Kind != types.Null {
				return nil
			}
		}
	default:
		if strings.HasPrefix(name, "IS ") || strings.HasPrefix(name, "JSON_") || strings.HasSuffix(name, "IN") || strings.Contains(name, "BETWEEN") {
			return nil
		}
	}
	for _, a := range args {
		if a.Type().Kind == types.Null {
			if name != "ARRAY" && name != "MAP" && b.origin == nil {
				pos = a.Pos()
			}
			return b.errorf(pos, "nothing says what type this NULL has").WithHint("write CAST(NULL AS type)")
		}
	}
	return nil
}

func (b *binder) unknownFunction(name string, pos int) error {
	var names []string
	for _, n := range b.Functions.Names() {
		if n[0] >= 'A' && n[0] <= 'Z' && !strings.Contains(n, " ") {
			names = append(names, n)
		}
	}
	err := b.errorf(pos, "there is no function %s", name)
	err.Hint = strings.TrimPrefix(suggest.Hint(name, names), "; ")
	return err
}

// coerce converts e to type t unless their values are the same already. Nullability is e's.
func coerce(e expr.Expr, t types.Type) expr.Expr {
	if sameValues(e.Type(), t) {
		return e
	}
	if l, ok := e.(*expr.Literal); ok {
		if v, ok := convertLiteral(l, t); ok {
			return &expr.Literal{Value: v, Typ: t.WithoutAttr().WithNull(l.Value == nil), Offset: l.Offset}
		}
	}
	return &expr.Cast{Arg: e, Typ: t.WithoutAttr().WithNull(!e.Type().NotNull), Offset: e.Pos()}
}

// convertLiteral converts constants where nothing can be lost, so that plans read price <
// 10000 and not price < CAST(10000 AS BIGINT). Everything else is the evaluator's to fold.
func convertLiteral(l *expr.Literal, t types.Type) (any, bool) {
	v, whole := l.Value.(int64)
	switch {
	case l.Value == nil:
		return nil, true
	case whole && l.Typ.IsInteger() && t.IsInteger() && t.Kind >= l.Typ.Kind:
		return v, true
	case whole && l.Typ.IsInteger() && t.Kind == types.Double && v >= -1<<53 && v <= 1<<53:
		return float64(v), true
	case l.Typ.IsString() && t.Kind == types.VarChar && t.Length >= l.Typ.Length:
		return l.Value, true
	}
	return nil, false
}

func coerceAll(es []expr.Expr, ts []types.Type) []expr.Expr {
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		out[i] = coerce(e, ts[i])
	}
	return out
}

// sameValues reports whether two types differ at most in nullability, at any depth: then a
// value of one is a value of the other.
func sameValues(a, b types.Type) bool {
	if a.Kind != b.Kind || a.Length != b.Length || a.Precision != b.Precision || a.Scale != b.Scale || len(a.Fields) != len(b.Fields) {
		return false
	}
	for _, p := range [][2]*types.Type{{a.Key, b.Key}, {a.Elem, b.Elem}} {
		if (p[0] == nil) != (p[1] == nil) || p[0] != nil && !sameValues(*p[0], *p[1]) {
			return false
		}
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !sameValues(a.Fields[i].Type, b.Fields[i].Type) {
			return false
		}
	}
	return true
}

func (b *binder) unary(e *ast.Unary, sc *scope) (expr.Expr, error) {
	if n, ok := e.Arg.(*ast.NumberLit); ok && e.Op != ast.OpNot {
		return b.number(n.Text, e.Op == ast.OpNegate, e.Pos()) // -9223372036854775808 is in range
	}
	arg, err := b.expr(e.Arg, sc)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case ast.OpNegate:
		if l, ok := arg.(*expr.Literal); ok && l.Typ.IsInterval() {
			return b.lit(-l.Value.(int64), l.Typ, e.Pos()), nil
		}
		return b.resolve("NEG", []expr.Expr{arg}, e.Pos())
	case ast.OpPlus:
		return b.resolve("POS", []expr.Expr{arg}, e.Pos())
	}
	return b.resolve("NOT", []expr.Expr{arg}, e.Pos())
}

// negate wraps a condition in NOT when not is set.
func (b *binder) negate(e expr.Expr, not bool, pos int, err error) (expr.Expr, error) {
	if err != nil || !not {
		return e, err
	}
	return b.resolve("NOT", []expr.Expr{e}, pos)
}

func (b *binder) is(e *ast.Is, sc *scope) (expr.Expr, error) {
	arg, err := b.expr(e.Arg, sc)
	if err != nil {
		return nil, err
	}
	test := e.Test
	if test == ast.IsUnknown {
		if k := arg.Type().Kind; k != types.Boolean && k != types.Null {
			return nil, b.errorf(begin(e), "IS UNKNOWN asks about a BOOLEAN, this is %s", arg.Type().Nullable())
		}
		test = ast.IsNull
	}
	name := "IS " + test.String()
	if e.Not {
		name = "IS NOT " + test.String()
	}
	return b.resolve(name, []expr.Expr{arg}, begin(e))
}

func (b *binder) in(e *ast.In, sc *scope) (expr.Expr, error) {
	if e.Query != nil {
		return nil, b.notYet(e.Pos(), "IN (subquery)")
	}
	op := "IN"
	if e.Not {
		op = "NOT IN"
	}
	return b.operator(op, begin(e), sc, append([]ast.Expr{e.Arg}, e.List...)...)
}

func (b *binder) castExpr(e *ast.Cast, sc *scope) (expr.Expr, error) {
	arg, err := b.expr(e.Arg, sc)
	if err != nil {
		return nil, err
	}
	to := declared(e.Type.Type)
	if l, ok := arg.(*expr.Literal); ok && l.Value == nil {
		return &expr.Literal{Typ: to.Nullable(), Offset: b.at(e.Pos())}, nil
	}
	if err := b.Functions.Cast(arg.Type(), to); err != nil {
		return nil, b.errorf(e.Pos(), "%s", err)
	}
	return &expr.Cast{Arg: arg, Typ: to.WithNull(e.Try || !arg.Type().NotNull), Try: e.Try, Offset: b.at(e.Pos())}, nil
}

// declared is the type a user gets who writes t: TIME has precision 0 whatever is written,
// at any depth, as in Flink.
func declared(t types.Type) types.Type {
	if t.Kind == types.Time {
		t.Precision = 0
	}
	if t.Key != nil {
		k := declared(*t.Key)
		t.Key = &k
	}
	if t.Elem != nil {
		e := declared(*t.Elem)
		t.Elem = &e
	}
	if t.Fields != nil {
		fields := make([]types.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = types.Field{Name: f.Name, Type: declared(f.Type)}
		}
		t.Fields = fields
	}
	return t
}

// common is the type that values of all types are converted to: CASE, VALUES, UNION. It
// is what IF gives for its branches, which the registry knows.
func (b *binder) common(ts []types.Type) (types.Type, error) {
	out := ts[0]
	for _, t := range ts[1:] {
		o, err := b.Functions.Scalar("IF", []expr.Arg{{Type: types.BooleanT.NotNullable()}, {Type: out}, {Type: t}})
		if err != nil {
			return types.Type{}, fmt.Errorf("%s and %s have no common type", out.Nullable(), t.Nullable())
		}
		out = o.Result
	}
	return out, nil
}

func (b *binder) caseExpr(e *ast.Case, sc *scope) (expr.Expr, error) {
	out := &expr.Case{Offset: b.at(e.Pos())}
	var operand expr.Expr
	var err error
	if e.Operand != nil {
		if operand, err = b.expr(e.Operand, sc); err != nil {
			return nil, err
		}
	}
	var typs []types.Type
	for _, w := range e.Whens {
		cond, err := b.expr(w.Cond, sc)
		if err != nil {
			return nil, err
		}
		if operand != nil {
			if cond, err = b.resolve("=", []expr.Expr{operand, cond}, w.Cond.Pos()); err != nil {
				return nil, err
			}
		} else if cond, err = b.condition(cond, "WHEN", w.Cond.Pos()); err != nil {
			return nil, err
		}
		then, err := b.expr(w.Result, sc)
		if err != nil {
			return nil, err
		}
		out.Whens, out.Thens, typs = append(out.Whens, cond), append(out.Thens, then), append(typs, then.Type())
	}
	out.Else = &expr.Literal{Typ: types.NullT, Offset: -1}
	if e.Else != nil {
		if out.Else, err = b.expr(e.Else, sc); err != nil {
			return nil, err
		}
	}
	typ, err := b.common(append(typs, out.Else.Type()))
	if err != nil {
		return nil, b.errorf(e.Pos(), "the branches of this CASE do not go together: %s", err).WithHint("convert one with CAST")
	}
	if typ.Kind == types.Null {
		return nil, b.errorf(e.Pos(), "every branch of this CASE is NULL, so nothing says what type it has").WithHint("write CAST(NULL AS type)")
	}
	out.Typ = typ.WithoutAttr()
	for i, t := range out.Thens {
		out.Thens[i] = coerce(t, out.Typ)
	}
	out.Else = coerce(out.Else, out.Typ)
	return out, nil
}

// condition checks that e is BOOLEAN.
func (b *binder) condition(e expr.Expr, clause string, pos int) (expr.Expr, error) {
	switch e.Type().Kind {
	case types.Boolean:
		return e, nil
	case types.Null:
		return coerce(e, types.BooleanT), nil
	}
	return nil, b.errorf(pos, "%s needs a BOOLEAN, this is %s", clause, e.Type().Nullable())
}
