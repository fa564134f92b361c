package result

import (
	"bytes"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/ipc"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func TestArrowStreamHoldsRowsAndKinds(t *testing.T) {
	schema := types.Schema{{Name: "k", Type: types.StringT}, {Name: "n", Type: types.BigIntT.NotNullable()}}
	b := vec.NewBatch(schema)
	for i, kind := range []vec.Kind{vec.Insert, vec.UpdateBefore, vec.UpdateAfter} {
		b.Cols[0].AppendString("a")
		vec.Append(&b.Cols[1], int64(i))
		b.AddKind(kind)
	}
	for _, appendOnly := range []bool{false, true} {
		var out bytes.Buffer
		rows := NewPrinter(&out, Arrow).Query(schema, appendOnly)
		if err := rows.Batch(b); err != nil {
			t.Fatal(err)
		}
		if err := rows.End(); err != nil {
			t.Fatal(err)
		}
		r, err := ipc.NewReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Next() {
			t.Fatal("no record")
		}
		rec := r.Record()
		if rec.Column(1).String() != "[0 1 2]" {
			t.Errorf("n is %s", rec.Column(1))
		}
		if !appendOnly && rec.Column(2).String() != `["+I" "-U" "+U"]` || appendOnly && rec.NumCols() != 2 {
			t.Errorf("append only %v: %v", appendOnly, rec)
		}
		r.Release()
	}
}
