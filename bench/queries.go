package main

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// sink is the columns a query writes, its key when its result is updated.
type query struct {
	name string
	sink string // columns of the sink table
	key  string // PRIMARY KEY of an updated result, "" when rows are only added
}

// queries are the Nexmark queries that run, in order; q5 and q7 are their windowed halves.
var queries = []query{
	{"q0", "auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), extra STRING", ""},
	{"q1", "auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), `dateTime` TIMESTAMP(3), extra STRING", ""},
	{"q2", "auction BIGINT, price BIGINT", ""},
	{"q5", "auction BIGINT, bids BIGINT, window_start TIMESTAMP(3), window_end TIMESTAMP(3)", ""},
	{"q7", "top BIGINT, window_start TIMESTAMP(3), window_end TIMESTAMP(3)", ""},
	{"q12", "bidder BIGINT, bids BIGINT, window_start TIMESTAMP(3), window_end TIMESTAMP(3)", ""},
	{"q14", "auction BIGINT, bidder BIGINT, price_eur DECIMAL(23, 3), time_of_day STRING, `dateTime` TIMESTAMP(3), extra STRING, c_counts INT", ""},
	{"q15", "`day` STRING, total_bids BIGINT, r1 BIGINT, r2 BIGINT, r3 BIGINT, total_bidders BIGINT, b1 BIGINT, b2 BIGINT, b3 BIGINT, total_auctions BIGINT, a1 BIGINT, a2 BIGINT, a3 BIGINT", "`day`"},
	{"q17", "auction BIGINT, `day` STRING, total_bids BIGINT, r1 BIGINT, r2 BIGINT, r3 BIGINT, low BIGINT, high BIGINT, average BIGINT, total BIGINT", "auction, `day`"},
	{"q21", "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, channel_id STRING", ""},
	{"q22", "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, dir1 STRING, dir2 STRING, dir3 STRING", ""},
}

// mode is where events come from and where results go.
type mode struct{ name, source, sink string }

var modes = []mode{
	{"generator to blackhole", "nexmark", "blackhole"},
	{"Kafka to blackhole", "kafka", "blackhole"},
	{"Kafka to Kafka", "kafka", "kafka"},
}

const events = `
CREATE TABLE events (
  event_type INT,
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, ` + "`dateTime`" + ` TIMESTAMP(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, ` + "`dateTime`" + ` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, ` + "`dateTime`" + ` TIMESTAMP(3), extra STRING>,
  ` + "`dateTime`" + ` AS CASE event_type WHEN 0 THEN person.` + "`dateTime`" + ` WHEN 1 THEN auction.` + "`dateTime`" + ` ELSE bid.` + "`dateTime`" + ` END,
  p_time AS PROCTIME(),
  WATERMARK FOR ` + "`dateTime` AS `dateTime`" + ` - INTERVAL '4' SECOND
) WITH (%s);

CREATE VIEW bid AS
SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, ` + "`dateTime`" + `, bid.extra, p_time
FROM events WHERE event_type = 2;
`

// script is the whole job of a query in a mode. topic holds the events; out is made for the result.
func script(q query, m mode, brokers, topic, out string, n int64) (string, error) {
	text, err := queryFiles.ReadFile("queries/" + q.name + ".sql")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("SET 'execution.checkpointing.interval' = '10 s';\n")
	from := fmt.Sprintf("'connector' = 'nexmark', 'events' = '%d'", n)
	if m.source == "kafka" {
		from = fmt.Sprintf("'connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'format' = 'json', "+
			"'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'", topic, brokers)
	}
	fmt.Fprintf(&b, events, from)
	to, key := "'connector' = 'blackhole'", ""
	if q.key != "" {
		key = ", PRIMARY KEY (" + q.key + ") NOT ENFORCED"
	}
	if m.sink == "kafka" {
		common := fmt.Sprintf("'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'sink.delivery-guarantee' = 'exactly-once'", out, brokers)
		if to = "'connector' = 'kafka', 'format' = 'json', " + common; q.key != "" {
			to = "'connector' = 'upsert-kafka', 'key.format' = 'json', 'value.format' = 'json', " + common
		}
	}
	fmt.Fprintf(&b, "CREATE TABLE results (%s%s) WITH (%s);\nINSERT INTO results\n%s", q.sink, key, to, text)
	return b.String(), nil
}
