package stores_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/testsql/fakes3"
)

const jobID = "0123456789abcdef0123456789abcdef"

// backend is a kind of store and where it is.
type backend struct {
	name string
	// base gives an address of the test's own.
	base func(t *testing.T) (uri string, opts map[string]string)
}

func unique(t *testing.T, base string) string {
	return stores.Join(base, fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano()))
}

var backends = []backend{
	{"local directory", func(t *testing.T) (string, map[string]string) { return t.TempDir(), nil }},
	{"file address", func(t *testing.T) (string, map[string]string) { return "file://" + t.TempDir(), nil }},
	{"S3 fake", func(t *testing.T) (string, map[string]string) {
		s := newFake(t)
		s.Page = 7
		return "s3://" + fakes3.Bucket + "/a/prefix", s.Options()
	}},
	{"S3 server", func(t *testing.T) (string, map[string]string) {
		endpoint := os.Getenv("S3_ENDPOINT")
		if endpoint == "" {
			t.Skip("S3_ENDPOINT is not set: make s3 starts a server (it needs go only); AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are its keys, S3_BUCKET its bucket (sqlstream)")
		}
		bucket := os.Getenv("S3_BUCKET")
		if bucket == "" {
			bucket = "sqlstream"
		}
		return unique(t, "s3a://"+bucket), map[string]string{"s3.endpoint": endpoint, "s3.path.style.access": "true"}
	}},
	{"HDFS", func(t *testing.T) (string, map[string]string) {
		node := os.Getenv("HDFS_NAMENODE")
		if node == "" {
			t.Skip("HDFS_NAMENODE is not set, as hdfs://127.0.0.1:8020: make hdfs starts one (it needs Java 17 and Maven)")
		}
		return unique(t, node+"/tmp"), nil
	}},
}

func newFake(t *testing.T) *fakes3.Server {
	s := fakes3.New()
	t.Cleanup(s.Close)
	return s
}

// each runs a test on every kind of store.
func each(t *testing.T, f func(t *testing.T, uri string, opts map[string]string)) {
	t.Helper()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			uri, opts := b.base(t)
			f(t, uri, opts)
		})
	}
}

func open(t *testing.T, uri string, opts map[string]string, o checkpoint.DirOptions) checkpoint.Storage {
	t.Helper()
	s, err := stores.Open(t.Context(), uri, jobID, o, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func owner(t *testing.T, uri string, opts map[string]string) checkpoint.Storage {
	t.Helper()
	return open(t, uri, opts, checkpoint.DirOptions{Owner: true})
}
