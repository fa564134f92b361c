// Package oracle compares the engine's expressions with what Apache Flink 2.2.1 returned:
// testdata/oracle/expressions.jsonl.gz holds one expression a line with its type, its value
// or its error. It owns the reading of that file, the encoding of values in its form and the
// verdict on a case. Only tests import it.
package oracle

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
)

// Case is one line of the golden file.
type Case struct {
	ID       string            `json:"id"`
	Category string            `json:"cat"`
	Expr     string            `json:"expr"`
	Cols     []Col             `json:"cols"`
	Rows     json.RawMessage   `json:"rows"`
	Set      map[string]string `json:"set"`
	Type     string            `json:"type"`
	Value    json.RawMessage   `json:"value"`
	Values   json.RawMessage   `json:"values"`
	Error    *Failure          `json:"error"`
	RE2      string            `json:"re2"`
}

// Col is a column of the one-row table that the expression is evaluated over.
type Col struct {
	Name  string          `json:"name"`
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// Failure is Flink's refusal of the expression (phase "plan") or failure on its data ("run").
type Failure struct {
	Error    string `json:"error"`
	Message  string `json:"message"`
	Phase    string `json:"phase"`
	Position string `json:"position"`
}

// Load reads all cases of a gzipped file.
func Load(path string) ([]Case, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var cases []Case
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		cases = append(cases, c)
	}
	return cases, lines.Err()
}
