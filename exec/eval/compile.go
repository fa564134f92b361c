package eval

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

type compiler struct {
	env   Env
	seen  map[int]*node     // by identity
	ids   map[expr.Expr]int // identity
	named map[string]int    // identity by what the expression is made of
}

func newCompiler(env Env) *compiler {
	return &compiler{env: env.withDefaults(), seen: map[int]*node{}, ids: map[expr.Expr]int{}, named: map[string]int{}}
}

// Site is one call being bound to a kernel.
type Site struct {
	Name   string
	Pos    int
	Env    Env
	Args   []types.Type
	Consts []*vec.Vec // per argument: its one-row value when constant, else nil
	Result types.Type
	Try    bool // TRY_CAST
}

// errorf makes the error of a call that cannot be bound.
func (s *Site) errorf(format string, args ...any) error {
	return &exec.Error{Class: exec.User, Err: &Error{Row: -1, Func: s.Name, Pos: s.Pos, Msg: fmt.Sprintf(format, args...)}}
}

// text returns a constant string argument; ok is false when it is absent, NULL or not
// constant.
func (s *Site) text(i int) (string, bool) {
	if i >= len(s.Consts) || s.Consts[i] == nil || s.Consts[i].IsNull(0) {
		return "", false
	}
	return string(s.Consts[i].Bytes(0)), true
}

func (c *compiler) compile(e expr.Expr) (*node, error) {
	switch e := e.(type) {
	case *expr.Column:
		return columnNode(e), nil
	case *expr.Literal:
		return literalNode(e)
	}
	id := c.identity(e)
	if n := c.seen[id]; n != nil && id != volatileID {
		n.shared = true
		return n, nil
	}
	n, err := c.compileNew(e)
	if err == nil && id != volatileID {
		c.seen[id] = n
	}
	return n, err
}

// volatileID is the identity of expressions that are never shared.
const volatileID = -1

