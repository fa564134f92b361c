package bind

import (
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/settings"
)

// hints are what the hints after SELECT say.
type hints struct {
	ttl *time.Duration
	uid string
}

// hints reads STATE_TTL('t' = '1 d') and UID('name') after SELECT. alias is the relation
// the SELECT reads.
func (b *binder) hints(hs []*ast.Hint, alias string) (hints, error) {
	var out hints
	for _, h := range hs {
		switch strings.ToUpper(h.Name.Name) {
		case "STATE_TTL":
			for _, o := range h.Options {
				if o.Key.Value != alias {
					return out, b.errorf(o.Pos(), "hint STATE_TTL: there is no table '%s' here", o.Key.Value).WithHint("name the table or alias of the FROM clause: '%s'", alias)
				}
				d, err := settings.ParseDuration(o.Value.Value)
				if err != nil {
					return out, b.errorf(o.Value.Pos(), "hint STATE_TTL: %s", err)
				}
				out.ttl = &d
			}
			if out.ttl == nil {
				return out, b.errorf(h.Pos(), "hint STATE_TTL needs a table and a duration, as in STATE_TTL('t' = '1 d')")
			}
		case "UID":
			if len(h.Args) != 1 || !h.Args[0].String || h.Args[0].Text == "" {
				return out, b.errorf(h.Pos(), "hint UID needs a name, as in UID('my aggregate')")
			}
			out.uid = h.Args[0].Text
		default:
			return out, b.errorf(h.Pos(), "there is no hint %s here", h.Name).WithHint("after SELECT there are STATE_TTL and UID, after a table OPTIONS")
		}
	}
	return out, nil
}

// optionHints applies OPTIONS('key' = 'value') after a table to its options.
func (b *binder) optionHints(hs []*ast.Hint, t *catalog.Table) (map[string]string, error) {
	options := t.OptionMap()
	for _, h := range hs {
		if strings.ToUpper(h.Name.Name) != "OPTIONS" {
			return nil, b.errorf(h.Pos(), "there is no hint %s for a table", h.Name).WithHint("there is OPTIONS('key' = 'value')")
		}
		if len(h.Args) > 0 {
			return nil, b.errorf(h.Args[0].Pos(), "OPTIONS takes 'key' = 'value' pairs")
		}
		for _, o := range h.Options {
			if o.Key.Value == "connector" {
				return nil, b.errorf(o.Pos(), "a hint cannot change the connector of %s", t.Path.Short())
			}
			options[o.Key.Value] = o.Value.Value
		}
	}
	return options, nil
}
