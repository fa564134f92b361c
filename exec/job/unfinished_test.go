package job_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// What a savepoint left that was cut off by a crash is deleted by the next start. A store that is
// away does not hold the job up, and is not forgotten.
func TestUnfinishedSavepointsAreDeleted(t *testing.T) {
	r := newRig(t)
	r.take(1)
	half, away := filepath.Join(t.TempDir(), "savepoint-1"), "nowhere://host/savepoint-2"
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"u.groups.arrow", "v.groups.arrow.tmp"} {
		if err := os.WriteFile(filepath.Join(half, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j, err := checkpoint.ReadJob(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	j.Unfinished = []string{away, half}
	b, err := json.Marshal(j)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.dir, "job.json"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.take(1)
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("the half savepoint is still there: %v", err)
	}
	if j, err = checkpoint.ReadJob(r.dir); err != nil || !slices.Equal(j.Unfinished, []string{away}) {
		t.Errorf("unfinished: %v, %v", j, err)
	}
}
