package kafka

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	qexec "github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// model is a job as its coordinator sees it: manifests, and what would be replayed after
// each. Its rows are the numbers 0, 1, 2, ...; whatever happens, readers must see each once.
type model struct {
	t     *testing.T
	b     *broker
	rng   *rand.Rand
	table func() *output
	o     *output

	epoch     state.Epoch // newest number used
	next      int         // first row not yet written
	manifests []manifest  // the last two
	fallbacks int
}

type manifest struct {
	epoch state.Epoch
	next  int
	token qexec.Token
}

var errCrash = errors.New("crash")

// recover does what a restarted coordinator does, falling back where the output of the
// newest manifest never happened. It may crash on the way too.
func (m *model) recover() error {
	m.o = m.table()
	for {
		last := m.manifests[len(m.manifests)-1]
		rec, err := m.o.c.Recover(m.t.Context(), last.epoch, last.token)
		if err != nil {
			return err
		}
		switch rec.Outcome {
		case qexec.OutcomeAborted:
			if len(m.manifests) < 2 {
				m.t.Fatalf("the first epoch was aborted and there is nothing to fall back to: %+v", rec)
			}
			m.manifests = m.manifests[:len(m.manifests)-1]
			m.fallbacks++
			continue
		case qexec.OutcomeUnknown:
			m.t.Fatalf("recovery of epoch %d: %+v", last.epoch, rec)
		}
		if rec.Ledger > last.epoch {
			m.t.Fatalf("the ledger says %d after recovery of epoch %d", rec.Ledger, last.epoch)
		}
		if m.rng.IntN(4) == 0 {
			return errCrash
		}
		m.next = last.next
		if err := m.o.c.Begin(m.t.Context()); err != nil {
			return err
		}
		m.o.open()
		return nil
	}
}

// step runs one epoch and crashes somewhere in it when asked to.
func (m *model) step(crash bool) error {
	ctx := m.t.Context()
	at := -1
	if crash {
		at = m.rng.IntN(5)
	}
	m.epoch++
	e := m.epoch
	write := func() error {
		n := m.rng.IntN(30)
		err := m.o.w.Write(ctx, textBatch(numbers(m.next, m.next+n)...))
		m.next += n
		return err
	}
	if err := write(); err != nil || at == 0 {
		return orCrash(err)
	}
	if err := m.o.w.Barrier(ctx, e); err != nil || at == 1 {
		return orCrash(err)
	}
	position := m.next
	if m.rng.IntN(3) == 0 {
		if err := write(); err != nil { // rows of the next epoch
			return err
		}
	}
	tok, err := m.o.c.Prepare(ctx, e)
	if err != nil || at == 2 {
		return orCrash(err)
	}
	if m.rng.IntN(6) == 0 { // the checkpoint fails after its barrier
		return m.o.c.Decided(e, false)
	}
	m.manifests = append(m.manifests, manifest{e, position, tok})
	if at == 3 {
		return errCrash
	}
	if err := m.o.c.Decided(e, true); err != nil {
		return err
	}
	if err := m.o.c.Commit(ctx, e, tok); err != nil || at == 4 {
		return orCrash(err)
	}
	m.manifests = m.manifests[len(m.manifests)-1:] // settled: the one before may go
	return nil
}

func orCrash(err error) error {
	if err != nil {
		return err
	}
	return errCrash
}

// run lives through n crashes and ends with a whole epoch.
func (m *model) run(n int, down func()) {
	for crashes := 0; ; {
		err := m.recover()
		for i := m.rng.IntN(6); err == nil; i-- {
			if crashes >= n && i <= 0 {
				if err = m.step(false); err == nil && m.manifests[len(m.manifests)-1].next == m.next {
					m.o.crash()
					return
				}
				continue
			}
			err = m.step(i <= 0)
		}
		if !errors.Is(err, errCrash) && !qexec.Retryable(err) {
			m.t.Fatalf("after %d crashes: %v", crashes, err)
		}
		crashes++
		m.o.crash()
		if down != nil {
			down()
		}
	}
}

