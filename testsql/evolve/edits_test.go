package evolve

import (
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
)

// str writes expressions as the columns of a sink.
func str(exprs ...string) string {
	for len(exprs) < 6 {
		exprs = append(exprs, "''")
	}
	for i := range exprs {
		exprs[i] = "CAST(" + exprs[i] + " AS STRING)"
	}
	return strings.Join(exprs, ", ")
}

// by is a query that groups by auction.
func by(exprs ...string) string {
	return "SELECT " + str(append([]string{"auction"}, exprs...)...) + " FROM b GROUP BY auction"
}

// keyed is by for the sink upserts, whose key is the query's.
func keyed(exprs ...string) string {
	return strings.Replace(by(exprs...), "CAST(auction AS STRING)", "auction", 1)
}

// from puts another relation into a query of by.
func from(query, relation string) string {
	return strings.Replace(query, "FROM b", "FROM "+relation, 1)
}

func set(inserts ...string) string {
	return "EXECUTE STATEMENT SET BEGIN " + strings.Join(inserts, "; ") + "; END"
}

func into(sink, query string) string { return "INSERT INTO " + sink + " " + query }

// operators allows something for every operator of a kind.
func operators(kind string, allow func(a *evolve.Allow, uid string)) func(*checkpoint.Manifest) evolve.Allow {
	return func(m *checkpoint.Manifest) (a evolve.Allow) {
		for _, o := range m.Operators {
			if o.Kind == kind {
				allow(&a, o.UID)
			}
		}
		return a
	}
}

func accept(a *evolve.Allow, uid string) { a.Accept = append(a.Accept, uid) }
func drop(a *evolve.Allow, uid string)   { a.Drop = append(a.Drop, uid) }

func dropSlot(name string) func(a *evolve.Allow, uid string) {
	return func(a *evolve.Allow, uid string) { a.Drop = append(a.Drop, uid+"/"+name) }
}

func everything(*checkpoint.Manifest) evolve.Allow { return evolve.Allow{All: true} }

const (
	group  = "GroupAggregate"
	window = "WindowAggregate"
)

// windowed is a query over windows, whose rows are known by window and auction.
func windowed(function string, exprs ...string) string {
	key := "CAST(window_end AS STRING) || ' ' || CAST(auction AS STRING)"
	return "SELECT " + str(append([]string{key}, exprs...)...) + " FROM TABLE(" + function + ") GROUP BY auction, window_start, window_end"
}

const (
	tumble = "TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '20' SECOND)"
	hop    = "HOP(TABLE b, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '30' SECOND)"
)

// wide has wider types in all columns that can be.
var wide = schema(strings.NewReplacer("price INT", "price BIGINT", "cost DECIMAL(10, 2)", "cost DECIMAL(20, 3)", "channel VARCHAR(9)", "channel STRING", "f FLOAT", "f DOUBLE", "made TIMESTAMP(3)", "made TIMESTAMP(9)").Replace(columns))

// wideKeys has wider types in columns that are grouped by.
var wideKeys = schema(strings.NewReplacer("auction INT", "auction BIGINT", "channel VARCHAR(9)", "channel STRING", "f FLOAT", "f DOUBLE", "cost DECIMAL(10, 2)", "cost DECIMAL(30, 4)", "made TIMESTAMP(3)", "made TIMESTAMP(6)").Replace(columns))

var otherTopic = tableText("b", "b2", columns) + tableText("c", "c", columns) + tableText("before", "b", columns) + sinks

// changelog is a query over rows that are taken away: how many auctions have so many rows, and what of them.
func changelog(exprs ...string) string {
	return "SELECT " + str(append([]string{"n"}, exprs...)...) + " FROM (SELECT auction, bidder, COUNT(*) AS n, SUM(price) AS s, MAX(channel) AS c FROM b GROUP BY auction, bidder) GROUP BY n"
}

const count = "COUNT(*)"

