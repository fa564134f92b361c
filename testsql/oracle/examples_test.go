package oracle

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/exec/eval"
)

// TestEveryFunctionIsDocumentedAndItsExampleTrue runs the example of each registry entry:
// the reference is generated from them.
func TestEveryFunctionIsDocumentedAndItsExampleTrue(t *testing.T) {
	r := &Runner{Functions: engine.Functions{}}
	for _, family := range eval.Builtins.Families() {
		for _, f := range family.Functions {
			if f.Doc == "" || f.Signature == "" || !strings.HasSuffix(f.Doc, ".") {
				t.Errorf("%s: the documentation is incomplete", f.Name)
			}
			if f.Example == "" {
				if !f.Volatile {
					t.Errorf("%s has no example", f.Name)
				}
				continue
			}
			res := r.Run(Case{Expr: "CAST(" + f.Example + " AS STRING)"})
			if res.Err != nil {
				t.Errorf("%s: %s: %v", f.Name, f.Example, res.Err)
			} else if res.Value != f.Result {
				t.Errorf("%s: %s is %v, the entry says %s", f.Name, f.Example, res.Value, f.Result)
			}
		}
	}
}
