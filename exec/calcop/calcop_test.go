package calcop_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/calcop"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestScripts(t *testing.T) { optest.Run(t, "testdata/scripts", fromScript) }

// fromScript reads lines "in ..", "filter COLUMN" and "column NAME" or "column NAME+1".
func fromScript(_ testing.TB, d *datadriven.TestData) (optest.Case, error) {
	c := optest.Case{Stateless: true}
	var in types.Schema
	var filter string
	var columns []string
	for line := range strings.Lines(d.Input) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "in":
			var err error
			if in, err = optest.ParseSchema(rest); err != nil {
				return c, err
			}
			c.Out = in
		case "filter":
			filter = rest
		case "column":
			if columns == nil {
				c.Out = nil
			}
			columns = append(columns, rest)
			name, _, _ := strings.Cut(rest, "+")
			c.Out = append(c.Out, in[in.Index(name)])
		default:
			return c, fmt.Errorf("unknown line %q", line)
		}
	}
	c.In = []types.Schema{in}
	c.New = func() (exec.Operator, error) {
		var p calcop.Predicate
		if filter != "" {
			p = &isTrue{optest.ColumnIsTrue{Col: in.Index(filter)}}
		}
		var e calcop.Exprs
		if columns != nil {
			e = &project{in: in, columns: columns}
		}
		return calcop.New(p, e), nil
	}
	return c, nil
}

// isTrue filters by a BOOLEAN column.
type isTrue struct{ optest.ColumnIsTrue }

func (p *isTrue) Select(b *vec.Batch, scratch []int32) ([]int32, error) {
	rows, err := p.ColumnIsTrue.Select(b, b.Rows(new([]int32)))
	return append(scratch[:0], rows...), err
}

// project passes columns through or adds 1 to an INT; 13 is an error.
type project struct {
	in      types.Schema
	columns []string
	sums    vec.Vec
	out     []*vec.Vec
}

var errUnlucky = errors.New("13 cannot be incremented")

func (p *project) Eval(b *vec.Batch) ([]*vec.Vec, error) {
	p.out = p.out[:0]
	for _, c := range p.columns {
		name, plus, _ := strings.Cut(c, "+")
		v := &b.Cols[p.in.Index(name)]
		if plus == "" {
			p.out = append(p.out, v)
			continue
		}
		p.sums = vec.New(v.Type)
		p.sums.Resize(b.N)
		for i := range b.Len() {
			r := b.Row(i)
			x := vec.Values[int32](v)[r]
			if x == 13 {
				return nil, errUnlucky
			}
			vec.Values[int32](&p.sums)[r] = x + 1
		}
		p.out = append(p.out, &p.sums)
	}
	return p.out, nil
}
