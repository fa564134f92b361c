package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// CASE, COALESCE, IF and NULLIF evaluate a branch only for the rows that take it. The
// branches' values are merged into one column: fixed-width types are scattered by index,
// the others assembled in row order at the end.

// caseNode is WHEN..THEN.. ELSE; whens[i] == nil means "thens[i] is not NULL" (COALESCE).
type caseNode struct {
	whens, thens []*node
	otherwise    *node
	out          vec.Vec
	code         []uint16 // branch of each row
	left, next   []int32  // rows without a branch yet
	taken        [][]int32
	from         []Operand
	sel          []rows
}

func (c *compiler) compileCase(e *expr.Case) (*node, error) {
	whens, err := c.compileAll(e.Whens)
	if err != nil {
		return nil, err
	}
	thens, err := c.compileAll(e.Thens)
	if err != nil {
		return nil, err
	}
	last, err := c.compile(e.Else)
	if err != nil {
		return nil, err
	}
	return newCase(whens, thens, last, e.Typ)
}

func newCase(whens, thens []*node, last *node, t types.Type) (*node, error) {
	// Constant conditions drop branches now.
	var ws, ts []*node
	for i, w := range whens {
		if w != nil && w.konst {
			if w.value.IsNull(0) || !w.value.Bool(0) {
				continue
			}
			last = thens[i]
			break
		}
		ws, ts = append(ws, w), append(ts, thens[i])
	}
	if len(ws) == 0 {
		return last, nil
	}
	if ws[0] != nil && ws[0].fails != nil {
		return failing(t, ws[0].fails), nil
	}
	n := &caseNode{whens: ws, thens: ts, otherwise: last, out: vec.New(t),
		taken: make([][]int32, len(ws)+1), from: make([]Operand, len(ws)+1), sel: make([]rows, 2*len(ws)+2)}
	return &node{typ: t, run: n.run}, nil
}

func (c *caseNode) run(p *pass, r *rows) (*vec.Vec, error) {
	if cap(c.code) < r.n {
		size := max(r.n, 64)
		c.code, c.left, c.next = make([]uint16, size), make([]int32, size), make([]int32, size)
	}
	left := c.left[:0]
	if r.sel != nil {
		left = append(left, r.sel...)
	} else {
		for i := range r.n {
			left = append(left, int32(i))
		}
	}
	cur := r
	for b := range c.whens {
		if len(left) == 0 {
			c.taken[b] = c.taken[b][:0]
			continue
		}
		var err error
		if left, err = c.branch(p, cur, b, left); err != nil {
			return nil, err
		}
		c.sel[b] = cur.narrow(p, left)
		cur = &c.sel[b]
	}
	last := len(c.whens)
	c.taken[last] = append(c.taken[last][:0], left...)
	if len(left) > 0 {
		o, err := c.otherwise.operand(p, cur)
		if err != nil {
			return nil, err
		}
		c.from[last] = o
	}
	c.assemble(r.n)
	return &c.out, nil
}