// identity numbers expressions: equal ones have equal numbers. Each node is looked at once
// and named by the numbers of its operands, so that a chain of 10,000 terms costs 10,000
// steps.
func (c *compiler) identity(e expr.Expr) int {
	if id, ok := c.ids[e]; ok {
		return id
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%T ", e)
	id := 0
	switch e := e.(type) {
	case *expr.Column:
		key.WriteString(strconv.Itoa(e.Index))
	case *expr.Literal:
		key.WriteString(expr.Canonical(e, nil))
	case *expr.Call:
		key.WriteString(e.Name)
		if e.Volatile {
			id = volatileID
		}
	case *expr.Cast:
		key.WriteString(strconv.FormatBool(e.Try))
	case *expr.Field:
		key.WriteString(strconv.Quote(e.Name))
	}
	for _, child := range expr.Children(e) {
		at := c.identity(child)
		if at == volatileID {
			id = volatileID
		}
		key.WriteByte(' ')
		key.WriteString(strconv.Itoa(at))
	}
	if id != volatileID {
		key.WriteString(": " + e.Type().String())
		var known bool
		if id, known = c.named[key.String()]; !known {
			id = len(c.named)
			c.named[key.String()] = id
		}
	}
	c.ids[e] = id
	return id
}

func (c *compiler) compileNew(e expr.Expr) (*node, error) {
	switch e := e.(type) {
	case *expr.Call:
		f := c.env.Functions.Lookup(e.Name)
		if f == nil {
			return nil, fmt.Errorf("%w %s", expr.ErrUnknown, e.Name)
		}
		if f.special != nil {
			n, err := f.special(c, e)
			if err != nil {
				return nil, err
			}
			return c.fold(n, e.Args), nil
		}
		return c.compileCall(f, e)
	case *expr.Cast:
		arg, err := c.compile(e.Arg)
		if err != nil {
			return nil, err
		}
		return c.cast(arg, e.Typ, e.Try, e.Offset)
	case *expr.Case:
		return c.compileCase(e)
	case *expr.Field:
		return c.compileField(e)
	}
	return nil, fmt.Errorf("expression %T cannot be evaluated", e)
}

func (c *compiler) compileAll(es []expr.Expr) ([]*node, error) {
	out := make([]*node, len(es))
	for i, e := range es {
		n, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

func (c *compiler) compileCall(f *Function, e *expr.Call) (*node, error) {
	args, err := c.compileAll(e.Args)
	if err != nil {
		return nil, err
	}
	s := &Site{Name: f.Name, Pos: e.Offset, Env: c.env, Result: e.Typ}
	return c.bind(s, f.Nulls, e.Volatile, f.Bind, args)
}

// bind makes the node of a call from its kernel and folds it when it is constant.
func (c *compiler) bind(s *Site, nulls NullRule, volatile bool, bind func(*Site) (Kernel, error), args []*node) (*node, error) {
	konst, total := !volatile, nulls == Total
	for _, a := range args {
		s.Args = append(s.Args, a.typ)
		s.Consts = append(s.Consts, a.value)
		konst = konst && a.konst
		total = total && (a.total || a.konst)
	}
	for _, a := range args {
		if a.fails != nil {
			return failing(s.Result, a.fails), nil
		}
	}
	k, err := bind(s)
	if err != nil {
		return nil, err
	}
	call := newCall(s, nulls, k, args)
	n := &node{typ: s.Result, total: total, run: call.run}
	if konst {
		call.frame.constant = true
		return foldNode(n), nil
	}
	return n, nil
}

// fold evaluates a special node whose arguments are all constants.
func (c *compiler) fold(n *node, args []expr.Expr) *node {
	if n.konst || n.fails != nil || len(args) == 0 {
		return n
	}
	for _, a := range args {
		if an, err := c.compile(a); err != nil || !an.konst {
			return n // an argument only this function can compile is folded by it
		}
	}
	return foldNode(n)
}

// foldNode evaluates a node without columns on a batch of one row.
func foldNode(n *node) *node {
	var p pass
	v, err := n.run(&p, p.start(&vec.Batch{N: 1}))
	if err != nil {
		return failing(n.typ, err)
	}
	return &node{typ: n.typ, konst: true, value: v}
}

// failing is a constant that cannot be computed. In a branch that no row takes it does no
// harm; anywhere else Compile reports it.
func failing(t types.Type, err error) *node {
	return &node{typ: t, fails: err, run: func(_ *pass, r *rows) (*vec.Vec, error) {
		if r.len() > 0 {
			return nil, err
		}
		v := vec.New(t)
		prepare(&v, r.n)
		return &v, nil
	}}
}

func columnNode(e *expr.Column) *node {
	return &node{typ: e.Typ, total: true, run: func(p *pass, _ *rows) (*vec.Vec, error) {
		return &p.batch.Cols[e.Index], nil
	}}
}

func literalNode(e *expr.Literal) (*node, error) {
	v := vec.New(e.Typ)
	if err := appendLiteral(&v, e); err != nil {
		return nil, err
	}
	return &node{typ: e.Typ, konst: true, value: &v}, nil
}

func appendLiteral(v *vec.Vec, e *expr.Literal) error {
	switch x := e.Value.(type) {
	case nil:
		v.AppendNull()
	case bool:
		v.AppendBool(x)
	case string:
		v.AppendString(x)
	case []byte:
		v.AppendBytes(x)
	case *big.Int:
		d, ok := decimal.FromBig(x)
		if !ok {
			return fmt.Errorf("the literal %s has more than 38 digits", x)
		}
		vec.Append(v, d)
	case float64:
		if e.Typ.Kind == types.Float {
			vec.Append(v, float32(x))
		} else {
			vec.Append(v, x)
		}
	case int64:
		switch e.Typ.Physical() {
		case types.PhysI8:
			vec.Append(v, int8(x))
		case types.PhysI16:
			vec.Append(v, int16(x))
		case types.PhysI32:
			vec.Append(v, int32(x))
		default:
			vec.Append(v, x)
		}
	default:
		return fmt.Errorf("a literal of type %s cannot hold a %T", e.Typ, e.Value)
	}
	return nil
}

// literalValue reads row i of v in the form of expr.Literal.
func literalValue(v *vec.Vec, i int) (any, error) {
	if v.IsNull(i) {
		return nil, nil
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		return v.Bool(i), nil
	case types.PhysI8:
		return int64(vec.Values[int8](v)[i]), nil
	case types.PhysI16:
		return int64(vec.Values[int16](v)[i]), nil
	case types.PhysI32:
		return int64(vec.Values[int32](v)[i]), nil
	case types.PhysI64:
		return vec.Values[int64](v)[i], nil
	case types.PhysF32:
		return float64(vec.Values[float32](v)[i]), nil
	case types.PhysF64:
		return vec.Values[float64](v)[i], nil
	case types.PhysD128:
		return decimal.Big(vec.Values[vec.Dec128](v)[i]), nil
	case types.PhysBytes:
		if v.Type.IsString() {
			return string(v.Bytes(i)), nil
		}
		return append([]byte(nil), v.Bytes(i)...), nil
	}
	return nil, fmt.Errorf("a value of type %s has no literal form", v.Type)
}
