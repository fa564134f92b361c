package session_test

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/planner/plan"
)

const identityTables = `
CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, bidTime TIMESTAMP(3), WATERMARK FOR bidTime AS bidTime - INTERVAL '4' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'bid', 'properties.bootstrap.servers' = 'b:9092', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE ask (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, bidTime TIMESTAMP(3), WATERMARK FOR bidTime AS bidTime - INTERVAL '4' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'ask', 'properties.bootstrap.servers' = 'b:9092', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE VIEW cheap AS SELECT auction AS a, price AS p FROM bid WHERE price < 10;
CREATE TABLE o1 (k BIGINT, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE o2 (k BIGINT, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE o3 (k BIGINT, n BIGINT) WITH ('connector' = 'print');
`

// keyed is what a checkpoint finds state again by.
type keyed struct{ uid, slots, fingerprint string }

// identities plans a text and returns the nodes with state in plan order.
func identities(t *testing.T, text string) []keyed {
	t.Helper()
	s := newSession()
	results, err := s.Execute("", identityTables+text)
	if err != nil {
		t.Fatal(err)
	}
	var out []keyed
	for _, r := range results {
		if r.Job == nil {
			continue
		}
		for _, n := range r.Job.Nodes {
			if len(n.State) == 0 {
				continue
			}
			k := keyed{uid: n.UID, fingerprint: n.Fingerprint}
			for _, s := range n.State[0].Slots {
				k.slots += s.ID + " "
			}
			out = append(out, k)
		}
	}
	return out
}

const base = `INSERT INTO o1 SELECT auction, COUNT(*) FROM bid GROUP BY auction`

// TestUIDLeavesOut: what may change about a query without its state being lost.
func TestUIDLeavesOut(t *testing.T) {
	want := identities(t, base)[0]
	for name, tc := range map[string]struct {
		text               string
		slots, fingerprint bool // stay the same
	}{
		"another sink":              {`INSERT INTO o2 SELECT auction, COUNT(*) FROM bid GROUP BY auction`, true, true},
		"an alias":                  {`INSERT INTO o1 SELECT b.auction AS x, COUNT(*) AS y FROM bid AS b GROUP BY b.auction`, true, true},
		"a projection below":        {`INSERT INTO o1 SELECT k, COUNT(*) FROM (SELECT price * 2 AS p, auction AS k FROM bid) GROUP BY k`, true, true},
		"a CTE":                     {`INSERT INTO o1 WITH c AS (SELECT auction AS k FROM bid) SELECT k, COUNT(*) FROM c GROUP BY k`, true, true},
		"the order of the columns":  {`INSERT INTO o1 (n, k) SELECT COUNT(*), auction FROM bid GROUP BY auction`, true, true},
		"HAVING":                    {base + ` HAVING COUNT(*) > 3`, true, true},
		"parallelism":               {`SET 'parallelism.default' = '3'; ` + base, true, true},
		"time to live":              {`SET 'table.exec.state.ttl' = '1 d'; ` + base, true, true},
		"a filter":                  {`INSERT INTO o1 SELECT auction, COUNT(*) FROM bid WHERE price > 5 GROUP BY auction`, true, false},
		"a view with a filter":      {`INSERT INTO o1 SELECT a, COUNT(*) FROM cheap GROUP BY a`, true, false},
		"another aggregate":         {`INSERT INTO o1 SELECT auction, SUM(price) FROM bid GROUP BY auction`, false, true},
		"an additional aggregate":   {`SELECT auction, COUNT(*), MAX(price) FROM bid GROUP BY auction`, false, true},
		"a FILTER of the aggregate": {`INSERT INTO o1 SELECT auction, COUNT(*) FILTER (WHERE price > 1) FROM bid GROUP BY auction`, false, true},
		"another watermark":         {`CREATE TABLE b2 (WATERMARK FOR bidTime AS bidTime) LIKE bid (OVERWRITING WATERMARKS); DROP VIEW cheap; DROP TABLE bid; ALTER TABLE b2 RENAME TO bid; ` + base, true, true},
	} {
		got := identities(t, tc.text)[0]
		if got.uid != want.uid {
			t.Errorf("%s changes the UID", name)
		}
		if (got.slots == want.slots) != tc.slots {
			t.Errorf("%s: slots %q, without it %q", name, got.slots, want.slots)
		}
		if (got.fingerprint == want.fingerprint) != tc.fingerprint {
			t.Errorf("%s: fingerprint %s, without it %s", name, got.fingerprint, want.fingerprint)
		}
	}
}

