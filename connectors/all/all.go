// Package all is the explicit list of connectors and formats: what is not here does not
// exist for SQL. The command and tests import it.
package all

import (
	"io"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/blackhole"
	"github.com/sqlstream/sqlstream/connectors/datagen"
	"github.com/sqlstream/sqlstream/connectors/filesystem"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/csv"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/connectors/format/raw"
	"github.com/sqlstream/sqlstream/connectors/kafka"
	"github.com/sqlstream/sqlstream/connectors/print"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// Registry is every connector there is.
type Registry []connectors.Connector

// Formats returns every format.
func Formats() format.Set { return format.Set{json.New(), csv.New(), raw.New()} }

// Connectors returns every connector. What 'print' prints goes to stdout and stderr.
func Connectors(stdout, stderr io.Writer) Registry {
	f := Formats()
	return Registry{
		kafka.New(f.Lookup), kafka.NewUpsert(f.Lookup), filesystem.New(f),
		datagen.New(), print.New(stdout, stderr), blackhole.New(),
	}
}

// Lookup returns the connector called name ('connector' = name).
func (r Registry) Lookup(name string) (connectors.Connector, error) {
	for _, c := range r {
		if c.Name() == name {
			return c, nil
		}
	}
	names := r.Names()
	if name == "" {
		return nil, exec.Userf("option 'connector' is missing, expected one of %s", strings.Join(names, ", "))
	}
	return nil, exec.Userf("there is no connector '%s'%s; there are %s", name, suggest.Hint(name, names), strings.Join(names, ", "))
}

// Names lists the connectors, sorted.
func (r Registry) Names() []string {
	names := make([]string, len(r))
	for i, c := range r {
		names[i] = c.Name()
	}
	slices.Sort(names)
	return names
}
