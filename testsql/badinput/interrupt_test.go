package badinput

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// watched keeps what is written to it and closes seen when it has the text wanted.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	want string
	seen chan struct{}
	once sync.Once
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(b)
	if bytes.Contains(w.buf.Bytes(), []byte(w.want)) {
		w.once.Do(func() { close(w.seen) })
	}
	return len(b), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// patience is what a process may take to end, far below the 30 s for which a job that cannot
// start is tried again, and far above the second that it takes.
const patience = 10 * time.Second

// TestInterrupts ends processes at moments where they wait for something.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	const sink = "CREATE TABLE o (id INT) WITH ('connector' = 'blackhole');\n"
	const rows = "CREATE TABLE t (id INT) WITH ('connector' = 'datagen');\n"
	mute, nobody, alive := silent(t), closed(t), broker(t)
	for _, c := range []struct {
		name string
		sql  string
		run  bool   // 'sqlstream run' instead of -f
		when string // what it has said when the signal comes
		code int
	}{
		{"a job that runs", rows + sink + "INSERT INTO o SELECT * FROM t;", true, "job started", 0},
		{"a job on an idle topic", kafkaTable("t", "id INT", alive, "in", endless) + sink + "INSERT INTO o SELECT * FROM t;", true, "job started", 0},
		{"a job whose source is not there", kafkaTable("t", "id INT", nobody, "in", endless) + sink + "INSERT INTO o SELECT * FROM t;", true, "trying again", 130},
		{"a job whose sink is not there", rows + kafkaTable("o", "id INT", nobody, "in", "") + "INSERT INTO o SELECT * FROM t;", true, "trying again", 130},
		{"the second of two jobs cannot start", rows + sink + kafkaTable("n", "id INT", nobody, "in", "") + "INSERT INTO o SELECT * FROM t;\nINSERT INTO n SELECT * FROM t;", true, "trying again", 130},
		{"a broker that never answers", kafkaTable("t", "id INT", mute, "in", endless) + sink + "INSERT INTO o SELECT * FROM t;", true, "", 130},
		{"a script whose job cannot start", kafkaTable("t", "id INT", nobody, "in", endless) + sink + "INSERT INTO o SELECT * FROM t;", false, "trying again", 130},
		{"a SELECT from a broker that never answers", kafkaTable("t", "id INT", mute, "in", endless) + "SELECT * FROM t;", false, "table t created", 130},
		{"a SELECT without end", rows + "SELECT * FROM t;", false, "+I", 130},
	} {
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			t.Run(c.name+" "+signal.String(), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				write(t, dir, map[string]string{"case.sql": c.sql})
				args := []string{"--output", "changelog", "-f", "case.sql"}
				if c.run {
					args = []string{"run", "case.sql"}
				}
				cmd := exec.Command(binary, args...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "SQLSTREAM_HOME="+filepath.Join(dir, "home"))
				out := &watched{want: c.when, seen: make(chan struct{})}
				cmd.Stdout, cmd.Stderr = out, out
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = cmd.Wait()
				}()
				defer func() {
					_ = cmd.Process.Kill() // it has ended, but after a failure
					<-done
				}()
				if c.when == "" { // it says nothing, but it has locked its directory
					waitForFile(t, filepath.Join(dir, "home", "jobs", "case", "LOCK"))
				} else {
					select {
					case <-out.seen:
					case <-done:
						t.Fatalf("it has ended by itself:\n%s", out)
					case <-time.After(limit):
						t.Fatalf("it has not said %q within %s:\n%s", c.when, limit, out)
					}
				}
				began := time.Now()
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				select {
				case <-done:
				case <-time.After(patience):
					t.Fatalf("it has not ended within %s of the signal:\n%s", patience, out)
				}
				t.Logf("ended after %s", time.Since(began))
				if code := cmd.ProcessState.ExitCode(); code != c.code {
					t.Errorf("exit code %d, want %d:\n%s", code, c.code, out)
				}
			})
		}
	}
}

func waitForFile(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); ; <-tick.C {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s did not appear within %s", path, limit)
		}
	}
}

// TestStartGivesUp: a job whose broker is not there ends by itself, with the reason.
func TestStartGivesUp(t *testing.T) {
	t.Parallel()
	g := openGolden(t, "giveup")
	c := testCase{sql: kafkaTable("t", "id INT", closed(t), "in", endless) + "CREATE TABLE o (id INT) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT * FROM t;"}
	g.compare(t, "B37 a broker that is not there", c.run(t))
	g.close(t)
}