func (m *model) check(topic string) {
	m.t.Helper()
	m.b.settled(topic)
	seen := map[string]int{}
	for _, v := range m.b.values(topic) {
		seen[v]++
	}
	lost, twice := 0, 0
	for i := range m.next {
		switch n := seen[strconv.Itoa(i)]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
	}
	if lost+twice > 0 || len(seen) != m.next {
		m.t.Errorf("%d rows: %d lost, %d repeated, %d different ones seen", m.next, lost, twice, len(seen))
	}
}

func crashes(t *testing.T, def int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("KAFKA_CRASHES")); err == nil {
		return n
	}
	return def
}

func seed(t *testing.T) *rand.Rand {
	s := uint64(time.Now().UnixNano())
	if v, err := strconv.ParseUint(os.Getenv("KAFKA_SEED"), 10, 64); err == nil {
		s = v
	}
	t.Logf("KAFKA_SEED=%d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// Crashes at every step, seeded: each row is seen once.
func TestCrashesAnywhere(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 3)
		id := b.name("job")
		m := &model{t: t, b: b, manifests: []manifest{{}}, rng: seed(t), table: func() *output { return newJob(t, id).openSink(t, b.exactly(topic)) }}
		m.run(crashes(t, 25), nil)
		m.check(topic)
	})
}

// The same with downtimes longer than the transaction timeout: the coordinator has to fall
// back, and still each row is seen once.
func TestCrashesLongerThanTheTimeout(t *testing.T) {
	brokers(t, func(t *testing.T, b *broker) {
		topic := b.topic("out", 3)
		id := b.name("job")
		rng := seed(t)
		m := &model{t: t, b: b, manifests: []manifest{{}}, rng: rng, table: func() *output {
			return newJob(t, id).openSink(t, b.exactly(topic, "properties.transaction.timeout.ms", "1500"))
		}}
		ids := []string{slotID(defaultPrefix, id, 0), slotID(defaultPrefix, id, 1), slotID(defaultPrefix, id, 2)}
		m.run(crashes(t, 8), func() {
			if rng.IntN(2) == 0 {
				for _, id := range ids {
					b.await("the broker's abort", func() error { return b.ended(id) })
				}
			}
		})
		t.Logf("%d fallbacks", m.fallbacks)
		m.check(topic)
	})
}

