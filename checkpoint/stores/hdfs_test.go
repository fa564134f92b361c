package stores_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint/stores"
)

// configured writes a core-site.xml and an hdfs-site.xml and returns the options that name them.
func configured(t *testing.T, pairs ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("<configuration>\n")
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString("<property><name>" + pairs[i] + "</name><value>" + pairs[i+1] + "</value></property>\n")
	}
	b.WriteString("</configuration>\n")
	must(t, os.WriteFile(filepath.Join(dir, "core-site.xml"), []byte(b.String()), 0o600))
	return map[string]string{"env.hadoop.conf.dir": dir}
}

// hdfsNode is the address of a real name node, host:port.
func hdfsNode(t *testing.T) string {
	t.Helper()
	node := os.Getenv("HDFS_NAMENODE")
	if node == "" {
		t.Skip("HDFS_NAMENODE is not set, as hdfs://127.0.0.1:8020: make hdfs starts one (it needs Java 17 and Maven)")
	}
	return strings.TrimPrefix(node, "hdfs://")
}

func TestHadoopsConfigurationNamesTheNameNodes(t *testing.T) {
	node := hdfsNode(t)
	// One name node of the service is gone: whichever is asked first, the other one answers.
	service := []string{"fs.defaultFS", "hdfs://prod", "dfs.ha.namenodes.prod", "gone,there",
		"dfs.namenode.rpc-address.prod.gone", "127.0.0.1:1", "dfs.namenode.rpc-address.prod.there", node}
	for _, c := range []struct {
		base, location string
		opts           map[string]string
	}{
		{"hdfs:///tmp", "hdfs://" + node + "/tmp/", configured(t, "fs.defaultFS", "hdfs://"+node)},
		{"hdfs:///tmp", "hdfs://prod/tmp/", configured(t, service...)},
		{"hdfs://prod/tmp", "hdfs://prod/tmp/", configured(t, service...)},
	} {
		s := owner(t, unique(t, c.base), c.opts)
		if !strings.HasPrefix(s.Location(), c.location) {
			t.Errorf("%s: %s, expected %s...", c.base, s.Location(), c.location)
		}
		write(t, s, "a.stf", []byte("some bytes"))
		must(t, s.Put(1, []byte("manifest")))
		if got := read(t, s, "a.stf"); string(got) != "some bytes" {
			t.Errorf("%q", got)
		}
	}
}

func TestWhomToBeInHDFS(t *testing.T) {
	node := hdfsNode(t)
	mine := unique(t, "hdfs://"+node+"/tmp")
	write(t, owner(t, mine, nil), "a.stf", nil) // by whoever runs the cluster, for itself alone
	p, err := stores.Place(t.Context(), mine, map[string]string{"hdfs.user": "somebody"})
	if err == nil {
		defer p.Close()
		_, err = p.Create("x")
	}
	if err == nil || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "hdfs://"+node) {
		t.Errorf("somebody else may write there: %v", err)
	}
}
