package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Line is one checkpoint in a list.
type Line struct {
	Epoch    state.Epoch `json:"epoch"`
	Kind     string      `json:"kind,omitempty"`
	Created  *time.Time  `json:"created,omitempty"`
	Age      string      `json:"age,omitempty"`
	Rows     int64       `json:"rows"` // entries of the files: an upper bound of the records
	Bytes    int64       `json:"bytes"`
	Files    int         `json:"files"`
	Splits   int         `json:"splits"`
	InFlight int64       `json:"rowsInFlight,omitempty"`
	Pending  int         `json:"transactions"`
	SetAside string      `json:"setAside,omitempty"`
	Error    string      `json:"error,omitempty"`
}

// List describes all checkpoints in s, newest first, by their manifests alone.
func List(s Storage, jobID string, now time.Time) ([]Line, error) {
	epochs, err := s.Epochs()
	if err != nil {
		return nil, err
	}
	out := make([]Line, 0, len(epochs))
	for _, e := range epochs {
		l := Line{Epoch: e}
		reason, err := s.Reason(e)
		if err != nil {
			return nil, err
		}
		l.SetAside = reason
		m, err := Read(s, e, jobID)
		if err != nil {
			l.Error = err.Error()
			out = append(out, l)
			continue
		}
		l.Kind, l.Created, l.Age = m.Kind, &m.Created, age(now.Sub(m.Created))
		rows, bytes := m.InFlight()
		l.Bytes, l.Files, l.Pending, l.InFlight = m.Bytes()+bytes, len(m.Files)+len(m.Channels), len(m.Transactions), rows
		for _, f := range m.Files {
			l.Rows += f.Entries
		}
		for _, src := range m.Sources {
			l.Splits += len(src.Splits)
		}
		out = append(out, l)
	}
	return out, nil
}

