// Package docs writes the parts of the documentation that come from registries, so that
// they cannot drift: functions, options and connectors. Its test compares the files with
// what the registries say now; -rewrite writes them.
package docs

import (
	"fmt"
	"io"
	"strings"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/types"
)

const generated = "<!-- Generated from the registries by `go test ./testsql/docs -rewrite`; do not edit. -->\n\n"

// Functions is docs/functions.md.
func Functions() string {
	var b strings.Builder
	b.WriteString("# Functions\n\n" + generated)
	b.WriteString("Names are not case-sensitive. Types, NULL rules and results are those of Apache Flink 2.2; the examples are run by a test. " +
		"`SHOW FUNCTIONS` lists the names.\n")
	for _, family := range eval.Builtins.Families() {
		fmt.Fprintf(&b, "\n## %s\n\n| function | what it does | example | result |\n|---|---|---|---|\n", title(family.Name))
		for _, f := range family.Functions {
			doc := f.Doc
			if len(f.Aliases) > 0 {
				doc += " Also called " + strings.Join(f.Aliases, ", ") + "."
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(f.Signature), cell(doc), code(f.Example), code(f.Result))
		}
	}
	b.WriteString("\n## Aggregates\n\nEach takes `DISTINCT` and `FILTER (WHERE ..)`, and follows changes of its input: rows that are taken away are taken out of the result.\n\n" +
		"| function | what it does | NULL | example |\n|---|---|---|---|\n")
	for _, f := range agg.Functions() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(f.Name), cell(f.Doc), cell(f.Nulls), code(f.Example))
	}
	return b.String()
}

// Options is docs/options.md.
func Options() string {
	return "# Options\n\n" + generated +
		"Set with `SET 'key' = 'value'` in a file or in the shell, or with `-D key=value` on the command line. Keys and defaults are Flink's. " +
		"A key that does not exist is an error that names the nearest ones.\n\n" + settings.Markdown()
}

// Connectors is docs/connectors.md.
func Connectors() string {
	var b strings.Builder
	b.WriteString("# Connectors and formats\n\n" + generated)
	b.WriteString("`'connector'` in a table's `WITH` options names one of these. An option that a connector does not have is an error that names the nearest ones. " +
		"Options marked secret print as `******` everywhere.\n")
	reg := all.Connectors(io.Discard, io.Discard)
	for _, name := range reg.Names() {
		c, err := reg.Lookup(name)
		if err != nil {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", name, c.Doc())
		table(&b, ownOptions(c))
	}
	b.WriteString("\n# Formats\n\nThe options of a format stand under its name: `'json.ignore-parse-errors' = 'true'`, for a key `'key.json.ignore-parse-errors'`.\n")
	for _, f := range all.Formats() {
		fmt.Fprintf(&b, "\n## %s\n", f.Name())
		table(&b, f.Options())
	}
	return b.String()
}

// ownOptions are a connector's options without those of formats, for a plain table.
func ownOptions(c connectors.Connector) []connectors.OptionDef {
	var own []connectors.OptionDef
	for _, d := range c.Options(connectors.Table{Physical: types.Schema{{Name: "#", Type: types.IntT}}, Options: connectors.Options{}}) {
		formatOption := false
		for _, f := range all.Formats() {
			formatOption = formatOption || strings.Contains("."+d.Key, "."+f.Name()+".")
		}
		if !formatOption && d.Key != "connector" {
			own = append(own, d)
		}
	}
	return own
}

func table(b *strings.Builder, defs []connectors.OptionDef) {
	if len(defs) == 0 {
		b.WriteString("\nIt has no options.\n")
		return
	}
	b.WriteString("\n| option | type | default | meaning |\n|---|---|---|---|\n")
	for _, d := range defs {
		typ := d.Type
		if len(d.Enum) > 0 {
			typ = "`" + strings.Join(d.Enum, "` \\| `") + "`"
		}
		def := "(none)"
		switch {
		case d.Required:
			def = "(required)"
		case d.Default != "":
			def = "`" + d.Default + "`"
		}
		doc := d.Doc
		if d.Secret {
			doc += " Secret."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", d.Key, typ, def, cell(doc))
	}
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// cell makes a text fit a table cell.
func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ") }

func code(s string) string {
	if s == "" {
		return ""
	}
	fence := "`"
	if strings.Contains(s, "`") {
		fence = "``"
	}
	return fence + cell(s) + fence
}
