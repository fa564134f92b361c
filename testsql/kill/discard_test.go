package kill

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// discarding counts 5,000 numbers by their last digit into files, and is over when they end.
const discarding = `
SET 'execution.checkpointing.interval' = '1 h';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'DELETE_ON_CANCELLATION';
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '5000', 'rows-per-second' = '0');
CREATE TABLE fives (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
CREATE TABLE digits (d BIGINT, c BIGINT, PRIMARY KEY (d) NOT ENFORCED) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO fives SELECT n FROM numbers WHERE MOD(n, 5) = 0;
INSERT INTO digits SELECT MOD(n, 10), COUNT(*) FROM numbers GROUP BY MOD(n, 10);
END;
`

// TestKillWhileAJobIsDiscarded kills the process at the steps of its end. Before the decision that
// the job is over the next run ends it, and its output is there once; after it the next run is a new
// job, which reads its input again, and in both cases nothing of a checkpoint is left.
func TestKillWhileAJobIsDiscarded(t *testing.T) {
	bin := program(t)
	for _, tc := range []struct {
		point string
		runs  int // whose output is there
	}{
		{"snap_begin", 1}, {"mid_state_write", 1}, {"before_rename", 1}, {"after_rename:3", 1}, {"filesystem.rename", 1}, {"filesystem.committed", 1},
		{"before_gc", 1}, {"mid_gc", 1}, {"discarded", 2}, {"mid_discard", 2},
	} {
		t.Run(tc.point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "job.sql"), []byte(discarding), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(point string) *process {
				p, err := startIn(dir, bin, []string{"SQLSTREAM_FAILPOINT=" + point}, "--home", filepath.Join(dir, "home"), "run", "job.sql")
				if err != nil {
					t.Fatal(err)
				}
				<-p.done
				return p
			}
			if p := run(tc.point); !p.killed() {
				t.Fatalf("not killed: %v\n%s", p.err, p.output.String())
			}
			if p := run(""); p.err != nil {
				t.Fatalf("%v\n%s", p.err, p.output.String())
			}
			rows := 0
			parts, err := filepath.Glob(filepath.Join(dir, "out", "part-*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range parts {
				b, err := os.ReadFile(p)
				if err != nil {
					t.Fatal(err)
				}
				rows += strings.Count(string(b), "\n")
			}
			if rows != 1000*tc.runs {
				t.Errorf("%d rows, want those of %d runs", rows, tc.runs)
			}
			for _, pattern := range []string{"chk-*", "shared/*"} {
				left, err := fs.Glob(os.DirFS(dir), "home/jobs/job/checkpoints/*/"+pattern)
				if err != nil || len(left) > 0 {
					t.Errorf("left over: %v, %v", left, err)
				}
			}
			hidden, err := filepath.Glob(filepath.Join(dir, "out", ".part-*"))
			if err != nil || len(hidden) > 0 {
				t.Errorf("open parts: %v, %v", hidden, err)
			}
		})
	}
}
