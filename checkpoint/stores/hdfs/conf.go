package hdfs

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strings"

	client "github.com/colinmarc/hdfs/v2"
	"github.com/colinmarc/hdfs/v2/hadoopconf"
)

// The options. Where Flink has one, the name is Flink's.
const (
	ConfDir      = "env.hadoop.conf.dir"
	User         = "hdfs.user"
	Keytab       = "security.kerberos.login.keytab"
	Principal    = "security.kerberos.login.principal"
	TicketCache  = "security.kerberos.login.use-ticket-cache"
	Krb5Conf     = "security.kerberos.krb5-conf.path"
	defaultPort  = "8020"
	haNameNodes  = "dfs.ha.namenodes."
	rpcAddress   = "dfs.namenode.rpc-address."
	defaultFS    = "fs.defaultFS"
	oldDefaultFS = "fs.default.name"
)

// Schemes are those of the addresses that Open takes.
var Schemes = []string{"hdfs"}

// target is what an address names.
type target struct {
	authority string   // as people know it: host:port or the name of a name service
	nodes     []string // addresses of name nodes
	dir       string   // absolute
}

func (t target) String() string { return "hdfs://" + t.authority + t.dir }

// parseURI finds the name nodes of an address. Without a host they are those of Hadoop's
// configuration; a host may be the name of a service with several.
func parseURI(uri string, conf hadoopconf.HadoopConf) (target, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return target{}, errors.New("an address in HDFS is hdfs://name-node:8020/path or hdfs:///path; this one cannot be read as a URL")
	}
	switch {
	case u.User != nil:
		return target{}, fmt.Errorf("hdfs://%s: a user does not belong into an address; use '%s' or HADOOP_USER_NAME", u.Host, User)
	case u.Opaque != "" || u.RawQuery != "" || u.Fragment != "":
		return target{}, fmt.Errorf("%s: an address in HDFS is hdfs://name-node:8020/path or hdfs:///path", uri)
	}
	t := target{authority: u.Host, dir: path.Clean("/" + u.Path)}
	if t.authority == "" {
		if t.authority, err = defaultAuthority(uri, conf); err != nil {
			return target{}, err
		}
	}
	if names := conf[haNameNodes+t.authority]; names != "" {
		for _, n := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' }) {
			addr := conf[rpcAddress+t.authority+"."+n]
			if addr == "" {
				return target{}, fmt.Errorf("%s: name service %s has name node %s, but hdfs-site.xml has no %s%s.%s", uri, t.authority, n, rpcAddress, t.authority, n)
			}
			t.nodes = append(t.nodes, withPort(addr))
		}
		return t, nil
	}
	t.nodes = []string{withPort(t.authority)}
	return t, nil
}

func defaultAuthority(uri string, conf hadoopconf.HadoopConf) (string, error) {
	fs := conf[defaultFS]
	if fs == "" {
		fs = conf[oldDefaultFS]
	}
	u, err := url.Parse(fs)
	if err != nil || u.Scheme != "hdfs" || u.Host == "" {
		return "", fmt.Errorf("%s names no name node, and Hadoop's configuration has none either (%s in core-site.xml is %.80q); "+
			"write hdfs://name-node:8020/path, or point HADOOP_CONF_DIR or '%s' to the directory with core-site.xml", uri, defaultFS, fs, ConfDir)
	}
	return u.Host, nil
}

func withPort(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return net.JoinHostPort(strings.Trim(addr, "[]"), defaultPort)
	}
	return addr
}

// loadConf reads Hadoop's configuration: from the option, else HADOOP_CONF_DIR, else below
// HADOOP_HOME. None at all is fine.
func loadConf(opts map[string]string) (hadoopconf.HadoopConf, error) {
	dirs := []string{opts[ConfDir]}
	if dirs[0] == "" {
		dirs = []string{os.Getenv("HADOOP_CONF_DIR")}
		if home := os.Getenv("HADOOP_HOME"); home != "" {
			dirs = append(dirs, filepath.Join(home, "etc", "hadoop"), filepath.Join(home, "conf"))
		}
	}
	for _, d := range dirs {
		if d == "" {
			continue
		}
		conf, err := hadoopconf.Load(d)
		if err != nil {
			return nil, fmt.Errorf("Hadoop's configuration in %s: %w", d, err)
		}
		if conf != nil {
			return conf, nil
		}
	}
	if d := opts[ConfDir]; d != "" {
		return nil, fmt.Errorf("option '%s' = '%s': there is no core-site.xml and no hdfs-site.xml", ConfDir, d)
	}
	return hadoopconf.HadoopConf{}, nil
}

// clientOptions are those of the library, without connections.
func clientOptions(t target, conf hadoopconf.HadoopConf, opts map[string]string) (client.ClientOptions, error) {
	o := client.ClientOptionsFromConf(conf)
	o.Addresses = slices.Clone(t.nodes)
	if o.KerberosClient != nil || opts[Keytab] != "" {
		krb, err := login(opts)
		if err != nil {
			return o, fmt.Errorf("Kerberos: %w", err)
		}
		o.KerberosClient = krb
		if o.KerberosServicePrincipleName == "" {
			o.KerberosServicePrincipleName = "nn/_HOST"
		}
		return o, nil
	}
	if o.User = opts[User]; o.User == "" {
		o.User = os.Getenv("HADOOP_USER_NAME")
	}
	if o.User == "" {
		u, err := user.Current()
		if err != nil {
			return o, fmt.Errorf("whom to be in HDFS: %w; set '%s' or HADOOP_USER_NAME", err, User)
		}
		o.User = u.Username
	}
	return o, nil
}
