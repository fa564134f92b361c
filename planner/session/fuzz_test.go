package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/ast"
)

// FuzzExecute: whatever the text, the answer is a result or an error with a place, and a
// plan can be explained.
func FuzzExecute(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "\nsql\n")[1:] {
			input, _, _ := strings.Cut(part, "\n----")
			f.Add(input)
		}
	}
	const tables = `CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, nested ROW<a INT, b ROW<c STRING>>, m MAP<STRING, INT>, bidTime TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR bidTime AS bidTime - INTERVAL '4' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'bid', 'properties.bootstrap.servers' = 'b:9092', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE changes (k BIGINT, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE upserts (k BIGINT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'properties.bootstrap.servers' = 'b:9092', 'key.format' = 'json', 'value.format' = 'json');`
	f.Fuzz(func(t *testing.T, text string) {
		s := newSession()
		if _, err := s.Execute("", tables); err != nil {
			t.Fatal(err)
		}
		results, err := s.Execute("fuzz.sql", text)
		if err != nil {
			if e, ok := errors.AsType[*ast.Error](err); !ok || strings.HasPrefix(e.Message, "internal error") {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, r := range results {
			if r.Job == nil {
				continue
			}
			if _, err := plan.ExplainJSON(r.Job); err != nil {
				t.Fatal(err)
			}
			plan.Explain(r.Job)
		}
	})
}
