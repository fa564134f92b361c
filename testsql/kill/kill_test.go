package kill

import (
	"flag"
	"fmt"
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
	race  = flag.Bool("racebinary", false, "build the program with the race detector")
	bugs  = flag.String("bugs", "", "comma-separated build tags of seeded bugs that must be caught; \"all\" for all")
)

// build makes the binary under test with the given build tags.
func build(t *testing.T, tags string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "sqlstream")
	compile(t, bin, tags)
	return bin
}

func compile(t *testing.T, bin, tags string) {
	t.Helper()
	args := []string{"build", "-tags", tags, "-o", bin}
	if *race {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "github.com/sqlstream/sqlstream/cmd/sqlstream")...).CombinedOutput()
	if err != nil {
		t.Fatalf("go build -tags %q: %v\n%s", tags, err, out)
	}
}

// program is the binary with fail points, built once.
func program(t *testing.T) string {
	t.Helper()
	once.Do(func() {
		dir, err := os.MkdirTemp("", "sqlstream-kill-")
		if err != nil {
			t.Fatal(err)
		}
		programDir = dir
		compile(t, filepath.Join(dir, "sqlstream"), "failpoints")
	})
	return filepath.Join(programDir, "sqlstream")
}

var (
	once       sync.Once
	programDir string
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if programDir != "" {
		_ = os.RemoveAll(programDir)
	}
	os.Exit(code)
}

func defaults(t *testing.T, bin string, seed uint64) Options {
	return Options{
		Binary: bin, Dir: t.TempDir(), TV: 2, Kills: *kills, Seed: seed, Interval: 25 * time.Millisecond,
		TransactionTimeout: time.Minute, RowsPerLife: 200, Parallelism: 1, Retained: 2, Quiet: 30 * time.Second,
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
	{"transactions of Kafka 3 and 4 in turn", func(o *Options) { o.MovingTV = true }},
	{"parallelism 2", func(o *Options) { o.Parallelism = 2 }},
	{"rescaled at every start", func(o *Options) { o.Parallelism = 0 }},
	{"full checkpoints", func(o *Options) { o.Full = true }},
	{"state on disk", func(o *Options) { o.StateBytes = 2000 }},
	{"down longer than the transaction timeout", short},
	{"unaligned, rescaled at every start", unaligned},
	{"savepoints, stops and forks of an unaligned job", func(o *Options) { unaligned(o); o.Operate = true }},
	{"several checkpoints under way", func(o *Options) {
		o.Parallelism, o.Set = 2, map[string]string{"execution.checkpointing.max-concurrent-checkpoints": "3"}
	}},
	{"savepoints, stops and forks", func(o *Options) { o.Operate, o.Parallelism = true, 0 }},
	{"edited before each start", func(o *Options) { o.Edit, o.Parallelism = true, 0 }},
}

// TestKillLoop is the promise: whatever the moment of a kill -9, nothing is lost, repeated
// or wrong.
func TestKillLoop(t *testing.T) {
	bin := program(t)
	sum := newSum()
	t.Run("modes", func(t *testing.T) {
		for i, m := range modes {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel() // the loops wait most of the time
				o := defaults(t, bin, *seed+uint64(i))
				m.set(&o)
				sum.add(t, o, runLoop(t, o))
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
	bin := program(t)
	sum := newSum()
	for _, m := range []struct {
		name  string
		kills int
		set   func(*Options)
	}{
		{"parallelism 2", *kills, func(o *Options) { o.Parallelism = 2 }},
		{"down longer than the transaction timeout", *kills / 3, func(o *Options) {
			o.TransactionTimeout, o.Down = time.Second, 3*time.Second // the broker looks for what timed out every 500 ms
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			o := defaults(t, bin, *seed+100)
			o.Brokers, o.Kills = brokers, m.kills
			m.set(&o)
			sum.add(t, o, runLoop(t, o))
		})
	}
	sum.check(t)
}

// sum adds up loops.
type sum struct {
	mu     sync.Mutex
	wanted int // kills
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

func (s *sum) add(t *testing.T, o Options, r *Report) {
	t.Helper()
	if !r.OK() {
		t.Errorf("%s", r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted += o.Kills
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
	expected := s.wanted
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

const (
	// bugKills is how many kills a loop of TestSeededBugsAreCaught has, bugLoops how many loops a
	// bug has time to show itself in.
	bugKills = 20
	bugLoops = 15
)

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
			t.Parallel()
			bin := build(t, "failpoints,"+b.tag)
			killed := 0
			for s := range uint64(bugLoops) {
				o := defaults(t, bin, *seed+200+s)
				o.Kills, o.Quiet = bugKills, 4*time.Second
				if b.set != nil {
					b.set(&o)
				}
				r, err := Run(t.Context(), o)
				killed += o.Kills
				if by := caughtBy(r, err); by != "" {
					t.Logf("%s: caught within %d kills, seed %d: %s", b.tag, killed, o.Seed, by)
					return
				}
			}
			t.Errorf("%d kills did not show it", killed)
		})
	}
}

// TestFaultBugsAreCaught runs the tests of connectors/kafka with the bugs that only faults show.
func TestFaultBugsAreCaught(t *testing.T) {
	if *bugs == "" {
		t.Skip("run with -bugs all (make bugs): it builds one test binary per bug")
	}
	for _, b := range faultBugs {
		if *bugs != "all" && !strings.Contains(","+*bugs+",", ","+b.tag+",") {
			continue
		}
		t.Run(b.tag, func(t *testing.T) {
			out, err := exec.Command("go", "test", "-count=1", "-timeout=40s", "-tags", b.tag, "-run", "^"+b.test+"$",
				"github.com/sqlstream/sqlstream/connectors/kafka").CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("%s passes with the bug", b.test)
			case !strings.Contains(string(out), "FAIL: "+b.test) && !strings.Contains(string(out), "panic: test timed out"):
				t.Errorf("%s did not run: %v\n%s", b.test, err, out)
			default:
				t.Logf("%s: caught by %s", b.tag, b.test)
			}
		})
	}
}

// caughtBy is what was found, in a line; "" when all was well.
func caughtBy(r *Report, err error) string {
	switch {
	case r == nil:
		return ""
	case r.Findings != nil && !r.Findings.OK():
		f := r.Findings
		return fmt.Sprintf("%d lost, %d duplicated, %d wrong; %s", f.Lost, f.Duplicated, f.Wrong, f.Examples[0])
	case err != nil:
		return firstLine(err.Error())
	}
	for _, list := range [][]string{r.Unexpected, r.Stuck, r.Leftovers} {
		if len(list) > 0 {
			return firstLine(list[0])
		}
	}
	return ""
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
