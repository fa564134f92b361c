package docs

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the generated files")

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	for name, text := range map[string]string{
		"functions.md": Functions(), "options.md": Options(), "connectors.md": Connectors(),
	} {
		path := filepath.Join("../../docs", name)
		if *rewrite {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil || string(b) != text {
			t.Errorf("docs/%s is not what the registries say (%v); run go test ./testsql/docs -rewrite and look at the diff", name, err)
		}
	}
}
