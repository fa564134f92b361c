// Package devbroker owns the broker for development: one Kafka node inside this process
// (franz-go's kfake) that keeps its topics in a directory. It speaks the real protocol, with
// transactions, and is enough for examples and tests on a machine without Kafka. It has no
// replication and gives no guarantee when it is killed. The command line imports it.
package devbroker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
)

// Config says how to run the broker.
type Config struct {
	Dir            string // keeps topics, offsets and transactions; made when it is not there
	Port           int    // on 127.0.0.1; 0 chooses a free one
	Topics         []Topic
	RetainFor      time.Duration // records older than this go; 0 keeps them
	RetainBytes    int64         // per partition; 0 is no limit
	DefaultParts   int           // partitions of topics that clients create
	Log            *slog.Logger
	RetentionEvery time.Duration // how often old records are looked for; 0: once a minute
}

// Topic is one that exists when the broker has started.
type Topic struct {
	Name       string
	Partitions int32
}

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	lock    *os.File
	stop    chan struct{}
	wg      sync.WaitGroup
}

// segmentBytes is the size of log segments: retention frees whole ones.
const segmentBytes = 16 << 20

// Start runs a broker until Close.
func Start(cfg Config) (*Broker, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of the broker: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if err := checkPort(cfg.Port); err != nil {
		lock.Close()
		return nil, err
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(cfg.Port),
		kfake.DataDir(filepath.Join(cfg.Dir, "data")),
		kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(max(cfg.DefaultParts, 1)),
		kfake.BrokerConfigs(retention(cfg)),
		kfake.WithLogger(logger{cfg.Log}),
	)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("starting the broker on the topics in %s: %w", cfg.Dir, err)
	}
	b := &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0], lock: lock, stop: make(chan struct{})}
	for _, t := range cfg.Topics {
		if err := cluster.CreateTopic(t.Name, t.Partitions, nil); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return nil, errors.Join(fmt.Errorf("creating topic %s: %w", t.Name, err), b.Close())
		}
	}
	every := cfg.RetentionEvery
	if every == 0 {
		every = time.Minute
	}
	b.wg.Go(func() { b.retain(every) })
	return b, nil
}

// Addr is the address clients connect to.
func (b *Broker) Addr() string { return b.addr }

// Close stops the broker and writes everything to its directory.
func (b *Broker) Close() error {
	close(b.stop)
	b.wg.Wait()
	b.cluster.Close()
	return b.lock.Close()
}

// retain drops old records. The cluster does that by itself only for topics that set a
// retention of their own.
func (b *Broker) retain(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-tick.C:
			b.cluster.ApplyRetention()
		}
	}
}

func retention(cfg Config) map[string]string {
	forMs, bytes := "-1", "-1"
	if cfg.RetainFor > 0 {
		forMs = strconv.FormatInt(cfg.RetainFor.Milliseconds(), 10)
	}
	if cfg.RetainBytes > 0 {
		bytes = strconv.FormatInt(cfg.RetainBytes, 10)
	}
	return map[string]string{
		"log.retention.ms":       forMs,
		"log.retention.bytes":    bytes,
		"log.segment.bytes":      strconv.Itoa(segmentBytes),
		"log.cleaner.backoff.ms": "15000",
	}
}

// lockDir keeps two brokers from writing the same files. The lock ends with the process.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "broker.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock of the broker's directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, exitcode.With(exitcode.Locked, fmt.Errorf("another broker runs on the topics in %s; stop it, or choose another directory with --dir", dir))
	}
	return f, nil
}

// checkPort gives the clear error that the cluster would not.
func checkPort(port int) error {
	if port == 0 {
		return nil
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return exitcode.With(exitcode.Locked, fmt.Errorf("port %d is in use: is a broker running already? Choose another with --port", port))
	}
	if err != nil {
		return fmt.Errorf("listening on %s: %w", addr, err)
	}
	return ln.Close()
}

// logger passes on what is worth a person's time.
type logger struct{ log *slog.Logger }

func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error(fmt.Sprintf("broker: "+format, args...))
	case kfake.LogLevelWarn:
		l.log.Debug(fmt.Sprintf("broker: "+format, args...))
	}
}
