package flow

import "github.com/sqlstream/sqlstream/exec/vec"

// Share returns the rows of a batch that a route gives to one of the consuming subtasks, nil when
// there are none. Subtasks that share the same batches in the same order, each with a route of its
// own, get every row once.
func Share(b *vec.Batch, route Route, subtask int) (*vec.Batch, error) {
	dest, err := route(b, nil)
	if err != nil {
		return nil, err
	}
	var mine []int32
	for i, d := range dest {
		if int(d) == subtask {
			mine = append(mine, int32(b.Row(i)))
		}
	}
	switch {
	case len(mine) == 0:
		return nil, nil
	case len(mine) == b.N:
		return b, nil
	}
	out := &vec.Batch{Cols: make([]vec.Vec, len(b.Cols))}
	for i := range out.Cols {
		out.Cols[i] = vec.New(b.Cols[i].Type)
	}
	out.AppendBatch(b, mine)
	return out, nil
}
