package optest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

var schema = types.Schema{{Name: "n", Type: types.BigIntT}, {Name: "s", Type: types.StringT}}

// recorder notes what a harness reports.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// keeper breaks the contract: it emits at a barrier the batch it was lent before.
type keeper struct {
	out  exec.Collector
	kept vec.Batch
}

func (k *keeper) Open(ctx *exec.Context) error                       { k.out = ctx.Out; return nil }
func (k *keeper) Process(_ int, b *vec.Batch) error                  { k.kept = *b; return nil }
func (k *keeper) Watermark(w exec.Watermark) (exec.Watermark, error) { return w + 1, nil }
func (k *keeper) Barrier(state.Epoch) error                          { return k.out.Emit(&k.kept) }
func (k *keeper) Finish() error                                      { return nil }
func (k *keeper) Close() error                                       { return nil }

func TestOperatorsThatKeepTheirInputAreCaught(t *testing.T) {
	for _, v := range variations {
		r := &recorder{TB: t}
		h := newHarness(r, Case{New: func() (exec.Operator, error) { return &keeper{}, nil }, In: []types.Schema{schema}, Out: schema}, v)
		if err := h.open(); err != nil {
			t.Fatal(err)
		}
		if err := h.chunk(0, "1 | a\n2 | b\n"); err != nil {
			t.Fatal(err)
		}
		if err := h.barrier(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.Join(h.shown, ";"), "2 | b") {
			t.Errorf("%s: what the operator kept was still there: %q", v, h.shown)
		}
		if err := h.watermark(5); err == nil {
			t.Errorf("%s: a watermark from nowhere was accepted", v)
		}
		h.close()
	}
}

func TestMalformedBatchesAreCaught(t *testing.T) {
	good := func() *vec.Batch {
		b, err := parseRows(schema, "+I | 1 | a\n-D | NULL | b\n3 | NULL\n")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := wellFormed(good(), schema); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(b *vec.Batch){
		"a column is missing":         func(b *vec.Batch) { b.Cols = b.Cols[:1] },
		"a column is short":           func(b *vec.Batch) { b.Cols[0].N = 2 },
		"kinds are short":             func(b *vec.Batch) { b.Kinds = b.Kinds[:1] },
		"the selection falls":         func(b *vec.Batch) { b.Sel = []int32{1, 0} },
		"the selection is too far":    func(b *vec.Batch) { b.Sel = []int32{3} },
		"nothing is selected":         func(b *vec.Batch) { b.Sel = []int32{} },
		"a type differs":              func(b *vec.Batch) { b.Cols[0].Type = types.DoubleT },
		"offsets fall":                func(b *vec.Batch) { b.Cols[1].Off[1] = 9 },
		"data is short":               func(b *vec.Batch) { b.Cols[0].Data = b.Cols[0].Data[:8] },
		"the validity bitmap is gone": func(b *vec.Batch) { b.Cols[0].Valid = b.Cols[0].Valid[:0] },
	} {
		b := good()
		if spoil(b); wellFormed(b, schema) == nil {
			t.Errorf("%s: not caught", name)
		}
	}
}

func TestCellsRoundTrip(t *testing.T) {
	for _, c := range []struct {
		t    types.Type
		text []string
	}{
		{types.BooleanT, []string{"TRUE", "FALSE", "NULL"}},
		{types.TinyIntT, []string{"-128"}}, {types.SmallIntT, []string{"32767"}}, {types.IntT, []string{"-5"}}, {types.BigIntT, []string{"9223372036854775807"}},
		{types.FloatT, []string{"0.1", "NaN", "-0"}}, {types.DoubleT, []string{"1e+300", "+Inf"}},
		{types.DecimalT(38, 3), []string{"-0.001", "99999999999999999999999999999999999.999", "12.300"}}, {types.DecimalT(5, 0), []string{"-7"}},
		{types.StringT, []string{"a b", "''", "' x'", "'NULL'", "NULL"}}, {types.BytesT, []string{"00ff", "''"}},
		{types.DateT, []string{"1969-12-31", "2024-02-29"}}, {types.TimestampT(0), []string{"1969-12-31 23:59:59"}},
		{types.TimestampT(6), []string{"1969-12-31 23:59:59.999999"}}, {types.TimestampLTZT(3), []string{"2024-05-01 10:00:00.120"}},
	} {
		for _, text := range c.text {
			v := vec.New(c.t)
			if err := ParseCell(&v, text); err != nil {
				t.Errorf("%s %q: %v", c.t, text, err)
			} else if got := FormatCell(&v, 0); got != text {
				t.Errorf("%s: %q came back as %q", c.t, text, got)
			}
		}
	}
}
