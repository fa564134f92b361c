package badinput

import (
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/secret"
)

var (
	mutations = flag.Int("mutations", 20_000, "mutated statements of TestMutatedStatements")
	seed      = flag.Uint64("seed", 1, "seed of TestMutatedStatements")
)

// secretTables has passwords where users put them.
const secretTables = `CREATE TABLE secure (id INT, name STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = '127.0.0.1:1', 'format' = 'json', 'properties.security.protocol' = 'SASL_SSL', 'properties.sasl.mechanism' = 'PLAIN',
 'properties.sasl.jaas.config' = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="` + canary + `";');
SHOW CREATE TABLE secure;
EXPLAIN SELECT * FROM secure WHERE id > 1;
INSERT INTO secure /*+ OPTIONS('properties.ssl.keystore.key' = '` + canary + `') */ SELECT 1, 'a';
CREATE VIEW v AS SELECT * FROM secure /*+ OPTIONS('properties.ssl.truststore.password' = '` + canary + `') */;
SHOW CREATE VIEW v;`

// start is a text to mutate and what is carried out before it.
type start struct{ before, text string }

// starts are the Nexmark queries over their tables, and the queries of the golden tests.
func starts(t *testing.T) []start {
	t.Helper()
	out := []start{{"", secretTables}}
	ddl, err := os.ReadFile("../../sql/testdata/nexmark/ddl.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"../../sql/testdata/nexmark/*.sql", "../testdata/queries/*/query.sql"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			st := start{"", string(b)}
			if strings.Contains(f, "nexmark") && filepath.Base(f) != "ddl.sql" {
				st.before = string(ddl)
			}
			out = append(out, st)
		}
	}
	return out
}

var token = regexp.MustCompile(`(?s)'(?:[^']|'')*'|\w+|\s+|/\*\+|\*/|.`)

// kind tells words, numbers, strings and the rest apart.
func kind(tok string) string {
	switch c := (tok + "\x00")[0]; {
	case c >= '0' && c <= '9':
		return "number"
	case c == '\'':
		return "string"
	case c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z':
		return "word"
	}
	return "other"
}

// mutate changes one to four tokens or bytes of text. pool is where new tokens are from; half
// of them are of the kind of the old ones, so that some texts reach the planner.
func mutate(r *rand.Rand, text string, pool []string) string {
	toks := token.FindAllString(text, -1)
	for range 1 + r.IntN(2)*r.IntN(4) {
		i, j := r.IntN(len(toks)), r.IntN(len(toks))
		if isSecret(toks[i]) || isSecret(toks[j]) {
			continue // a password that has lost its key cannot be known for one
		}
		switch r.IntN(12) {
		case 0:
			toks[i] = ""
		case 1:
			toks[i] += " " + toks[i]
		case 2:
			toks[i], toks[j] = toks[j], toks[i]
		case 3:
			toks[i] = pool[r.IntN(len(pool))]
		case 5:
			toks = append(toks[:i:i], toks[i+1:]...)
			if len(toks) == 0 {
				return ""
			}
		case 6:
			b := []byte(toks[i])
			if len(b) > 0 {
				b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			}
			toks[i] = string(b)
		case 7:
			if r.IntN(8) == 0 {
				toks = toks[:i+1]
			}
		default:
			for n := 0; n < 100 && kind(toks[i]) == "other"; n++ {
				i = r.IntN(len(toks))
			}
			if k := kind(toks[i]); k != "other" && !isSecret(toks[i]) {
				tok := pool[r.IntN(len(pool))]
				for n := 0; n < 100 && kind(tok) != k; n++ {
					tok = pool[r.IntN(len(pool))]
				}
				toks[i] = tok
			}
		}
	}
	return strings.Join(toks, "")
}

func isSecret(tok string) bool { return strings.Contains(tok, canary) || secret.Key(tok) }

// TestMutatedStatements carries out texts that are nearly right. Each is done or refused at a
// place, never a bug of ours, never slow, and nothing shows a password.
func TestMutatedStatements(t *testing.T) {
	texts := starts(t)
	var pool []string
	for _, s := range texts[1:] {
		pool = append(pool, token.FindAllString(s.text, -1)...)
	}
	pool = append(pool, "-1", "0", "1e308", "99999999999999999999", "''", "NULL", "(", ")", "ROW", "ARRAY", "MAP", "OVER", "DISTINCT", "FILTER", "\x00", "\xff", "`", "'", "/*", "--")
	lookup := all.Connectors(io.Discard, io.Discard).Lookup
	done, slow := 0, 0
	for i := range *mutations {
		r := rand.New(rand.NewPCG(*seed, uint64(i)))
		from := texts[r.IntN(len(texts))]
		if r.IntN(20) == 0 {
			from = texts[0]
		}
		text := from.before + mutate(r, from.text, pool)
		for try := 1; ; try++ {
			began := time.Now()
			results, err := engine.NewSession(lookup).Execute("m.sql", text)
			check(t, i, text, results, err)
			if err == nil {
				done++
			}
			if time.Since(began) < time.Second {
				break
			}
			if try == 3 { // a busy machine is slow once
				t.Errorf("mutation %d takes more than a second:\n%s", i, text)
				slow++
				break
			}
		}
		if t.Failed() && slow == 0 {
			t.FailNow()
		}
	}
	t.Logf("%d of %d carried out", done, *mutations)
	if done == 0 && *mutations >= 1000 {
		t.Error("none was carried out: the mutations are too wild to test anything behind the parser")
	}
}

func check(t *testing.T, i int, text string, results []session.Result, err error) {
	t.Helper()
	shown := ""
	if err != nil {
		e, ok := errors.AsType[*ast.Error](err)
		if !ok || strings.Contains(e.Message, "internal error") {
			t.Errorf("mutation %d: error %v of\n%s", i, err, text)
			return
		}
		shown = e.Render()
	}
	for _, r := range results {
		shown += r.SQL + r.Message + r.Text
		for _, row := range r.Rows {
			shown += strings.Join(row, "|")
		}
		if r.Job == nil {
			continue
		}
		j, jerr := plan.ExplainJSON(r.Job)
		if jerr != nil {
			t.Errorf("mutation %d: EXPLAIN: %v of\n%s", i, jerr, text)
		}
		shown += string(j) + plan.Explain(r.Job) + r.Job.SQL
	}
	if strings.Contains(shown, canary) {
		t.Errorf("mutation %d: the password is shown:\n%s\nof\n%s", i, shown, text)
	}
}
