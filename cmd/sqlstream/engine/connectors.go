package engine

import (
	"fmt"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/planner"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// planConnectors shows connectors to the planner, which knows them by their answers only.
type planConnectors struct{ lookup Lookup }

// Options implements planner.Connectors.
func (p planConnectors) Options(t plan.Table) ([]planner.OptionDef, error) {
	c, err := p.lookup(t.Connector)
	if err != nil {
		return nil, err
	}
	defs := []planner.OptionDef{}
	for _, d := range c.Options(tableOf(t)) {
		defs = append(defs, planner.OptionDef{Key: d.Key, Type: d.Type, Enum: d.Enum, Required: d.Required})
	}
	return defs, nil
}

// Source implements planner.Connectors.
func (p planConnectors) Source(t plan.Table) (planner.SourceInfo, error) {
	c, err := p.lookup(t.Connector)
	if err != nil {
		return planner.SourceInfo{}, err
	}
	info, err := c.SourceInfo(tableOf(t))
	if err != nil {
		return planner.SourceInfo{}, err
	}
	mode, err := modeOf(info.Changes)
	return planner.SourceInfo{Changes: mode, Bounded: info.Bounded, Identity: info.Identity, Metadata: info.Metadata, FieldsByName: info.FieldsByName, Reads: info.Reads}, err
}

// Sink implements planner.Connectors.
func (p planConnectors) Sink(t plan.Table) (planner.SinkInfo, error) {
	c, err := p.lookup(t.Connector)
	if err != nil {
		return planner.SinkInfo{}, err
	}
	info, err := c.SinkInfo(tableOf(t))
	if err != nil {
		return planner.SinkInfo{}, err
	}
	mode, err := modeOf(info.Accepts)
	return planner.SinkInfo{Accepts: mode, Identity: info.Identity, Transactional: info.Transactional, Writes: info.Writes, Metadata: info.Metadata}, err
}

func modeOf(c connectors.Changes) (plan.Mode, error) {
	switch c {
	case connectors.AppendOnly:
		return plan.AppendOnly, nil
	case connectors.Upsert:
		return plan.UpsertMode, nil
	case connectors.All:
		return plan.AllChanges, nil
	}
	return 0, fmt.Errorf("internal error: changelog mode %d", c)
}

// tableOf is a plan's table as connectors see it.
func tableOf(t plan.Table) connectors.Table {
	out := connectors.Table{Name: t.Path, Physical: t.Physical, PrimaryKey: t.Key, Options: t.Options}
	for _, m := range t.Metadata {
		out.Metadata = append(out.Metadata, connectors.MetaColumn{Name: m.Name, Key: m.Key, Type: m.Type, Virtual: m.Virtual})
	}
	return out
}
