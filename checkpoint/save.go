package checkpoint

import (
	"context"
	"fmt"
	"time"

	"github.com/sqlstream/sqlstream/state/stf"
)

// Save makes a self-contained copy of a checkpoint in another storage, as a savepoint: full files
// only, shared with nobody, under the same epoch. keep, when not nil, says which tables stay.
//
// The output of m must be committed: a savepoint holds no transactions, so that it can be restored
// any time later, by another job.
func Save(ctx context.Context, from Storage, m *Manifest, to Storage, now time.Time, keep func(uid string, table uint8) bool) (*Manifest, error) {
	if len(m.Channels) > 0 {
		return nil, fmt.Errorf("checkpoint %d has rows in flight, which a savepoint cannot hold: take the savepoint of the running job, or run it once with 'execution.checkpointing.unaligned.enabled' = 'false'", m.Epoch)
	}
	c := *m
	c.Kind, c.Created, c.Previous, c.Transactions, c.Files = Savepoint, now.UTC(), 0, nil, nil
	for _, set := range stf.Sets(m.Files) {
		f, err := stf.CompactInto(ctx, from, to, set, keep)
		if err != nil {
			return nil, fmt.Errorf("savepoint of checkpoint %d: %w", m.Epoch, err)
		}
		c.Files = append(c.Files, f)
	}
	if err := Publish(to, &c); err != nil {
		return nil, fmt.Errorf("savepoint of checkpoint %d: %w", m.Epoch, err)
	}
	return &c, nil
}
