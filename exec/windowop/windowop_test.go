package windowop_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/windowop"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestScripts(t *testing.T) { optest.Run(t, "testdata/scripts", fromScript) }

func TestAssignScripts(t *testing.T) { optest.Run(t, "testdata/assign", assignFromScript) }

// fromScript reads
//
//	windowop size=10s [slide=5s] [offset=-3s] [processing] [zone=Europe/Berlin] [retract]
//	in a BIGINT, ts TIMESTAMP
//	time ts
//	attached ws we
//	key a
//	agg COUNT(*)
//	prop start
//
// The output's columns follow the lines' order: keys, aggregates, props.
func fromScript(t testing.TB, d *datadriven.TestData) (optest.Case, error) {
	c := optest.Case{Unordered: true}
	cfg, err := parse(t, d)
	if err != nil {
		return c, err
	}
	c.In, c.Out = []types.Schema{cfg.In}, cfg.Out
	if len(cfg.Props) > 0 {
		c.Within = len(cfg.Keys) + len(cfg.Aggs) + 1
	}
	c.New = func() (exec.Operator, error) {
		op, err := windowop.New(cfg)
		if err != nil {
			return nil, err
		}
		return op, nil
	}
	_, err = c.New()
	return c, err
}

func window(t testing.TB, d *datadriven.TestData) (windowop.Window, error) {
	w := windowop.Window{Processing: d.HasArg("processing")}
	for name, dst := range map[string]*time.Duration{"size": &w.Size, "slide": &w.Slide, "offset": &w.Offset} {
		if d.HasArg(name) {
			var text string
			d.ScanArgs(t, name, &text)
			var err error
			if *dst, err = time.ParseDuration(text); err != nil {
				return w, err
			}
		}
	}
	if d.HasArg("zone") {
		var name string
		d.ScanArgs(t, "zone", &name)
		var err error
		if w.Zone, err = time.LoadLocation(name); err != nil {
			return w, err
		}
	}
	return w, nil
}

func parse(t testing.TB, d *datadriven.TestData) (windowop.Config, error) {
	w, err := window(t, d)
	cfg := windowop.Config{Window: w, Retract: d.HasArg("retract")}
	if err != nil {
		return cfg, err
	}
	var props types.Schema
	for line := range strings.Lines(d.Input) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "in":
			if cfg.In, err = optest.ParseSchema(rest); err != nil {
				return cfg, err
			}
		case "time":
			cfg.Window.Time = cfg.In.Index(rest)
		case "attached":
			start, end, _ := strings.Cut(rest, " ")
			cfg.Window.Attached, cfg.Window.Start, cfg.Window.End = true, cfg.In.Index(start), cfg.In.Index(end)
		case "key":
			cfg.Keys = append(cfg.Keys, cfg.In.Index(rest))
			cfg.Out = append(cfg.Out, cfg.In[cfg.In.Index(rest)])
		case "agg":
			a, filter, err := optest.ParseAggregate(cfg.In, rest, true)
			if err != nil {
				return cfg, err
			}
			cfg.Aggs, cfg.Filters = append(cfg.Aggs, a), append(cfg.Filters, filter)
			cfg.Out = append(cfg.Out, types.Field{Name: rest, Type: a.Typ})
		case "prop":
			p, f := prop(rest, cfg)
			cfg.Props, props = append(cfg.Props, p), append(props, f)
		default:
			return cfg, fmt.Errorf("unknown line %q", line)
		}
	}
	cfg.Out = append(cfg.Out, props...)
	return cfg, nil
}

func prop(name string, cfg windowop.Config) (windowop.Prop, types.Field) {
	f := types.Field{Name: name, Type: types.TimestampT(3).NotNullable()}
	switch name {
	case "start":
		return windowop.Start, f
	case "end":
		return windowop.End, f
	}
	if cfg.Window.Processing || cfg.In[cfg.Window.Time].Type.Kind == types.TimestampLTZ {
		f.Type = types.TimestampLTZT(3).NotNullable()
	}
	return windowop.Time, f
}

// assignFromScript reads "assign size=..", then a line "in" and a line "time".
func assignFromScript(t testing.TB, d *datadriven.TestData) (optest.Case, error) {
	c := optest.Case{Stateless: true}
	cfg, err := parse(t, d)
	if err != nil {
		return c, err
	}
	out := append(types.Schema{}, cfg.In...)
	for _, name := range []string{"start", "end", "time"} {
		_, f := prop(name, cfg)
		out = append(out, f)
	}
	c.In, c.Out = []types.Schema{cfg.In}, out
	c.New = func() (exec.Operator, error) {
		return windowop.NewAssign(windowop.AssignConfig{Window: cfg.Window, In: cfg.In, Out: out})
	}
	return c, nil
}
