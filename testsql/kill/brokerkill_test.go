package kill

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// F25: the broker itself is killed and started again while the job runs; the job goes on by
// itself. Needs a broker of its own: KAFKA_BROKER_KILLS=n, and Java and Maven as kafka.sh.
// KAFKA_VERSION is 4.1.0 by default: a single 4.4.0 may forget markers (KAFKA-20734).
func TestTheBrokerIsKilledUnderTheJob(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("KAFKA_BROKER_KILLS"))
	if err != nil {
		t.Skip("KAFKA_BROKER_KILLS is not set: no broker to kill")
	}
	version := os.Getenv("KAFKA_VERSION")
	if version == "" {
		version = "4.1.0"
	}
	// Below the ports that the system gives to outgoing connections; the controller is the next one.
	port := strconv.Itoa(20000 + os.Getpid()%4000*2)
	dir := filepath.Join(t.TempDir(), "kafka")
	script := func(what string) {
		t.Helper()
		cmd := exec.Command("../kafka/kafka.sh", what, "--port", port, "--dir", dir, "--version", version)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("kafka.sh %s: %v", what, err)
		}
	}
	t.Cleanup(func() { script("clean") })
	script("start")
	f := newFixture(t, func(o *Options) { o.Brokers, o.Parallelism, o.Quiet = "127.0.0.1:"+port, 2, time.Minute })
	p := f.launch()
	f.rows(100)
	f.visible(p)
	for k := range kills {
		// At another moment of the checkpoints each time.
		for range 2 + k%5 {
			f.rows(20)
			sleep(t.Context(), time.Duration(5+k*7%30)*time.Millisecond)
		}
		script("kill9")
		script("start")
		f.rows(20)
	}
	f.visible(p)
	if err := p.stop(t.Context()); err != nil {
		t.Errorf("the clean end: %v\n%s", err, p.text())
	}
	t.Logf("%d broker kills, %d rows; the job restarted itself %d times", kills, f.sent, strings.Count(p.output.String(), "restarting from its last checkpoint"))
	f.exact()
}