// WriteList prints a list for people.
func WriteList(w io.Writer, lines []Line) error {
	if len(lines) == 0 {
		_, err := fmt.Fprintln(w, "no checkpoints")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CHECKPOINT\tKIND\tAGE\tCHANGES\tSIZE\tFILES\tSPLITS\tSTATUS")
	for _, l := range lines {
		status := "complete"
		switch {
		case l.SetAside != "":
			status = "set aside: " + l.SetAside
		case l.Error != "":
			status = l.Error
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%s\t%d\t%d\t%s\n", l.Epoch, or(l.Kind, "-"), or(l.Age, "-"), l.Rows, FormatSize(l.Bytes), l.Files, l.Splits, status)
	}
	return t.Flush()
}

// Description is a checkpoint as people and programs see it: both halves, how far the sources
// were read, and what was made of it.
type Description struct {
	Location string          `json:"location"`
	Manifest *Manifest       `json:"manifest"`
	Age      string          `json:"age"`
	Bytes    int64           `json:"bytes"`
	SetAside string          `json:"setAside,omitempty"`
	State    []OperatorState `json:"state"`
}

// OperatorState is what the files hold of an operator.
type OperatorState struct {
	UID    string       `json:"uid"`
	Name   string       `json:"name"`
	Kind   string       `json:"kind"`
	Tables []TableState `json:"tables"`
}

// TableState is what the files hold of a table. Rows counts changes, puts and deletes: one
// record that changed in three deltas counts three times until they are rolled up. Live: only
// full files hold something of it, so the changes are the records.
type TableState struct {
	Table
	Rows  int64 `json:"rows"`
	Live  bool  `json:"live"`
	Bytes int64 `json:"bytes"`
}

// Describe reads a checkpoint's manifest.
func Describe(s Storage, e state.Epoch, jobID string, now time.Time) (*Description, error) {
	m, err := Read(s, e, jobID)
	if err != nil {
		return nil, err
	}
	d := DescribeManifest(m, s.Location()+"/"+chkName(e), now)
	d.SetAside, err = s.Reason(e)
	return d, err
}

// DescribeManifest describes a checkpoint or savepoint by its manifest.
func DescribeManifest(m *Manifest, location string, now time.Time) *Description {
	d := &Description{Location: location, Manifest: m, Age: age(now.Sub(m.Created)), Bytes: m.Bytes()}
	type key struct {
		uid string
		id  uint8
	}
	sums := map[key]*TableState{}
	var order []key
	for _, f := range m.Files {
		for _, t := range f.Tables {
			k := key{t.UID, t.ID}
			if sums[k] == nil {
				sums[k] = &TableState{Table: Table{ID: t.ID, Name: t.Name}, Live: true}
				order = append(order, k)
			}
			sums[k].Rows += t.Entries
			sums[k].Bytes += t.Bytes
			sums[k].Live = sums[k].Live && f.Kind == stf.Full
		}
	}
	for _, f := range m.Rows {
		sums[key{f.UID, f.Table}] = &TableState{Rows: f.Rows, Bytes: f.Size, Live: true}
	}
	for _, o := range m.Operators {
		if len(o.Tables) == 0 {
			continue
		}
		x := OperatorState{UID: o.UID, Name: o.Name, Kind: o.Kind}
		for _, t := range o.Tables {
			ts := TableState{Live: true}
			if sum := sums[key{o.UID, t.ID}]; sum != nil {
				ts = *sum
				delete(sums, key{o.UID, t.ID})
			}
			ts.Table = t
			x.Tables = append(x.Tables, ts)
		}
		d.State = append(d.State, x)
	}
	for _, k := range order { // state of operators that the plan does not have any more
		if ts := sums[k]; ts != nil {
			d.State = append(d.State, OperatorState{UID: k.uid, Name: "(state that no operator of the plan has)", Tables: []TableState{*ts}})
		}
	}
	return d
}

// Write prints a description for people.
func (d *Description) Write(w io.Writer) error {
	m := d.Manifest
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d of job %s (%s)\n", m.Kind, m.Epoch, m.JobName, m.JobID)
	fmt.Fprintf(&b, "  written      %s, %s ago, by sqlstream %s, incarnation %d\n", m.Created.UTC().Format(time.RFC3339), d.Age, m.Engine, m.Incarnation)
	fmt.Fprintf(&b, "  location     %s\n", d.Location)
	if m.Layout != "" {
		fmt.Fprintf(&b, "  layout       %s\n", m.Layout)
	}
	if m.Drained {
		fmt.Fprintf(&b, "  drained      yes: its inputs were ended and open windows have fired\n")
	}
	if m.Previous != 0 {
		fmt.Fprintf(&b, "  previous     %d\n", m.Previous)
	}
	fmt.Fprintf(&b, "  plan         %s, max parallelism %d\n", m.Plan, m.MaxParallelism)
	if d.SetAside != "" {
		fmt.Fprintf(&b, "  SET ASIDE    %s\n", d.SetAside)
	}
	fmt.Fprintf(&b, "\nread up to\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range m.Sources {
		fmt.Fprintf(t, "  %s\t%s\n", s.UID, s.Name)
		for _, p := range s.Splits {
			mark := "-"
			if p.Watermark != nil {
				mark = watermark(*p.Watermark)
			}
			fmt.Fprintf(t, "    %s\t%s\twatermark %s\n", p.ID, p.Position, mark)
		}
	}
	t.Flush() // into memory
	fmt.Fprintf(&b, "\nstate, %s in %d files\n", FormatSize(d.Bytes), len(m.Files)+len(m.Rows))
	t = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, o := range d.State {
		fmt.Fprintf(t, "  %s\t%s\n", o.UID, o.Name)
		for _, x := range o.Tables {
			names := make([]string, len(x.Slots))
			for i := range x.Slots {
				names[i] = x.Slots[i].Title()
			}
			what := "changes"
			if x.Live {
				what = "rows"
			}
			fmt.Fprintf(t, "    %s\t%d %s, %s\t%s\n", x.Name, x.Rows, what, FormatSize(x.Bytes), strings.Join(names, ", "))
		}
	}
	t.Flush() // into memory
	if rows, bytes := m.InFlight(); rows > 0 {
		fmt.Fprintf(&b, "\nin flight, %d rows, %s\n", rows, FormatSize(bytes))
		t = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, c := range m.inFlightTo() {
			fmt.Fprintf(t, "  %s\t%s\t%d rows, %s, to %d subtasks\n", c.UID, c.name, c.Rows, FormatSize(c.Size), c.subtasks)
		}
		t.Flush() // into memory
	}
	if len(m.Transactions) > 0 {
		fmt.Fprintf(&b, "\ntransactions\n")
		for _, x := range m.Transactions {
			fmt.Fprintf(&b, "  %s  %s\n", x.Name, x.Token)
		}
	}
	fmt.Fprintf(&b, "\nfiles\n")
	t = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	files := slices.Clone(m.Files)
	slices.SortFunc(files, func(x, y state.File) int { return strings.Compare(x.Name, y.Name) })
	for _, f := range files {
		fmt.Fprintf(t, "  %s\t%s\tepochs %d-%d\tkey groups %d-%d\t%d changes\t%s\n", f.Name, f.Kind, f.MinEpoch, f.MaxEpoch, f.KeyLo, int(f.KeyHi)-1, f.Entries, FormatSize(f.Size))
	}
	for _, f := range m.Rows {
		fmt.Fprintf(t, "  %s\t%d rows\t%s\n", f.Name, f.Rows, FormatSize(f.Size))
	}
	for _, c := range m.Channels {
		fmt.Fprintf(t, "  %s\trows in flight\t%s, subtask %d\t\t%d rows\t%s\n", c.Name, c.UID, c.Subtask, c.Rows, FormatSize(c.Size))
	}
	t.Flush() // into memory
	writeOptions(&b, m.Options)
	_, err := io.WriteString(w, b.String())
	return err
}

// Write prints the result of Verify for people.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	if r.Err != nil {
		fmt.Fprintf(&b, "checkpoint %d: BAD\n  %v\n", r.Epoch, r.Err)
	} else {
		bad, rows := 0, int64(0)
		for _, f := range r.Files {
			rows += f.File.Entries
			if f.Err != nil {
				bad++
				fmt.Fprintf(&b, "  BAD %v\n", f.Err)
			}
		}
		if bad == 0 {
			fmt.Fprintf(&b, "checkpoint %d: ok, manifest and %d files, %d changes, %s read and checked\n", r.Epoch, len(r.Files), rows, FormatSize(r.Manifest.Bytes()))
		} else {
			fmt.Fprintf(&b, "checkpoint %d: BAD, %d of %d files are damaged\n", r.Epoch, bad, len(r.Files))
		}
	}
	if r.SetAside != "" {
		fmt.Fprintf(&b, "  set aside: %s\n", r.SetAside)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON prints a list or a description for programs.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// watermark prints a watermark; its ends have names.
func watermark(ms int64) string {
	switch ms {
	case -1 << 63:
		return "-"
	case 1<<63 - 1:
		return "end"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000")
}

// age prints a duration in its two largest units.
func age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// FormatSize prints a number of bytes for people.
func FormatSize(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= 1024 && unit < 4 {
		f /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %s", f, [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
