package hdfs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/colinmarc/hdfs/v2/hadoopconf"
)

func TestNameNodesOfAnAddress(t *testing.T) {
	plain := hadoopconf.HadoopConf{"fs.defaultFS": "hdfs://nn.example.com:9000"}
	ha := hadoopconf.HadoopConf{
		"fs.defaultFS": "hdfs://prod", "dfs.ha.namenodes.prod": "nn1, nn2", "dfs.ha.namenodes.other": "x",
		"dfs.namenode.rpc-address.prod.nn1": "one:8020", "dfs.namenode.rpc-address.prod.nn2": "two",
	}
	for _, c := range []struct {
		uri   string
		conf  hadoopconf.HadoopConf
		want  string // as people read it; or of the error
		nodes string
	}{
		{"hdfs:///checkpoints-data/", plain, "hdfs://nn.example.com:9000/checkpoints-data", "nn.example.com:9000"},
		{"hdfs:///a/../b", plain, "hdfs://nn.example.com:9000/b", "nn.example.com:9000"},
		{"hdfs:///x", hadoopconf.HadoopConf{"fs.default.name": "hdfs://old"}, "hdfs://old/x", "old:8020"},
		{"hdfs://nn/x", nil, "hdfs://nn/x", "nn:8020"},
		{"hdfs://nn:1/x", ha, "hdfs://nn:1/x", "nn:1"},
		{"hdfs://[::1]/x", nil, "hdfs://[::1]/x", "[::1]:8020"},
		{"hdfs:///x", ha, "hdfs://prod/x", "one:8020 two:8020"},
		{"hdfs://prod/x", ha, "hdfs://prod/x", "one:8020 two:8020"},
		{"hdfs://prod", ha, "hdfs://prod/", "one:8020 two:8020"},
		{"hdfs://other/x", ha, "hdfs-site.xml has no dfs.namenode.rpc-address.other.x", ""},
		{"hdfs:///x", nil, "point HADOOP_CONF_DIR or 'env.hadoop.conf.dir'", ""},
		{"hdfs:///x", hadoopconf.HadoopConf{"fs.defaultFS": "file:///"}, `fs.defaultFS in core-site.xml is "file:///"`, ""},
		{"hdfs://nn/x?y", nil, "an address in HDFS is", ""},
		{"hdfs://etl:secret@nn/x", nil, "a user does not belong into an address", ""},
		{"hdfs://%zz:secret@nn/x", nil, "cannot be read as a URL", ""},
	} {
		got, err := parseURI(c.uri, c.conf)
		switch {
		case c.nodes == "":
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v, expected %q", c.uri, err, c.want)
			}
		case err != nil || got.String() != c.want || strings.Join(got.nodes, " ") != c.nodes:
			t.Errorf("%s: %s at %v, %v; expected %s at %s", c.uri, got, got.nodes, err, c.want, c.nodes)
		}
	}
}

func writeConf(t *testing.T, dir string, pairs ...string) {
	t.Helper()
	text := "<configuration>"
	for p := range slices.Chunk(pairs, 2) {
		text += "<property><name>" + p[0] + "</name><value>" + p[1] + "</value></property>"
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "core-site.xml"), []byte(text+"</configuration>"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhereHadoopsConfigurationIs(t *testing.T) {
	byOption, byEnv, home := t.TempDir(), t.TempDir(), t.TempDir()
	writeConf(t, byOption, "fs.defaultFS", "hdfs://option")
	writeConf(t, byEnv, "fs.defaultFS", "hdfs://env")
	writeConf(t, filepath.Join(home, "etc", "hadoop"), "fs.defaultFS", "hdfs://home")
	for _, c := range []struct{ option, env, home, want string }{
		{byOption, byEnv, home, "hdfs://option"}, {"", byEnv, home, "hdfs://env"}, {"", "", home, "hdfs://home"}, {"", "", "", ""},
		{"", t.TempDir(), home, "hdfs://home"},
	} {
		t.Setenv("HADOOP_CONF_DIR", c.env)
		t.Setenv("HADOOP_HOME", c.home)
		conf, err := loadConf(map[string]string{ConfDir: c.option})
		if err != nil || conf["fs.defaultFS"] != c.want {
			t.Errorf("%+v: %s, %v", c, conf["fs.defaultFS"], err)
		}
	}
}

func TestWhomToBe(t *testing.T) {
	at := target{nodes: []string{"nn:8020"}}
	t.Setenv("HADOOP_USER_NAME", "etl")
	for option, want := range map[string]string{"": "etl", "other": "other"} {
		o, err := clientOptions(at, nil, map[string]string{User: option})
		if err != nil || o.User != want || !slices.Equal(o.Addresses, at.nodes) {
			t.Errorf("%+v, %v", o, err)
		}
	}
	krb5 := filepath.Join(t.TempDir(), "krb5.conf")
	if err := os.WriteFile(krb5, []byte("[libdefaults]\n default_realm = EXAMPLE.COM\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secure := hadoopconf.HadoopConf{"hadoop.security.authentication": "kerberos"}
	t.Setenv("KRB5CCNAME", "FILE:"+filepath.Join(t.TempDir(), "none"))
	for _, c := range []struct {
		opts map[string]string
		want string
	}{
		{map[string]string{Krb5Conf: "/no/such/file"}, "/no/such/file"},
		{map[string]string{Krb5Conf: krb5}, "run kinit"},
		{map[string]string{Krb5Conf: krb5, TicketCache: "false"}, "set 'security.kerberos.login.keytab'"},
		{map[string]string{Krb5Conf: krb5, Keytab: "/no/keytab"}, "needs 'security.kerberos.login.principal'"},
		{map[string]string{Krb5Conf: krb5, Keytab: "/no/keytab", Principal: "etl"}, "keytab /no/keytab"},
	} {
		if _, err := clientOptions(at, secure, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, expected %q", c.opts, err, c.want)
		}
	}
	t.Setenv("KRB5CCNAME", "KEYRING:persistent:0")
	if _, err := clientOptions(at, secure, map[string]string{Krb5Conf: krb5}); err == nil || !strings.Contains(err.Error(), "the kind KEYRING, which is no file") {
		t.Error(err)
	}
}
