package sqltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// Case is a folder of the golden data: a script, its inputs, and what Flink returned. Its
// form is described in testsql/testdata/queries/README.md.
type Case struct {
	Name    string
	Dir     string
	Script  string
	Arrival []string // file names in the order in which their lines arrive
	Key     []int    // columns by which +U and -D replace a row, where changes come without -U
	Results map[string]*Result
	Error   *Failure // instead of results
}

// Result is what one sink gets; the SELECT of a script writes to "result".
type Result struct {
	Header  string
	Changes []string // in order
	Final   []string // sorted
}

// Failure is how Flink refuses a script or fails on its data.
type Failure struct {
	Error, Message, Phase, Position string
}

// Load reads a case.
func Load(dir string) (*Case, error) {
	c := &Case{Name: filepath.Base(dir), Dir: dir, Results: map[string]*Result{}}
	script, err := os.ReadFile(filepath.Join(dir, "query.sql"))
	if err != nil {
		return nil, err
	}
	c.Script = string(script)
	var meta struct{ Key []int }
	if err := readJSON(filepath.Join(dir, "case.json"), &meta); err != nil {
		return nil, err
	}
	c.Key = meta.Key
	if err := readJSON(filepath.Join(dir, "error.json"), &c.Error); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if err := readJSON(filepath.Join(dir, "arrival.json"), &c.Arrival); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	var single []string // the lines of the only input
	for _, path := range names {
		name := filepath.Base(path)
		switch sink, isChanges := strings.CutPrefix(name, "changelog"); {
		case isChanges:
			sink = strings.TrimSuffix(strings.TrimPrefix(sink, "."), "jsonl")
			if sink = strings.TrimSuffix(sink, "."); sink == "" {
				sink = "result"
			}
			r := &Result{}
			if r.Header, r.Changes, err = readLines(path); err != nil {
				return nil, err
			}
			if _, r.Final, err = readLines(filepath.Join(dir, strings.Replace(name, "changelog", "final", 1))); err != nil {
				return nil, err
			}
			c.Results[sink] = r
		case len(c.Arrival) == 0 && !strings.HasPrefix(name, "final") && (strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".csv")):
			_, lines, err := readLines(path)
			if err != nil {
				return nil, err
			}
			single = slices.Repeat([]string{name}, len(lines)+1)
		}
	}
	if c.Arrival == nil {
		c.Arrival = single
	}
	return c, nil
}

func readJSON(path string, to any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readLines(path string) (header string, rows []string, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	for line := range strings.Lines(string(b)) {
		if line = Normal(strings.TrimSuffix(line, "\n")); header == "" {
			header = line
		} else {
			rows = append(rows, line)
		}
	}
	return header, rows, nil
}

// Normal writes JSON in one way, numbers as they are.
func Normal(line string) string {
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return line
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(numbers(v)); err != nil {
		return line
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// numbers gives floats one spelling: 1.0E7 and 1e+07 are the same number.
func numbers(v any) any {
	switch x := v.(type) {
	case json.Number:
		if strings.ContainsAny(x.String(), ".eE") {
			if f, err := x.Float64(); err == nil {
				return f
			}
		}
		return x
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	}
	return v
}

// fold applies a changelog. With a key, +I and +U replace the row with that key.
func fold(changes []string, key []int) ([]string, error) {
	var rows [][]json.RawMessage
	for _, line := range changes {
		var c []json.RawMessage
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		kind, row := string(c[0]), c[1:]
		at := slices.IndexFunc(rows, func(r []json.RawMessage) bool { return same(r, row, key) })
		switch kind {
		case `"+I"`, `"+U"`:
			if key != nil && at >= 0 {
				rows[at] = row
			} else {
				rows = append(rows, row)
			}
		default:
			if at < 0 {
				return nil, fmt.Errorf("%s takes away a row that is not there", line)
			}
			rows = slices.Delete(rows, at, at+1)
		}
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		b, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		out[i] = Normal(string(b))
	}
	sort.Strings(out)
	return out, nil
}

func same(a, b []json.RawMessage, key []int) bool {
	if key == nil {
		return slices.EqualFunc(a, b, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })
	}
	for _, k := range key {
		if !bytes.Equal(a[k], b[k]) {
			return false
		}
	}
	return true
}
