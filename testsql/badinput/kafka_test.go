package badinput

import (
	"context"
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
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// canary is the password that must never be seen.
const canary = "cAn4ry-5eCr3t"

// broker starts a kfake in this process with the topics "in" and "out".
func broker(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(1, "in", "out", "dead"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// authority is a CA and a server certificate that it signed.
type authority struct {
	pem    string
	server tls.Certificate
}

func newAuthority(t *testing.T, host string, until time.Time) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: until.Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "broker"}, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = []net.IP{ip}
	} else {
		leaf.DNSNames = []string{host}
	}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return authority{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})), tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

func (a authority) listen() kfake.Opt {
	return kfake.TLS(&tls.Config{Certificates: []tls.Certificate{a.server}})
}

// security are the options of a way to connect.
func (a authority) trusted() string {
	return ", 'properties.security.protocol' = 'SSL', 'properties.ssl.truststore.type' = 'PEM', 'properties.ssl.truststore.certificates' = '" + a.pem + "'"
}

func login(mechanism, module, user, password string) string {
	return fmt.Sprintf(", 'properties.security.protocol' = 'SASL_PLAINTEXT', 'properties.sasl.mechanism' = '%s', 'properties.sasl.jaas.config' = 'org.apache.kafka.common.security.%s required username=\"%s\" password=\"%s\";'",
		mechanism, module, user, password)
}

const (
	plainLogin = "plain.PlainLoginModule"
	scramLogin = "scram.ScramLoginModule"
)

// kafkaTable declares a table over a topic.
func kafkaTable(name, columns, broker, topic, more string) string {
	if more != endless {
		more += ", 'scan.bounded.mode' = 'latest-offset'"
	}
	return fmt.Sprintf("CREATE TABLE %s (%s) WITH ('connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset'%s);\n",
		name, columns, topic, broker, more)
}

// endless is a table that has no end.
const endless = ", 'scan.bounded.mode' = 'unbounded'"

