package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/state"
)

// durable is what a job directory holds.
type durable struct {
	job       *checkpoint.Job
	found     []checkpoint.Found // newest first
	orphans   []string           // state files of no checkpoint
	manifests int                // that may be restored
}

func (l *loop) readDurable(ctx context.Context) (*durable, error) {
	dir := l.jobDir()
	j, err := checkpoint.ReadJob(dir)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "checkpoints")
	if l.o.Store != "" {
		root = l.o.Store
	}
	s, err := stores.Open(ctx, root, j.ID, checkpoint.DirOptions{}, l.o.StoreOptions)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	d := &durable{job: j}
	if d.found, err = checkpoint.Find(ctx, s, j.ID); err != nil {
		return nil, err
	}
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	d.orphans = checkpoint.Orphans(names, d.found)
	for i := range d.found {
		if d.found[i].Manifest != nil && d.found[i].SetAside == "" {
			d.manifests++
		}
	}
	return d, nil
}

// newest is the epoch of the newest manifest, 0 when there is none.
func (d *durable) newest() state.Epoch {
	for _, f := range d.found {
		if f.Manifest != nil && f.SetAside == "" {
			return f.Epoch
		}
	}
	return 0
}

// decided is the newest checkpoint with a transaction, and where its ledger is.
func (d *durable) decided() (e state.Epoch, group, topic string, err error) {
	for _, f := range d.found {
		if f.Manifest == nil || f.SetAside != "" || len(f.Manifest.Transactions) == 0 {
			continue
		}
		var t struct {
			Ledger struct{ Group, Topic string }
		}
		if err := json.Unmarshal(f.Manifest.Transactions[0].Token, &t); err != nil {
			return 0, "", "", err
		}
		return f.Epoch, t.Ledger.Group, t.Ledger.Topic, nil
	}
	return 0, "", "", fmt.Errorf("none of the %d checkpoints has a transaction", len(d.found))
}

// temporaries lists what a crash may leave and a start has to delete (O9).
func (l *loop) temporaries(ctx context.Context, jobID string) ([]string, error) {
	var out []string
	if l.o.Store != "" {
		for _, dir := range []string{stores.Join(l.o.Store, jobID), stores.Join(l.o.Store, jobID, "shared")} {
			names, err := stores.Names(ctx, dir, l.o.StoreOptions)
			if err != nil {
				return nil, err
			}
			for _, n := range names {
				if strings.HasSuffix(n, ".tmp") || strings.HasPrefix(n, "probe-") {
					out = append(out, stores.Join(dir, n))
				}
			}
		}
	}
	err := filepath.WalkDir(l.jobDir(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(d.Name(), ".tmp") {
			out = append(out, path)
		}
		return err
	})
	return out, err
}
