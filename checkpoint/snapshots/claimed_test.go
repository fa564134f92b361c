package snapshots_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/snapshots"
)

// A job that is killed while it deletes the savepoint it has claimed deletes the rest when it
// starts again.
func TestTheRestOfAClaimedSavepointIsDeleted(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		left  bool
	}{
		"all is gone":             {nil, false},
		"an empty directory":      {[]string{}, false},
		"a file that was written": {[]string{"u1.groups.arrow.tmp"}, false},
		"files without manifest":  {[]string{"u1.groups.arrow", "0000000012-00000-5b28844ba3b7.stf"}, false},
		"something else is there": {[]string{"u1.groups.arrow", "notes.txt"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "savepoint-1")
			if c.files != nil {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range c.files {
				if err := os.WriteFile(filepath.Join(dir, f), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := snapshots.DeleteClaimed(t.Context(), &checkpoint.Begun{Path: dir, JobID: "j", Epoch: 1, Kind: checkpoint.Savepoint, Claimed: true}, nil)
			if (err != nil) != c.left {
				t.Fatal(err)
			}
			if _, err := os.Stat(dir); os.IsNotExist(err) == c.left {
				t.Fatalf("left: %v, expected %t", err == nil, c.left)
			}
		})
	}
}
