package kill

import (
	"math/rand/v2"
	"strings"
)

// edits are changes of the job's text that leave its results alone: state comes, goes and moves, and
// what the results are made of stays.
var edits = []func(sql string) string{
	func(sql string) string { return sql },
	// A query more, with windows of its own.
	func(sql string) string {
		return another(sql, "k", "FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '3' SECOND)) WHERE v > 0 GROUP BY k, window_start, window_end")
	},
	// A query more, with the keys and rows of one that is there: their operators share an origin.
	func(sql string) string { return another(sql, "k", "FROM src GROUP BY k") },
	// An aggregate more. It begins empty, so that NULL is nothing to go by.
	func(sql string) string {
		return strings.Replace(sql, "window_start, window_end;", "window_start, window_end HAVING MIN(k) IS NULL OR MIN(k) <> '';", 1)
	},
	// Other names, another order.
	func(sql string) string {
		const counts = "INSERT INTO out_counts SELECT k, COUNT(*) FROM src GROUP BY k;\n"
		sql = strings.Replace(sql, counts, "", 1)
		return strings.Replace(sql, "INSERT INTO out_rows", strings.Replace(counts, "COUNT(*)", "COUNT(*) AS how_many", 1)+"INSERT INTO out_rows", 1)
	},
}

func another(sql, key, from string) string {
	return strings.Replace(sql, "EXECUTE STATEMENT SET BEGIN", "CREATE TABLE more (k STRING, n BIGINT, total BIGINT, most BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');\n"+
		"EXECUTE STATEMENT SET BEGIN\nINSERT INTO more SELECT "+key+", COUNT(*), SUM(v), MAX(v) "+from+";", 1)
}

// edit draws what the user has done to the text since the last start.
func edit(rng *rand.Rand, sql string) string { return edits[rng.IntN(len(edits))](sql) }
