package kill

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/testsql/fakes3"
)

// TestKillLoopWithCheckpointsInAFaultyS3 has the checkpoints in an S3 in this process that throttles,
// ends connections, loses answers and cuts bodies all the time.
func TestKillLoopWithCheckpointsInAFaultyS3(t *testing.T) {
	s := fakes3.New()
	defer s.Close()
	rng := rand.New(rand.NewPCG(*seed, 3))
	s.Fault = func(r *http.Request) fakes3.Fault { // the server asks for one request at a time
		switch n := rng.IntN(100); {
		case n < 2:
			return fakes3.SlowDown
		case n < 3:
			return fakes3.Reset
		case n < 4:
			return fakes3.LostAnswer
		case n < 5 && r.Method == http.MethodGet && r.Header.Get("Range") != "":
			return fakes3.CutBody
		}
		return fakes3.None
	}
	inStore(t, "s3://"+fakes3.Bucket+"/checkpoints", s.Options(), min(*kills, 20))
	for _, key := range []string{fakes3.AccessKey, fakes3.SecretKey} {
		if found := s.Holding(key); len(found) > 0 {
			t.Errorf("the store's key is in %v", found)
		}
	}
	if left := s.Uploads(); left > 0 {
		t.Errorf("%d uploads are left", left)
	}
}

// TestKillLoopOnS3 has the checkpoints on the server of S3_ENDPOINT.
func TestKillLoopOnS3(t *testing.T) {
	endpoint := os.Getenv("S3_ENDPOINT")
	if endpoint == "" {
		t.Skip("S3_ENDPOINT is not set: make s3 starts a server (it needs go only)")
	}
	bucket := os.Getenv("S3_BUCKET")
	if bucket == "" {
		bucket = "sqlstream"
	}
	inStore(t, unique("s3://"+bucket), map[string]string{"s3.endpoint": endpoint, "s3.path.style.access": "true"}, *kills)
}

// TestKillLoopOnHDFS has the checkpoints on the cluster of HDFS_NAMENODE.
func TestKillLoopOnHDFS(t *testing.T) {
	node := os.Getenv("HDFS_NAMENODE")
	if node == "" {
		t.Skip("HDFS_NAMENODE is not set, as hdfs://127.0.0.1:8020: make hdfs starts one (it needs Java 17 and Maven)")
	}
	inStore(t, unique(node+"/tmp"), nil, *kills)
}

func unique(base string) string {
	return stores.Join(base, fmt.Sprintf("kill-%d-%d", os.Getpid(), time.Now().UnixNano()))
}

// inStore runs the loop with checkpoints and savepoints at an address.
func inStore(t *testing.T, uri string, opts map[string]string, kills int) {
	t.Helper()
	sum := newSum()
	o := defaults(t, program(t), *seed+300)
	o.Store, o.StoreOptions, o.Kills, o.Parallelism, o.Operate = uri, opts, kills, 0, true
	sum.add(t, o, runLoop(t, o))
	sum.check(t)
}

// The store is away for longer than one call is tried: the job restarts itself when it has to, and
// goes on when the store is back.
func TestTheStoreIsAwayUnderTheJob(t *testing.T) {
	s := fakes3.New()
	defer s.Close()
	var away atomic.Bool
	var refused atomic.Int64
	s.Fault = func(*http.Request) fakes3.Fault {
		if away.Load() {
			refused.Add(1)
			return fakes3.Reset
		}
		return fakes3.None
	}
	f := newFixture(t, func(o *Options) {
		o.Store, o.StoreOptions, o.Parallelism = "s3://"+fakes3.Bucket+"/checkpoints", s.Options(), 2
	})
	p := f.launch()
	f.rows(100)
	f.visible(p)
	away.Store(true)
	f.rows(100)
	for refused.Load() < 25 {
		if p.ended() {
			t.Fatalf("it ended: %v\n%s", p.err, p.text())
		}
		sleep(t.Context(), tickEvery)
	}
	away.Store(false)
	f.visible(p)
	if err := p.stop(t.Context()); err != nil {
		t.Errorf("the clean end: %v\n%s", err, p.text())
	}
	t.Logf("the job restarted itself %d times", strings.Count(p.output.String(), "restarting from its last checkpoint"))
	f.exact()
}

// The commands that look at checkpoints and savepoints take addresses of stores.
func TestCommandsOnAStore(t *testing.T) {
	s := fakes3.New()
	defer s.Close()
	f := newFixture(t, func(o *Options) { o.Store, o.StoreOptions = "s3://"+fakes3.Bucket+"/checkpoints", s.Options() })
	f.rows(200)
	p := f.launch()
	f.visible(p)
	path := f.savepoint("stop", "kill", "--savepoint", f.savepointDir())
	<-p.done
	if want := f.o.Store + "/savepoints/savepoint-"; !strings.HasPrefix(path, want) {
		t.Fatalf("the savepoint is at %s, expected %s...", path, want)
	}
	var options []string
	for k, v := range s.Options() {
		options = append(options, "-D", k+"="+v)
	}
	at := func(args ...string) string { return f.command(append(args, options...)...) }
	d, err := f.readDurable(t.Context())
	f.must(err)
	newest := strconv.FormatUint(uint64(d.newest()), 10)
	job := stores.Join(f.o.Store, d.job.ID)

	wantTexts(t, at("checkpoint", "ls", job), newest, "complete")
	wantTexts(t, at("checkpoint", "show", f.o.Store), "checkpoint "+newest+" of job kill", stores.Join(job, "chk-"+newest))
	wantTexts(t, at("checkpoint", "verify", stores.Join(job, "chk-"+newest)), "checkpoint "+newest+": ok")
	wantTexts(t, at("savepoint", "ls", f.savepointDir()), path, "complete")
	wantTexts(t, at("savepoint", "show", path), "savepoint", "job kill")
	copied := filepath.Join(t.TempDir(), "copy")
	at("savepoint", "cp", path, copied)
	at("savepoint", "cp", copied, stores.Join(f.o.Store, "again"))
	at("savepoint", "verify", stores.Join(f.o.Store, "again"))
	at("savepoint", "--dispose", path)
	if out := at("savepoint", "ls", f.savepointDir()); !strings.Contains(out, "no savepoints") {
		t.Errorf("after it was disposed of: %s", out)
	}
	for _, key := range []string{fakes3.AccessKey, fakes3.SecretKey} {
		if found := s.Holding(key); len(found) > 0 || strings.Contains(p.output.String(), key) {
			t.Errorf("the store's key is in %v, or in what the job printed", found)
		}
	}
}
