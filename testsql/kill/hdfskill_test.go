package kill

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The name node and the data node are killed and started again while the job runs; the job goes on
// by itself. Needs an HDFS of its own: HDFS_NODE_KILLS=n, and Java and Maven as hdfs.sh.
func TestTheNodesOfHDFSAreKilledUnderTheJob(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("HDFS_NODE_KILLS"))
	if err != nil {
		t.Skip("HDFS_NODE_KILLS is not set: no HDFS to kill; make hdfs starts one (it needs Java 17 and Maven)")
	}
	// Below the ports that the system gives to outgoing connections; the next four are its own as well.
	port := strconv.Itoa(20000 + os.Getpid()%1500*8)
	dir := filepath.Join(t.TempDir(), "hdfs")
	script := func(args ...string) {
		t.Helper()
		cmd := exec.Command("../services/hdfs.sh", append(args, "--port", port, "--dir", dir)...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("hdfs.sh %v: %v", args, err)
		}
	}
	t.Cleanup(func() { script("clean") })
	script("start")
	f := newFixture(t, func(o *Options) { o.Store, o.Parallelism = "hdfs://127.0.0.1:"+port+"/checkpoints", 2 })
	p := f.launch()
	f.rows(100)
	f.visible(p)
	for k := range kills {
		f.rows(50)
		script("kill9", []string{"name", "data"}[k%2])
		f.rows(50)
		script("start")
		f.rows(50)
	}
	f.visible(p)
	if err := p.stop(t.Context()); err != nil {
		t.Errorf("the clean end: %v\n%s", err, p.text())
	}
	t.Logf("%d kills of a node, %d rows; the job restarted itself %d times", kills, f.sent, strings.Count(p.output.String(), "restarting from its last checkpoint"))
	f.exact()
}
