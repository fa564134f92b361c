package filesystem

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func table(dir string, o connectors.Options) connectors.Table {
	all := connectors.Options{"connector": "filesystem", optPath: dir, optFormat: "csv"}
	for k, v := range o {
		all[k] = v
	}
	return connectors.Table{Name: "t", Physical: types.Schema{{Name: "n", Type: types.BigIntT}, {Name: "s", Type: types.StringT}}, Options: all}
}

func openSource(t *testing.T, tab connectors.Table, projection []int) exec.Source {
	t.Helper()
	if _, err := New(formats).SourceInfo(tab); err != nil {
		t.Fatal(err)
	}
	s, err := New(formats).Source(t.Context(), tab, projection, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// readAll reads to the end, making a new reader at the positions after every batch.
func readAll(t *testing.T, s exec.Source, schema types.Schema, env exec.ConnEnv) (lines []string, err error) {
	t.Helper()
	splits, err := s.Enumerate(t.Context())
	if err != nil {
		return nil, err
	}
	e, err := formats[1].NewEncoder(schema, nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(schema)
	for {
		r, err := s.Reader(t.Context(), 0, env)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Assign(splits); err != nil {
			t.Fatal(err)
		}
		status, err := r.Read(t.Context(), 0, b)
		if err != nil || status != exec.ReadRows {
			return lines, err
		}
		for i := range b.N {
			text, err := e.Encode(nil, b, i)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(text))
		}
		if splits, err = r.Positions(); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFolderIsReadInOrder(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"b.csv": "3,c\r\n4,\"d\ne\"", "a.csv": "\ufeff1,a\n2,b\n", "sub/c.csv": "5,f\n", ".hidden": "x", "_SUCCESS": "x", "_tmp/d.csv": "x", "empty": ""})
	got, err := readAll(t, openSource(t, table(dir, nil), []int{0, 1}), table(dir, nil).Physical, exec.ConnEnv{})
	if want := "1,a|2,b|3,c|4,\"d\ne\"|5,f"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("got %q, %v; want %q", strings.Join(got, "|"), err, want)
	}
}

func TestManyBatchesAndLongRecords(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "%d,%s\n", i, strings.Repeat("x", i%97))
	}
	fmt.Fprintf(&text, "10000,%s", strings.Repeat("y", 3*bufferSize))
	put(t, dir, map[string]string{"f": text.String()})
	got, err := readAll(t, openSource(t, table(dir+"/f", nil), []int{0}), types.Schema{{Name: "n", Type: types.BigIntT}}, exec.ConnEnv{})
	if err != nil || len(got) != 10_001 {
		t.Fatal(len(got), err)
	}
	for i, line := range got {
		if line != fmt.Sprint(i) {
			t.Fatalf("row %d is %s", i, line)
		}
	}
}

func TestPatternGlobAndURL(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"a1": "1,a\n", "a2": "2,a\n", "b1": "3,a\n"})
	for _, tc := range []struct {
		path    string
		o       connectors.Options
		want    string
		wantErr string
	}{
		{dir, connectors.Options{optPattern: ".*/a."}, "1,a|2,a", ""}, {dir + "/?1", nil, "1,a|3,a", ""}, {"file://" + dir + "/b1", nil, "3,a", ""}, {dir + "/none", nil, "", "no such file"},
	} {
		tab := table(tc.path, tc.o)
		got, err := readAll(t, openSource(t, tab, []int{0, 1}), tab.Physical, exec.ConnEnv{})
		if tc.wantErr == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.wantErr) || strings.Join(got, "|") != tc.want {
			t.Errorf("%s: got %v, %v; want %s", tc.path, got, err, tc.want)
		}
	}
}

func TestBadRecords(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"f": "1,a\nx,b\n3,c\n4\n"})
	m := &exec.Metrics{}
	tab := table(dir+"/f", nil)
	_, err := readAll(t, openSource(t, tab, []int{0, 1}), tab.Physical, exec.ConnEnv{Metrics: m})
	want := `table t: file '` + dir + `/f', record at byte 4: field n: "x" is no BIGINT (byte 0 of the record); to go on without such records set 'bad-records' = 'skip'`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	for _, o := range []connectors.Options{{optBad: "skip"}, {"csv.ignore-parse-errors": "true"}} {
		m := &exec.Metrics{}
		tab := table(dir+"/f", o)
		got, err := readAll(t, openSource(t, tab, []int{1, 0}), types.Schema{tab.Physical[1], tab.Physical[0]}, exec.ConnEnv{Metrics: m})
		text, bad := strings.Join(got, "|"), m.BadRows.Load()
		if err != nil || !(text == "a,1|c,3" && bad == 2 || o[optBad] == "" && text == "a,1|b,|c,3|,4" && bad == 0) {
			t.Errorf("%v: got %q, %d bad, %v", o, text, bad, err)
		}
	}
}

