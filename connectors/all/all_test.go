package all

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestNames(t *testing.T) {
	r := Connectors(io.Discard, io.Discard)
	if got, want := r.Names(), []string{"blackhole", "datagen", "filesystem", "kafka", "nexmark", "print", "upsert-kafka"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, name := range r.Names() {
		if c, err := r.Lookup(name); err != nil || c.Name() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{"kafak": "no such connector; did you mean kafka", "": "option 'connector' is missing"} {
		if _, err := r.Of(connectors.Table{Name: "t", Options: connectors.Options{"connector": name}}); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "table t: ") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestEveryOptionIsDescribed reads the lists as documentation and completion do.
func TestEveryOptionIsDescribed(t *testing.T) {
	kinds := []string{"String", "Int", "Long", "Double", "Boolean", "Duration", "MemorySize", "Enum", "Map", "List"}
	for _, c := range Connectors(io.Discard, io.Discard) {
		if !strings.HasSuffix(c.Doc(), ".") {
			t.Errorf("%s: Doc %q is no sentence", c.Name(), c.Doc())
		}
		for _, f := range append(Formats().Names(), "") {
			tab := connectors.Table{Name: "t", Options: connectors.Options{"connector": c.Name(), "format": f}, Physical: types.Schema{{Name: "m", Type: types.MapT(types.StringT, types.ArrayT(types.RowT(types.Field{Name: "x", Type: types.IntT})))}}}
			seen := map[string]bool{}
			for _, d := range c.Options(tab) {
				if d.Doc == "" || !slices.Contains(kinds, d.Type) || (d.Type == "Enum") != (len(d.Enum) > 0) || seen[d.Key] {
					t.Errorf("%s, option %+v", c.Name(), d)
				}
				if d.Default != "" && d.Type == "Enum" && !slices.Contains(d.Enum, d.Default) {
					t.Errorf("%s, option %s: the default %s is none of %v", c.Name(), d.Key, d.Default, d.Enum)
				}
				seen[d.Key] = true
			}
		}
	}
}
