package bind

import (
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// windowParams are the names of the arguments of the window functions, in order.
var windowParams = map[string][]string{
	"TUMBLE": {"DATA", "TIMECOL", "SIZE", "OFFSET"},
	"HOP":    {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"},
}

// tableFunc binds TABLE(f(..)): the window functions.
func (b *binder) tableFunc(c *ast.Call) (relation, error) {
	name := strings.ToUpper(c.Name.Last().Name)
	params, ok := windowParams[name]
	if !ok {
		return relation{}, b.notYet(c.Pos(), "the table function "+name)
	}
	args, err := b.windowArgs(name, params, c)
	if err != nil {
		return relation{}, err
	}
	in, err := b.tableArg(args["DATA"], name)
	if err != nil {
		return relation{}, err
	}
	w := rel.Window{Input: in.node, Kind: rel.Tumble, Offset: b.at(c.Pos())}
	if name == "HOP" {
		w.Kind = rel.Hop
	}
	if w.Time, err = b.descriptor(args["TIMECOL"], in.node.Schema(), name); err != nil {
		return relation{}, err
	}
	for _, d := range []struct {
		param string
		to    *time.Duration
		least time.Duration
	}{{"SIZE", &w.Size, time.Millisecond}, {"SLIDE", &w.Slide, time.Millisecond}, {"OFFSET", &w.Shift, -1 << 63}} {
		if arg := args[d.param]; arg != nil {
			if *d.to, err = b.windowDuration(arg, name, d.param, d.least); err != nil {
				return relation{}, err
			}
		}
	}
	if w.Kind == rel.Hop && w.Size%w.Slide != 0 {
		return relation{}, b.errorf(c.Pos(), "HOP needs a size that is a multiple of the slide, got size %s and slide %s", w.Size, w.Slide)
	}
	for _, f := range rel.WindowColumns(types.TimestampT(3)) {
		if in.node.Schema().Index(f.Name) >= 0 {
			return relation{}, b.errorf(args["DATA"].Pos(), "the table has a column %s already, which %s would add", f.Name, name).WithHint("give it another name in a subquery")
		}
	}
	return relation{node: rel.NewWindow(w), alias: in.alias}, nil
}

// windowArgs sorts positional and named arguments by parameter. All but OFFSET must be there.
func (b *binder) windowArgs(name string, params []string, c *ast.Call) (map[string]ast.Expr, error) {
	form := name + "(TABLE t, DESCRIPTOR(time), " + strings.ToLower(strings.Join(params[2:len(params)-1], ", ")) + " [, offset])"
	args := map[string]ast.Expr{}
	for i, a := range c.Args {
		if i >= len(params) {
			return nil, b.errorf(a.Pos(), "%s has too many arguments, expected %s", name, form)
		}
		key := params[i]
		if n, ok := a.(*ast.NamedArg); ok {
			key, a = strings.ToUpper(n.Name.Name), n.Value
			known := false
			for _, p := range params {
				known = known || p == key
			}
			if !known {
				return nil, b.errorf(n.Pos(), "%s has no argument %s, it has %s", name, n.Name, strings.Join(params, ", "))
			}
		}
		if args[key] != nil {
			return nil, b.errorf(a.Pos(), "argument %s of %s is given twice", key, name)
		}
		args[key] = a
	}
	for _, p := range params[:len(params)-1] {
		if args[p] == nil {
			return nil, b.errorf(c.Pos(), "%s lacks its argument %s, expected %s", name, p, form)
		}
	}
	return args, nil
}

// tableArg binds the first argument of a window function: TABLE name or a query in brackets.
func (b *binder) tableArg(e ast.Expr, fn string) (relation, error) {
	t, ok := e.(*ast.TableArg)
	switch {
	case !ok:
		return relation{}, b.errorf(e.Pos(), "the first argument of %s is the table, expected TABLE name", fn)
	case len(t.PartitionBy) > 0:
		return relation{}, b.errorf(t.PartitionBy[0].Pos(), "%s takes no PARTITION BY", fn)
	case len(t.OrderBy) > 0:
		return relation{}, b.errorf(t.OrderBy[0].Pos(), "%s takes no ORDER BY", fn)
	case t.Query != nil:
		n, err := b.query(t.Query)
		return relation{node: n}, err
	}
	return b.table(t.Table)
}

// descriptor resolves DESCRIPTOR(column), which must be a time attribute.
func (b *binder) descriptor(e ast.Expr, s types.Schema, fn string) (int, error) {
	d, ok := e.(*ast.Descriptor)
	if !ok {
		return 0, b.errorf(e.Pos(), "the time column of %s is given as DESCRIPTOR(column)", fn)
	}
	if len(d.Columns) != 1 {
		return 0, b.errorf(d.Pos(), "%s takes one time column, DESCRIPTOR has %d", fn, len(d.Columns))
	}
	i, err := b.find(d.Columns[0], &scope{columns: s, clause: "DESCRIPTOR"})
	if i < 0 {
		return 0, err
	}
	if t := s[i].Type; t.Attr == types.NotTime {
		e := b.errorf(d.Columns[0].Pos(), "%s needs a time attribute, %s is an ordinary %s", fn, d.Columns[0], t.Nullable())
		if t.IsTimestamp() {
			return 0, e.WithHint("declare WATERMARK FOR it in CREATE TABLE, and pass the column on unchanged: no CAST, no function")
		}
		return 0, e.WithHint("use a column with a WATERMARK, or PROCTIME()")
	}
	return i, nil
}

func (b *binder) windowDuration(e ast.Expr, fn, param string, least time.Duration) (time.Duration, error) {
	v, err := b.expr(e, &scope{clause: fn})
	if err != nil {
		return 0, err
	}
	l, ok := v.(*expr.Literal)
	if !ok || l.Typ.Kind != types.IntervalDayTime {
		return 0, b.errorf(e.Pos(), "the %s of %s is an interval of days to seconds, this is %s", strings.ToLower(param), fn, v.Type().Nullable()).
			WithHint("write it as INTERVAL '10' SECOND")
	}
	d := time.Duration(l.Value.(int64)) * time.Millisecond
	if d < least {
		return 0, b.errorf(e.Pos(), "the %s of %s must be longer than 0", strings.ToLower(param), fn)
	}
	return d, nil
}
