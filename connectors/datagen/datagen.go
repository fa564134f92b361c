// Package datagen owns the connector 'datagen': a source of random and sequential values with
// the options of Flink's datagen connector. Rows are a function of the seed and their number,
// so a restored job goes on with the very rows that would have come. (Times are the exception:
// they are relative to the moment of generation, as in Flink.) Only connectors/all and tests
// import it.
package datagen

import (
	"context"
	"math"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/counted"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	optRate   = "rows-per-second"
	optRows   = "number-of-rows"
	optSeed   = "seed"
	optSplits = "splits"

	maxSplits = 128
)

// New returns the connector.
func New() connectors.Connector { return connector{} }

type connector struct{}

func (connector) Name() string { return "datagen" }

func (connector) Doc() string { return "Source of random or sequential values, for trying things out." }

func (connector) Options(t connectors.Table) []connectors.OptionDef {
	defs := []connectors.OptionDef{
		{Key: optRate, Type: "Long", Default: "10000", Doc: "Rows per second over all splits; 0 for as fast as possible (sqlstream only)."},
		{Key: optRows, Type: "Long", Doc: "How many rows there are; without it the source has no end."},
		{Key: "scan.parallelism", Type: "Int", Doc: "Parallelism of the source."},
		{Key: optSeed, Type: "Long", Default: "0", Doc: "Other seeds give other random values (sqlstream only)."},
		{Key: optSplits, Type: "Int", Default: "1", Doc: "How many subtasks can share the rows; more than one gives up their order (sqlstream only)."},
	}
	for _, f := range t.Physical {
		defs = append(defs, fieldOptions("fields."+f.Name, f.Type)...)
	}
	return defs
}

func (c connector) SourceInfo(t connectors.Table) (connectors.SourceInfo, error) {
	if err := connectors.CheckOptions(t, c.Options(t)); err != nil {
		return connectors.SourceInfo{}, err
	}
	s, err := c.source(t, nil)
	if err != nil {
		return connectors.SourceInfo{}, err
	}
	return connectors.SourceInfo{Bounded: s.Bounded(), Identity: "datagen"}, nil
}

func (connector) SinkInfo(t connectors.Table) (connectors.SinkInfo, error) {
	return connectors.SinkInfo{}, exec.Userf("table %s: 'datagen' is a source and cannot be written", t.Name)
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
	rate, err := o.Int(optRate, 10000, 0, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	rows, err := o.Int(optRows, -1, 0, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	seed, err := o.Int(optSeed, 0, math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	splits, err := o.Int(optSplits, 1, 1, maxSplits)
	if err != nil {
		return nil, err
	}
	all := make([]generator, len(t.Physical))
	for i, f := range t.Physical {
		g, end, err := newGenerator(o, "fields."+f.Name, f.Type, uint64(seed)*0x9e3779b97f4a7c15+uint64(i)<<32)
		if err != nil {
			return nil, err
		}
		all[i] = g
		if end >= 0 && (rows < 0 || end < rows) {
			rows = end // the shortest sequence ends the table
		}
	}
	wanted := make([]generator, len(projection))
	for i, p := range projection {
		wanted[i] = all[p]
	}
	return &counted.Source{Rows: rows, Splits: int(splits), Rate: float64(rate), Make: func(env exec.ConnEnv) (counted.Filler, error) {
		clock := env.Clock
		if clock == nil {
			clock = exec.SystemClock{}
		}
		return &filler{columns: wanted, clock: clock}, nil
	}}, nil
}

// generator appends the value of row i; now is in milliseconds.
type generator func(v *vec.Vec, i, now int64)

type filler struct {
	columns []generator
	clock   exec.Clock
}

// Fill implements counted.Filler.
func (f *filler) Fill(b *vec.Batch, first, step int64, n int) error {
	now := f.clock.Now().UnixMilli()
	for c, g := range f.columns {
		for i := range int64(n) {
			g(&b.Cols[c], first+i*step, now)
		}
	}
	b.N = n
	return nil
}

// fieldOptions lists the options of one field and of those inside of it.
func fieldOptions(prefix string, t types.Type) []connectors.OptionDef {
	defs := []connectors.OptionDef{
		{Key: prefix + ".kind", Type: "Enum", Enum: kinds, Default: kindRandom, Doc: "Whether values are random or a sequence."},
		{Key: prefix + ".null-rate", Type: "Double", Default: "0", Doc: "Share of NULLs, 0 to 1."},
	}
	add := func(key, typ, def, doc string) {
		defs = append(defs, connectors.OptionDef{Key: prefix + key, Type: typ, Default: def, Doc: doc})
	}
	if t.IsNumeric() {
		add(".min", "Double", "", "Least random value.")
		add(".max", "Double", "", "Greatest random value.")
	}
	if t.IsNumeric() || t.IsString() {
		add(".start", "Long", "", "First value of the sequence.")
		add(".end", "Long", "", "Last value of the sequence.")
	}
	switch {
	case t.IsTimestamp():
		add(".max-past", "Duration", "0", "How far in the past random times reach.")
	case t.IsString(), t.IsBinary():
		add(".length", "Int", "100", "Length of random texts.")
		add(".var-len", "Boolean", "false", "Whether lengths vary from 1 to length.")
	case t.Kind == types.Array, t.Kind == types.Multiset:
		add(".length", "Int", "3", "Number of elements.")
		defs = append(defs, fieldOptions(prefix+".element", *t.Elem)...)
	case t.Kind == types.Map:
		add(".length", "Int", "3", "Number of entries.")
		defs = append(defs, fieldOptions(prefix+".key", *t.Key)...)
		defs = append(defs, fieldOptions(prefix+".value", *t.Elem)...)
	case t.Kind == types.Row:
		for _, f := range t.Fields {
			defs = append(defs, fieldOptions(prefix+"."+f.Name, f.Type)...)
		}
	}
	return defs
}