// silent is an address that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// closed is an address where nothing listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestConnections has every way to get the connection wrong, for a query (an answer at once)
// and for a job (30 s of patience with what may heal).
func TestConnections(t *testing.T) {
	t.Parallel()
	year := time.Now().Add(365 * 24 * time.Hour)
	good, other := newAuthority(t, "127.0.0.1", year), newAuthority(t, "127.0.0.1", year)
	expired, elsewhere := newAuthority(t, "127.0.0.1", time.Now().Add(-time.Hour)), newAuthority(t, "broker.example", year)
	open, secure := broker(t), broker(t, good.listen())
	sasl := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "right"), kfake.Superuser("SCRAM-SHA-256", "s", "right"))
	type connection struct{ name, broker, options string }
	connections := []connection{
		{"nothing listens", closed(t), ""},
		{"a host that does not exist", "no-such-host.invalid:9092", ""},
		{"plain to a TLS port", secure, ""},
		{"TLS to a plain port", open, good.trusted()},
		{"an unknown authority", secure, other.trusted()},
		{"no authority", secure, ", 'properties.security.protocol' = 'SSL'"},
		{"an expired certificate", broker(t, expired.listen()), expired.trusted()},
		{"a certificate for another host", broker(t, elsewhere.listen()), elsewhere.trusted()},
		{"a wrong password", sasl, login("PLAIN", plainLogin, "u", canary)},
		{"a wrong SCRAM password", sasl, login("SCRAM-SHA-256", scramLogin, "s", canary)},
		{"an unknown user", sasl, login("PLAIN", plainLogin, "nobody", canary)},
		{"a user of another mechanism", sasl, login("SCRAM-SHA-512", scramLogin, "s", canary)},
		{"no login", sasl, ""},
		{"a login nobody asks for", open, login("PLAIN", plainLogin, "u", canary)},
	}
	var cases []testCase
	for _, c := range connections {
		cases = append(cases, testCase{name: "B37 " + c.name, sql: kafkaTable("t", "id INT", c.broker, "in", c.options) + "SELECT * FROM t;"})
	}
	for _, c := range connections {
		if c.name == "a wrong password" || c.name == "plain to a TLS port" || c.name == "an unknown authority" {
			cases = append(cases, testCase{name: "B37 " + c.name + ", in a job", sql: kafkaTable("t", "id INT", c.broker, "out", c.options) + "INSERT INTO t SELECT 1;"})
		}
	}
	cases = append(cases,
		testCase{name: "B37 a mechanism that does not exist", sql: kafkaTable("t", "id INT", sasl, "in", login("GSSAPI", plainLogin, "u", canary)) + "SELECT * FROM t;"},
		testCase{name: "B37 a login without password", sql: kafkaTable("t", "id INT", sasl, "in", ", 'properties.security.protocol' = 'SASL_PLAINTEXT', 'properties.sasl.mechanism' = 'PLAIN', 'properties.sasl.jaas.config' = 'org.apache.kafka.common.security.plain.PlainLoginModule required username=\""+canary+"\";'") + "SELECT * FROM t;"},
		testCase{name: "B43 a source topic that does not exist", sql: kafkaTable("t", "id INT", open, "nothing", "") + "SELECT * FROM t;"},
		testCase{name: "B43 a source topic that does not exist, in a job", sql: kafkaTable("t", "id INT", open, "nothing", "") + kafkaTable("o", "id INT", open, "out", "") + "INSERT INTO o SELECT * FROM t;"},
		testCase{name: "B43 a sink topic that does not exist", sql: kafkaTable("t", "id INT", open, "in", "") + kafkaTable("o", "id INT", open, "nothing", "") + "INSERT INTO o SELECT * FROM t;"},
		testCase{name: "B43 dead letters to a topic that does not exist", sql: kafkaTable("t", "id INT", withRecords(t, "x"), "in", ", 'bad-records' = 'dlq', 'bad-records.dlq.topic' = 'nothing'") + "SELECT * FROM t;"},
		testCase{name: "B43 dead letters to the topic they are from", sql: kafkaTable("t", "id INT", open, "in", ", 'bad-records' = 'dlq', 'bad-records.dlq.topic' = 'in'") + "SELECT * FROM t;"},
		testCase{name: "B43 a job that reads what it writes", sql: kafkaTable("t", "id INT", open, "in", endless) + "INSERT INTO t SELECT id + 1 FROM t;"},
		testCase{name: "B43 a job that reads what it writes, to the end there is", sql: kafkaTable("t", "id INT", open, "in", "") + "INSERT INTO t SELECT id + 1 FROM t;"},
		testCase{name: "B43 a pattern that covers the sink", sql: strings.Replace(kafkaTable("t", "id INT", open, "in", endless), "'topic' = 'in'", "'topic-pattern' = '.*'", 1) + kafkaTable("o", "id INT", open, "out", "") + "INSERT INTO o SELECT * FROM t;"},
		testCase{name: "B43 a set that reads what it writes", sql: kafkaTable("t", "id INT", open, "in", endless) + kafkaTable("o", "id INT", open, "out", "") + "EXECUTE STATEMENT SET BEGIN INSERT INTO o SELECT * FROM t; INSERT INTO t SELECT 1; END;"},
		testCase{name: "B43 a folder that is watched and written", sql: "CREATE TABLE t (id INT) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json', 'source.monitor-interval' = '1 s');\nCREATE TABLE o (id INT) WITH ('connector' = 'filesystem', 'path' = 'in/out', 'format' = 'json');\nSET 'execution.checkpointing.interval' = '1 s';\nINSERT INTO o SELECT * FROM t;"},
		testCase{name: "B44 a pattern that matches nothing", sql: strings.Replace(kafkaTable("t", "id INT", open, "in", ""), "'topic' = 'in'", "'topic-pattern' = 'nothing-.*'", 1) + "SELECT * FROM t;"},
		testCase{name: "B44 a pattern that is none", sql: strings.Replace(kafkaTable("t", "id INT", open, "in", ""), "'topic' = 'in'", "'topic-pattern' = '('", 1) + "SELECT * FROM t;"},
		testCase{name: "B43 topic produce into nothing", args: []string{"topic", "produce", "nothing", "-b", open}, stdin: "{}\n"},
		testCase{name: "B43 topic consume of nothing", args: []string{"topic", "consume", "nothing", "-b", open, "--until-end"}},
		testCase{name: "B37 topic ls of nothing", args: []string{"topic", "ls", "-b", closed(t)}},
	)
	table(t, "connections", cases)
}

