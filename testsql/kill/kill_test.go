package kill

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 64, "kills of each loop")
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
		TransactionTimeout: time.Minute, RowsPerLife: 200, Parallelism: 1, Retained: 2,
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

// modes are the circumstances of a loop.
var modes = []struct {
	name string
	set  func(*Options)
}{
	{"transactions of Kafka 4", func(o *Options) {}},
	{"transactions of Kafka 3", func(o *Options) { o.TV = 1 }},
	{"parallelism 2", func(o *Options) { o.Parallelism = 2 }},
	{"rescaled at every start", func(o *Options) { o.Parallelism = 0 }},
	{"down longer than the transaction timeout", short},
}

// TestKillLoop is the promise: whatever the moment of a kill -9, nothing is lost, repeated
// or wrong.
func TestKillLoop(t *testing.T) {
	bin := build(t, "failpoints")
	sum := newSum()
	t.Run("modes", func(t *testing.T) {
		for i, m := range modes {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel() // the loops wait most of the time
				o := defaults(t, bin, *seed+uint64(i))
				m.set(&o)
				sum.add(t, runLoop(t, o))
			})
		}
	})
	sum.check(t)
}

// TestKillLoopOnRealKafka runs on the brokers of KAFKA_BROKERS.
func TestKillLoopOnRealKafka(t *testing.T) {
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		t.Skip("KAFKA_BROKERS is not set: make kafka starts a real Apache Kafka (it needs Java 17 and Maven)")
	}
	sum := newSum()
	o := defaults(t, build(t, "failpoints"), *seed+100)
	o.Brokers, o.Parallelism = brokers, 2
	sum.add(t, runLoop(t, o))
	sum.check(t)
}

// sum adds up loops.
type sum struct {
	mu     sync.Mutex
	loops  int
	points map[string]int
	kills  int
	rows   int64
	epochs uint64
	aside  int
	lost   int
	dup    int
	wrong  int
	other  int
}

func newSum() *sum { return &sum{points: map[string]int{}} }

func (s *sum) add(t *testing.T, r *Report) {
	t.Helper()
	if !r.OK() {
		t.Errorf("%s", r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loops++
	for p, n := range r.Points {
		s.points[p] += n
	}
	s.kills, s.rows, s.epochs, s.aside = s.kills+r.Kills, s.rows+r.Rows, s.epochs+r.Epochs, s.aside+r.SetAside
	s.other += len(r.Unexpected) + len(r.Stuck) + len(r.Leftovers)
	if f := r.Findings; f != nil {
		s.lost, s.dup, s.wrong = s.lost+f.Lost, s.dup+f.Duplicated, s.wrong+f.Wrong
	}
}

// check prints the result, and fails when a point was never reached in many kills: a point
// that is not reached proves nothing.
func (s *sum) check(t *testing.T) {
	t.Helper()
	expected := *kills * s.loops
	t.Logf("seeds from %d: %d kills, %d rows, %d checkpoints, %d set aside: %d lost, %d duplicated, %d wrong, %d other findings; killed at %v",
		*seed, s.kills, s.rows, s.epochs, s.aside, s.lost, s.dup, s.wrong, s.other, s.points)
	if !t.Failed() && s.kills < expected {
		t.Errorf("%d kills, expected %d", s.kills, expected)
	}
	for _, p := range Points {
		if s.points[name(p)] == 0 && expected >= 2*deckSize {
			t.Errorf("no kill at %s", name(p))
		}
	}
}

// deckSize is how many lives it takes to see every point.
var deckSize = len(Points) + len(recoveryPoints)

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
