package json

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// shapeCounts reads records with one decoder and tells how many were read by a shape.
func shapeCounts(t *testing.T, schema types.Schema, records []string) (byShape int, d *decoder) {
	t.Helper()
	all := make([]int, len(schema))
	for i := range all {
		all[i] = i
	}
	f, err := New().NewDecoder(schema, all, nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	d = f.(*decoder)
	b := vec.NewBatch(schema)
	for _, r := range records {
		before := d.shapes.misses
		if err := d.Decode([]byte(r), b.Cols); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if d.shapes.misses == before {
			byShape++
		}
	}
	return byShape, d
}

func TestRecordsOfAFewShapesAreLearned(t *testing.T) {
	schema := types.Schema{col("a", types.IntT), col("s", types.StringT), col("t", types.TimestampT(3)), col("d", types.DecimalT(10, 2)), col("x", types.ArrayT(types.IntT)), col("f", types.DoubleT), col("b", types.BooleanT)}
	var records []string
	for i := range 1000 {
		records = append(records,
			fmt.Sprintf(`{"a":%d,"u":"%s","s":"%s","t":"2020-02-29 12:34:%02d.%03d","d":%d.5,"x":[%d],"f":%d.25e1,"b":%t,"v":%t,"w":{"a":[%d]}}`, i, strings.Repeat("u", i%9), strings.Repeat("é", i%7), i%60, i, i, i, i, i%2 == 0, i%3 == 0, i),
			fmt.Sprintf(`{ "s": null, "a": %d }`, -i))
	}
	byShape, _ := shapeCounts(t, schema, records)
	if want := len(records) - 2; byShape != want {
		t.Errorf("%d of %d records were read by their shape, want all but the first two", byShape, len(records))
	}
}

func TestTooManyShapesAreNotTried(t *testing.T) {
	schema := types.Schema{col("a", types.IntT)}
	var records []string
	for i := range 4096 {
		r := `{"a":1`
		for bit := range 12 {
			if i>>bit&1 != 0 {
				r += fmt.Sprintf(`,"f%d":%d`, bit, i)
			}
		}
		records = append(records, r+"}")
	}
	_, d := shapeCounts(t, schema, records)
	if d.shapes.pause == 0 && d.shapes.misses < 3000 {
		t.Errorf("shapes are still tried: %d misses, credit %d", d.shapes.misses, d.shapes.credit)
	}
	paused := 0
	for _, r := range records {
		if d.shapes.pause > 0 {
			paused++
		}
		if err := d.Decode([]byte(r), vec.NewBatch(schema).Cols); err != nil {
			t.Fatal(err)
		}
	}
	if paused < len(records)/2 {
		t.Errorf("shapes were tried for %d of %d records that have none in common", len(records)-paused, len(records))
	}
}