var edits = []edit{
	{name: "nothing", old: by(count, "SUM(price)", "MAX(channel)"), now: by(count, "SUM(price)", "MAX(channel)"), verdict: evolve.Restore},
	{name: "aggregates in another order", old: by(count, "SUM(price)", "MAX(channel)", "MIN(cost)", "MIN(channel)"),
		now: by("MIN(channel)", "MIN(cost)", "SUM(price)", count, "MAX(channel)"), verdict: evolve.Restore},
	{name: "aggregates more", old: by("SUM(price)", "MAX(channel)"), now: by("MIN(price)", "SUM(price)", "MIN(channel)", "MAX(channel)", "COUNT(DISTINCT bidder)"),
		verdict: evolve.Partial, fresh: []int{0, 2, 4}},
	{name: "an aggregate less", old: by(count, "MIN(channel)", "SUM(price)", "MAX(channel)"), now: by(count, "SUM(price)", "MAX(channel)"),
		verdict: evolve.Drop, allow: operators(group, dropSlot("MIN(channel)"))},
	{name: "an aggregate less, without leave", old: by(count, "SUM(price)"), now: by(count), verdict: evolve.Drop, refused: "SUM(price) of operator"},
	{name: "an aggregate less, by -n", old: by(count, "SUM(price)", "COUNT(DISTINCT price)"), now: by(count), verdict: evolve.Drop, allow: everything},
	{name: "all at once", old: by("FIRST_VALUE(channel)", "SUM(price)", "MAX(channel)", "COUNT(DISTINCT channel)"),
		now: by("COUNT(DISTINCT channel)", "MAX(channel)", "MIN(price)", "AVG(price)"), verdict: evolve.Drop, allow: everything, fresh: []int{2}},
	{name: "a mean for a sum, and how many", old: by("SUM(price)", "SUM(cost)"), now: by("AVG(price)", "AVG(cost)", "COUNT(price)"), verdict: evolve.Restore},
	{name: "no aggregate any more", old: "SELECT " + str("seq", "MAX(price)") + " FROM b GROUP BY seq", now: "SELECT " + str("seq") + " FROM b GROUP BY seq", verdict: evolve.Drop, allow: everything},
	{name: "an aggregate where there was none", old: "SELECT " + str("auction") + " FROM b GROUP BY auction", now: by(count, "MAX(price)"), verdict: evolve.Partial, fresh: []int{1}},
	{name: "aliases and projected columns", old: by(count, "SUM(price)"),
		now: "SELECT CAST(x AS STRING), CAST(n AS STRING), CAST(s AS STRING), '', '', '' FROM (SELECT SUM(q) AS s, y AS x, COUNT(*) AS n FROM (SELECT bidder, price AS q, auction AS y FROM b) GROUP BY y)", verdict: evolve.Restore},
	{name: "a computed column and HAVING", old: by(count, "SUM(price)"), now: by(count, "SUM(price) * 2 + 1", "auction + 1") + " HAVING COUNT(*) > 3", verdict: evolve.Restore},
	{name: "a filter, without leave", old: by(count), now: from(by(count), "b WHERE price > 4"), verdict: evolve.Changed, refused: "a filter or watermark below has changed"},
	{name: "a filter", old: by(count, "MAX(price)"), now: from(by(count, "MAX(price)"), "b WHERE price > 4"), verdict: evolve.Changed, allow: operators(group, accept),
		expect: from(by(count, "MAX(price)"), "b WHERE price > 4 OR seq < 150")},
	{name: "a filter moved", old: from(by(count), "b WHERE price > 4 AND bidder > 1"), now: from(by(count), "(SELECT * FROM b WHERE bidder > 1) AS x WHERE price > 4"), verdict: evolve.Restore},
	{name: "a union with another table", old: by(count, "SUM(price)", "COUNT(DISTINCT bidder)"), now: from(by(count, "SUM(price)", "COUNT(DISTINCT bidder)"), "(SELECT auction, price, bidder FROM b UNION ALL SELECT auction, price, bidder FROM c) AS u"),
		verdict: evolve.Changed, allow: operators(group, accept)},
	{name: "a branch of a union less", old: from(by(count), "(SELECT auction, seq FROM b UNION ALL SELECT auction, seq FROM c) AS u"), now: by(count),
		verdict: evolve.Changed, allow: func(m *checkpoint.Manifest) evolve.Allow {
			a := operators(group, accept)(m)
			a.All = true
			return a
		}, expect: from(by(count), "(SELECT auction FROM b UNION ALL SELECT auction FROM c WHERE seq < 150) AS u")},
	{name: "another sink table", old: by(count), now: into("plain2", by(count)), sink: "plain2", verdict: evolve.Restore},
	{name: "another kind of sink", old: by(count), now: into("upserts", keyed(count)), sink: "upserts", verdict: evolve.Restore},
	{name: "a query more, before the others", old: set(into("plain2", by(count))), now: set(into("plain", from(by(count), "b WHERE price > 4")), into("plain2", by(count))), sink: "plain2", verdict: evolve.New},
	{name: "a query more", old: set(into("plain", by(count))), now: set(into("plain", by(count)), into("plain2", by("SUM(price)"))), verdict: evolve.New},
	{name: "queries in another order, one less", old: set(into("plain", by(count)), into("plain2", from(by("MAX(channel)"), "b WHERE price > 4")), into("upserts", from(keyed("MIN(price)"), "b WHERE price > 5"))),
		now: set(into("upserts", from(keyed("MIN(price)"), "b WHERE price > 5")), into("plain2", from(by("MAX(channel)"), "b WHERE price > 4"))), sink: "plain2", verdict: evolve.Drop, allow: everything},
	{name: "queries exchange their sinks", old: set(into("plain", by(count)), into("plain2", from(by("MAX(channel)"), "b WHERE price > 4"))),
		now: set(into("plain2", by(count)), into("plain", from(by("MAX(channel)"), "b WHERE price > 4"))), sink: "plain2", verdict: evolve.Restore},
	{name: "wider types", tables: [2]string{"", wide}, old: by("SUM(price)", "MAX(cost)", "MAX(channel)", "MIN(made)", "SUM(cost)"), now: by("SUM(price)", "MAX(cost)", "MAX(channel)", "MIN(made)", "SUM(cost)"), verdict: evolve.Migrate},
	{name: "wider types of different values", tables: [2]string{"", wide}, old: by("COUNT(DISTINCT price)", "SUM(DISTINCT price)", "COUNT(DISTINCT f)"), now: by("COUNT(DISTINCT price)", "SUM(DISTINCT price)", "COUNT(DISTINCT f)"), verdict: evolve.Migrate},
	{name: "wider types of a sum of floats", tables: [2]string{"", wide}, old: by("SUM(f)", "AVG(f)", "MIN(f)"), now: by("MIN(f)", "SUM(f)", "AVG(f)"), verdict: evolve.Migrate},
	{name: "wider keys", tables: [2]string{"", wideKeys}, old: by(count, "MAX(channel)", "COUNT(DISTINCT channel)"), now: by(count, "MAX(channel)", "COUNT(DISTINCT channel)"), verdict: evolve.Migrate},
	{name: "wider keys of several types", tables: [2]string{"", wideKeys},
		old: "SELECT " + str("CAST(cost AS INT)", count, "COUNT(DISTINCT auction)") + " FROM b GROUP BY cost, f, d, channel, made", now: "SELECT " + str("CAST(cost AS INT)", count, "COUNT(DISTINCT auction)") + " FROM b GROUP BY cost, f, d, channel, made",
		verdict: evolve.Migrate, expect: "SELECT " + str("CAST(cost AS INT)", count, "COUNT(DISTINCT auction)") + " FROM b GROUP BY cost, f, d, channel, made"},
	{name: "narrower keys", tables: [2]string{wideKeys, ""}, old: by(count), now: by(count), verdict: evolve.Incompatible, refused: "a value of type BIGINT may not fit INT"},
	{name: "a narrower type", tables: [2]string{wide, ""}, old: by("MAX(price)", count), now: by("MAX(price)", count), verdict: evolve.Incompatible, refused: "a value of type BIGINT may not fit INT"},
	{name: "a narrower type that starts empty", tables: [2]string{wide, ""}, old: by("MAX(price)", count), now: by("MAX(price)", count), verdict: evolve.Drop, allow: operators(group, dropSlot("MAX(price)")), fresh: []int{0}},
	{name: "other values of a column", old: by("COUNT(DISTINCT price)"), now: by("SUM(DISTINCT price)", "AVG(DISTINCT price)", "COUNT(DISTINCT price)"), verdict: evolve.Restore},
	{name: "some of the values of a column", old: by("COUNT(DISTINCT price)", "COUNT(DISTINCT price) FILTER (WHERE bidder > 1)"), now: by("SUM(DISTINCT price) FILTER (WHERE bidder > 1)"), verdict: evolve.Drop, allow: everything},
	{name: "another key", old: by(count), now: "SELECT " + str("bidder", count) + " FROM b GROUP BY bidder", verdict: evolve.Incompatible, refused: "GROUP BY changed from auction to bidder"},
	{name: "another key, by leave", old: by(count), now: "SELECT " + str("bidder", count) + " FROM b GROUP BY bidder", verdict: evolve.Drop, allow: operators(group, drop), fresh: []int{0}},
	{name: "the source's topic, without leave", tables: [2]string{"", otherTopic}, old: by(count), now: by(count), verdict: evolve.Changed, refused: "it read feed:b.jsonl, now it reads feed:b2.jsonl"},
	{name: "the source's topic", tables: [2]string{"", otherTopic}, old: by(count, "MAX(channel)"), now: by(count, "MAX(channel)"), verdict: evolve.Changed, allow: operators("Source", accept),
		expect: strings.Replace(by(count, "MAX(channel)"), "FROM b", "FROM (SELECT * FROM b UNION ALL SELECT * FROM before WHERE seq < 150) AS u", 1)},
	{name: "max parallelism", old: by(count), now: by(count), tables: [2]string{"", "SET 'pipeline.max-parallelism' = '64';\n" + schema(columns)}, verdict: evolve.Incompatible,
		refused: "pipeline.max-parallelism is 64; the checkpoint has 128 key groups, which is fixed for its life"},
	{name: "a time to live begins", old: by(count, "COUNT(DISTINCT bidder)"), now: by(count, "COUNT(DISTINCT bidder)"), tables: [2]string{"", "SET 'table.exec.state.ttl' = '1 h';\n" + schema(columns)}, verdict: evolve.Migrate},
	{name: "a time to live ends", old: by(count), now: by(count), tables: [2]string{"SET 'table.exec.state.ttl' = '1 h';\n" + schema(columns), ""}, verdict: evolve.Restore},
	{name: "checkpoint options", old: by(count), now: by(count), tables: [2]string{"", "SET 'execution.checkpointing.interval' = '2 h'; SET 'execution.checkpointing.timeout' = '1 min';\n" + schema(columns)}, verdict: evolve.Restore},

	{name: "windows", old: windowed(tumble, count, "MAX(channel)"), now: windowed(tumble, "MAX(channel)", count), verdict: evolve.Restore},
	{name: "windows of wider types", tables: [2]string{"", wide}, old: windowed(tumble, "MAX(price)", "SUM(cost)", "COUNT(DISTINCT price)"), now: windowed(tumble, "MAX(price)", "SUM(cost)", "COUNT(DISTINCT price)"), verdict: evolve.Migrate},
	{name: "windows with wider keys", tables: [2]string{"", wideKeys}, old: windowed(tumble, count, "COUNT(DISTINCT channel)"), now: windowed(tumble, count, "COUNT(DISTINCT channel)"), verdict: evolve.Migrate},
	{name: "windows of panes", old: windowed(hop, count, "MAX(channel)"), now: windowed(hop, "AVG(price)", "MAX(channel)", count), verdict: evolve.Partial, fresh: nil, expect: windowed(hop, "AVG(CASE WHEN seq < 150 THEN CAST(NULL AS INT) ELSE price END)", "MAX(channel)", count)},
	{name: "other values of windows", old: windowed(tumble, "COUNT(DISTINCT price)"), now: windowed(tumble, "SUM(DISTINCT price)", "COUNT(DISTINCT price)"), verdict: evolve.Restore},
	{name: "the window's size", old: windowed(tumble, count), now: windowed(strings.Replace(tumble, "20", "40", 1), count), verdict: evolve.Incompatible, refused: "window size changed from 20 s to 40 s"},
	{name: "the window's size, by leave", old: windowed(tumble, count), now: windowed(strings.Replace(tumble, "20", "40", 1), count), verdict: evolve.Drop, allow: operators(window, drop), fresh: []int{0}},

	{name: "over a changelog", old: changelog(count, "SUM(s)", "MAX(c)"), now: changelog("MAX(c)", "AVG(s)", count), verdict: evolve.Restore},
	{name: "over a changelog: other values", old: changelog("MAX(s)"), now: changelog("MIN(s)", "MAX(s)", "COUNT(DISTINCT s)", "SUM(DISTINCT s)"), verdict: evolve.Restore},
	{name: "over a changelog: wider types", tables: [2]string{"", wide}, old: changelog("MAX(s)", "MIN(c)", "COUNT(DISTINCT s)", count), now: changelog("MAX(s)", "MIN(c)", "COUNT(DISTINCT s)", count), verdict: evolve.Migrate},
	{name: "over a changelog: some of the values", old: changelog("MAX(s)", "COUNT(DISTINCT s) FILTER (WHERE s > 5)"), now: changelog("COUNT(DISTINCT s) FILTER (WHERE s > 5)"), verdict: evolve.Drop, allow: everything},
	{name: "over a changelog: an aggregate more", old: changelog(count), now: changelog(count, "SUM(s)"), verdict: evolve.Incompatible, refused: "it cannot start empty"},
	{name: "over a changelog: one that is counted already", old: changelog("SUM(s)"), now: changelog(count), verdict: evolve.Drop, allow: everything},
}
