package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/state"
)

// good and its friends make the checkpoints of facts.
func good(e state.Epoch) Found { return Found{Epoch: e, Manifest: manifestOf(e, 0)} }
func quiet(e state.Epoch) Found {
	m := manifestOf(e, 0)
	m.Transactions = nil
	return Found{Epoch: e, Manifest: m}
}
func bad(e state.Epoch) Found { return Found{Epoch: e, Err: errors.New("chk-x: damaged")} }
func never(e state.Epoch) Found {
	return Found{Epoch: e, Err: fmt.Errorf("chk-x: %w", fs.ErrNotExist)}
}
func lost(e state.Epoch) Found { f := good(e); f.SetAside = "its output was lost"; return f }

func says(e state.Epoch, o Outcome) Answer {
	return Answer{Name: "kafka:broker", Outcome: o, Ledger: e}
}

func TestDecide(t *testing.T) {
	published := Job{Published: true}
	other := Answer{Name: "kafka:other", Outcome: OutcomeCommitted, Ledger: 5}
	for _, c := range []struct {
		name   string
		facts  Facts
		action Action
		from   state.Epoch
		aside  []state.Epoch
		reason string // part of the reasons
	}{
		{"a new job starts fresh", Facts{}, Fresh, 0, nil, "no checkpoint yet"},
		{"a job killed in its first checkpoint starts fresh", Facts{Found: []Found{never(1)}}, Fresh, 0, nil, ""},
		{"a job whose checkpoints were deleted does not silently start fresh", Facts{Job: published}, Refuse, 0, nil, "there are none any more"},
		{"a job whose checkpoints were deleted starts fresh when asked to", Facts{Job: published, Start: true}, Fresh, 0, nil, ""},
		{"a fresh start sets old checkpoints aside", Facts{Job: published, Start: true, Found: []Found{never(7), good(6), bad(5), lost(4)}}, Fresh, 0, []state.Epoch{6, 5}, ""},
		{"a fresh start over visible output is refused", Facts{Start: true, Answers: []Answer{says(5, OutcomeNone)}}, Refuse, 0, nil, "up to checkpoint 5 is visible already"},
		{"a fresh start over visible output repeats it when asked to", Facts{Start: true, Repeat: true, Answers: []Answer{says(5, OutcomeNone)}}, Fresh, 0, nil, "up to checkpoint 5"},
		{"a new job over another's visible output is refused", Facts{Answers: []Answer{says(5, OutcomeNone)}}, Refuse, 0, nil, "--allow-duplicates"},

		{"the newest checkpoint is restored", Facts{Found: []Found{quiet(6), quiet(5)}}, Restore, 6, nil, ""},
		{"a checkpoint with transactions is restored, then committed", Facts{Found: []Found{good(6), good(5)}}, RestoreThenCommit, 6, nil, ""},
		{"a damaged newest checkpoint is passed over and named", Facts{Found: []Found{bad(6), good(5)}}, RestoreThenCommit, 5, nil, "checkpoint 6 cannot be used: chk-x: damaged"},
		{"an incomplete newest checkpoint is passed over", Facts{Found: []Found{never(6), good(5)}}, RestoreThenCommit, 5, nil, ""},
		{"a lost checkpoint is never picked again", Facts{Found: []Found{lost(6), good(5)}}, RestoreThenCommit, 5, nil, "set aside: its output was lost"},
		{"when every checkpoint is damaged the start is refused", Facts{Found: []Found{bad(6), bad(5)}}, Refuse, 0, nil, "checkpoint 5 cannot be used"},
		{"a chosen checkpoint is restored", Facts{Found: []Found{quiet(6), quiet(5)}, Chosen: 5}, Restore, 5, nil, ""},
		{"a chosen checkpoint that is damaged is refused", Facts{Found: []Found{good(6), bad(5), good(4)}, Chosen: 5}, Refuse, 0, nil, "checkpoint 5 was asked for"},
		{"a chosen checkpoint that is not there is refused", Facts{Found: []Found{good(6)}, Chosen: 5}, Refuse, 0, nil, "checkpoint 5 was asked for"},
		{"a checkpoint that does not fit the query is refused", Facts{Found: []Found{good(6)}, Plan: []string{"operator u1: its filter changed"}}, Refuse, 0, nil, "its filter changed"},

		{"committed output: the checkpoint is right", Facts{Found: []Found{good(6), good(5)}, Asked: 6, Answers: []Answer{says(6, OutcomeCommitted)}}, Restore, 6, nil, ""},
		{"answers about another checkpoint do not count", Facts{Found: []Found{good(6), good(5)}, Asked: 5, Answers: []Answer{says(5, OutcomeCommitted)}}, RestoreThenCommit, 6, nil, ""},
		{"nothing was written in the checkpoint and older output is visible", Facts{Found: []Found{quiet(6)}, Asked: 6, Answers: []Answer{says(4, OutcomeNone)}}, Restore, 6, nil, ""},
		{"an unknown outcome is refused", Facts{Found: []Found{good(6), good(5)}, Asked: 6, Answers: []Answer{says(5, OutcomeUnknown)}}, Refuse, 0, nil, "cannot be found out"},
		{"a ledger that is gone is refused", Facts{Found: []Found{quiet(6)}, Asked: 6, Answers: []Answer{{Name: "k", LedgerMissing: true}}}, Refuse, 0, nil, "look at the output first"},
		{"a ledger that is gone does not matter when the commit succeeded", Facts{Found: []Found{good(6)}, Asked: 6, Answers: []Answer{{Name: "k", LedgerMissing: true, Outcome: OutcomeCommitted}}}, Restore, 6, nil, ""},
		{"output newer than the checkpoint is refused", Facts{Found: []Found{bad(9), good(6)}, Asked: 6, Answers: []Answer{says(9, OutcomeCommitted)}}, Refuse, 0, nil, "after 6 up to 9 is visible already"},
		{"output newer than the checkpoint is repeated when asked to", Facts{Found: []Found{good(6)}, Asked: 6, Repeat: true, Answers: []Answer{says(9, OutcomeCommitted)}}, Restore, 6, nil, "after 6 up to 9"},

		{"aborted output falls back to the checkpoint whose output is visible", Facts{Found: []Found{good(6), good(5)}, Asked: 6, Answers: []Answer{says(5, OutcomeAborted)}}, FallBack, 5, []state.Epoch{6}, "going back to checkpoint 5"},
		{"aborted output falls back over a checkpoint without output", Facts{Found: []Found{good(6), quiet(5), good(4)}, Asked: 6, Answers: []Answer{says(4, OutcomeAborted)}}, FallBack, 5, []state.Epoch{6}, ""},
		{"aborted output with a damaged checkpoint before it is refused, not logged and forgotten", Facts{Found: []Found{good(6), bad(5), good(4)}, Asked: 6, Answers: []Answer{says(5, OutcomeAborted)}}, Refuse, 0, nil, "checkpoint 5 cannot be used"},
		{"aborted output with nothing before it is refused", Facts{Found: []Found{good(6)}, Asked: 6, Answers: []Answer{says(5, OutcomeAborted)}}, Refuse, 0, nil, "5, is not there any more"},
		{"the very first output aborted is no loss, but a person decides", Facts{Found: []Found{good(1)}, Asked: 1, Answers: []Answer{says(0, OutcomeAborted)}}, Refuse, 0, nil, "begins again without a loss"},
		{"two clusters that disagree are refused and both named", Facts{Found: []Found{good(6), good(5)}, Asked: 6, Answers: []Answer{says(5, OutcomeAborted), other}}, Refuse, 0, nil, "kafka:other: but here it was committed"},
		{"after the fall back the older one is confirmed", Facts{Found: []Found{lost(6), good(5)}, Asked: 5, Answers: []Answer{says(5, OutcomeCommitted)}}, Restore, 5, nil, ""},
		{"a lost checkpoint is not picked when newer ones are damaged later", Facts{Found: []Found{bad(8), bad(7), lost(6), good(5)}, Asked: 5, Answers: []Answer{says(8, OutcomeCommitted)}}, Refuse, 0, nil, "after 5 up to 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decide(&c.facts)
			if d.Action != c.action || d.From != c.from || !slices.Equal(d.SetAside, c.aside) {
				t.Fatalf("decided %v %d, set aside %v, expected %v %d %v; reasons %q", d.Action, d.From, d.SetAside, c.action, c.from, c.aside, d.Reasons)
			}
			if all := strings.Join(d.Reasons, "\n"); !strings.Contains(all, c.reason) {
				t.Fatalf("reasons %q do not say %q", all, c.reason)
			}
			if d.Action == Refuse && len(d.Reasons) == 0 {
				t.Fatal("refused without a reason")
			}
		})
	}
}

