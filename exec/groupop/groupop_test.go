package groupop_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/groupop"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestScripts(t *testing.T) { optest.Run(t, "testdata/scripts", fromScript) }

// fromScript reads
//
//	groupop [retract] [mini-batch] [bundle=4] [no-update-before] [ttl=1h]
//	in a BIGINT, b STRING
//	key a
//	agg COUNT(*)
func fromScript(t testing.TB, d *datadriven.TestData) (optest.Case, error) {
	cfg := groupop.Config{
		Retract: d.HasArg("retract"), MiniBatch: d.HasArg("mini-batch"), UpdateBefore: !d.HasArg("no-update-before"),
	}
	if d.HasArg("ttl") {
		var ttl string
		d.ScanArgs(t, "ttl", &ttl)
		var err error
		if cfg.TTL, err = time.ParseDuration(ttl); err != nil {
			return optest.Case{}, err
		}
	}
	if d.HasArg("bundle") {
		d.ScanArgs(t, "bundle", &cfg.Bundle)
		cfg.Latency = time.Second
	}
	c := optest.Case{Whole: cfg.MiniBatch && cfg.Bundle == 0, Straight: cfg.Bundle > 0}
	in, err := parse(&cfg, d.Input)
	if err != nil {
		return c, err
	}
	cfg.In = in
	c.In, c.Out = []types.Schema{in}, cfg.Out
	c.New = func() (exec.Operator, error) {
		op, err := groupop.New(cfg)
		if err != nil {
			return nil, err
		}
		return op, nil
	}
	_, err = c.New()
	return c, err
}

func parse(cfg *groupop.Config, text string) (types.Schema, error) {
	var in types.Schema
	var aggs []string
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "in":
			var err error
			if in, err = optest.ParseSchema(rest); err != nil {
				return nil, err
			}
		case "key":
			i := in.Index(rest)
			if i < 0 {
				return nil, fmt.Errorf("no column %q", rest)
			}
			cfg.Keys = append(cfg.Keys, i)
			cfg.Out = append(cfg.Out, in[i])
		case "agg":
			aggs = append(aggs, rest)
		default:
			return nil, fmt.Errorf("unknown line %q", line)
		}
	}
	for _, text := range aggs {
		a, filter, err := optest.ParseAggregate(in, text, len(cfg.Keys) > 0)
		if err != nil {
			return nil, err
		}
		cfg.Aggs, cfg.Filters = append(cfg.Aggs, a), append(cfg.Filters, filter)
		cfg.Out = append(cfg.Out, types.Field{Name: text, Type: a.Typ})
	}
	return in, nil
}
