package cli

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/state"
)

// two is the state of a query with two groups.
type two struct{ at int }

func (*two) Close() error { return nil }

func (t *two) Table(string, uint8) (checkpoint.Records, error) { t.at = 0; return t, nil }

func (t *two) Next() bool            { t.at++; return t.at <= 2 }
func (t *two) Group() state.KeyGroup { return state.KeyGroup(t.at) }
func (t *two) Key() []byte           { return []byte{1, 3, 'a', 'd', byte('a' + t.at)} }
func (t *two) Value() []byte         { return binary.LittleEndian.AppendUint64(nil, uint64(t.at)) }
func (t *two) Stamp() int64          { return 0 }
func (t *two) Err() error            { return nil }

// saved writes a savepoint and returns its directory.
func saved(t *testing.T, layout string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "savepoint-1")
	p, err := checkpoint.OpenPlace(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m := &checkpoint.Manifest{Engine: "test", JobID: strings.Repeat("ab", 16), JobName: "counts", Epoch: 12, Kind: checkpoint.Checkpoint, MaxParallelism: 128, Operators: []checkpoint.Operator{{
		UID: "uid1", Name: "GroupAggregate(groupBy=[user])", Kind: "GroupAggregate", Parallelism: 1, Line: 2, Column: 3, SQL: "SELECT `user`, COUNT(*) FROM clicks GROUP BY `user`",
		Tables: []checkpoint.Table{{Name: "groups", Size: 8, Key: []checkpoint.KeyPart{{Name: "user", Type: "STRING", Form: "column"}},
			Slots: []checkpoint.Slot{{Name: "COUNT(*)", Type: "BIGINT NOT NULL", Kind: "aggregate", Size: 8, Fields: []checkpoint.Field{{Name: "count", Type: "BIGINT"}}}}}},
	}}}
	if _, err := savepoint.Write(t.Context(), savepoint.Source{Manifest: m, Content: &two{}}, p, savepoint.Options{Layout: layout, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs a command line and returns what it printed and its exit code.
func command(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := Main(append(args, "--home", t.TempDir()), Streams{In: strings.NewReader(""), Out: &out, Err: &out})
	return out.String(), code
}

func TestCommandsOnSavepoints(t *testing.T) {
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		dir := saved(t, layout)
		other := checkpoint.Native
		if layout == other {
			other = checkpoint.Canonical
		}
		copied, converted := filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "converted")
		for _, c := range []struct {
			args string
			code int
			want []string
		}{
			{"savepoint verify " + dir, 0, []string{": ok, " + layout + ", manifest and 1 files, 2 rows"}},
			{"savepoint show " + dir, 0, []string{"savepoint 12 of job counts", "layout       " + layout, "groups  2 rows", "COUNT(*) BIGINT NOT NULL"}},
			{"savepoint show " + dir + "/manifest.json --format json", 0, []string{`"layout": "` + layout + `"`}},
			{"savepoint ls " + filepath.Dir(dir), 0, []string{"PATH", dir, "counts", layout, "complete"}},
			{"savepoint export " + dir, 0, []string{"key_group,user,COUNT(*)\n1,adb,1\n2,adc,2\n"}},
			{"savepoint cp " + dir + " " + copied, 0, []string{copied + ": ok, " + layout}},
			{"savepoint cp " + dir + " " + copied, 74, []string{"is not empty"}},
			{"savepoint cp " + dir + " " + converted + " --type " + other, 0, []string{converted + ": ok, " + other}},
			{"savepoint export " + converted + " --format jsonl", 0, []string{`{"key_group":2,"user":"adc","COUNT(*)":2}`}},
			{"savepoint cp " + dir + " x --type tar", 64, []string{"--type 'tar': expected canonical or native"}},
			{"savepoint export " + dir + " --format parquet --to " + copied + ".parquet", 0, nil},
			{"state map " + dir, 0, []string{"uid1  GroupAggregate(groupBy=[user])\n  line 2:3  SELECT `user`, COUNT(*) FROM clicks GROUP BY `user`\n", "groups  2 rows", "(user STRING) -> (COUNT(*) BIGINT NOT NULL)"}},
			{"state map " + dir + " --format json", 0, []string{`"uid": "uid1"`, `"live": true`}},
		} {
			got, code := command(t, strings.Fields(c.args)...)
			if code != c.code {
				t.Errorf("sqlstream %s: exit code %d, want %d\n%s", c.args, code, c.code, got)
			}
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("sqlstream %s prints\n%s\nwant %q", c.args, got, w)
				}
			}
		}
	}
}

func TestVerifyOfADamagedSavepoint(t *testing.T) {
	dir := saved(t, checkpoint.Canonical)
	names, err := filepath.Glob(filepath.Join(dir, "*.arrow"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	b, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(names[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	got, code := command(t, "savepoint", "verify", dir)
	if code != exitcode.Config || !strings.Contains(got, "BAD, 1 of 1 files are damaged") {
		t.Errorf("exit code %d\n%s", code, got)
	}
	if got, code := command(t, "savepoint", "cp", dir, filepath.Join(t.TempDir(), "c")); code == 0 || !strings.Contains(got, "its CRC32C is") {
		t.Errorf("exit code %d\n%s", code, got)
	}
}
