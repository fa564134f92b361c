package connectors

import (
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// Registry is the connectors there are. Package all makes the usual one.
type Registry []Connector

// Names returns the connectors' names in order.
func (r Registry) Names() []string {
	names := make([]string, len(r))
	for i, c := range r {
		names[i] = c.Name()
	}
	slices.Sort(names)
	return names
}

// Lookup returns the connector called name.
func (r Registry) Lookup(name string) (Connector, error) {
	for _, c := range r {
		if c.Name() == name {
			return c, nil
		}
	}
	names := r.Names()
	if name == "" {
		return nil, exec.Userf("option 'connector' is missing, expected one of %s", strings.Join(names, ", "))
	}
	return nil, exec.Userf("'connector' = '%s': no such connector%s; there are %s", name, suggest.Hint(name, names), strings.Join(names, ", "))
}

// Of returns the connector of a table.
func (r Registry) Of(t Table) (Connector, error) {
	c, err := r.Lookup(t.Options["connector"])
	if err != nil {
		return nil, exec.Userf("table %s: %w", t.Name, err)
	}
	return c, nil
}
