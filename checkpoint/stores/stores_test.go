package stores_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/sql/settings"
)

func TestTheSchemeChoosesTheStore(t *testing.T) {
	// No store of the machine's own comes into it.
	for _, k := range []string{"HADOOP_CONF_DIR", "HADOOP_HOME", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(k, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	for _, c := range []struct {
		uri  string
		opts map[string]string
		want string // of the error; "": a directory
	}{
		{dir, nil, ""},
		{"file://" + dir, nil, ""},
		{"file:" + dir, nil, ""},
		{"file://localhost" + dir, nil, ""},
		{dir + "/with:colon", nil, ""},
		{"file://elsewhere/dir", nil, "file:///absolute/path"},
		{"file:relative", nil, "file:///absolute/path"},
		{"gs://bucket/x", nil, "no store is known for gs://; checkpoints and savepoints can be at a path, file://, s3://, s3a://, s3p://, or hdfs://"},
		{"wasb://c@a/x", nil, "no store is known for wasb://"},
		{"s3:bucket/x", nil, "expected s3:// and a path"},
		{"hdfs:/x", nil, "expected hdfs:// and a path"},
		{"s3://", nil, "there is no bucket"},
		{"s3://key:pass@bucket/x", nil, "keys do not belong into an address"},
		{"s3://bucket/a//b", nil, "two slashes"},
		{"s3://bucket/a?x=y", nil, "has no ?"},
		{"s3://bucket/_entropy_/x", nil, "entropy injection (_entropy_) is not supported"},
		{"s3://bucket/x", map[string]string{"s3.entropy.key": "_e_"}, "option 's3.entropy.key': entropy injection is not supported"},
		{"s3://bucket/x", map[string]string{"s3.access-key": "k"}, "are needed both"},
		{"s3://bucket/x", map[string]string{"s3.endpoint": "ftp://x"}, "option 's3.endpoint': expected a server as"},
		{"s3a://bucket/x", map[string]string{"s3.endpoint": "http://127.0.0.1:1"}, "there are no AWS credentials: neither 's3.access-key' and 's3.secret-key', nor AWS_ACCESS_KEY_ID"},
		{"hdfs:///x", nil, "names no name node, and Hadoop's configuration has none either"},
		{"hdfs://user@host/x", nil, "a user does not belong into an address"},
		{"hdfs://127.0.0.1:1/x", map[string]string{"env.hadoop.conf.dir": dir}, "there is no core-site.xml and no hdfs-site.xml"},
	} {
		s, err := stores.Open(t.Context(), c.uri, jobID, checkpoint.DirOptions{}, c.opts)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.uri, err)
		case c.want == "":
			if got := s.Location(); !filepath.IsAbs(got) || filepath.Base(got) != jobID {
				t.Errorf("%s: %s", c.uri, got)
			}
			must(t, s.Close())
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: error %v, expected %q", c.uri, err, c.want)
		case strings.Contains(err.Error(), "pass"):
			t.Errorf("%s: the error repeats a password: %v", c.uri, err)
		}
		if c.want != "" {
			if _, err := stores.Place(t.Context(), c.uri, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("place %s: error %v, expected %q", c.uri, err, c.want)
			}
		}
	}
}

func TestABadJobIDIsRefusedEverywhere(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		if _, err := stores.Open(t.Context(), uri, "../other", checkpoint.DirOptions{Owner: true}, opts); err == nil || !strings.Contains(err.Error(), "32 hexadecimal digits") {
			t.Fatal(err)
		}
	})
}

func TestEveryOptionIsOneOfTheSession(t *testing.T) {
	for _, k := range stores.Keys {
		o, old := settings.Find(k)
		if o == nil || old || !o.Runtime {
			t.Errorf("'%s' is no option of the session that a job is handed", k)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, c := range [][2]string{
		{stores.Join("s3://b", "x", "y"), "s3://b/x/y"},
		{stores.Join("s3://b/p/", "x"), "s3://b/p/x"},
		{stores.Join("hdfs:///p", "x"), "hdfs:///p/x"},
		{stores.Join("/p/", "x"), "/p/x"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s, expected %s", c[0], c[1])
		}
	}
}

func TestNamesAreListedBeneathAnAddress(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		if !stores.Remote(uri) {
			t.Skip("the command line lists directories itself")
		}
		names, err := stores.Names(t.Context(), uri, opts)
		if len(names) > 0 || err != nil {
			t.Fatal(names, err)
		}
		must(t, owner(t, uri, opts).Put(1, []byte("m")))
		names, err = stores.Names(t.Context(), uri, opts)
		if len(names) != 1 || names[0] != jobID || err != nil {
			t.Fatal(names, err)
		}
	})
}
