package badinput

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// countJob is a job with state that ends by itself, with one checkpoint.
const countJob = `SET 'execution.checkpointing.interval' = '1 h';
SET 'execution.checkpointing.num-retained' = '3';
CREATE TABLE t (id INT, n INT) WITH ('connector' = 'datagen', 'number-of-rows' = '100', 'rows-per-second' = '0', 'fields.id.min' = '1', 'fields.id.max' = '9');
CREATE TABLE o (id INT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT id, COUNT(*) FROM t GROUP BY id;
`

// jobDir is a job directory below a working directory; its methods damage it.
type jobDir struct {
	t    *testing.T
	path string
}

// checkpoints is the folder of the job's checkpoints, with a slash behind it.
func (d jobDir) checkpoints() string {
	d.t.Helper()
	list, err := filepath.Glob(filepath.Join(d.path, "checkpoints", "*"))
	if err != nil || len(list) != 1 {
		d.t.Fatalf("folders of checkpoints: %q, %v", list, err)
	}
	return list[0]
}

func (d jobDir) manifests() []string {
	d.t.Helper()
	list, err := filepath.Glob(filepath.Join(d.checkpoints(), "chk-*", "MANIFEST"))
	if err != nil || len(list) == 0 {
		d.t.Fatalf("manifests: %q, %v", list, err)
	}
	slices.Sort(list)
	return list
}

func (d jobDir) newest() string { return d.manifests()[len(d.manifests())-1] }

func (d jobDir) stateFile() string {
	d.t.Helper()
	list, err := filepath.Glob(filepath.Join(d.checkpoints(), "shared", "*.stf"))
	if err != nil || len(list) == 0 {
		d.t.Fatalf("state files: %q, %v", list, err)
	}
	return list[0]
}

func (d jobDir) read(path string) string {
	d.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d jobDir) write(path, text string) {
	d.t.Helper()
	d.must(os.WriteFile(path, []byte(text), 0o600))
}

func (d jobDir) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// edit changes the text of manifests under a checksum that is right.
func (d jobDir) edit(manifests []string, old, new string) {
	d.t.Helper()
	for _, path := range manifests {
		text := d.read(path)
		body := text[:strings.LastIndex(text, "#crc32c ")]
		if !strings.Contains(body, old) {
			d.t.Fatalf("%s has no %s", path, old)
		}
		body = strings.Replace(body, old, new, 1)
		d.write(path, fmt.Sprintf("%s#crc32c %08x\n", body, crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli))))
	}
}

