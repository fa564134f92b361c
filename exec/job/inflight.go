package job

import (
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec/flow"
)

// inFlight reads the rows that were in flight when the restored checkpoint was taken.
func (in *incarnation) inFlight() ([]flow.InFlight, error) {
	var out []flow.InFlight
	for _, c := range in.restored.Channels {
		data, err := checkpoint.ReadChannel(in.home.files(), c)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %d, rows in flight to %s: %w", in.restored.Epoch, c.UID, err)
		}
		out = append(out, flow.InFlight{
			UID: c.UID, Port: c.Port, Subtask: c.Subtask, Parallelism: c.Parallelism, Split: c.Split, Rows: c.Rows, Data: data,
		})
	}
	slices.SortStableFunc(out, func(a, b flow.InFlight) int { return a.Subtask - b.Subtask })
	return out, nil
}
