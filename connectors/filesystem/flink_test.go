package filesystem

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format/rowjson"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// TestFlink reads files of records and compares with the rows that Flink 2.2.1 read from
// them; testdata/flink/NAME/want.jsonl is its answer, not ours to rewrite.
func TestFlink(t *testing.T) {
	field := func(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }
	row := types.RowT(field("x", types.IntT), field("y", types.StringT))
	for _, tc := range []struct {
		name    string
		schema  types.Schema
		options connectors.Options
	}{
		{"json-types", types.Schema{field("i", types.IntT), field("l", types.BigIntT), field("d", types.DecimalT(6, 2)), field("f", types.DoubleT), field("s", types.StringT), field("b", types.BooleanT), field("dt", types.DateT), field("tm", types.TimeT(0)),
			field("t", types.TimestampT(3)), field("z", types.TimestampLTZT(3)), field("a", types.ArrayT(types.IntT)), field("m", types.MapT(types.StringT, types.IntT)), field("r", row), field("bin", types.BytesT)}, connectors.Options{optFormat: "json"}},
		{"csv-types", types.Schema{field("i", types.IntT), field("s", types.StringT), field("d", types.DecimalT(6, 2)), field("b", types.BooleanT), field("t", types.TimestampT(3)), field("a", types.ArrayT(types.IntT)), field("r", row)}, connectors.Options{optFormat: "csv"}},
		{"csv-options", types.Schema{field("i", types.IntT), field("s", types.StringT)},
			connectors.Options{optFormat: "csv", "csv.field-delimiter": "|", "csv.null-literal": "NULL", "csv.ignore-parse-errors": "true", "csv.allow-comments": "true"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join("testdata", "flink", tc.name)
			tc.options["connector"], tc.options[optPath] = "filesystem", filepath.Join(dir, "input")
			all := make([]int, len(tc.schema))
			for i := range all {
				all[i] = i
			}
			s := openSource(t, connectors.Table{Name: "t", Physical: tc.schema, Options: tc.options}, all)
			splits, err := s.Enumerate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Reader(t.Context(), 0, exec.ConnEnv{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := r.Assign(splits); err != nil {
				t.Fatal(err)
			}
			got := rowjson.AppendHeader(nil, tc.schema)
			b := vec.NewBatch(tc.schema)
			for {
				status, err := r.Read(t.Context(), 0, b)
				if err != nil {
					t.Fatal(err)
				}
				if status == exec.ReadEnd {
					break
				}
				for i := range b.N {
					got = rowjson.AppendRow(append(got, '\n'), b, i)
				}
			}
			want, err := os.ReadFile(filepath.Join(dir, "want.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			wantLines := strings.Split(strings.TrimSpace(string(want)), "\n")
			gotLines := strings.Split(string(got), "\n")
			if len(gotLines) != len(wantLines) {
				t.Errorf("%d lines, want %d", len(gotLines), len(wantLines))
			}
			for i := range min(len(gotLines), len(wantLines)) {
				if gotLines[i] != wantLines[i] {
					t.Errorf("line %d:\n got %s\nwant %s", i+1, gotLines[i], wantLines[i])
				}
			}
		})
	}
}