func TestMetadata(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"f": "1,a\n2,b\n"})
	at := time.Date(2020, 2, 29, 12, 34, 56, 700e6, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "f"), at, at); err != nil {
		t.Fatal(err)
	}
	tab := table(dir+"/f", nil)
	schema := types.Schema{tab.Physical[0]}
	for _, key := range []string{metaName, metaSize, metaMtime, metaPath} {
		tab.Metadata = append(tab.Metadata, connectors.MetaColumn{Name: key, Key: key, Type: metadata[key], Virtual: true})
		schema = append(schema, types.Field{Name: key, Type: metadata[key]})
	}
	schema[0], schema[1] = schema[1], schema[0]
	got, err := readAll(t, openSource(t, tab, []int{2, 0, 3, 4, 5}), schema, exec.ConnEnv{})
	want := fmt.Sprintf(`f,1,8,"2020-02-29 12:34:56.7Z",%s|f,2,8,"2020-02-29 12:34:56.7Z",%[1]s`, quoted(dir+"/f"))
	if err != nil || strings.Join(got, "|") != want {
		t.Errorf("got  %s, %v\nwant %s", strings.Join(got, "|"), err, want)
	}
	tab.Metadata = []connectors.MetaColumn{{Name: "x", Key: "file.owner", Type: types.StringT}}
	if _, err := openSource(t, tab, []int{2}).Reader(t.Context(), 0, exec.ConnEnv{}); err == nil || !strings.Contains(err.Error(), "'file.owner' cannot be read as STRING, there are file.path") {
		t.Error(err)
	}
}

func quoted(s string) string {
	if len(s) > 24 {
		return `"` + s + `"`
	}
	return s
}

func TestWatchingFindsNewFilesAndReadsEachOnce(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"a": "1,a\n"})
	tab := table(dir, connectors.Options{optMonitor: "1 s"})
	s := openSource(t, tab, []int{0, 1})
	if s.Bounded() || s.DiscoverEvery() != time.Second {
		t.Errorf("bounded %t, every %v", s.Bounded(), s.DiscoverEvery())
	}
	splits, err := s.Enumerate(t.Context())
	if err != nil || len(splits) != 1 {
		t.Fatal(splits, err)
	}
	r, err := s.Reader(t.Context(), 0, exec.ConnEnv{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Assign(splits); err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(tab.Physical)
	if st, err := r.Read(t.Context(), 0, b); err != nil || st != exec.ReadRows || b.N != 1 || !r.Ended(0) {
		t.Fatal(st, b.N, err)
	}
	if st, err := r.Read(t.Context(), time.Microsecond, b); err != nil || st != exec.ReadIdle || b.N != 0 {
		t.Fatal(st, b.N, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Read(ctx, time.Hour, b); err == nil {
		t.Error("Read does not end with its context")
	}
	put(t, dir, map[string]string{"a": "1,a\n9,late\n", "b": "2,b\n"})
	more, err := s.Enumerate(t.Context())
	if err != nil || len(more) != 2 {
		t.Fatal(more, err)
	}
	if err := r.Assign(more[1:]); err != nil {
		t.Fatal(err)
	}
	if st, err := r.Read(t.Context(), 0, b); err != nil || st != exec.ReadRows || b.N != 1 || b.Split != 1 || vec.Values[int64](&b.Cols[0])[0] != 2 {
		t.Fatal(st, b.N, b.Split, err)
	}
}

func TestChangedFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"f": "1,a\n"})
	tab := table(dir, nil)
	s := openSource(t, tab, []int{0, 1})
	for position, want := range map[string]string{
		`{"offset":100,"end":200}`: "has 4 bytes now, the checkpoint wants to read on at 100", `{"offset":0,"end":4}`: "", `x`: "expected an offset",
	} {
		r, err := s.Reader(t.Context(), 0, exec.ConnEnv{})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Assign([]exec.Split{{ID: filepath.Join(dir, "f"), Position: []byte(position)}})
		if err == nil {
			_, err = r.Read(t.Context(), 0, vec.NewBatch(tab.Physical))
		}
		if want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", position, err, want)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusedTables(t *testing.T) {
	for _, tc := range []struct {
		o    connectors.Options
		want string
	}{
		{connectors.Options{optPath: "s3://bucket/x"}, "table t: option 'path' = 's3://bucket/x': expected a local path or file:///path"},
		{connectors.Options{optFormat: "jsn"}, "table t: option 'format' = 'jsn': no such format; did you mean json?; there are json, csv, raw"},
		{connectors.Options{"json.ignore-parse-errors": "true"}, "unknown option 'json.ignore-parse-errors'"},
		{connectors.Options{optPattern: "("}, "is no regular expression"},
		{connectors.Options{optMonitor: "0 s"}, "expected more than 0"}, {connectors.Options{optMonitor: "10"}, "'10' has no unit"},
		{connectors.Options{optBad: "dlq"}, "expected one of fail, skip"},
		{connectors.Options{optFormat: "raw"}, "needs a table with one physical column"},
	} {
		if _, err := New(formats).SourceInfo(table(t.TempDir(), tc.o)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}
