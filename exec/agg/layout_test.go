package agg_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// TestLayouts pins how records look: they are in every checkpoint. A change here needs a
// migration of state.
func TestLayouts(t *testing.T) {
	if _, err := os.Stat("testdata/layouts"); err != nil {
		t.Fatal(err)
	}
	datadriven.RunTest(t, "testdata/layouts", func(t *testing.T, d *datadriven.TestData) string {
		in, err := optest.ParseSchema("i INT, b BIGINT, d DOUBLE, p DECIMAL(10:2), s STRING, ok BOOLEAN")
		if err != nil {
			t.Fatal(err)
		}
		var aggs []expr.Aggregate
		opt := agg.Options{Retract: d.HasArg("retract"), Window: d.HasArg("window")}
		for text := range strings.Lines(d.Input) {
			a, filter, err := optest.ParseAggregate(in, strings.TrimSpace(text), true)
			if err != nil {
				return err.Error() + "\n"
			}
			aggs, opt.Filters = append(aggs, a), append(opt.Filters, filter)
		}
		p, err := agg.Compile(aggs, opt)
		if err != nil {
			return err.Error() + "\n"
		}
		return layoutText(p)
	})
}

func layoutText(p *agg.Program) string {
	var b strings.Builder
	l := p.Layout()
	fmt.Fprintf(&b, "%d bytes, row count %v\n", l.Stride, l.Rows)
	for i, s := range l.Slots {
		fmt.Fprintf(&b, "slot %d at %d, %d bytes:", i, s.Off, s.Size)
		for _, f := range s.Fields {
			fmt.Fprintf(&b, " %s %s at %d", f.Name, f.Type, f.Off)
			if f.Key {
				b.WriteString(" (key form)")
			} else if f.Variable {
				b.WriteString(" (variable)")
			}
		}
		b.WriteByte('\n')
	}
	for i, t := range l.Tables {
		fmt.Fprintf(&b, "table %d %q: prefix %d, %d counters, %d bits, aggregates %v use %v, entries counted at %d\n",
			i+1, t.Name, t.Prefix, t.Counts, t.Bits, t.Aggs, t.Used, l.Entries[i])
	}
	return b.String()
}
