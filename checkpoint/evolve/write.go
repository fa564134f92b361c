package evolve

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write prints the report for people: a line for each operator and source, below it its slots.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "UID\tWHAT\tVERDICT\tROWS\tBYTES\tBECAUSE")
	for i, x := range r.Rows {
		uid, what := or(x.UID, "-"), x.Operator
		if x.NowUID != "" {
			uid += " -> " + x.NowUID
		}
		if x.Slot != "" {
			uid, what = "  ├ "+x.SlotID, x.Slot+" "+x.Type
			if i+1 == len(r.Rows) || r.Rows[i+1].Slot == "" {
				uid = "  └ " + x.SlotID
			}
		}
		because := x.Because
		if x.Needs != "" {
			if x.Allowed {
				because += " (allowed)"
			} else {
				because += " (needs " + x.Needs + ")"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", uid, clip(what), x.Verdict, x.rows(), x.bytes(), because)
	}
	t.Flush() // into memory
	if !r.shared {
		for _, u := range r.Unknown {
			fmt.Fprintf(&b, "%s: neither side has this name\n", u)
		}
	}
	b.WriteString(r.Summary() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary is the last line: the verdict in words and the exit code.
func (r *Report) Summary() string {
	what := "all state is kept"
	switch flags, ok := r.Flags(); {
	case r.UnknownError() != nil:
		what = "refused: a name of --drop or --accept is of nothing"
	case r.Exit == ExitRefused && !ok:
		what = "refused: it cannot be restored"
	case r.Exit == ExitRefused:
		what = "refused without " + strings.Join(flags, " ")
	case r.Exit == ExitPartial:
		what = "it can be restored, with what is said above"
	}
	return fmt.Sprintf("verdict: %s, %s; exit %d", r.Verdict, what, r.Exit)
}

func (x *Row) rows() string {
	switch {
	case x.Rows == nil:
		return "-"
	case x.AtMost && *x.Rows > 0:
		return fmt.Sprintf("<=%d", *x.Rows)
	}
	return fmt.Sprint(*x.Rows)
}

func (x *Row) bytes() string {
	if x.Bytes == nil {
		return "-"
	}
	n, unit := float64(*x.Bytes), 0
	for n >= 1024 && unit < 4 {
		n /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", *x.Bytes)
	}
	return fmt.Sprintf("%.1f %s", n, [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}

// maxWhat bounds the column that names operators.
const maxWhat = 60

func clip(s string) string {
	if r := []rune(s); len(r) > maxWhat {
		return string(r[:maxWhat-3]) + "..."
	}
	return s
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
