package cli

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The demo adds up, with a kill -9 in the middle, and goes on where it was when it is run
// again.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes ten seconds; run without -short")
	}
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	ln.Close()
	home := t.TempDir()
	for _, run := range []struct {
		args []string
		want []string
	}{
		{[]string{"--events", "80000", "--rate", "20000"}, []string{"kill -9", "bids generated 73,600", "Every bid was counted exactly once."}},
		{[]string{"--events", "20000", "--kill=false"}, []string{"holds 80,000 events", "bids generated 92,000", "Every bid was counted exactly once."}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], append([]string{"demo", "--port", port}, run.args...)...)
		cmd.Env = []string{asProgram + "=1", "SQLSTREAM_HOME=" + home}
		out, err := cmd.CombinedOutput()
		if err != nil {
			log, _ := os.ReadFile(filepath.Join(home, "demo", "job.log"))
			t.Fatalf("%v\n%s\njob.log:\n%s", err, out, log)
		}
		for _, want := range run.want {
			if !strings.Contains(strings.Join(strings.Fields(string(out)), " "), want) {
				t.Errorf("%s: the output lacks %q:\n%s", strings.Join(run.args, " "), want, out)
			}
		}
	}
}
