// Package all owns the list of the connectors and formats that the program has: the only
// place that knows them all. The command and tests import it.
package all

import (
	"io"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/blackhole"
	"github.com/sqlstream/sqlstream/connectors/datagen"
	"github.com/sqlstream/sqlstream/connectors/filesystem"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/csv"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/connectors/format/raw"
	"github.com/sqlstream/sqlstream/connectors/kafka"
	"github.com/sqlstream/sqlstream/connectors/nexmark"
	"github.com/sqlstream/sqlstream/connectors/print"
)

// Formats returns the formats.
func Formats() format.Set {
	return format.Set{json.New(), csv.New(), raw.New()}
}

// Connectors returns the connectors. 'print' writes to stdout and stderr.
func Connectors(stdout, stderr io.Writer) connectors.Registry {
	formats := Formats()
	return connectors.Registry{
		kafka.New(formats.Lookup),
		kafka.NewUpsert(formats.Lookup),
		filesystem.New(formats),
		datagen.New(),
		nexmark.New(),
		print.New(stdout, stderr),
		blackhole.New(),
	}
}