// branch evaluates condition b for the rows left, the value for those that take it, and
// returns the rows that remain.
func (c *caseNode) branch(p *pass, cur *rows, b int, left []int32) ([]int32, error) {
	cond := c.whens[b]
	test := cond
	if test == nil {
		test = c.thens[b]
	}
	o, err := test.operand(p, cur)
	if err != nil {
		return nil, err
	}
	taken, rest := c.taken[b][:0], c.next[:0]
	for _, i := range left {
		if !o.null(int(i)) && (cond == nil || o.bool(int(i))) {
			taken = append(taken, i)
		} else {
			rest = append(rest, i)
		}
	}
	c.taken[b] = taken
	c.left, c.next = c.next, c.left
	if cond == nil {
		c.from[b] = o
	} else if len(taken) > 0 {
		k := len(c.whens) + 1 + b
		c.sel[k] = cur.narrow(p, taken)
		if c.from[b], err = c.thens[b].operand(p, &c.sel[k]); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// assemble merges the branches' values.
func (c *caseNode) assemble(n int) {
	prepare(&c.out, n)
	switch c.out.Type.Physical() {
	case types.PhysI8:
		scatter[int8](c)
	case types.PhysI16:
		scatter[int16](c)
	case types.PhysI32:
		scatter[int32](c)
	case types.PhysF32:
		scatter[float32](c)
	case types.PhysI64:
		scatter[int64](c)
	case types.PhysF64:
		scatter[float64](c)
	case types.PhysD128:
		scatter[vec.Dec128](c)
	default:
		c.assembleRows(n)
	}
}

func scatter[T vec.Fixed](c *caseNode) {
	dst := vec.Values[T](&c.out)
	for b, taken := range c.taken {
		if len(taken) == 0 {
			continue
		}
		o := c.from[b]
		scatterRows(dst, vec.Values[T](o.Vec), taken, o.mask)
		if o.Valid != nil {
			for _, i := range taken {
				if o.null(int(i)) {
					c.out.SetNull(int(i))
				}
			}
		}
	}
}

//go:noinline
func scatterRows[T vec.Fixed](dst, src []T, taken []int32, mask int) {
	for _, i := range taken {
		dst[i] = src[int(i)&mask]
	}
}

// assembleRows appends row by row, for types whose values have no fixed place.
func (c *caseNode) assembleRows(n int) {
	const none = 1<<16 - 1
	code := c.code[:n]
	for i := range code {
		code[i] = none
	}
	for b, taken := range c.taken {
		for _, i := range taken {
			code[i] = uint16(b)
		}
	}
	c.out.Reset()
	text := c.out.Type.Physical() == types.PhysBytes
	for i, b := range code {
		switch {
		case b == none:
			c.out.AppendNull()
		case text && !c.from[b].null(i):
			c.out.AppendBytes(c.from[b].bytes(i))
		default:
			c.out.AppendFrom(c.from[b].Vec, c.from[b].at(i))
		}
	}
}

// commonRule is the rule of COALESCE and the like: all arguments to one type.
func commonRule(first int, common func(...types.Type) (types.Type, error), result func(common types.Type, args []types.Type) types.Type) Rule {
	return func(args []expr.Arg) (Sig, error) {
		if len(args) < first+1 {
			return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
		}
		ts := argTypes(args)
		t, err := common(ts[first:]...)
		if err != nil {
			return Sig{}, err
		}
		if t.Kind == types.Null {
			return Sig{}, fmt.Errorf("NULL has no type here; write CAST(NULL AS type)")
		}
		for i := first; i < len(ts); i++ {
			ts[i] = t.WithNull(!ts[i].NotNull)
		}
		return Sig{Args: ts, Result: result(t, ts)}, nil
	}
}

// allNull is the nullability of COALESCE: NULL only when every argument may be.
func allNull(t types.Type, args []types.Type) types.Type {
	for _, a := range args {
		if a.NotNull {
			return t.NotNullable()
		}
	}
	return t.Nullable()
}

func bindCoalesce(c *compiler, e *expr.Call) (*node, error) {
	args, err := c.compileAll(e.Args)
	if err != nil {
		return nil, err
	}
	n := len(args) - 1
	for i := range args[:n] { // what can never be NULL ends the list
		if e.Args[i].Type().NotNull {
			n = i
			break
		}
	}
	return newCase(make([]*node, n), args[:n], args[n], e.Typ)
}

func ifRule(args []expr.Arg) (Sig, error) {
	if len(args) != 3 {
		return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
	}
	if k := args[0].Type.Kind; k != types.Boolean && k != types.Null {
		return Sig{}, fmt.Errorf("the condition is %s, not BOOLEAN", args[0].Type.Nullable())
	}
	sig, err := commonRule(1, CommonType, func(t types.Type, a []types.Type) types.Type { return t.WithNull(anyNullable(a)) })(args)
	if err == nil && args[0].Type.Kind == types.Null {
		sig.Args[0] = types.BooleanT
	}
	return sig, err
}

func bindIf(c *compiler, e *expr.Call) (*node, error) {
	args, err := c.compileAll(e.Args)
	if err != nil {
		return nil, err
	}
	return newCase(args[:1], args[1:2], args[2], e.Typ)
}

// nullIfRule keeps the first type; NULLIF(a, b) is CASE WHEN a = b THEN NULL ELSE a END.
func nullIfRule(args []expr.Arg) (Sig, error) {
	sig, err := compare(true, false)(args)
	if err != nil {
		return sig, err
	}
	sig.Args = argTypes(args)
	if sig.Args[0].Kind == types.Null {
		return sig, fmt.Errorf("NULL has no type here; write CAST(NULL AS type)")
	}
	sig.Result = sig.Args[0].Nullable()
	return sig, nil
}

func bindNullIf(c *compiler, e *expr.Call) (*node, error) {
	args, err := c.compileAll(e.Args)
	if err != nil {
		return nil, err
	}
	eq, err := c.compareNodes(e.Name, e.Offset, opEq, args[0], args[1], true)
	if err != nil {
		return nil, err
	}
	null, err := literalNode(&expr.Literal{Typ: e.Typ})
	if err != nil {
		return nil, err
	}
	return newCase([]*node{eq}, []*node{null}, args[0], e.Typ)
}

// compareNodes compares two nodes of any comparable types, converting them first.
func (c *compiler) compareNodes(name string, pos int, op cmpOp, a, b *node, equality bool) (*node, error) {
	ta, tb, err := compareTypes(a.typ, b.typ, equality)
	if err != nil {
		return nil, err
	}
	if a, err = c.cast(a, ta, false, pos); err != nil {
		return nil, err
	}
	if b, err = c.cast(b, tb, false, pos); err != nil {
		return nil, err
	}
	return c.bind(&Site{Name: name, Pos: pos, Env: c.env, Result: types.BooleanT}, Total, false, bindCompare(op), []*node{a, b})
}

var conditionalFamily = Family{"Conditional functions", []Function{
	{Name: "COALESCE", Signature: "COALESCE(a, b, ...)", Doc: "The first argument that is not NULL.",
		Example: "COALESCE(1, 2)", Result: "1", Type: commonRule(0, mergeType, allNull), special: bindCoalesce},
	{Name: "IFNULL", Aliases: []string{"NVL"}, Signature: "IFNULL(a, b)", Doc: "a, or b where a is NULL.",
		Example: "IFNULL(1, 2)", Result: "1", Type: ifNullRule, special: bindCoalesce},
	{Name: "IF", Signature: "IF(condition BOOLEAN, a, b)", Doc: "a where the condition is TRUE, else b.",
		Example: "IF(1 < 2, 'x', 'y')", Result: "x", Type: ifRule, special: bindIf},
	{Name: "NULLIF", Signature: "NULLIF(a, b)", Doc: "NULL where a = b, else a.",
		Example: "NULLIF(5, 4)", Result: "5", Type: nullIfRule, special: bindNullIf},
	{Name: "GREATEST", Signature: "GREATEST(a, b, ...)", Doc: "The largest argument; NULL if one is NULL.",
		Example: "GREATEST(1, 3, 2)", Result: "3", Type: extremeRule, Bind: bindExtreme(opGt)},
	{Name: "LEAST", Signature: "LEAST(a, b, ...)", Doc: "The smallest argument; NULL if one is NULL.",
		Example: "LEAST(1, 3, 2)", Result: "1", Type: extremeRule, Bind: bindExtreme(opLt)},
}}

// ifNullRule has the type of a when a is never NULL and its text or number needs no
// widening, else the common type.
func ifNullRule(args []expr.Arg) (Sig, error) {
	if len(args) != 2 {
		return Sig{}, fmt.Errorf("%s given", plural(len(args), "argument"))
	}
	sig, err := commonRule(0, mergeType, allNull)(args)
	if a := args[0].Type; err == nil && a.NotNull && (a.IsString() || a.IsBinary()) {
		sig.Args[0], sig.Result = a, a
	}
	return sig, err
}

func extremeRule(args []expr.Arg) (Sig, error) {
	for _, a := range args {
		if a.Type.Kind == types.Null || a.Type.IsNested() || a.Type.IsBinary() {
			return Sig{}, fmt.Errorf("%s cannot be ordered", a.Type.Nullable())
		}
	}
	return commonRule(0, mergeType, func(t types.Type, a []types.Type) types.Type { return t.WithNull(anyNullable(a)) })(args)
}

// bindExtreme compares as Java does (a > best): a NaN that comes first stays.
func bindExtreme(op cmpOp) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		switch s.Result.Physical() {
		case types.PhysI8:
			return extreme[int8](op), nil
		case types.PhysI16:
			return extreme[int16](op), nil
		case types.PhysI32:
			return extreme[int32](op), nil
		case types.PhysI64:
			return extreme[int64](op), nil
		case types.PhysF32:
			return extreme[float32](op), nil
		case types.PhysF64:
			return extreme[float64](op), nil
		case types.PhysD128:
			return extremeDecimal(op), nil
		case types.PhysBytes:
			return extremeBytes(op), nil
		case types.PhysBool:
			return extremeBool(op), nil
		}
		return nil, s.errorf("%s cannot be ordered", s.Result)
	}
}
