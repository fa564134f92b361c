package result

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// arrowStream writes rows as an Arrow IPC stream: the query's columns, then, unless all rows
// are +I, a column "op" with the row kind.
type arrowStream struct {
	schema *arrow.Schema
	kinds  bool
	w      *ipc.Writer
	op     vec.Vec
}

func (r *Rows) newArrow() (*arrowStream, error) {
	a := &arrowStream{kinds: !r.plain && !r.appendOnly, op: vec.New(types.VarCharT(2).NotNullable())}
	schema := r.schema
	if a.kinds {
		schema = append(append(types.Schema{}, schema...), types.Field{Name: opName, Type: a.op.Type})
	}
	var err error
	if a.schema, err = vec.ArrowSchema(schema); err != nil {
		return nil, err
	}
	a.w = ipc.NewWriter(r.p.out, ipc.WithSchema(a.schema))
	return a, nil
}

func (a *arrowStream) write(b *vec.Batch) error {
	out := *b
	if a.kinds {
		a.op.Reset()
		for i := range b.N {
			a.op.AppendString(vec.KindText(b.Kind(i)))
		}
		out.Cols = append(append([]vec.Vec{}, b.Cols...), a.op)
	}
	rec, err := out.Record(a.schema)
	if err != nil {
		return err
	}
	defer rec.Release()
	return a.w.Write(rec)
}
