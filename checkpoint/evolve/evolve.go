// Package evolve owns what becomes of a snapshot's state when the query changes: it compares
// what a snapshot holds with what a plan declares (Compare), says so slot by slot (Report), and
// rewrites the state for the plan (Report.Rewrite). The same Report is what 'sqlstream diff' prints
// and what a restore enforces. The comparison is pure; rewriting reads a checkpoint.Content and writes
// state.Files. It imports checkpoint, state and sql/types; exec/job and the command line import it.
//
// # How things are found again
//
// Operators with state and sources are found by their UIDs. Where a plan has several with one text,
// which get UIDs of one stem (see package planner), they are told apart by fingerprint, slots and sink. An operator whose
// UID is gone is still found when only its inputs are others: the same keys and window over a source whose
// topic was changed, or over a UNION ALL with a branch more or less. Everything else is another operator.
//
// Slots are found by their canonical text, at first with and then without the type of the result: the text is the
// same where a type was widened. Tables of values are found by the column whose values they hold.
//
// # What is asked
//
// Nothing that a snapshot holds goes without being named (--drop, or -n for all that nothing in the
// plan belongs to), and state whose rows were chosen in another way is not used without a word
// (--accept). What starts empty is said and not asked.
package evolve

import "github.com/sqlstream/sqlstream/checkpoint"

// Target is a plan as a manifest would record it.
type Target struct {
	Operators      []checkpoint.Operator
	MaxParallelism int
	Dataflow       string // see checkpoint.Manifest
}

// Manifest is the plan as a snapshot without content, for the comparison of two plans.
func (t Target) Manifest() *checkpoint.Manifest {
	return &checkpoint.Manifest{Format: checkpoint.Format, Kind: checkpoint.Savepoint, Operators: t.Operators, MaxParallelism: t.MaxParallelism}
}

// Allow is what the user agreed to. Names are UID or UID/slot, of the snapshot or of the plan; a slot
// goes by its id or its name.
type Allow struct {
	Drop   []string // state to give up (--drop)
	Accept []string // changes of meaning to live with (--accept)
	All    bool     // give up all state that nothing in the plan belongs to (-n, Flink's allowNonRestoredState)
	// Shared: the names are those for several jobs, so one that this job has not is no error.
	Shared bool
}

// Verdict is what becomes of a piece of state.
type Verdict string

// The verdicts, from the best to the worst.
const (
	Restore      Verdict = "RESTORE"           // as it is
	Migrate      Verdict = "MIGRATE"           // rewritten for a wider type
	New          Verdict = "NEW"               // starts empty
	Partial      Verdict = "PARTIAL"           // some of it starts empty
	Drop         Verdict = "DROP"              // nothing in the plan belongs to it
	Changed      Verdict = "SEMANTICS-CHANGED" // fits, but was made of other rows
	Incompatible Verdict = "INCOMPATIBLE"      // does not fit
)

var severity = map[Verdict]int{Restore: 0, Migrate: 1, New: 2, Partial: 3, Drop: 4, Changed: 5, Incompatible: 6}

// The kinds of operators that matter here.
const (
	kindSource = "Source"
	kindWindow = "WindowAggregate"
)

// The kinds of slots and the forms of keys, as in package planner/plan.
const (
	slotAggregate = "aggregate"
	slotRows      = "rows"
	slotEntries   = "entries"
	slotCount     = "count"
	slotSeen      = "seen"

	formColumn = "column"
	formHash   = "hash"
)

// The table of groups is the one that has their records; the others with a key that ends in
// a value are the tables of values.
const (
	groupsTable   = 0
	progressTable = 255
)
