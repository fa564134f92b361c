package evolve

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// Row is what becomes of one piece of state: of an operator or source as a whole (Slot is ""), or of
// one slot of it.
type Row struct {
	UID      string  `json:"uid,omitempty"`    // of the snapshot; of the plan where the snapshot has none
	NowUID   string  `json:"nowUid,omitempty"` // of the plan, where it is another one
	Operator string  `json:"operator,omitempty"`
	Slot     string  `json:"slot,omitempty"`
	SlotID   string  `json:"slotId,omitempty"`
	Type     string  `json:"type,omitempty"`
	Verdict  Verdict `json:"verdict"`
	// Rows and Bytes are what the snapshot holds of the operator, nil where that is not known. Of a
	// checkpoint with deltas they count changes, so there are no more records than that.
	Rows    *int64 `json:"rows,omitempty"`
	AtMost  bool   `json:"atMost,omitempty"`
	Bytes   *int64 `json:"bytes,omitempty"`
	Because string `json:"because"`
	// Needs is the flag that allows it, "" where nothing is asked or nothing helps. Allowed: nothing
	// is asked, or it was given.
	Needs   string `json:"needs,omitempty"`
	Allowed bool   `json:"allowed"`
}

// Report is what Compare finds.
type Report struct {
	Snapshot string   `json:"snapshot,omitempty"` // "checkpoint 12 of job etl"; "" when two plans are compared
	Rows     []Row    `json:"rows"`
	Unknown  []string `json:"unknown,omitempty"` // names of --drop and --accept that nothing has
	Verdict  Verdict  `json:"verdict"`           // the worst one
	Exit     int      `json:"exit"`              // see ExitCode

	operators []checkpoint.Operator
	sources   map[string]string
	tables    []*table
	orphans   bool // the snapshot holds state that goes
	groups    int
	taken     int64 // ms
	shared    bool  // see Allow
}

// The exit codes of a comparison.
const (
	ExitSame    = 0 // all state is kept whole
	ExitPartial = 2 // it can be restored; something starts empty or is, by leave, dropped or used though its rows were others
	ExitRefused = 3 // it cannot be restored, or not without leave
)

// judge sums the rows up.
func (r *Report) judge() {
	r.Verdict, r.Exit = Restore, ExitSame
	for _, x := range r.Rows {
		if severity[x.Verdict] > severity[r.Verdict] {
			r.Verdict = x.Verdict
		}
		switch {
		case !x.Allowed:
			r.Exit = ExitRefused
		case severity[x.Verdict] >= severity[New] && r.Exit == ExitSame:
			r.Exit = ExitPartial
		}
	}
	if len(r.Unknown) > 0 && !r.shared {
		r.Exit = ExitRefused
	}
}

// Operators are those of the plan, with what is remembered about their slots: what the
// manifests of the job have to list from now on.
func (r *Report) Operators() []checkpoint.Operator { return r.operators }

// Source is the UID under which the snapshot has the positions of a source of the plan; "" when it has none
// to go on from.
func (r *Report) Source(uid string) string { return r.sources[uid] }

// Moves reports whether the snapshot's state files cannot be restored as they are: Rewrite has to write
// new ones.
func (r *Report) Moves() bool {
	for _, t := range r.tables {
		if t.from != nil && !t.same() {
			return true
		}
	}
	return r.orphans
}

// ExitCode is ExitSame, ExitPartial or ExitRefused.
func (r *Report) ExitCode() int { return r.Exit }

// Reasons says, for people, why the snapshot cannot be restored, one reason each with the flag that
// allows it; none: it can.
func (r *Report) Reasons() []string {
	var out []string
	for _, x := range r.Rows {
		if x.Allowed {
			continue
		}
		s := x.Because
		switch {
		case x.Slot != "":
			s = fmt.Sprintf("%s of operator %s: %s: %s", x.Slot, x.UID, x.Verdict, s)
		case x.UID != "":
			s = fmt.Sprintf("%s (uid %s): %s: %s", x.Operator, x.UID, x.Verdict, s)
		}
		if x.Needs != "" {
			s += " (allow it with " + x.Needs + ")"
		}
		out = append(out, s)
	}
	return out
}

// UnknownError is the error of names that nothing has, nil when there are none.
func (r *Report) UnknownError() error {
	if len(r.Unknown) == 0 || r.shared {
		return nil
	}
	return fmt.Errorf("neither the snapshot nor the query has %s, named with --drop or --accept; 'sqlstream diff' lists the names", strings.Join(r.Unknown, ", "))
}

// Flags are all flags that would allow what is refused; ok is false when no flag does.
func (r *Report) Flags() (flags []string, ok bool) {
	seen := map[string]bool{}
	ok = true
	for _, x := range r.Rows {
		switch {
		case x.Allowed:
		case x.Needs == "":
			ok = false
		case !seen[x.Needs]:
			seen[x.Needs] = true
			flags = append(flags, x.Needs)
		}
	}
	return flags, ok
}

// Err is the refusal, nil when the snapshot can be restored.
func (r *Report) Err() error {
	if r.Exit != ExitRefused {
		return nil
	}
	if err := r.UnknownError(); err != nil {
		return err
	}
	of := r.Snapshot
	if of == "" {
		of = "the old query"
	}
	text := fmt.Sprintf("the state of %s does not fit the query:\n  %s", of, strings.Join(r.Reasons(), "\n  "))
	if flags, ok := r.Flags(); ok {
		text += "\nto go on all the same add: " + strings.Join(flags, " ")
	}
	return fmt.Errorf("%s", text)
}
