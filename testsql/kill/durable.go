package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// durable is what a job directory holds.
type durable struct {
	job       *checkpoint.Job
	found     []checkpoint.Found // newest first
	orphans   []string           // state files of no checkpoint
	manifests int                // that may be restored
}

func readDurable(ctx context.Context, dir string) (*durable, error) {
	j, err := checkpoint.ReadJob(dir)
	if err != nil {
		return nil, err
	}
	s, err := checkpoint.OpenDir(filepath.Join(dir, "checkpoints"), j.ID, checkpoint.DirOptions{})
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

// temporaries lists the files that a crash may leave and a start has to delete (O9).
func temporaries(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(d.Name(), ".tmp") {
			out = append(out, path)
		}
		return err
	})
	return out, err
}
