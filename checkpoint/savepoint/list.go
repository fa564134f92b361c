package savepoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// Line is one savepoint in a list.
type Line struct {
	Path    string      `json:"path"`
	JobName string      `json:"jobName,omitempty"`
	JobID   string      `json:"jobId,omitempty"`
	Epoch   state.Epoch `json:"epoch,omitempty"`
	Layout  string      `json:"layout,omitempty"`
	Drained bool        `json:"drained,omitempty"`
	Created *time.Time  `json:"created,omitempty"`
	Age     string      `json:"age,omitempty"`
	Rows    int64       `json:"rows"`
	Bytes   int64       `json:"bytes"`
	Error   string      `json:"error,omitempty"` // why it is none
}

// List describes the savepoints in a local directory by their manifests, newest first, those
// that were never completed last. The directory itself may be one.
func List(dir string, now time.Time) ([]Line, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	dirs := []string{dir}
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(dir, e.Name()))
		}
	}
	return ListAt(dirs, checkpoint.OpenPlace, now)
}

// ListAt is List of these directories, which open opens.
func ListAt(dirs []string, open func(dir string) (checkpoint.Place, error), now time.Time) ([]Line, error) {
	out := []Line{}
	for _, d := range dirs {
		p, err := open(d)
		if err != nil {
			return nil, err
		}
		l, ours := lineOf(p, d, now)
		if err := p.Close(); err != nil {
			return nil, err
		}
		if ours {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Line) int {
		switch {
		case a.Created == nil || b.Created == nil:
			return boolInt(a.Created == nil) - boolInt(b.Created == nil)
		default:
			return b.Created.Compare(*a.Created)
		}
	})
	return out, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lineOf describes the savepoint in a place, if what is there looks like one.
func lineOf(p checkpoint.Place, path string, now time.Time) (Line, bool) {
	l := Line{Path: path}
	m, err := Read(p)
	if errors.Is(err, ErrNone) && !errors.Is(err, errIncomplete) {
		return l, false
	}
	if err != nil {
		l.Error = err.Error()
		return l, true
	}
	d := checkpoint.DescribeManifest(m, path, now)
	l.JobName, l.JobID, l.Epoch, l.Layout, l.Drained = m.JobName, m.JobID, m.Epoch, m.Layout, m.Drained
	l.Created, l.Age, l.Bytes = &m.Created, d.Age, d.Bytes
	for _, f := range m.Rows {
		l.Rows += f.Rows
	}
	for _, f := range m.Files {
		l.Rows += f.Entries
	}
	return l, true
}

// WriteList prints a list for people.
func WriteList(w io.Writer, lines []Line) error {
	if len(lines) == 0 {
		_, err := fmt.Fprintln(w, "no savepoints")
		return err
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PATH\tJOB\tCHECKPOINT\tTYPE\tAGE\tROWS\tSIZE\tSTATUS")
	for _, l := range lines {
		status := "complete"
		switch {
		case l.Error != "":
			fmt.Fprintf(t, "%s\t-\t-\t-\t-\t-\t-\t%s\n", l.Path, l.Error)
			continue
		case l.Drained:
			status = "complete, drained"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\n", l.Path, l.JobName, l.Epoch, l.Layout, l.Age, l.Rows, checkpoint.FormatSize(l.Bytes), status)
	}
	t.Flush() // into memory
	_, err := io.WriteString(w, b.String())
	return err
}