// The broker itself is killed and started again, over and over, while the job commits. Needs
// a broker of its own: KAFKA_BROKER_KILLS=n, with KAFKA_VERSION and Java, Maven as kafka.sh.
func TestBrokerKills(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("KAFKA_BROKER_KILLS"))
	if err != nil {
		t.Skip("KAFKA_BROKER_KILLS is not set: no broker to kill")
	}
	script := func(args ...string) {
		t.Helper()
		cmd := exec.Command("../../testsql/kafka/kafka.sh", args...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("kafka.sh %v: %v", args, err)
		}
	}
	version := os.Getenv("KAFKA_VERSION")
	if version == "" {
		version = "4.4.0"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	here := []string{"--port", port, "--dir", t.TempDir() + "/kafka", "--version", version}
	t.Cleanup(func() { script(append([]string{"clean"}, here...)...) })
	script(append([]string{"start"}, here...)...)
	b := newBroker(t, "127.0.0.1:"+port)
	topic := b.topic("out", 3)
	rng := seed(t)
	m := &model{t: t, b: b, manifests: []manifest{{}}, rng: rng, table: func() *output { return newJob(t, b.name("job")).openSink(t, b.exactly(topic)) }}
	if err := m.recover(); err != nil && !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	m.o.crash()
	for k := range kills {
		m.o = nil
		done := make(chan error, 1)
		go func() {
			err := m.recover()
			for err == nil {
				err = m.step(false)
				select {
				case <-t.Context().Done():
					err = t.Context().Err()
				default:
				}
				if m.rng.IntN(10) == 0 && err == nil {
					err = errCrash
				}
			}
			done <- err
		}()
		if err := sleep(t.Context(), time.Duration(20+k*7%300)*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		script(append([]string{"kill9"}, here...)...)
		script(append([]string{"start"}, here...)...)
		if err := <-done; !errors.Is(err, errCrash) && !qexec.Retryable(err) {
			t.Fatalf("kill %d: %v", k, err)
		}
		m.o.crash()
	}
	m.run(0, nil)
	t.Logf("%d kills, %d rows, %d fallbacks", kills, m.next, m.fallbacks)
	m.check(topic)
}

// Real listeners with TLS and SASL (kafka.sh start --secure).
func TestRealSecurity(t *testing.T) {
	dir := os.Getenv("KAFKA_TLS_DIR")
	if dir == "" {
		t.Skip("KAFKA_TLS_DIR is not set: no real Kafka with TLS and SASL (testsql/kafka/kafka.sh start --secure)")
	}
	b := realBroker(t)
	topic := b.topic("secure", 1)
	jaas := func(module, pass string) string {
		return fmt.Sprintf(`org.apache.kafka.common.security.%s required username="sqlstream" password="%s";`, module, pass)
	}
	const plain, scram = "plain.PlainLoginModule", "scram.ScramLoginModule"
	trust := []string{"properties.ssl.truststore.type", "PEM", "properties.ssl.truststore.location", dir + "/ca.crt"}
	crt, err := os.ReadFile(dir + "/client.crt")
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(dir + "/client.key")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, addrs string
		options     []string
		want        string
	}{
		{"plain over tls", os.Getenv("KAFKA_SASL_SSL"), append(trust, "properties.security.protocol", "SASL_SSL", "properties.sasl.mechanism", "PLAIN", "properties.sasl.jaas.config", jaas(plain, "sqlstream-secret")), ""},
		{"scram 256 over tls", os.Getenv("KAFKA_SASL_SSL"), append(trust, "properties.security.protocol", "SASL_SSL", "properties.sasl.mechanism", "SCRAM-SHA-256", "properties.sasl.jaas.config", jaas(scram, "sqlstream-secret")), ""},
		{"scram 512", os.Getenv("KAFKA_SASL_PLAINTEXT"), []string{"properties.security.protocol", "SASL_PLAINTEXT", "properties.sasl.mechanism", "SCRAM-SHA-512", "properties.sasl.jaas.config", jaas(scram, "sqlstream-secret")}, ""},
		{"client certificate", os.Getenv("KAFKA_SSL"), append(trust, "properties.security.protocol", "SSL", "properties.ssl.keystore.type", "PEM", "properties.ssl.keystore.certificate.chain", string(crt), "properties.ssl.keystore.key", string(key)), ""},
		{"no client certificate", os.Getenv("KAFKA_SSL"), append(trust, "properties.security.protocol", "SSL"), "client certificate"},
		{"wrong password", os.Getenv("KAFKA_SASL_SSL"), append(trust, "properties.security.protocol", "SASL_SSL", "properties.sasl.mechanism", "PLAIN", "properties.sasl.jaas.config", jaas(plain, "cAn4ry")), "user and password"},
		{"no authority", os.Getenv("KAFKA_SASL_SSL"), []string{"properties.security.protocol", "SASL_SSL", "properties.sasl.mechanism", "PLAIN", "properties.sasl.jaas.config", jaas(plain, "sqlstream-secret")}, "unknown authority"},
		{"no tls", os.Getenv("KAFKA_SASL_SSL"), nil, "security.protocol"},
		{"no sasl", os.Getenv("KAFKA_SASL_PLAINTEXT"), nil, "security.protocol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := (&broker{addrs: c.addrs}).exactly(topic, c.options...)
			o, err := newJob(t, b.name(c.name)).trySink(t, testConnector(), tab)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "cAn4ry") {
					t.Errorf("error %v, want one with %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			o.start(0, nil)
			o.epoch(1, c.name)
		})
	}
}
