package connectors

import (
	"strings"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// CheckOptions checks the options of a table against those its connector knows: unknown keys
// (with the nearest known ones), required ones that are missing, texts that are no value of
// the option's type. It is the first thing SourceInfo and SinkInfo of a connector do.
func CheckOptions(t Table, defs []OptionDef) error {
	for _, key := range t.Options.Keys() {
		if key == "connector" {
			continue
		}
		def := findOption(defs, key)
		if def == nil {
			return exec.Userf("table %s: unknown option '%s' of connector '%s'%s", t.Name, key, t.Options["connector"], near(key, defs))
		}
		if err := checkText(t.Options, key, def); err != nil {
			return exec.Userf("table %s: %w", t.Name, err)
		}
	}
	for i := range defs {
		if d := &defs[i]; d.Required && d.Key != "connector" {
			if _, ok := t.Options[d.Key]; !ok {
				return exec.Userf("table %s: option '%s' is missing: connector '%s' needs it (%s)", t.Name, d.Key, t.Options["connector"], strings.TrimSuffix(d.Doc, "."))
			}
		}
	}
	return nil
}

// findOption returns the definition of key: its own, else that of the family "x.*" it is in.
func findOption(defs []OptionDef, key string) *OptionDef {
	var family *OptionDef
	for i := range defs {
		if defs[i].Key == key {
			return &defs[i]
		}
		if prefix, ok := strings.CutSuffix(defs[i].Key, "*"); ok && strings.HasPrefix(key, prefix) && len(key) > len(prefix) {
			family = &defs[i]
		}
	}
	return family
}

func near(key string, defs []OptionDef) string {
	keys := make([]string, len(defs))
	for i := range defs {
		keys[i] = defs[i].Key
	}
	if hint := suggest.Hint(key, keys); hint != "" {
		return hint
	}
	return "; it has " + strings.Join(keys, ", ")
}

// checkText reads the text as the type the definition says, for the error alone.
func checkText(o Options, key string, def *OptionDef) error {
	var err error
	switch def.Type {
	case "Boolean":
		_, err = o.Bool(key, false)
	case "Int":
		_, err = o.Int(key, 0, -1<<31, 1<<31-1)
	case "Long":
		_, err = o.Int(key, 0, -1<<63, 1<<63-1)
	case "Double":
		_, err = o.Float(key, 0)
	case "Duration":
		_, err = o.Duration(key, 0)
	case "MemorySize":
		_, err = o.Size(key, 0)
	case "Enum":
		_, err = o.Enum(key, def.Enum, "")
	}
	return err
}
