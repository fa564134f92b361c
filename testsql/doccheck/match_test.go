package doccheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, want, got string
		numbers, differ bool
	}{
		{name: "equal", want: "a\nb", got: "a\nb\n"},
		{name: "nothing to compare", want: "", got: "whatever\n"},
		{name: "another word", want: "a\nb", got: "a\nc\n", differ: true},
		{name: "a line too many", want: "a", got: "a\nb\n", differ: true},
		{name: "a line too few", want: "a\nb", got: "a\n", differ: true},
		{name: "any text", want: "job ... has ended", got: "job totals (1) has ended"},
		{name: "any text, wrong end", want: "job ... has ended", got: "job totals is running", differ: true},
		{name: "any lines", want: "a\n...\nz", got: "a\nb\nc\nz"},
		{name: "no lines are any lines", want: "a\n...\nz", got: "a\nz"},
		{name: "any lines, wrong end", want: "a\n...\nz", got: "a\nb\nc", differ: true},
		{name: "counts count", want: "3 records", got: "4 records", differ: true},
		{name: "numbers do not", want: "3 records", got: "14,000 records", numbers: true},
		{name: "a number that looks like an identity", want: "price 12.5 of ab12cd34", got: "price 21414293.792 of 0363b993", numbers: true},
		{name: "an identity that looks like days", want: "job 95b82c51", got: "job 5731337d", numbers: true},
		{name: "an identity that looks like days, compared", want: "job 95b82c51", got: "job 5731337d"},
		{name: "an identity without digits", want: "job 95b82c51", got: "job fadedbee", numbers: true},
		{name: "times, sizes, rates", want: "| 5.2 s  | 220 B | 20.1k/s |", got: "| 123 ms | 1.0 kB | 9/s |"},
		{name: "identities", want: "job 0363b993, state of shop", got: "job 4a63b9ff, state of shop"},
		{name: "instants", want: "at 2026-01-01T00:00:00Z", got: "at 2027-11-25T10:10:57.1Z"},
		{name: "widths", want: "+----+", got: "+--------+"},
		{name: "blanks at the end", want: "a", got: "a   "},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Match(strings.Split(c.want, "\n"), c.got, c.numbers)
			if (err != nil) != c.differ {
				t.Errorf("Match: %v", err)
			}
		})
	}
}

func TestParse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	text := "# A page: with *marks*\n\n<!-- broker -->\nSee [that](other.md#its-part), [there](https://example.org).\n\n" +
		"```console numbers\n$ one\nout\n\nput\n$ two &\n```\n\n<!-- not run: needs a cluster -->\n```console\n$ three\n```\n\n" +
		"<!-- run\n$ hidden\n-->\n\n```sql file=a.sql\nSELECT 1;\n```\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Parse(path, "page.md")
	if err != nil {
		t.Fatal(err)
	}
	if !p.Broker || !p.Anchors["a-page-with-marks"] || len(p.Links) != 1 || p.Links[0] != (Link{4, "other.md", "its-part"}) {
		t.Errorf("page: %+v", p)
	}
	var got []string
	for _, s := range p.Steps {
		got = append(got, strings.Join([]string{s.Command, s.SQL, s.File, strings.Join(s.Want, "/"), s.NotRun}, "|"))
	}
	want := "one|||out//put| two &|||| three||||needs a cluster hidden|||| |SELECT 1;\n|a.sql||"
	if strings.Join(got, " ") != want {
		t.Errorf("steps are %q, not %q", strings.Join(got, " "), want)
	}
	if len(p.Steps) == 5 && (p.Steps[0].Line != 7 || p.Steps[1].Line != 11 || !p.Steps[0].Numbers || p.Steps[2].Numbers) {
		t.Errorf("steps: %+v", p.Steps)
	}
}

// A page that the test cannot check is an error, not a page without commands.
func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"command in text":  "```\na\n$ a\n```\n",
		"another language": "```bash\n$ a\n```\n",
		"no reason":        "<!-- not run: -->\n```console\n$ a\n```\n",
		"no block":         "<!-- not run: needs a cluster -->\ntext\n```console\n$ a\n```\n",
	} {
		path := filepath.Join(t.TempDir(), "page.md")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(path, "page.md"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
