package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/secret"
)

// cluster is how to reach one Kafka cluster.
type cluster struct {
	seeds          []string // sorted
	clientID       string
	tls            *tls.Config
	sasl           sasl.Mechanism
	security       string // the security options as one comparable text; never printed
	requestTimeout time.Duration
	metadataMaxAge time.Duration
	idleTimeout    time.Duration
}

// metadataMinAge is how soon a client looks again for moved leaders; the client's own
// default of 5 s makes every leader move a stall. Tests set it lower.
var metadataMinAge = 250 * time.Millisecond

// connectTimeout bounds the first contact with a cluster, answerTimeout one attempt of it.
const (
	connectTimeout = 30 * time.Second
	answerTimeout  = connectTimeout / 3
)

func (r *optionReader) cluster() *cluster {
	c := &cluster{
		clientID:       r.text(propPrefix+"client.id", "sqlstream"),
		requestTimeout: r.millis("request.timeout.ms", 10*time.Second),
		metadataMaxAge: r.millis("metadata.max.age.ms", 5*time.Minute),
		idleTimeout:    r.millis("connections.max.idle.ms", 9*time.Minute),
	}
	servers := r.text(propPrefix+"bootstrap.servers", "")
	for _, s := range strings.Split(servers, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(s); err != nil {
			r.fail("option 'properties.bootstrap.servers': '%s' is not host:port", secret.Value("", s))
		}
		c.seeds = append(c.seeds, s)
	}
	if len(c.seeds) == 0 {
		r.fail("option 'properties.bootstrap.servers' is missing: expected host:port, several separated by commas")
	}
	slices.Sort(c.seeds)
	c.tls, c.sasl = r.security()
	var b strings.Builder
	for _, k := range r.opts.Keys() {
		if name := strings.TrimPrefix(k, propPrefix); strings.HasPrefix(name, "ssl.") || strings.HasPrefix(name, "sasl.") || name == "security.protocol" {
			fmt.Fprintf(&b, "%q=%q;", name, r.opts[k])
		}
	}
	c.security = b.String()
	return c
}

func (c *cluster) bootstrap() string { return strings.Join(c.seeds, ",") }

// place names a topic of the cluster.
func (c *cluster) place(topic string) string { return "kafka " + c.bootstrap() + " topic " + topic }

// committerName is the key of the job's Committer for this cluster.
func (c *cluster) committerName() string { return "kafka:" + c.bootstrap() }

// options are those that every client of the cluster has.
func (c *cluster) options(log *slog.Logger) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.seeds...),
		kgo.ClientID(c.clientID),
		kgo.SoftwareNameAndVersion("sqlstream", "1"),
		kgo.DisableClientMetrics(),
		// A connection that drops on its first request is tried again instead of failing
		// BeginTransaction for good.
		kgo.AlwaysRetryEOF(),
		kgo.MetadataMinAge(min(metadataMinAge, c.metadataMaxAge)),
		kgo.MetadataMaxAge(max(c.metadataMaxAge, metadataMinAge)),
		kgo.RequestTimeoutOverhead(max(c.requestTimeout, 100*time.Millisecond)),
		kgo.ConnIdleTimeout(max(c.idleTimeout, time.Second)),
		kgo.RetryBackoffFn(retryDelay),
		kgo.WithLogger(logger{log}),
	}
	if c.tls != nil {
		opts = append(opts, kgo.DialTLSConfig(c.tls))
	}
	if c.sasl != nil {
		opts = append(opts, kgo.SASL(c.sasl))
	}
	return opts
}

// client makes a client that has connected once, or says why it cannot.
func (c *cluster) client(ctx context.Context, log *slog.Logger, extra ...kgo.Opt) (*kgo.Client, error) {
	cl, err := kgo.NewClient(append(c.options(log), extra...)...)
	if err != nil {
		return nil, exec.Userf("kafka %s: %w", c.bootstrap(), err)
	}
	if err := c.ping(ctx, cl); err != nil {
		cl.Close()
		return nil, err
	}
	return cl, nil
}

