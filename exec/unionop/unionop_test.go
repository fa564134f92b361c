package unionop_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/optest"
	"github.com/sqlstream/sqlstream/exec/unionop"
	"github.com/sqlstream/sqlstream/sql/types"
)

// TestScripts reads the schema that both inputs have.
func TestScripts(t *testing.T) {
	optest.Run(t, "testdata/scripts", func(_ testing.TB, d *datadriven.TestData) (optest.Case, error) {
		s, err := optest.ParseSchema(d.Input)
		return optest.Case{
			New: func() (exec.Operator, error) { return &unionop.Union{}, nil },
			In:  []types.Schema{s, s}, Out: s, Stateless: true,
		}, err
	})
}