// TestUIDDependsOn: what makes other state of it.
func TestUIDDependsOn(t *testing.T) {
	const window = `SELECT auction, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(bidTime), INTERVAL '10' SECOND)) GROUP BY auction, window_start, window_end`
	texts := map[string]string{
		"base":                 base,
		"another key":          `INSERT INTO o1 SELECT bidder, COUNT(*) FROM bid GROUP BY bidder`,
		"an expression as key": `INSERT INTO o1 SELECT auction + 1, COUNT(*) FROM bid GROUP BY auction + 1`,
		"two keys":             `INSERT INTO o1 SELECT auction, COUNT(*) FROM bid GROUP BY auction, bidder`,
		"the keys' order":      `INSERT INTO o1 SELECT auction, COUNT(*) FROM bid GROUP BY bidder, auction`,
		"no key":               `INSERT INTO o1 SELECT 1, COUNT(*) FROM bid`,
		"another source":       `INSERT INTO o1 SELECT auction, COUNT(*) FROM ask GROUP BY auction`,
		"two sources":          `INSERT INTO o1 SELECT auction, COUNT(*) FROM (SELECT auction FROM bid UNION ALL SELECT auction FROM ask) GROUP BY auction`,
		"a window":             window,
		"a longer window":      strings.Replace(window, "'10'", "'20'", 1),
		"a shifted window":     strings.Replace(window, "SECOND))", "SECOND, INTERVAL '1' SECOND))", 1),
		"a hopping window":     strings.Replace(strings.Replace(window, "TUMBLE", "HOP", 1), "INTERVAL", "INTERVAL '5' SECOND, INTERVAL", 1),
		"an aggregate of it":   `SELECT DISTINCT auction FROM (SELECT auction, COUNT(*) AS n FROM bid GROUP BY auction) WHERE n > 1`,
		"a hint":               `SELECT /*+ UID('mine') */ auction, COUNT(*) FROM bid GROUP BY auction`,
	}
	seen := map[string]string{}
	for name, text := range texts {
		ids := identities(t, text)
		uid := ids[len(ids)-1].uid
		if other, ok := seen[uid]; ok {
			t.Errorf("%s and %s have the same UID", name, other)
		}
		seen[uid] = name
	}
}

// TestWindowFingerprint: what decides about time is part of what a window's state means.
func TestWindowFingerprint(t *testing.T) {
	const query = `SELECT auction, COUNT(*) FROM TABLE(TUMBLE(TABLE %s, DESCRIPTOR(bidTime), INTERVAL '10' SECOND)) GROUP BY auction, window_start, window_end`
	a := identities(t, strings.Replace(query, "%s", "bid", 1))[0]
	b := identities(t, `CREATE TABLE b2 (WATERMARK FOR bidTime AS bidTime) LIKE bid (OVERWRITING WATERMARKS); DROP VIEW cheap; DROP TABLE bid; ALTER TABLE b2 RENAME TO bid;`+
		strings.Replace(query, "%s", "bid", 1))[0]
	if a.uid != b.uid || a.fingerprint == b.fingerprint {
		t.Errorf("another watermark: %+v, then %+v", a, b)
	}
}

