package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/state"
)

// Action is what a start of a job has to do.
type Action uint8

// The actions.
const (
	// Refuse: stop and say why; a person has to decide.
	Refuse Action = iota
	// Fresh: begin with empty state and the sources' startup options.
	Fresh
	// Restore: begin with the checkpoint From.
	Restore
	// RestoreThenCommit: first ask every participant of the two-phase commit to finish the
	// transactions of checkpoint From (with Fresh and Restore too they are asked, with no
	// token), and Decide again with their answers.
	RestoreThenCommit
	// FallBack: the output of the newest checkpoint was aborted from outside and never
	// happened. Set the checkpoints in SetAside aside, then go on as with RestoreThenCommit
	// from From.
	FallBack
)

func (a Action) String() string {
	return [...]string{"refuse", "fresh", "restore", "restore then commit", "fall back"}[a]
}

// Found is a checkpoint that has a name in the storage.
type Found struct {
	Epoch    state.Epoch
	Manifest *Manifest // nil when Err is of the manifest
	Err      error     // why it cannot be used: damaged, cut, of another job, a file missing
	SetAside string    // why it must not be used
}

// usable reports whether state can be restored from it.
func (f *Found) usable() bool { return f.Err == nil && f.SetAside == "" && f.Manifest != nil }

// incomplete reports whether it never had a manifest: a crash came first, or it was being deleted.
func (f *Found) incomplete() bool {
	return f.Manifest == nil && f.SetAside == "" && errors.Is(f.Err, fs.ErrNotExist)
}

// Outcome is what became of a decided transaction.
type Outcome uint8

// The outcomes, as exec.Outcome.
const (
	OutcomeNone      Outcome = iota // the checkpoint holds no transaction of this participant
	OutcomeCommitted                // it is committed, now or long ago
	OutcomeAborted                  // the external system aborted it
	OutcomeUnknown                  // cannot be found out
)

// Answer is what a participant of the two-phase commit found out about checkpoint Facts.Asked.
type Answer struct {
	Name    string
	Outcome Outcome
	// Ledger is the newest epoch known to be committed, 0 when none is. LedgerMissing: one was
	// written once but is gone.
	Ledger        state.Epoch
	LedgerMissing bool
	Detail        string // for people
}

// Facts is everything a start of a job knows.
type Facts struct {
	Job     Job     // this incarnation
	Found   []Found // newest first; manifests of savepoints are not among them
	Chosen  state.Epoch
	Start   bool // --fresh: begin again whatever there is
	Repeat  bool // --allow-duplicates: begin although output would be repeated
	Plan    []string
	Asked   state.Epoch // the checkpoint whose tokens the participants were given
	Answers []Answer    // nil: they were not asked yet
}

// Decision is what to do, and why.
type Decision struct {
	Action   Action
	From     state.Epoch   // the checkpoint to restore
	SetAside []state.Epoch // FallBack, Fresh: these must never be used again
	Reasons  []string      // for people: the log, or the error of Refuse
}

// Decide says how a job starts. It is asked first with what the storage holds (Answers nil),
// then again with what the participants answered about the checkpoint that it chose, after a
// FallBack once more, until it says Fresh, Restore or Refuse with the answers given.
func Decide(f *Facts) Decision {
	if f.Start {
		return f.fresh("asked to begin again (--fresh)")
	}
	var reasons []string
	at := -1
	for i := range f.Found {
		c := &f.Found[i]
		if f.Chosen != 0 && c.Epoch != f.Chosen {
			continue
		}
		switch {
		case c.incomplete() && f.Chosen == 0:
		case c.usable():
			at = i
		case c.SetAside != "":
			reasons = append(reasons, fmt.Sprintf("checkpoint %d is set aside: %s", c.Epoch, c.SetAside))
		default:
			reasons = append(reasons, fmt.Sprintf("checkpoint %d cannot be used: %v", c.Epoch, c.Err))
		}
		if at >= 0 {
			break
		}
	}
	switch {
	case at < 0 && f.Chosen != 0:
		return refuse(append(reasons, fmt.Sprintf("checkpoint %d was asked for, and cannot be restored", f.Chosen))...)
	case at < 0 && (len(reasons) > 0 || f.Job.Published):
		if len(reasons) == 0 {
			reasons = append(reasons, "the job has written checkpoints, but there are none any more")
		}
		return refuse(append(reasons, "no checkpoint can be restored; start with --fresh to begin again from nothing (output may be repeated), or bring the checkpoints back")...)
	case at < 0:
		return f.fresh("there is no checkpoint yet")
	case len(f.Plan) > 0:
		reasons := append([]string{fmt.Sprintf("checkpoint %d does not fit the query:", f.Found[at].Epoch)}, f.Plan...)
		return refuse(append(reasons, "run the query as it was, or give the new one another --dir, or start it from nothing with --fresh")...)
	}
	m := f.Found[at].Manifest
	reasons = append(reasons, fmt.Sprintf("checkpoint %d is the newest that can be used", m.Epoch))
	if f.Answers == nil || f.Asked != m.Epoch {
		a := Restore
		if len(m.Transactions) > 0 {
			a = RestoreThenCommit
		}
		return Decision{Action: a, From: m.Epoch, Reasons: reasons}
	}
	return f.settle(at, reasons)
}

func refuse(reasons ...string) Decision { return Decision{Action: Refuse, Reasons: reasons} }