func TestNextEpochFollowsEverythingEverSeen(t *testing.T) {
	f := &Facts{Found: []Found{bad(4), good(3)}}
	for _, c := range []struct {
		facts *Facts
		names []string
		want  state.Epoch
	}{
		{&Facts{}, nil, 1},
		{f, nil, 5},
		{f, []string{"0000000009-00000-abc.stf", "x.stf"}, 10},
		{&Facts{Found: f.Found, Answers: []Answer{says(12, OutcomeNone)}}, []string{"0000000009-00000-abc.stf"}, 13},
		{&Facts{Found: []Found{never(20)}}, nil, 21},
	} {
		if got := NextEpoch(c.facts, c.names); got != c.want {
			t.Errorf("got %d, expected %d", got, c.want)
		}
	}
}

func TestRetain(t *testing.T) {
	f := func(names ...string) (fs []state.File) {
		for _, n := range names {
			fs = append(fs, state.File{Name: n})
		}
		return fs
	}
	m := func(e state.Epoch, kind string, names ...string) *Manifest {
		return &Manifest{Epoch: e, Kind: kind, Files: f(names...)}
	}
	all := []*Manifest{
		m(6, Checkpoint, "full5", "d6"), m(5, Checkpoint, "full5"), m(4, Savepoint, "full1", "d4"), m(3, Checkpoint, "full1", "d2", "d3"), m(2, Checkpoint, "full1", "d2"),
	}
	for _, c := range []struct {
		name      string
		retained  int
		confirmed state.Epoch
		epochs    []state.Epoch
		files     []string
	}{
		{"the newest confirmed one stays, and files it shares", 1, 6, []state.Epoch{2, 3, 5}, []string{"d2", "d3"}},
		{"until the newest is confirmed the one before stays", 1, 5, []state.Epoch{2, 3}, []string{"d2", "d3"}},
		{"num-retained counts confirmed ones", 2, 5, []state.Epoch{2}, nil},
		{"nothing is confirmed, nothing goes", 1, 1, nil, nil},
		{"zero is one", 0, 6, []state.Epoch{2, 3, 5}, []string{"d2", "d3"}},
		{"more than there are", 9, 6, nil, nil},
	} {
		g := Retain(all, c.retained, c.confirmed)
		if !slices.Equal(g.Epochs, c.epochs) || !slices.Equal(g.Files, c.files) {
			t.Errorf("%s: got %v %v, expected %v %v", c.name, g.Epochs, g.Files, c.epochs, c.files)
		}
	}
}

func TestOrphansAreKeptWhenADamagedManifestMayListThem(t *testing.T) {
	names := []string{"a.stf", "b.stf"}
	g := good(2)
	g.Manifest.Files = []state.File{{Name: "a.stf"}}
	if got := Orphans(names, []Found{never(3), g}); !slices.Equal(got, []string{"b.stf"}) {
		t.Error(got)
	}
	if got := Orphans(names, []Found{bad(3), g}); got != nil {
		t.Error(got)
	}
}
