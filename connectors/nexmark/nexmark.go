// Package nexmark owns the connector 'nexmark', a source of the events of the Nexmark
// benchmark, and the generator behind it, which also writes them as JSON. Events depend on
// the seed and their number alone. connectors/all, the command 'sqlstream nexmark' and tests
// import it.
package nexmark

import (
	"context"
	"math"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/counted"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	optEvents    = "events"
	optRate      = "rows-per-second"
	optSeed      = "seed"
	optEventRate = "events-per-second"
	optSplits    = "splits"

	maxSplits     = 128
	defaultSplits = 4
)

// New returns the connector.
func New() connectors.Connector { return connector{} }

type connector struct{}

func (connector) Name() string { return "nexmark" }

func (connector) Doc() string {
	return "Source of the Nexmark benchmark's events: event_type INT, person ROW, auction ROW, bid ROW, `dateTime` TIMESTAMP(3); declare what you need."
}

func (connector) Options(connectors.Table) []connectors.OptionDef {
	return []connectors.OptionDef{
		{Key: optEvents, Type: "Long", Doc: "How many events there are; without it the source has no end."},
		{Key: optRate, Type: "Long", Default: "0", Doc: "Events per second over all splits; 0 for as fast as possible."},
		{Key: optEventRate, Type: "Double", Default: "10000", Doc: "Events per second of event time, which begins at 2024-03-09 23:58:30."},
		{Key: optSeed, Type: "Long", Default: "0", Doc: "Other seeds give other events."},
		{Key: optSplits, Type: "Int", Default: "4", Doc: "How many subtasks can share the events; 1 keeps them in order."},
		{Key: "scan.parallelism", Type: "Int", Doc: "Parallelism of the source."},
	}
}

func (c connector) SourceInfo(t connectors.Table) (connectors.SourceInfo, error) {
	if err := connectors.CheckOptions(t, c.Options(t)); err != nil {
		return connectors.SourceInfo{}, err
	}
	s, err := c.source(t, nil)
	if err != nil {
		return connectors.SourceInfo{}, err
	}
	for i := range t.Physical {
		if _, err := newColumn(t, i); err != nil {
			return connectors.SourceInfo{}, err
		}
	}
	return connectors.SourceInfo{Bounded: s.Bounded(), Identity: "nexmark", FieldsByName: true}, nil
}

func (connector) SinkInfo(t connectors.Table) (connectors.SinkInfo, error) {
	return connectors.SinkInfo{}, exec.Userf("table %s: 'nexmark' is a source and cannot be written", t.Name)
}

func (c connector) Sink(_ context.Context, t connectors.Table, _ connectors.Env) (exec.Sink, error) {
	_, err := c.SinkInfo(t)
	return nil, err
}

func (c connector) Source(_ context.Context, t connectors.Table, projection []int, _ connectors.Env) (exec.Source, error) {
	return c.source(t, projection)
}

// source reads the options; what is wrong with them names the table.
func (c connector) source(t connectors.Table, projection []int) (*counted.Source, error) {
	s, err := c.read(t, projection)
	if err != nil {
		return nil, exec.Userf("table %s: %w", t.Name, err)
	}
	return s, nil
}

func (connector) read(t connectors.Table, projection []int) (*counted.Source, error) {
	o := t.Options
	events, err := o.Int(optEvents, -1, 0, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	rate, err := o.Int(optRate, 0, 0, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	splits, err := o.Int(optSplits, defaultSplits, 1, maxSplits)
	if err != nil {
		return nil, err
	}
	var cfg Config
	if cfg.Seed, err = o.Int(optSeed, 0, math.MinInt64, math.MaxInt64); err != nil {
		return nil, err
	}
	if cfg.Rate, err = o.Float(optEventRate, defaultRate); err != nil {
		return nil, err
	}
	if !(cfg.Rate > 0 && cfg.Rate <= 1e9) {
		return nil, exec.Userf("option '%s' = %v: expected more than 0 and at most 1000000000", optEventRate, cfg.Rate)
	}
	return &counted.Source{Rows: events, Splits: int(splits), Rate: float64(rate), Make: func(exec.ConnEnv) (counted.Filler, error) {
		f := &filler{gen: NewGenerator(cfg)}
		for _, p := range projection {
			c, err := newColumn(t, p)
			if err != nil {
				return nil, err
			}
			f.columns = append(f.columns, c)
		}
		return f, nil
	}}, nil
}

// newColumn finds out what column i of the table holds.
func newColumn(t connectors.Table, i int) (column, error) {
	f := t.Physical[i]
	bad := func(want string) error {
		return exec.Userf("table %s, column %s: found %s, 'nexmark' has %s", t.Name, f.Name, f.Type, want)
	}
	switch f.Name {
	case "event_type":
		if f.Type.Kind != types.Int {
			return column{}, bad("INT")
		}
		return column{what: eventType}, nil
	case "dateTime":
		if !f.Type.IsTimestamp() {
			return column{}, bad("TIMESTAMP(3)")
		}
		return column{what: eventTime, scale: f.Type.UnitsPerSecond() / 1000}, nil
	}
	for k := range kinds {
		if kinds[k].name != f.Name {
			continue
		}
		if f.Type.Kind != types.Row || f.Type.NotNull {
			return column{}, bad("a ROW that may be NULL")
		}
		c := column{what: rowOfKind, kind: Kind(k)}
		for _, sub := range f.Type.Fields {
			part, ok := newPart(Kind(k), sub)
			if !ok {
				return column{}, bad(describe(Kind(k)))
			}
			c.parts = append(c.parts, part)
		}
		return c, nil
	}
	return column{}, exec.Userf("table %s, column %s: 'nexmark' has event_type INT, person ROW, auction ROW, bid ROW and `dateTime` TIMESTAMP(3)", t.Name, f.Name)
}

func newPart(k Kind, sub types.Field) (part, bool) {
	for i := range kinds[k].fields {
		f := &kinds[k].fields[i]
		if f.name == sub.Name {
			return part{field: f, scale: sub.Type.UnitsPerSecond() / 1000}, f.fits(sub.Type)
		}
	}
	return part{}, false
}

func describe(k Kind) string {
	text := "ROW<"
	for i, f := range kinds[k].fields {
		if i > 0 {
			text += ", "
		}
		text += types.QuoteIdent(f.name) + " " + f.typeName()
	}
	return text + ">"
}
