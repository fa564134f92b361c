package oracle

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// TestBatchesGiveWhatSingleRowsGive evaluates each golden case over a batch in which its row
// alternates with a row of NULLs, dense and under a selection, twice with the same program:
// every row must have the value that the row has alone.
func TestBatchesGiveWhatSingleRowsGive(t *testing.T) {
	cases, err := Load(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Functions: engine.Functions{}}
	tested := 0
	for _, c := range cases {
		if len(c.Cols) == 0 || c.Error != nil {
			continue
		}
		res := run(r, c)
		if res.Err != nil || volatile(c.Expr) {
			continue
		}
		if why := batchDiffers(r, c, res.Value); why != "" {
			t.Errorf("%s %s %s: %s", c.ID, c.Expr, columns(c), why)
		}
		tested++
	}
	if tested < 8000 {
		t.Errorf("only %d cases were tested", tested)
	}
}

func volatile(text string) bool { return inexactNow.MatchString(text) }

func batchDiffers(r *Runner, c Case, want any) (why string) {
	defer func() {
		if p := recover(); p != nil {
			why = fmt.Sprintf("PANIC: %v", p)
		}
	}()
	const n = 67
	env := eval.Env{}
	if zone, err := Zone(c.Set["table.local-time-zone"]); err == nil && c.Set["table.local-time-zone"] != "" {
		env.Zone = zone
	}
	var schema types.Schema
	b := &vec.Batch{N: n}
	for _, col := range c.Cols {
		typ, err := r.typeOf(col.Type)
		if err != nil {
			return err.Error()
		}
		v := vec.New(typ)
		for i := range n {
			if i%2 == 1 {
				v.AppendNull()
			} else if err := Append(&v, col.Value); err != nil {
				return err.Error()
			}
		}
		schema = append(schema, types.Field{Name: col.Name, Type: typ})
		b.Cols = append(b.Cols, v)
	}
	tree, src, err := parse(c.Expr)
	if err != nil {
		return err.Error()
	}
	bound, err := bind.Expression(bind.Env{Catalog: catalog.New(), Functions: r.Functions, Source: src}, tree, schema, "")
	if err != nil {
		return err.Error()
	}
	p, err := eval.Compile([]expr.Expr{bound, bound}, env)
	if err != nil {
		return err.Error()
	}
	if bound.Type().Kind == types.Boolean {
		if why := predicateDiffers(bound, env, b, want); why != "" {
			return why
		}
	}
	for _, sel := range [][]int32{nil, {0, 2, 64, 66}, {}, {4}, nil} {
		b.Sel = sel
		out, err := p.Eval(b)
		if err != nil {
			return err.Error()
		}
		for i := range b.Len() {
			row := b.Row(i)
			if row%2 == 1 {
				continue
			}
			for o := range out {
				if got := Value(out[o], row); !reflect.DeepEqual(got, want) {
					return fmt.Sprintf("row %d of a batch with selection %v is %v, alone it is %v", row, sel, got, want)
				}
			}
		}
	}
	return ""
}

// predicateDiffers runs a BOOLEAN expression as a filter, alone and joined with itself.
func predicateDiffers(e expr.Expr, env eval.Env, b *vec.Batch, want any) string {
	both := &expr.Call{Name: "AND", Args: []expr.Expr{e, e}, Typ: e.Type(), Offset: -1}
	for _, e := range []expr.Expr{e, both} {
		p, err := eval.CompilePredicate(e, env)
		if err != nil {
			return err.Error()
		}
		var out []int32
		for _, sel := range [][]int32{nil, {0, 2, 64, 66}, {}, {4}, nil} {
			b.Sel = sel
			if out, err = p.Select(b, out); err != nil {
				return err.Error()
			}
			passed := 0
			for _, i := range out {
				if i%2 == 0 {
					passed++
				}
			}
			rows := 0
			for i := range b.Len() {
				if b.Row(i)%2 == 0 {
					rows++
				}
			}
			if want == true && passed != rows || want != true && passed != 0 {
				return fmt.Sprintf("as a filter with selection %v it passes %d of %d rows, its value is %v", sel, passed, rows, want)
			}
		}
		b.Sel = nil
	}
	return ""
}