// TestCheckpointDirectories damages the directory of a job with three checkpoints and looks
// at what the next run and 'checkpoint verify' say.
func TestCheckpointDirectories(t *testing.T) {
	base := t.TempDir()
	write(t, base, map[string]string{"job.sql": countJob})
	args := []string{"--log-level", "error", "run", "--dir", "job", "job.sql"}
	for range 3 {
		if o := run(t, base, "", args...); o.code != 0 {
			t.Fatal(o)
		}
	}
	d := jobDir{t, filepath.Join(base, "job")}
	if n := len(d.manifests()); n != 3 {
		t.Fatalf("%d checkpoints of three runs", n)
	}
	name := filepath.Base(d.stateFile())
	g := openGolden(t, "checkpoints")
	for _, c := range []struct {
		name   string
		damage func(d jobDir)
		flags  []string
		sql    string // instead of countJob
	}{
		{name: "B53 nothing wrong", damage: func(jobDir) {}},
		{name: "B53 an empty job directory", damage: func(d jobDir) { d.must(os.RemoveAll(d.path)); d.must(os.Mkdir(d.path, 0o700)) }},
		{name: "B53 a directory of something else", damage: func(d jobDir) {
			d.must(os.RemoveAll(d.path))
			d.must(os.Mkdir(d.path, 0o700))
			d.write(filepath.Join(d.path, "thesis.tex"), "x")
		}},
		{name: "B53 a file instead of a directory", damage: func(d jobDir) { d.must(os.RemoveAll(d.path)); d.write(d.path, "x") }},
		{name: "B53 the checkpoints are gone", damage: func(d jobDir) { d.must(os.RemoveAll(filepath.Join(d.path, "checkpoints"))) }},
		{name: "B53 the checkpoints are gone, fresh", damage: func(d jobDir) { d.must(os.RemoveAll(filepath.Join(d.path, "checkpoints"))) }, flags: []string{"--fresh"}},
		{name: "B53 only unfinished ones", damage: func(d jobDir) {
			for _, m := range d.manifests() {
				d.must(os.Rename(m, m+".tmp"))
			}
		}},
		{name: "B53 names that are not ours", damage: func(d jobDir) {
			for _, n := range []string{"chk-x", "chk--1", "chk-99999999999999999999", "README", "..x", "chk-7 (copy)"} {
				d.must(os.MkdirAll(filepath.Join(d.checkpoints(), n), 0o700))
			}
			d.write(filepath.Join(d.checkpoints(), "shared", "notes.txt"), "x")
		}},
		{name: "B53 5,000 old directories", damage: func(d jobDir) {
			for i := range 5_000 {
				d.must(os.Mkdir(filepath.Join(d.checkpoints(), fmt.Sprintf("chk-%d", 1_000+i)), 0o700))
			}
		}},
		{name: "B54 no manifest in the newest", damage: func(d jobDir) { d.must(os.Remove(d.newest())) }},
		{name: "B54 an empty manifest", damage: func(d jobDir) { d.write(d.newest(), "") }},
		{name: "B54 half a manifest", damage: func(d jobDir) { s := d.read(d.newest()); d.write(d.newest(), s[:len(s)/2]) }},
		{name: "B54 a flipped bit", damage: func(d jobDir) {
			b := []byte(d.read(d.newest()))
			b[len(b)/2] ^= 1
			d.write(d.newest(), string(b))
		}},
		{name: "B54 JSON of something else", damage: func(d jobDir) { d.write(d.newest(), `{"name": "left-pad", "version": "1.3.0"}`+"\n") }},
		{name: "B54 a folder instead of a manifest", damage: func(d jobDir) { m := d.newest(); d.must(os.Remove(m)); d.must(os.Mkdir(m, 0o700)) }},
		{name: "B54 all manifests empty", damage: func(d jobDir) {
			for _, m := range d.manifests() {
				d.write(m, "")
			}
		}},
		{name: "B54 a damaged job file", damage: func(d jobDir) { d.write(filepath.Join(d.path, "job.json"), "{") }},
		{name: "B54 no job file", damage: func(d jobDir) { d.must(os.Remove(filepath.Join(d.path, "job.json"))) }},
		{name: "B55 a state file is missing", damage: func(d jobDir) { d.must(os.Remove(d.stateFile())) }},
		{name: "B55 a state file is empty", damage: func(d jobDir) { d.write(d.stateFile(), "") }},
		{name: "B55 a state file is cut", damage: func(d jobDir) { s := d.read(d.stateFile()); d.write(d.stateFile(), s[:len(s)-7]) }},
		{name: "B55 a state file is longer", damage: func(d jobDir) { d.write(d.stateFile(), d.read(d.stateFile())+"x") }},
		{name: "B55 a flipped bit in a state file", damage: func(d jobDir) {
			b := []byte(d.read(d.stateFile()))
			b[len(b)/3] ^= 4
			d.write(d.stateFile(), string(b))
		}},
		{name: "B55 a checkpoint of another job", damage: func(d jobDir) {
			text := d.read(d.newest())
			_, id, _ := strings.Cut(text, `"jobId": "`)
			d.edit([]string{d.newest()}, id[:32], strings.Repeat("ab", 16))
		}},
		{name: "B56 a newer format", damage: func(d jobDir) {
			d.edit(d.manifests(), `"format": 1,`+"\n"+`  "engine": "`, `"format": 9,`+"\n"+`  "engine": "v9.0.0-`)
		}},
		{name: "B56 format 0", damage: func(d jobDir) { d.edit(d.manifests(), `"format": 1`, `"format": 0`) }},
		{name: "B56 a field that this version does not know", damage: func(d jobDir) {
			d.edit([]string{d.newest()}, `"format": 1,`, `"format": 1, "compression": "zstd",`)
		}},
		{name: "B57 another aggregate", damage: func(jobDir) {}, sql: strings.Replace(countJob, "COUNT(*)", "COUNT(n)", 1)},
		{name: "B57 another filter below state", damage: func(jobDir) {}, sql: strings.Replace(countJob, "FROM t", "FROM t WHERE n > 0", 1)},
		{name: "B57 the source table is called otherwise", damage: func(jobDir) {}, sql: strings.ReplaceAll(strings.ReplaceAll(countJob, "TABLE t", "TABLE u"), "FROM t", "FROM u")},
		{name: "B57 only the spelling", damage: func(jobDir) {}, sql: strings.Replace(countJob, "INSERT INTO o SELECT id, COUNT(*) FROM t GROUP BY id", "insert into o\n  select id, count(*) as n from t as x group by id", 1)},
		{name: "B57 another query, fresh", damage: func(jobDir) {}, flags: []string{"--fresh"}, sql: strings.Replace(countJob, "COUNT(*)", "COUNT(n)", 1)},
		{name: "B58 a path that climbs", damage: func(d jobDir) { d.edit(d.manifests(), name, "../../../../etc/passwd") }},
		{name: "B58 an absolute path", damage: func(d jobDir) { d.edit(d.manifests(), name, "/etc/passwd") }},
		{name: "B58 a name with a NUL", damage: func(d jobDir) { d.edit(d.manifests(), name, `a\u0000.stf`) }},
		{name: "B58 a symbolic link out", damage: func(d jobDir) {
			f := d.stateFile()
			d.must(os.Rename(f, filepath.Join(filepath.Dir(d.path), "elsewhere.stf")))
			d.must(os.Symlink("../../../../elsewhere.stf", f))
		}},
		{name: "B58 a named pipe", damage: func(d jobDir) { f := d.stateFile(); d.must(os.Remove(f)); d.must(syscall.Mkfifo(f, 0o600)) }},
		{name: "B58 a folder", damage: func(d jobDir) { f := d.stateFile(); d.must(os.Remove(f)); d.must(os.Mkdir(f, 0o700)) }},
		{name: "B59 a huge size", damage: func(d jobDir) { d.edit(d.manifests(), `"size": `, `"size": 922337203685477580`) }},
		{name: "B59 a negative size", damage: func(d jobDir) {
			d.edit(d.manifests(), `"maxEpoch": 1,`+"\n"+`      "size": `, `"maxEpoch": 1,`+"\n"+`      "size": -`)
		}},
		{name: "B59 2^62 entries", damage: func(d jobDir) { d.edit(d.manifests(), `"entries": `, `"entries": 4611686018427387904, "x": `) }},
		{name: "B59 a number out of range", damage: func(d jobDir) { d.edit(d.manifests(), `"maxParallelism": 128`, `"maxParallelism": 1e300`) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			if c.sql != "" {
				write(t, dir, map[string]string{"job.sql": c.sql})
			}
			c.damage(jobDir{t, filepath.Join(dir, "job")})
			verify := run(t, dir, "", "checkpoint", "verify", "job")
			g.compare(t, c.name+", verify", plain(dir, verify))
			o := run(t, dir, "", slices.Concat([]string{"--log-level", "info", "run"}, c.flags, args[3:])...)
			g.compare(t, c.name, plain(dir, o))
		})
	}
	g.close(t)
}