// TestFingerprintIsASetOfConditions: the order and the place of conditions do not matter.
func TestFingerprintIsASetOfConditions(t *testing.T) {
	want := identities(t, `SELECT auction, COUNT(*) FROM bid WHERE price > 5 AND channel = 'x' GROUP BY auction`)[0]
	for _, text := range []string{
		`SELECT auction, COUNT(*) FROM bid WHERE channel = 'x' AND price > 5 GROUP BY auction`,
		`SELECT k, COUNT(*) FROM (SELECT auction AS k, price AS p FROM bid WHERE channel = 'x') WHERE p > 5 GROUP BY k`,
		`EXECUTE STATEMENT SET BEGIN INSERT INTO o1 SELECT auction, COUNT(*) FROM bid WHERE price > 5 AND channel = 'x' GROUP BY auction; INSERT INTO o2 SELECT 1, price FROM bid WHERE channel = 'x'; END`,
	} {
		if got := identities(t, text)[0]; got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

// TestStatementsOfASetKeepTheirUIDs: adding and moving statements changes nothing for the
// others.
func TestStatementsOfASetKeepTheirUIDs(t *testing.T) {
	a := `INSERT INTO o1 SELECT auction, COUNT(*) FROM bid WHERE price > 1 GROUP BY auction; `
	b := `INSERT INTO o2 SELECT auction, COUNT(*) FROM bid WHERE price > 2 GROUP BY auction; `
	c := `INSERT INTO o3 SELECT bidder, SUM(price) FROM bid GROUP BY bidder; `
	set := func(parts ...string) []keyed {
		return identities(t, "EXECUTE STATEMENT SET BEGIN "+strings.Join(parts, "")+"END")
	}
	alone, ab, ba, cab := set(a), set(a, b), set(b, a), set(c, a, b)
	if alone[0] != ab[0] || ab[0] != ba[1] || ab[0] != cab[1] {
		t.Errorf("the first statement: %v alone, %v, %v, %v", alone[0], ab[0], ba[1], cab[1])
	}
	if ab[1] != ba[0] || ab[1] != cab[2] {
		t.Errorf("the second statement: %v, %v, %v", ab[1], ba[0], cab[2])
	}
	if ab[0].uid == ab[1].uid {
		t.Error("two aggregates of one job share a UID")
	}
}

// TestEqualBranchesDoNotShareState: a union of a query with itself.
func TestEqualBranchesDoNotShareState(t *testing.T) {
	const branch = `SELECT auction, COUNT(*) FROM bid GROUP BY auction`
	ids := identities(t, branch+" UNION ALL "+branch+" UNION ALL "+branch)
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id.uid] {
			t.Errorf("UID %s twice", id.uid)
		}
		seen[id.uid] = true
	}
	if len(ids) != 3 {
		t.Errorf("%d nodes with state, want 3", len(ids))
	}
}

// TestUIDsAreUnique over everything the goldens plan.
func TestUIDsAreUnique(t *testing.T) {
	s := newSession()
	results, err := s.Execute("", identityTables+`
EXECUTE STATEMENT SET BEGIN
INSERT INTO o1 SELECT auction, price FROM bid; INSERT INTO o1 SELECT auction, price FROM bid; INSERT INTO o1 SELECT bidder, price FROM ask;
INSERT INTO o2 SELECT DISTINCT auction, price FROM bid; INSERT INTO o2 SELECT DISTINCT auction, price FROM bid WHERE price > 3;
END`)
	if err != nil {
		t.Fatal(err)
	}
	job := results[len(results)-1].Job
	seen := map[string]*plan.Node{}
	for i, n := range job.Nodes {
		if n.ID != i {
			t.Errorf("node %d has ID %d", i, n.ID)
		}
		if other := seen[n.UID]; other != nil {
			t.Errorf("%s and %s have UID %s", n.Name, other.Name, n.UID)
		}
		seen[n.UID] = n
		for _, in := range n.Inputs {
			if in.Node >= i {
				t.Errorf("node %d reads from node %d", i, in.Node)
			}
		}
	}
}

// The UID of a sink follows its table, unless the table says which one it has.
func TestSinkUID(t *testing.T) {
	uid := func(name, connector, more string) string {
		t.Helper()
		results, err := newSession().Execute("", "CREATE TABLE s (a INT) WITH ('connector' = 'datagen');\n"+
			"CREATE TABLE "+name+" (a INT) WITH ('connector' = '"+connector+"'"+more+");\nINSERT INTO "+name+" SELECT a FROM s;")
		if err != nil {
			t.Fatal(err)
		}
		job := results[len(results)-1].Job
		return job.Nodes[len(job.Nodes)-1].UID
	}
	const mine = ", 'sink.uid' = 'mine'"
	if uid("o", "blackhole", "") == uid("p", "blackhole", "") || uid("o", "blackhole", "") == uid("o", "blackhole", mine) {
		t.Error("sinks of different tables have one UID")
	}
	if uid("o", "blackhole", mine) != uid("p", "print", mine) || uid("o", "blackhole", mine) == uid("o", "blackhole", ", 'sink.uid' = 'other'") {
		t.Error("the UID is not what 'sink.uid' says")
	}
}