func (c *cluster) ping(ctx context.Context, cl *kgo.Client) error {
	pctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var last error
	for try := 0; ; try++ {
		// One attempt is short, so that a broker that never answers still gives its own
		// message within the limit.
		actx, cancelTry := context.WithTimeout(pctx, answerTimeout)
		err := pingOnce(ctx, actx, cl)
		cancelTry()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last = err
		// Only what may heal soon is tried again: a broker that restarts drops connections and
		// then refuses them.
		if !unreachable(err) || try >= 4 || pctx.Err() != nil {
			return c.explain(last)
		}
		if sleep(pctx, retryDelay(try+1)) != nil {
			return c.explain(last)
		}
	}
}

// pingOnce pings until actx ends. It returns at once when ctx does: the client itself does not
// look at a context while it waits for the first answer on a new connection.
func pingOnce(ctx, actx context.Context, cl *kgo.Client) error {
	done := make(chan error, 1)
	go func() { done <- cl.Ping(actx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func unreachable(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}

// explain turns an error of the first contact into one that says what to change.
func (c *cluster) explain(err error) error {
	where := "kafka " + c.bootstrap()
	var unknownCA x509.UnknownAuthorityError
	var badHost x509.HostnameError
	var badCert x509.CertificateInvalidError
	var eof *kgo.ErrFirstReadEOF
	var header tls.RecordHeaderError
	var dns *net.DNSError
	switch {
	case errors.As(err, &unknownCA):
		return exec.Deniedf("%s: the broker's certificate is signed by an unknown authority; set 'properties.ssl.truststore.certificates' (or .location with type PEM) to its CA: %w", where, err)
	case errors.As(err, &badHost):
		return exec.Deniedf("%s: the broker's certificate is for another host; use a name it contains, or 'properties.ssl.endpoint.identification.algorithm' = '': %w", where, err)
	case errors.As(err, &badCert):
		return exec.Deniedf("%s: the broker's certificate is not valid (if it looks right, check the clock of this machine): %w", where, err)
	case errors.As(err, &header):
		return exec.Deniedf("%s: the broker does not speak TLS on this port; 'properties.security.protocol' is probably wrong: %w", where, err)
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return exec.Deniedf("%s: the broker refused the user and password in 'properties.sasl.jaas.config'", where)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return exec.Deniedf("%s: the broker does not offer the SASL mechanism of 'properties.sasl.mechanism': %w", where, err)
	case errors.As(err, &eof):
		return exec.Deniedf("%s: check 'properties.security.protocol' and the port: %w", where, err)
	case strings.Contains(err.Error(), "tls: "):
		// Alerts of the other side have no exported type.
		return exec.Deniedf("%s: the TLS handshake failed (does the broker want a client certificate? see 'properties.ssl.keystore.*'): %w", where, err)
	case errors.As(err, &dns):
		return exec.Externalf("%s: the host name cannot be resolved: %w", where, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return exec.Externalf("%s: nothing listens there; is the broker running and the port right? %w", where, err)
	case errors.Is(err, io.EOF) && c.sasl != nil:
		return exec.Deniedf("%s: the broker closed the connection while authenticating: check the user and password in 'properties.sasl.jaas.config', and 'properties.security.protocol': %w", where, err)
	case errors.Is(err, io.EOF):
		return exec.Externalf("%s: the broker closes the connection; check 'properties.security.protocol' and the port: %w", where, err)
	case errors.Is(err, context.DeadlineExceeded):
		return exec.Externalf("%s: no answer within %s; check address, firewall and 'properties.security.protocol' (TLS to a plain port, or plain to a TLS port, can look like this): %w", where, answerTimeout, err)
	}
	return exec.Externalf("%s: cannot connect; check 'properties.bootstrap.servers' and 'properties.security.protocol': %w", where, err)
}

// retryDelay is 10 ms doubled up to 1 s.
func retryDelay(fails int) time.Duration {
	if fails > 7 {
		return time.Second
	}
	return min(10*time.Millisecond<<max(fails-1, 0), time.Second)
}

// sleep waits for d or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// logger passes the client's warnings on; its chatter below that is for debugging only.
type logger struct{ log *slog.Logger }

func (l logger) Level() kgo.LogLevel {
	switch {
	case l.log == nil:
		return kgo.LogLevelNone
	case l.log.Enabled(context.Background(), slog.LevelDebug):
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

func (l logger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if l.log == nil {
		return
	}
	to := slog.LevelDebug
	if level == kgo.LogLevelError {
		to = slog.LevelWarn
	}
	l.log.Log(context.Background(), to, "kafka client: "+msg, keyvals...)
}