// fresh begins with nothing, unless output of an earlier run is visible.
func (f *Facts) fresh(why string) Decision {
	d := Decision{Action: Fresh, Reasons: []string{why}}
	for _, c := range f.Found {
		if c.SetAside == "" && !c.incomplete() {
			d.SetAside = append(d.SetAside, c.Epoch)
		}
	}
	for _, a := range f.Answers {
		if a.Ledger == 0 {
			continue
		}
		seen := fmt.Sprintf("%s: the output up to checkpoint %d is visible already and would be repeated", a.Name, a.Ledger)
		if !f.Repeat {
			return refuse(why, seen, "start with --allow-duplicates as well to repeat it")
		}
		d.Reasons = append(d.Reasons, seen)
	}
	return d
}

// settle judges what the participants answered about checkpoint at.
func (f *Facts) settle(at int, reasons []string) Decision {
	m := f.Found[at].Manifest
	var aborted, committed []Answer
	for _, a := range f.Answers {
		switch {
		case a.Outcome == OutcomeUnknown, a.LedgerMissing && a.Outcome != OutcomeCommitted && !f.Repeat:
			return refuse(append(reasons, fmt.Sprintf("%s: it cannot be found out whether the output of checkpoint %d was committed%s", a.Name, m.Epoch, detail(a)),
				fmt.Sprintf("if it was, restore checkpoint %d with --allow-duplicates; if not, restore an older one; look at the output first", m.Epoch))...)
		case a.Outcome == OutcomeAborted:
			aborted = append(aborted, a)
		case a.Outcome == OutcomeCommitted:
			committed = append(committed, a)
		}
	}
	if len(aborted) > 0 {
		return f.fallBack(at, aborted, committed, reasons)
	}
	for _, a := range f.Answers {
		if a.Ledger <= m.Epoch {
			continue
		}
		seen := fmt.Sprintf("%s: the output of the checkpoints after %d up to %d is visible already and would be repeated", a.Name, m.Epoch, a.Ledger)
		if !f.Repeat {
			return refuse(append(reasons, seen, "bring the newer checkpoints back, or start with --allow-duplicates to repeat it")...)
		}
		reasons = append(reasons, seen)
	}
	return Decision{Action: Restore, From: m.Epoch, Reasons: reasons}
}

// fallBack chooses the checkpoint before one whose output never happened. It is right only if
// the output of that one is what is visible now.
func (f *Facts) fallBack(at int, aborted, committed []Answer, reasons []string) Decision {
	m := f.Found[at].Manifest
	lost := fmt.Sprintf("%s: the output of checkpoint %d was aborted from outside (a transaction timeout, or by hand) and never happened%s",
		list(aborted), m.Epoch, detail(aborted[0]))
	reasons = append(reasons, lost)
	if len(committed) > 0 {
		return refuse(append(reasons, fmt.Sprintf("%s: but here it was committed; the two disagree and no checkpoint fits both", list(committed)))...)
	}
	for i := at + 1; i < len(f.Found); i++ {
		c := &f.Found[i]
		if !c.usable() {
			if !c.incomplete() {
				reasons = append(reasons, fmt.Sprintf("checkpoint %d cannot be used: %s", c.Epoch, why(c)))
			}
			continue
		}
		for _, a := range f.Answers {
			fits := a.Ledger == c.Epoch || c.Manifest.Token(a.Name) == nil && a.Ledger < c.Epoch
			if !fits {
				return refuse(append(reasons, fmt.Sprintf("%s: checkpoint %d was the one to fall back to, but the newest visible output is that of %d", a.Name, c.Epoch, a.Ledger),
					fmt.Sprintf("restore checkpoint %d to lose that output, or one that is older than the visible output with --allow-duplicates", m.Epoch))...)
			}
		}
		set := make([]state.Epoch, 0, i-at)
		for _, c := range f.Found[at:i] {
			if c.SetAside == "" && !c.incomplete() {
				set = append(set, c.Epoch)
			}
		}
		return Decision{Action: FallBack, From: c.Epoch, SetAside: set, Reasons: append(reasons, fmt.Sprintf("going back to checkpoint %d; the sources are read again from there", c.Epoch))}
	}
	for _, a := range f.Answers {
		if a.Ledger != 0 {
			return refuse(append(reasons, fmt.Sprintf("%s: and the checkpoint of the newest visible output, %d, is not there any more", a.Name, a.Ledger))...)
		}
	}
	return refuse(append(reasons, "there is no older checkpoint to go back to; nothing of the job is visible, so --fresh begins again without a loss")...)
}

func why(c *Found) string {
	if c.SetAside != "" {
		return c.SetAside
	}
	return c.Err.Error()
}

func detail(a Answer) string {
	if a.Detail == "" {
		return ""
	}
	return " (" + a.Detail + ")"
}

func list(as []Answer) string {
	names := make([]string, len(as))
	for i, a := range as {
		names[i] = a.Name
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// NextEpoch is the epoch of the next checkpoint: after everything that has a name or is known
// outside, valid or not, so that none is ever used twice.
func NextEpoch(f *Facts, names []string) state.Epoch {
	var newest state.Epoch
	for _, c := range f.Found {
		newest = max(newest, c.Epoch)
	}
	for _, a := range f.Answers {
		newest = max(newest, a.Ledger)
	}
	for _, n := range names {
		newest = max(newest, epochOf(n))
	}
	return newest + 1
}
