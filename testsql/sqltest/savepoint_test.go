package sqltest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
)

// TestStateGoesThroughSavepointsUnchanged runs every golden query and, at each checkpoint on the
// way, writes its state as a canonical savepoint and compares what is read back byte by byte.
// Columns must say everything that the engine's operators store.
func TestStateGoesThroughSavepointsUnchanged(t *testing.T) {
	known, err := os.ReadFile(passing)
	if err != nil {
		t.Fatal(err)
	}
	var entries int64
	tables := map[string]bool{}
	for _, c := range cases(t) {
		if c.Error != nil || !slices.Contains(strings.Fields(string(known)), c.Name) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			n := 0
			mode := Mode{Seed: 1, Parallelism: []int{2}, Checkpointed: func(dir string) error {
				n++
				m, rows, err := throughSavepoint(t, dir, filepath.Join(t.TempDir(), fmt.Sprint("savepoint", n)))
				entries += rows
				for _, f := range m.Rows {
					o := m.Operator(f.UID)
					tables[o.Kind+" "+strings.Fields(m.Table(f.UID, f.Table).Name)[0]] = true
				}
				return err
			}}
			if _, err := bubble(t, c, mode); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Logf("%d entries of %v", entries, tables)
	if *only == "" && (entries < 1000 || len(tables) < 4) {
		t.Errorf("only %d entries of %v were compared: is this test still looking at the state?", entries, tables)
	}
}

// throughSavepoint writes the newest checkpoint of a job as a savepoint and compares.
func throughSavepoint(t *testing.T, jobDir, dir string) (*checkpoint.Manifest, int64, error) {
	j, err := checkpoint.ReadJob(jobDir)
	if err != nil {
		return nil, 0, err
	}
	s, err := checkpoint.OpenDir(filepath.Join(jobDir, "checkpoints"), j.ID, checkpoint.DirOptions{})
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	epochs, err := s.Epochs()
	if err != nil {
		return nil, 0, err
	}
	m, err := checkpoint.Read(s, epochs[0], j.ID)
	if err != nil {
		return nil, 0, err
	}
	p, err := checkpoint.OpenPlace(dir)
	if err != nil {
		return nil, 0, err
	}
	defer p.Close()
	opt := savepoint.Options{Layout: checkpoint.Canonical, Now: time.Unix(0, 0)}
	sp, err := savepoint.Write(t.Context(), savepoint.Source{Manifest: m, Files: s}, p, opt)
	if err != nil {
		return nil, 0, err
	}
	was, err := checkpoint.OpenFiles(s, m.Files, m.MaxParallelism)
	if err != nil {
		return nil, 0, err
	}
	defer was.Close()
	if sp, err = savepoint.Read(p); err != nil {
		return nil, 0, err
	}
	is, err := savepoint.Open(p, sp)
	if err != nil {
		return nil, 0, err
	}
	defer is.Close()
	var rows int64
	for _, o := range m.Operators {
		for _, tab := range o.Tables {
			n, err := sameEntries(was, is, o.UID, tab.ID)
			if err != nil {
				return nil, 0, fmt.Errorf("%s, table %s: %w", o.Name, tab.Name, err)
			}
			rows += n
		}
	}
	for _, f := range sp.Rows {
		b, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			return nil, 0, err
		}
		if bytes.Contains(b, []byte("raw_key")) || bytes.Contains(b, []byte("raw_value")) {
			return nil, 0, fmt.Errorf("%s has columns of raw bytes", f.Name)
		}
	}
	return sp, rows, nil
}

func sameEntries(a, b checkpoint.Content, uid string, id uint8) (int64, error) {
	x, err := a.Table(uid, id)
	if err != nil {
		return 0, err
	}
	y, err := b.Table(uid, id)
	if err != nil {
		return 0, err
	}
	if x == nil || y == nil {
		if x == nil && y == nil {
			return 0, nil
		}
		return 0, errors.New("only one of the two has entries")
	}
	for n := int64(0); ; n++ {
		more, too := x.Next(), y.Next()
		if more != too || !more {
			if err := errors.Join(x.Err(), y.Err()); err != nil || more == too {
				return n, err
			}
			return n, fmt.Errorf("one ends after %d entries", n)
		}
		if x.Group() != y.Group() || !bytes.Equal(x.Key(), y.Key()) || !bytes.Equal(x.Value(), y.Value()) || x.Stamp() != y.Stamp() {
			return n, fmt.Errorf("entry %d\n was %d %x %x %d\n  is %d %x %x %d", n, x.Group(), x.Key(), x.Value(), x.Stamp(), y.Group(), y.Key(), y.Value(), y.Stamp())
		}
	}
}