// withRecords starts a broker whose topic "in" has records with these values.
func withRecords(t *testing.T, values ...string) string {
	t.Helper()
	records := make([]*kgo.Record, len(values))
	for i, v := range values {
		records[i] = &kgo.Record{Topic: "in", Value: []byte(v)}
	}
	return produce(t, records...)
}

func produce(t *testing.T, records ...*kgo.Record) string {
	t.Helper()
	addr := broker(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for i, r := range records {
		r.Timestamp = time.UnixMilli(1_700_000_000_000 + int64(i))
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return addr
}

// TestKafkaRecords has the records that only Kafka has, and each policy. "dead" shows what
// became of the dead letters.
func TestKafkaRecords(t *testing.T) {
	tombstone := func(key string) *kgo.Record { return &kgo.Record{Topic: "in", Key: []byte(key)} }
	value := func(v string) *kgo.Record { return &kgo.Record{Topic: "in", Value: []byte(v)} }
	keyed := func(k, v string) *kgo.Record { return &kgo.Record{Topic: "in", Key: []byte(k), Value: []byte(v)} }
	var cases []testCase
	for _, c := range []struct {
		name    string
		columns string
		options string
		record  *kgo.Record
	}{
		{"B19 a tombstone", "id INT", "", tombstone("k")},
		{"B19 an empty value", "id INT", "", value("")},
		{"B19 no key where a column is the key", "k INT, id INT", ", 'key.format' = 'json', 'key.fields' = 'k', 'value.fields-include' = 'EXCEPT_KEY'", value(`{"id": 2}`)},
		{"B19 a key that cannot be decoded", "k INT, id INT", ", 'key.format' = 'json', 'key.fields' = 'k', 'value.fields-include' = 'EXCEPT_KEY'", keyed("x", `{"id": 2}`)},
		{"B20 a value that cannot be decoded", "id INT", "", keyed("k", `{"id": `)},
		{"B21 100,000 levels", "id INT", "", value(strings.Repeat(`{"a":`, 100_000))},
		{"B22 out of range", "id INT", "", value(`{"id": 3000000000}`)},
	} {
		for _, policy := range []string{"fail", "skip", "dlq"} {
			options := ", 'bad-records' = '" + policy + "'"
			after := ""
			addr := produce(t, keyed(`{"k": 1}`, `{"id": 1}`), c.record, keyed(`{"k": 9}`, `{"id": 9}`))
			if policy == "dlq" {
				options += ", 'bad-records.dlq.topic' = 'dead'"
				dead := strings.Replace(kafkaTable("dead", "k BYTES, v BYTES, h MAP<STRING, BYTES> METADATA FROM 'headers'", addr, "dead", ", 'key.format' = 'raw', 'key.fields' = 'k', 'value.fields-include' = 'EXCEPT_KEY'"), "'format' = 'json'", "'format' = 'raw'", 1)
				after = dead + "SELECT CAST(k AS STRING) AS k, CHAR_LENGTH(CAST(v AS STRING)) AS n, CAST(h['__src_topic'] AS STRING) AS t, CAST(h['__src_partition'] AS STRING) AS p, CAST(h['__src_offset'] AS STRING) AS o, CAST(h['__err_msg'] AS STRING) AS why FROM dead;"
			}
			cases = append(cases, testCase{name: c.name + ", " + policy, sql: kafkaTable("t", c.columns, addr, "in", options+c.options) + "SELECT * FROM t;\n" + after})
		}
	}
	cases = append(cases,
		testCase{name: "B19 a tombstone in an upsert table", sql: "CREATE TABLE t (k INT, id INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'in', 'properties.bootstrap.servers' = '" + produce(t, keyed(`{"k": 1}`, `{"k": 1, "id": 1}`), tombstone(`{"k": 1}`)) + "', 'key.format' = 'json', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');\nSELECT * FROM t;"},
		testCase{name: "B20 a job that fails names the record", sql: kafkaTable("t", "id INT", withRecords(t, `{"id": 1}`, "x"), "in", "") + "CREATE TABLE o (id INT) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT * FROM t;"},
	)
	table(t, "kafka", cases)
}
