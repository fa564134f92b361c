// Package buildinfo owns what this program says about itself: version, commit, toolchain and
// the versions of the libraries that decide how it behaves. It imports nothing of ours.
package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// version is set by the release build with -ldflags -X.
var version = ""

// Info is what `sqlstream version` prints.
type Info struct {
	Version   string            `json:"version"`
	Commit    string            `json:"commit,omitempty"`
	Date      string            `json:"date,omitempty"`
	Modified  bool              `json:"modified,omitempty"`
	Go        string            `json:"go"`
	Platform  string            `json:"platform"`
	Libraries map[string]string `json:"libraries"`
}

// libraries are those worth naming in a bug report.
var libraries = []string{
	"github.com/twmb/franz-go", "github.com/dgraph-io/badger/v4", "github.com/apache/arrow/go/v17", "github.com/pingcap/tidb/pkg/parser",
}

// Read returns the facts the linker wrote into the program.
func Read() Info {
	i := Info{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Libraries: map[string]string{}}
	if b, ok := debug.ReadBuildInfo(); ok {
		if i.Version == "" {
			i.Version = b.Main.Version
		}
		for _, s := range b.Settings {
			switch s.Key {
			case "vcs.revision":
				i.Commit = s.Value
			case "vcs.time":
				i.Date = s.Value
			case "vcs.modified":
				i.Modified = s.Value == "true"
			}
		}
		for _, d := range b.Deps {
			for _, l := range libraries {
				if d.Path == l {
					i.Libraries[l] = d.Version
				}
			}
		}
	}
	if i.Version == "" || i.Version == "(devel)" {
		i.Version = "devel"
	}
	return i
}

// Short is the version and, when known, the commit: "v1.2.0 (3a74967)".
func (i Info) Short() string {
	if len(i.Commit) < 7 || strings.Contains(i.Version, i.Commit[:7]) {
		return i.Version
	}
	return fmt.Sprintf("%s (%s)", i.Version, i.Commit[:7])
}

// String is the text form, one fact a line.
func (i Info) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sqlstream %s\n", i.Short())
	if i.Date != "" {
		fmt.Fprintf(&b, "commit    %s, %s", i.Commit, i.Date)
		if i.Modified {
			b.WriteString(", with uncommitted changes")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "built     %s, %s\n", i.Go, i.Platform)
	for _, l := range libraries {
		if v, ok := i.Libraries[l]; ok {
			fmt.Fprintf(&b, "with      %s %s\n", l, v)
		}
	}
	return b.String()
}
