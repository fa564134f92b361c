package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// IdleTimeout is the table option that says after how long without rows a split no longer
// holds back the watermark; it overrides table.exec.source.idle-timeout.
const IdleTimeout = "scan.watermark.idle-timeout"

// MaxFuture is the table option that says how far a row's event time may be ahead of the
// clock: rows beyond are dropped and counted, so that one of them cannot close every window.
const MaxFuture = "scan.watermark.max-future"

// SinkUID is the table option that gives the sink of a table a UID of the user's, as the hint UID
// does for an operator: it stays when the table gets another name, connector or place.
const SinkUID = "sink.uid"

// TableOptions are options of every table that the planner itself reads.
var TableOptions = []OptionDef{{Key: IdleTimeout, Type: "Duration"}, {Key: MaxFuture, Type: "Duration"}, {Key: SinkUID, Type: "String"}}

// OptionError is a problem with one option of a table.
type OptionError struct {
	Key     string // "" when the connector itself is unknown
	Message string
}

func (e *OptionError) Error() string { return e.Message }

// CheckOptions compares a table's options with those its connector has: unknown keys,
// values that are none of an enumeration, required ones that are missing. Further checks of
// values are the connector's.
func CheckOptions(c Connectors, t plan.Table) error {
	defs, err := c.Options(t)
	if err != nil {
		return &OptionError{Key: "connector", Message: err.Error()}
	}
	defs = append(defs[:len(defs):len(defs)], TableOptions...)
	var known []string
	for _, d := range defs {
		known = append(known, d.Key)
	}
	keys := make([]string, 0, len(t.Options))
	for k := range t.Options {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if k == "connector" {
			continue
		}
		def := findOption(defs, k)
		if def == nil {
			hint := suggest.Hint(k, known)
			if hint == "" {
				hint = "; it has " + strings.Join(known, ", ")
			}
			return &OptionError{k, fmt.Sprintf("connector '%s' has no option '%s'%s", t.Connector, k, hint)}
		}
		if v := t.Options[k]; len(def.Enum) > 0 && !slices.ContainsFunc(def.Enum, func(e string) bool { return strings.EqualFold(e, v) }) {
			return &OptionError{k, fmt.Sprintf("option '%s' = '%s' is not possible%s; expected one of %s", k, v, suggest.Hint(v, def.Enum), strings.Join(def.Enum, ", "))}
		}
	}
	for _, d := range defs {
		if _, ok := t.Options[d.Key]; d.Required && !ok {
			return &OptionError{d.Key, fmt.Sprintf("connector '%s' needs the option '%s'", t.Connector, d.Key)}
		}
	}
	return nil
}

func findOption(defs []OptionDef, key string) *OptionDef {
	for i := range defs {
		if defs[i].Key == key {
			return &defs[i]
		}
	}
	for i := range defs {
		if prefix, ok := strings.CutSuffix(defs[i].Key, "*"); ok && strings.HasPrefix(key, prefix) && key != prefix {
			return &defs[i]
		}
	}
	return nil
}
