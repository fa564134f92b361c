package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func offline(options ...string) connectors.Table {
	return (&broker{addrs: "b:9092"}).table("t", options...)
}

func TestOptionErrors(t *testing.T) {
	cases := []struct {
		name    string
		options []string
		source  bool
		want    []string
	}{
		{"startup mode", []string{"scan.startup.mode", "earliest"}, true, []string{"scan.startup.mode", "earliest-offset"}},
		{"group mode is the default", nil, true, []string{"group-offsets", "properties.group.id"}},
		{"timestamp without value", []string{"scan.startup.mode", "timestamp"}, true, []string{"scan.startup.timestamp-millis"}},
		{"specific without value", []string{"scan.startup.mode", "specific-offsets"}, true, []string{"scan.startup.specific-offsets", "partition:0,offset:42"}},
		{"specific malformed", []string{"scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "0:42"}, true, []string{"0:42"}},
		{"specific twice", []string{"scan.startup.mode", "specific-offsets", "scan.startup.specific-offsets", "partition:0,offset:1;partition:0,offset:2"}, true, []string{"partition 0 twice"}},
		{"duration without unit", []string{"scan.topic-partition-discovery.interval", "10"}, true, []string{"scan.topic-partition-discovery.interval"}},
		{"topic and pattern", []string{"topic-pattern", "a.*"}, true, []string{"topic", "topic-pattern"}},
		{"bad topic name", []string{"topic", "a b"}, true, []string{"a b"}},
		{"unknown option", []string{"scan.startup.mod", "x"}, true, []string{"scan.startup.mod", "scan.startup.mode"}},
		{"unknown format", []string{"format", "nope"}, true, []string{"nope", "text"}},
		{"dlq without topic", []string{"bad-records", "dlq"}, true, []string{"bad-records.dlq.topic"}},
		{"key without fields", []string{"key.format", "text"}, true, []string{"key.fields"}},
		{"fields without key", []string{"key.fields", "v"}, true, []string{"key.format"}},
		{"unknown key field", []string{"key.format", "text", "key.fields", "V"}, true, []string{"V", "did you mean v"}},
		{"prefix without except", []string{"key.format", "text", "key.fields", "v", "key.fields-prefix", "k_"}, true, []string{"EXCEPT_KEY"}},
		{"unknown property", []string{"properties.fetch.max.byte", "1"}, true, []string{"properties.fetch.max.byte", "fetch.max.bytes", "supported are"}},
		{"unsupported property", []string{"properties.enable.auto.commit", "true"}, true, []string{"properties.enable.auto.commit", "not supported", "commit.offsets.on.checkpoint"}},
		{"number", []string{"properties.fetch.max.bytes", "many"}, true, []string{"properties.fetch.max.bytes", "many"}},
		{"acks", []string{"properties.acks", "1"}, false, []string{"properties.acks", "all"}},
		{"idempotence", []string{"properties.enable.idempotence", "false"}, false, []string{"enable.idempotence"}},
		{"codec", []string{"properties.compression.type", "brotli"}, false, []string{"brotli", "snappy"}},
		{"guarantee", []string{"sink.delivery-guarantee", "exactly"}, false, []string{"exactly-once"}},
		{"two sink topics", []string{"topic", "a;b"}, false, []string{"exactly one topic", "a;b"}},
		{"partitioner class", []string{"sink.partitioner", "com.example.P"}, false, []string{"com.example.P", "round-robin"}},
		{"read_uncommitted", []string{"sink.delivery-guarantee", "exactly-once", "properties.isolation.level", "read_uncommitted"}, false, []string{"read_uncommitted"}},
		{"bootstrap", []string{"properties.bootstrap.servers", "host"}, false, []string{"host:port"}},
		{"security without protocol", []string{"properties.sasl.mechanism", "PLAIN"}, false, []string{"properties.sasl.mechanism", "SASL_SSL"}},
		{"jks", []string{"properties.security.protocol", "SSL", "properties.ssl.truststore.location", "/x.jks"}, false, []string{"JKS", "PEM"}},
		{"no jaas", []string{"properties.security.protocol", "SASL_SSL", "properties.sasl.mechanism", "PLAIN"}, false, []string{"sasl.jaas.config"}},
		{"kerberos", []string{"properties.security.protocol", "SASL_SSL"}, false, []string{"GSSAPI", "SCRAM-SHA-512"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tab := offline(c.options...)
			if c.name == "topic and pattern" {
				tab.Options["scan.startup.mode"] = "earliest-offset"
			}
			var err error
			if c.source {
				_, err = testConnector().SourceInfo(tab)
			} else {
				_, err = testConnector().SinkInfo(tab)
			}
			wantError(t, err, exec.User, c.want...)
		})
	}
}

func TestInfos(t *testing.T) {
	src, err := testConnector().SourceInfo(offline("scan.startup.mode", "earliest-offset", "scan.bounded.mode", "latest-offset"))
	if err != nil || !src.Bounded || src.Identity != "kafka:t" || src.Changes != connectors.AppendOnly || len(src.Metadata) != 7 {
		t.Errorf("%+v, %v", src, err)
	}
	sink, err := testConnector().SinkInfo(offline("sink.delivery-guarantee", "exactly-once", "properties.bootstrap.servers", "b:2, a:1"))
	if err != nil || !sink.Transactional || sink.Committer != "kafka:a:1,b:2" || sink.Accepts != connectors.AppendOnly {
		t.Errorf("%+v, %v", sink, err)
	}
	up, err := upsertConnector().SinkInfo((&broker{addrs: "b:1"}).upsertTable("t"))
	if err != nil || up.Accepts != connectors.Upsert || up.Transactional {
		t.Errorf("%+v, %v", up, err)
	}
	tab := (&broker{addrs: "b:1"}).upsertTable("t")
	tab.PrimaryKey = nil
	_, err = upsertConnector().SinkInfo(tab)
	wantError(t, err, exec.User, "PRIMARY KEY")
	tab = offline("scan.startup.mode", "earliest-offset")
	tab.PrimaryKey = []string{"v"}
	_, err = testConnector().SourceInfo(tab)
	wantError(t, err, exec.User, "upsert-kafka")
}

func TestMetadataColumnErrors(t *testing.T) {
	tab := offline("scan.startup.mode", "earliest-offset")
	tab.Metadata = []connectors.MetaColumn{{Name: "m", Key: "offsets", Type: types.BigIntT}}
	_, err := testConnector().SourceInfo(tab)
	wantError(t, err, exec.User, "offsets", "did you mean offset")
	tab.Metadata = []connectors.MetaColumn{{Name: "m", Key: "offset", Type: types.IntT}}
	_, err = testConnector().SourceInfo(tab)
	wantError(t, err, exec.User, "offset", "BIGINT", "INT")
	_, err = testConnector().SinkInfo(tab)
	wantError(t, err, exec.User, "cannot write", "VIRTUAL")
	tab.Metadata = []connectors.MetaColumn{{Name: "m", Key: "headers", Type: types.StringT}}
	_, err = testConnector().SinkInfo(tab)
	wantError(t, err, exec.User, "headers", "MAP")
}

func TestParseJAAS(t *testing.T) {
	for text, want := range map[string]string{
		`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`:                           "u/p",
		`org.apache.kafka.common.security.scram.ScramLoginModule required` + "\n  " + `username='u 1' password="a\"b;c=d" ;`:    "u 1/a\"b;c=d",
		`org.apache.flink.kafka.shaded.org.apache.kafka.common.security.plain.PlainLoginModule required password=p username=u;`: "u/p",
	} {
		u, p, err := parseJAAS(text)
		if err != nil || u+"/"+p != want {
			t.Errorf("%s: %s/%s, %v", text, u, p, err)
		}
	}
	for _, text := range []string{"", "com.sun.security.auth.module.JndiLoginModule required x=y;", `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="cAn4ry;`,
		`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="cAn4ry"`, `org.apache.kafka.common.security.plain.PlainLoginModule required password="cAn4ry";`} {
		_, _, err := parseJAAS(text)
		if err == nil || strings.Contains(err.Error(), "cAn4ry") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSecretsAreMarkedAndNotPrinted(t *testing.T) {
	defs := testConnector().Options(offline())
	for _, key := range []string{"properties.sasl.jaas.config", "properties.ssl.keystore.key", "properties.ssl.key.password", "properties.ssl.keystore.password", "properties.ssl.truststore.password"} {
		found := false
		for _, d := range defs {
			found = found || d.Key == key && d.Secret
		}
		if !found {
			t.Errorf("option %s is not marked secret", key)
		}
	}
	const canary = "cAn4ry"
	jaas := `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="` + canary + `";`
	for _, options := range [][]string{
		{"properties.security.protocol", "SASL_PLAINTEXT", "properties.sasl.mechanism", "PLAIN", "properties.sasl.jaas.config", strings.TrimSuffix(jaas, ";")},
		{"properties.sasl.jaas.config", jaas},
		{"properties.security.protocol", "SSL", "properties.ssl.key.password", canary},
		{"properties.security.protocol", "SSL", "properties.ssl.keystore.type", "PEM", "properties.ssl.keystore.certificate.chain", "x", "properties.ssl.keystore.key", canary},
	} {
		_, err := testConnector().SinkInfo(offline(options...))
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
			t.Errorf("%v: %v", options[1], err)
		}
	}
}

// ---- connections ----

type certs struct {
	caPEM, certPEM, keyPEM string
	server                 tls.Certificate
}

// newCerts makes a CA and a certificate for a name that it signed.
func newCerts(t testing.TB, host string, until time.Time) certs {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: until.Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = []net.IP{ip}
	} else {
		leaf.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	c := certs{caPEM: text("CERTIFICATE", caDER), certPEM: text("CERTIFICATE", der), keyPEM: text("PRIVATE KEY", keyDER)}
	if c.server, err = tls.X509KeyPair([]byte(c.certPEM), []byte(c.keyPEM)); err != nil {
		t.Fatal(err)
	}
	return c
}

func secured(t testing.TB, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return strings.Join(c.ListenAddrs(), ",")
}

// B37: every way to get the connection wrong has its own message, soon, without secrets.
func TestConnections(t *testing.T) {
	year := time.Now().Add(365 * 24 * time.Hour)
	good, other, expired, name := newCerts(t, "127.0.0.1", year), newCerts(t, "127.0.0.1", year), newCerts(t, "127.0.0.1", time.Now().Add(-time.Hour)), newCerts(t, "broker.example", year)
	listen := func(c certs, opts ...kfake.Opt) string {
		return secured(t, append(opts, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{c.server}}))...)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(good.caPEM))
	plainText, withTLS := secured(t), listen(good)
	withSASL := secured(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "right"), kfake.Superuser("SCRAM-SHA-256", "s256", "right"), kfake.Superuser("SCRAM-SHA-512", "s512", "right"))
	both := listen(good, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "u", "right"))
	mutual := secured(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{good.server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := free.Addr().String()
	free.Close()
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, []byte(good.caPEM), 0o600); err != nil {
		t.Fatal(err)
	}
	jaas := func(module, user, pass string) string {
		return fmt.Sprintf(`org.apache.kafka.common.security.%s.%sLoginModule required username="%s" password="%s";`, module, strings.ToUpper(module[:1])+module[1:], user, pass)
	}
	trust := func(c certs) []string {
		return []string{"properties.security.protocol", "SSL", "properties.ssl.truststore.type", "PEM", "properties.ssl.truststore.certificates", c.caPEM}
	}
	sasl := func(protocol, mechanism, config string) []string {
		return []string{"properties.security.protocol", protocol, "properties.sasl.mechanism", mechanism, "properties.sasl.jaas.config", config}
	}
	cases := []struct {
		name, addrs string
		options     []string
		want        string // "": connects
	}{
		{"plain", plainText, nil, ""},
		{"tls", withTLS, trust(good), ""},
		{"tls from file", withTLS, []string{"properties.security.protocol", "SSL", "properties.ssl.truststore.type", "PEM", "properties.ssl.truststore.location", caFile}, ""},
		{"sasl plain", withSASL, sasl("SASL_PLAINTEXT", "PLAIN", jaas("plain", "u", "right")), ""},
		{"sasl scram 256", withSASL, sasl("SASL_PLAINTEXT", "SCRAM-SHA-256", jaas("scram", "s256", "right")), ""},
		{"sasl scram 512", withSASL, sasl("SASL_PLAINTEXT", "SCRAM-SHA-512", jaas("scram", "s512", "right")), ""},
		{"sasl over tls", both, append(trust(good), sasl("SASL_SSL", "SCRAM-SHA-512", jaas("scram", "u", "right"))...), ""},
		{"client certificate", mutual, append(trust(good), "properties.ssl.keystore.type", "PEM", "properties.ssl.keystore.certificate.chain", good.certPEM, "properties.ssl.keystore.key", good.keyPEM), ""},
		{"other host name accepted", listen(name), append(trust(name), "properties.ssl.endpoint.identification.algorithm", ""), ""},
		{"nothing listens", closed, nil, "nothing listens there"},
		{"tls to a plain port", plainText, trust(good), "security.protocol"},
		{"plain to a tls port", withTLS, nil, "security.protocol"},
		{"unknown authority", withTLS, trust(other), "unknown authority"},
		{"expired", listen(expired), trust(expired), "clock of this machine"},
		{"other host name", listen(name), trust(name), "for another host"},
		{"no client certificate", mutual, trust(good), "client certificate"},
		{"wrong password", withSASL, sasl("SASL_PLAINTEXT", "PLAIN", jaas("plain", "u", "cAn4ry")), "user and password"},
		{"wrong scram password", withSASL, sasl("SASL_PLAINTEXT", "SCRAM-SHA-256", jaas("scram", "s256", "cAn4ry")), "user and password"},
		{"no sasl", withSASL, nil, "SASL"},
		{"unresolvable", "no-such-host.invalid:9092", nil, "resolved"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tab := (&broker{addrs: c.addrs}).table("t", append(c.options, "scan.startup.mode", "earliest-offset")...)
			src, err := testConnector().Source(t.Context(), tab, []int{0}, newJob(t, "j").env)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			start := time.Now()
			_, err = src.Enumerate(t.Context())
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "cAn4ry")):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if d := time.Since(start); d > connectTimeout {
				t.Errorf("took %s", d)
			}
		})
	}
}
