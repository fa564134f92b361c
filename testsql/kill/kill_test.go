package kill

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 40, "kills of each loop")
	seed  = flag.Uint64("seed", 1, "seed of the first loop")
	bugs  = flag.String("bugs", "", "comma-separated build tags of seeded bugs that must be caught; \"all\" for all")
)

// build makes the binary under test with the given build tags.
func build(t *testing.T, tags string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "sqlstream")
	out, err := exec.Command("go", "build", "-tags", tags, "-o", bin, "github.com/sqlstream/sqlstream/cmd/sqlstream").CombinedOutput()
	if err != nil {
		t.Fatalf("go build -tags %q: %v\n%s", tags, err, out)
	}
	return bin
}

func defaults(t *testing.T, bin string, seed uint64) Options {
	return Options{
		Binary: bin, Dir: t.TempDir(), TV: 2, Kills: *kills, Seed: seed, Interval: 25 * time.Millisecond,
		TransactionTimeout: time.Minute, RowsPerLife: 200, Parallelism: 1, Log: t.Logf,
	}
}

func runLoop(t *testing.T, o Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %s", o.Seed, r)
	return r
}

// TestKillLoop is the promise: whatever the moment of a kill -9, nothing is lost, repeated
// or wrong.
func TestKillLoop(t *testing.T) {
	bin := build(t, "failpoints")
	for i, c := range []struct {
		name string
		set  func(*Options)
	}{
		{"transactions of Kafka 4", func(o *Options) {}},
		{"transactions of Kafka 3", func(o *Options) { o.TV = 1 }},
		{"parallelism 2", func(o *Options) { o.Parallelism = 2 }},
		{"rescaled at every start", func(o *Options) { o.Parallelism = 0 }},
		{"down longer than the transaction timeout", func(o *Options) {
			o.Interval, o.TransactionTimeout, o.Down = 20*time.Millisecond, 300*time.Millisecond, 600*time.Millisecond
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := defaults(t, bin, *seed+uint64(i))
			c.set(&o)
			if r := runLoop(t, o); !r.OK() {
				t.Errorf("%s", r)
			}
		})
	}
}

// TestKillLoopOnRealKafka runs on the brokers of KAFKA_BROKERS.
func TestKillLoopOnRealKafka(t *testing.T) {
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		t.Skip("KAFKA_BROKERS is not set: make kafka starts a real Apache Kafka (it needs Java 17 and Maven)")
	}
	o := defaults(t, build(t, "failpoints"), *seed+100)
	o.Brokers = brokers
	if r := runLoop(t, o); !r.OK() {
		t.Errorf("%s", r)
	}
}

// TestSeededBugsAreCaught is the test of the test: each known mistake in the protocol must
// be found by the loop.
func TestSeededBugsAreCaught(t *testing.T) {
	if *bugs == "" {
		t.Skip("run with -bugs all (make bugs): it builds one binary per bug")
	}
	for _, b := range seededBugs {
		if *bugs != "all" && !strings.Contains(","+*bugs+",", ","+b.tag+",") {
			continue
		}
		t.Run(b.tag, func(t *testing.T) {
			bin := build(t, "failpoints,"+b.tag)
			for s := range uint64(5) {
				o := defaults(t, bin, *seed+200+s)
				if b.set != nil {
					b.set(&o)
				}
				r := runLoop(t, o)
				if r.Findings != nil && !r.Findings.OK() || len(r.Unexpected)+len(r.Stuck) > 0 {
					return
				}
			}
			t.Errorf("%d kills did not show it", 5**kills)
		})
	}
}
