package oracle

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// errRange marks values that the engine's representation cannot hold: TIMESTAMP(9) before
// 1677 or after 2262.
var errRange = errors.New("out of the engine's range")

// Runner evaluates cases.
type Runner struct {
	Functions expr.Functions
	types     map[string]types.Type
}

const prefix = "SELECT "

// parse returns the expression of "SELECT expr" and its source.
func parse(text string) (ast.Expr, ast.Source, error) {
	src := ast.Source{Text: prefix + text}
	stmts, err := sql.Parse("", src.Text)
	if err != nil {
		return nil, src, err
	}
	if len(stmts) != 1 {
		return nil, src, fmt.Errorf("%d statements", len(stmts))
	}
	q, ok := stmts[0].(*ast.QueryStatement)
	if !ok {
		return nil, src, fmt.Errorf("a %T", stmts[0])
	}
	sel, ok := q.Query.Body.(*ast.Select)
	if !ok || len(sel.Items) != 1 {
		return nil, src, fmt.Errorf("not one select item")
	}
	return sel.Items[0].Expr, src, nil
}

// typeOf reads the text of a type.
func (r *Runner) typeOf(text string) (types.Type, error) {
	if t, ok := r.types[text]; ok {
		return t, nil
	}
	e, _, err := parse("CAST(NULL AS " + text + ")")
	if err != nil {
		return types.Type{}, err
	}
	c, ok := e.(*ast.Cast)
	if !ok {
		return types.Type{}, fmt.Errorf("%s is no type", text)
	}
	if r.types == nil {
		r.types = map[string]types.Type{}
	}
	r.types[text] = c.Type.Type
	return c.Type.Type, nil
}

// Result is what the engine makes of a case.
type Result struct {
	Type  types.Type // of the bound expression, Invalid when it was refused
	Value any        // in golden form
	Err   error
	Plan  bool // Err came before the first row
}

// Run parses, binds, compiles and evaluates a case.
func (r *Runner) Run(c Case) (res Result) {
	plan := func(err error) Result { res.Err, res.Plan = err, true; return res }
	env := eval.Env{}
	if name := c.Set["table.local-time-zone"]; name != "" {
		zone, err := Zone(name)
		if err != nil {
			return plan(err)
		}
		env.Zone = zone
	}
	var schema types.Schema
	b := &vec.Batch{N: 1}
	for _, col := range c.Cols {
		t, err := r.typeOf(col.Type)
		if err != nil {
			return plan(fmt.Errorf("column %s: %w", col.Name, err))
		}
		v := vec.New(t)
		if err := Append(&v, col.Value); err != nil {
			return plan(fmt.Errorf("column %s: %w", col.Name, err))
		}
		schema = append(schema, types.Field{Name: col.Name, Type: t})
		b.Cols = append(b.Cols, v)
	}
	tree, src, err := parse(c.Expr)
	if err != nil {
		return plan(err)
	}
	bound, err := bind.Expression(bind.Env{Catalog: catalog.New(), Functions: r.Functions, Source: src}, tree, schema, "")
	if err != nil {
		return plan(err)
	}
	res.Type = bound.Type()
	p, err := eval.Compile([]expr.Expr{bound}, env)
	if err != nil {
		return plan(err)
	}
	out, err := p.Eval(b)
	if err != nil {
		res.Err = err
		return res
	}
	v := *out[0]
	v.Type = bound.Type()
	res.Value = Value(&v, 0)
	return res
}

// Zone reads a session time zone as Flink does: a region, or GMT with an offset.
func Zone(name string) (*time.Location, error) {
	if strings.HasPrefix(name, "GMT") && len(name) > 3 {
		t, err := time.Parse("-07:00", name[3:])
		if err != nil {
			return nil, err
		}
		_, off := t.Zone()
		return time.FixedZone(name, off), nil
	}
	return time.LoadLocation(name)
}

// inexact names the functions whose results may differ by one unit in the last place.
var inexact = regexp.MustCompile(`\b(SIN|COS|TAN|COT|SINH|COSH|TANH|ASIN|ACOS|ATAN|ATAN2|EXP|LN|LOG|LOG2|LOG10|POWER|DEGREES|RADIANS)\(`)

// Check returns why a result is not Flink's, "" when it is.
func Check(c Case, r Result) string {
	switch {
	case c.Error == nil && r.Err != nil:
		return "error: " + r.Err.Error()
	case c.Error == nil:
		return checkValue(c, r)
	case strings.Contains(c.Error.Message, "a null value is being written into it"):
		if r.Err == nil && r.Value != nil {
			return fmt.Sprintf("value %v, Flink has NULL against its type", r.Value)
		}
		return ""
	case r.Err == nil:
		return fmt.Sprintf("value %v (%s), Flink fails (%s): %s", r.Value, r.Type, c.Error.Phase, c.Error.Message)
	case len(c.Cols) > 0 && (c.Error.Phase == "plan") != r.Plan:
		return fmt.Sprintf("fails in another phase than Flink (%s): %v", c.Error.Phase, r.Err)
	}
	return ""
}

func checkValue(c Case, r Result) string {
	if want := strings.TrimSuffix(c.Type, " *ROWTIME*"); r.Type.String() != want {
		return fmt.Sprintf("type %s, want %s", r.Type, want)
	}
	ulps := int64(0)
	if inexact.MatchString(c.Expr) {
		ulps = 1
	}
	if !Equal(r.Type, r.Value, c.Value, ulps) {
		return fmt.Sprintf("value %v, want %s", r.Value, c.Value)
	}
	return ""
}

// inexactNow names functions that give something else at each call.
var inexactNow = regexp.MustCompile(`\b(RAND|RAND_INTEGER|UUID)\(|\b(CURRENT_|LOCALTIME|NOW\(|PROCTIME\()`)
