// Package kill is the kill loop: it runs the real binary on a Kafka, kills it at named steps
// of the checkpoint protocol and at random, lets it finish, and checks that read_committed
// readers saw every result exactly once. Only tests use it.
package kill

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	keys       = 50
	partitions = 4
	// msPerRow is the event time between two rows of the input.
	msPerRow = 10
	window   = time.Second
)

// epoch0 is the event time of row 0.
var epoch0 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// row is one input record: everything follows from its sequence number.
type row struct {
	Seq int64  `json:"seq"`
	K   string `json:"k"`
	TS  string `json:"ts"`
	V   int64  `json:"v"`
}

func rowOf(seq int64) row {
	// A multiplicative hash spreads keys evenly and is the same in every run.
	k := (uint64(seq) * 0x9E3779B97F4A7C15) >> 33 % keys
	return row{seq, fmt.Sprintf("k%d", k), eventTime(seq).Format("2006-01-02 15:04:05.000"), seq % 7}
}

func eventTime(seq int64) time.Time {
	return epoch0.Add(time.Duration(seq) * msPerRow * time.Millisecond)
}

// flushKey marks the rows at the end of the input, one per partition, whose far event time
// closes all windows. No pipeline's result about them is looked at.
const flushKey = "flush"

func flushRow() row {
	return row{-1, flushKey, epoch0.AddDate(10, 0, 0).Format("2006-01-02 15:04:05.000"), 3}
}

// passes is the filter of the first pipeline.
func (r row) passes() bool { return r.V != 3 }

// poisonEvery is how often a record cannot be decoded.
const poisonEvery = 100

// poisoned reports whether input record seq is one that cannot be decoded. It has to arrive
// in the dead letter topic, and nowhere else.
func poisoned(seq int64) bool { return seq%poisonEvery == poisonEvery/2 }

// inputOf is the value of input record seq.
func inputOf(seq int64) []byte {
	b, err := json.Marshal(rowOf(seq))
	if err != nil {
		panic(err) // a struct of texts and numbers
	}
	if poisoned(seq) {
		b = b[:len(b)-2]
	}
	return b
}

// topics are the names of one run; a real broker is shared, so they are unique.
type topics struct{ prefix string }

func (t topics) in() string      { return t.prefix + "-in" }
func (t topics) rows() string    { return t.prefix + "-rows" }    // filter and projection
func (t topics) counts() string  { return t.prefix + "-counts" }  // running COUNT(*) per key
func (t topics) windows() string { return t.prefix + "-windows" } // tumbling SUM per key
func (t topics) letters() string { return t.prefix + "-letters" } // undecodable input
func (t topics) outs() []string  { return []string{t.rows(), t.counts(), t.windows(), t.letters()} }

// sql is the job under test: one statement set, three pipelines and dead letters, one
// transaction.
func (t topics) sql(brokers string, o Options) string {
	kafka := func(connector, topic, more string) string {
		return fmt.Sprintf("WITH ('connector' = '%s', 'topic' = '%s', 'properties.bootstrap.servers' = '%s'%s)", connector, topic, brokers, more)
	}
	sink := fmt.Sprintf(", 'sink.delivery-guarantee' = 'exactly-once', 'properties.transaction.timeout.ms' = '%d'", o.TransactionTimeout.Milliseconds())
	store := ""
	if o.Store != "" {
		store = "SET 'execution.checkpointing.dir' = '" + o.Store + "';"
	}
	for _, k := range slices.Sorted(maps.Keys(o.StoreOptions)) {
		store += "\nSET '" + k + "' = '" + o.StoreOptions[k] + "';"
	}
	for _, k := range slices.Sorted(maps.Keys(o.Set)) {
		store += "\nSET '" + k + "' = '" + o.Set[k] + "';"
	}
	return strings.Join([]string{
		store,
		fmt.Sprintf("SET 'execution.checkpointing.interval' = '%d ms';", o.Interval.Milliseconds()),
		fmt.Sprintf("SET 'execution.checkpointing.num-retained' = '%d';", o.Retained),
		fmt.Sprintf("SET 'execution.checkpointing.incremental' = '%t';", !o.Full),
		fmt.Sprintf("SET 'parallelism.default' = '%d';", o.Parallelism),
		"SET 'pipeline.name' = 'kill';",
		"CREATE TABLE src (seq BIGINT, k STRING, ts TIMESTAMP(3), v BIGINT, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) " +
			kafka("kafka", t.in(), ", 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'bad-records' = 'dlq', 'bad-records.dlq.topic' = '"+t.letters()+"'") + ";",
		"CREATE TABLE out_rows (seq BIGINT, k STRING, v2 BIGINT) " + kafka("kafka", t.rows(), ", 'format' = 'json'"+sink) + ";",
		"CREATE TABLE out_counts (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) " +
			kafka("upsert-kafka", t.counts(), ", 'key.format' = 'json', 'value.format' = 'json'"+sink) + ";",
		"CREATE TABLE out_windows (k STRING, w TIMESTAMP(3), total BIGINT, n BIGINT) " + kafka("kafka", t.windows(), ", 'format' = 'json'"+sink) + ";",
		"EXECUTE STATEMENT SET BEGIN",
		"INSERT INTO out_rows SELECT seq, k, v * 2 FROM src WHERE v <> 3;",
		"INSERT INTO out_counts SELECT k, COUNT(*) FROM src GROUP BY k;",
		"INSERT INTO out_windows SELECT k, window_start, SUM(v), COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end;",
		"END;",
	}, "\n") + "\n"
}
