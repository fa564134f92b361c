package nexmark

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// TestManifestDeclaresWhatFilesHold: whoever reads a checkpoint finds the schema of every
// table in its files, with the operator it is of.
func TestManifestDeclaresWhatFilesHold(t *testing.T) {
	dir := input(t)
	for name, query := range map[string]string{
		"distinct": "SELECT channel, COUNT(DISTINCT bidder), COUNT(DISTINCT bidder) FILTER (WHERE price > 5000), MAX(url) FROM bid GROUP BY channel;",
		"retract":  "SELECT n, COUNT(*), MIN(auction), MAX(auction) FROM (SELECT auction, COUNT(*) AS n FROM bid GROUP BY auction) GROUP BY n;",
		"hop":      countedBids,
		"windows": "SELECT window_end, COUNT(DISTINCT bidder), MAX(price)\n" +
			"FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;",
	} {
		t.Run(name, func(t *testing.T) {
			job := t.TempDir()
			if _, err := Do(t.Context(), query, dir, job, Run{Parallelism: 2, Restart: true}); err != nil {
				t.Fatal(err)
			}
			j, err := checkpoint.ReadJob(job)
			if err != nil {
				t.Fatal(err)
			}
			s, err := checkpoint.OpenDir(filepath.Join(job, "checkpoints"), j.ID, checkpoint.DirOptions{})
			if err != nil {
				t.Fatal(err)
			}
			epochs, err := s.Epochs()
			if err != nil || len(epochs) == 0 {
				t.Fatalf("checkpoints %v, %v", epochs, err)
			}
			d, err := checkpoint.Describe(s, epochs[0], j.ID, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			check(t, d)
			if t.Failed() {
				if err := d.Write(os.Stderr); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func check(t *testing.T, d *checkpoint.Description) {
	t.Helper()
	rows := int64(0)
	for _, o := range d.State {
		if d.Manifest.Operator(o.UID) == nil {
			t.Errorf("%s (uid %s) has state, but is no operator of the manifest", o.Name, o.UID)
		}
		for _, x := range o.Tables {
			rows += x.Rows
			if len(x.Key) == 0 && x.Name != "groups" || len(x.Slots) == 0 || x.Size == 0 {
				t.Errorf("%s: table %q has no schema: %+v", o.Name, x.Name, x)
			}
		}
	}
	if rows == 0 {
		t.Error("the checkpoint is empty")
	}
	names := map[string]bool{}
	for _, o := range d.Manifest.Operators {
		for _, x := range o.Tables {
			names[o.UID+" "+x.Name] = true
		}
	}
	for _, f := range d.Manifest.Files {
		for _, x := range f.Tables {
			if !names[x.UID+" "+x.Name] {
				t.Errorf("file %s has a table %q of %s, which no operator declares", f.Name, x.Name, x.UID)
			}
		}
	}
}
