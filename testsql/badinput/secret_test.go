package badinput

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestSecrets runs a job that needs a password, with all that can be logged, and looks for it
// in everything that is printed or left behind (B18, B37).
func TestSecrets(t *testing.T) {
	addr := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", canary))
	options := login("PLAIN", plainLogin, "u", canary)
	tables := kafkaTable("t", "id INT", addr, "in", options) +
		kafkaTable("o", "id INT, n BIGINT", addr, "out", options+", 'sink.delivery-guarantee' = 'exactly-once'") +
		"CREATE VIEW v AS SELECT * FROM t /*+ OPTIONS('properties.ssl.truststore.password' = '" + canary + "') */;\n" +
		"SET 'execution.checkpointing.interval' = '1 s';\n"
	const hint = "INSERT INTO o /*+ OPTIONS('properties.client.id' = 'x') */ SELECT id, 1 FROM t"
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"job.sql": tables + hint + ";\n",
		"show.sql": tables + "SHOW CREATE TABLE t; SHOW CREATE VIEW v; DESCRIBE t; SHOW TABLES; SET; EXPLAIN " + hint + "; EXPLAIN JSON_EXECUTION_PLAN " + hint + ";\n" +
			"EXPLAIN EXECUTE STATEMENT SET BEGIN " + hint + "; END;\n",
		"wrong.sql":  tables + "SELECT * FROM t /*+ OPTIONS('properties.sasl.jaas.config' = '" + canary + "') */;\n",
		"broken.sql": tables + "SET 'properties.sasl.password' = '" + canary + "' garbage;\n",
		"secret.sql": "SET 'my.token' = '" + canary + "';\n",
		"url.sql":    "CREATE TABLE u (id INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'properties.bootstrap.servers' = 'sasl://u:" + canary + "@broker:9092');\nSELECT * FROM u;\n",
	})
	ok := map[string]bool{"job": true, "job again": true, "show": true, "explain": true, "explain json": true, "checkpoints": true, "checkpoint": true, "verify": true}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"job", []string{"run", "--dir", "job", "job.sql"}},
		{"job again", []string{"run", "--dir", "job", "job.sql"}},
		{"show", []string{"-f", "show.sql"}},
		{"explain", []string{"explain", "job.sql"}},
		{"explain json", []string{"explain", "--format", "json", "job.sql"}},
		{"checkpoints", []string{"checkpoint", "ls", "job"}},
		{"checkpoint", []string{"checkpoint", "show", "job"}},
		{"verify", []string{"checkpoint", "verify", "job"}},
		{"jobs", []string{"jobs", "--dir", "job"}},
		{"a wrong login", []string{"-f", "wrong.sql"}},
		{"a broken statement", []string{"-f", "broken.sql"}},
		{"an unknown option", []string{"-f", "secret.sql"}},
		{"a define", []string{"-D", "my.token=" + canary, "-e", "SELECT 1"}},
		{"a URL", []string{"-f", "url.sql"}},
		{"a statement of the command line", []string{"-e", "SET 'my.password' = '" + canary + "' x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := run(t, dir, "", append([]string{"--log-level", "debug"}, c.args...)...)
			if ok[c.name] != (o.code == 0) && c.name != "jobs" {
				t.Errorf("exit code %d:\n%s%s", o.code, o.stdout, o.stderr)
			}
			if c.name == "job" && !strings.Contains(o.stderr, "level=DEBUG") {
				t.Errorf("nothing is logged for debugging:\n%s", o.stderr)
			}
		})
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || filepath.Ext(path) == ".sql" {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("the password is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 3 {
		t.Errorf("only %d files were left behind; where are the checkpoints?", files)
	}
}
