package kill

import "time"

// seededBug is a mistake in the protocol behind a build tag of connectors/kafka, exec/job or
// exec/flow, with what the loop has to do to meet it.
type seededBug struct {
	tag string
	set func(o *Options)
}

// short is down longer than the transaction timeout, often.
func short(o *Options) {
	o.Interval, o.TransactionTimeout, o.Down = 20*time.Millisecond, 300*time.Millisecond, 600*time.Millisecond
}

// ledgerLeftOpen leaves the very first transaction open with a ledger record in it. Later ones do
// not show a missing abort: loading the producer id aborts what is open under it, and a
// commit that waits for the ledger clears the way.
func ledgerLeftOpen(o *Options) {
	o.Kills, o.Only, o.Quiet = 1, "after_ledger", 2*settleLimit
}

// manyRows keeps the sources so busy that rows are at hand whenever a barrier comes.
func manyRows(o *Options) { o.RowsPerLife, o.Kills = 20000, 8 }

// unaligned has so much to read at every start that barriers overtake rows.
func unaligned(o *Options) {
	o.Parallelism, o.RowsPerLife, o.Set = 0, 5000, map[string]string{"execution.checkpointing.unaligned.enabled": "true"}
}

// seededBugs are the mistakes that the loop must find.
var seededBugs = []seededBug{
	{tag: "bug_noresume"},                                               // the restored checkpoint's transaction is not committed
	{tag: "bug_noabort", set: ledgerLeftOpen},                           // what a dead incarnation left open is not aborted
	{tag: "bug_offsetplus"},                                             // positions are one too far
	{tag: "bug_rowsafterbarrier"},                                       // rows after the barrier go into the prepared transaction
	{tag: "bug_commitfirst"},                                            // commit before the manifest is written
	{tag: "bug_latepositions", set: manyRows},                           // positions are recorded behind rows that the barrier does not cover
	{tag: "bug_unaligned", set: func(o *Options) { o.Parallelism = 3 }}, // state is sealed with rows from behind the barrier
	{tag: "bug_lostinflight", set: unaligned},                           // rows that a barrier overtakes are forgotten
	{tag: "bug_logandgoon", set: short},                                 // an aborted transaction is logged, and the job goes on
	{tag: "bug_noledger", set: short},                                   // the ledger is not written
	{tag: "bug_ledgerplus", set: short},                                 // the ledger names the next epoch
	{tag: "bug_noreinit", set: func(o *Options) { o.TV = 1 }},           // one producer epoch for several transactions
}

// faultBugs are the mistakes that no kill shows, only a fault of the broker or of a checkpoint,
// with the test of connectors/kafka that injects it and has to fail.
var faultBugs = []struct{ tag, test string }{
	{"bug_ignorepromise", "TestFailedRecordFailsTheCheckpoint"}, // a record that failed is forgotten
	{"bug_noepochguard", "TestSilentReinitDoesNotCommit"},       // so is what the client drops in silence
	{"bug_noheld", "TestRowsBetweenBarrierAndDecision"},         // a checkpoint that failed leaves a second transaction
	{"bug_missingzero", "TestMissingLedgerIsUnknown"},           // a missing ledger is read as "nothing committed"
	{"bug_tryabort", "TestUnclearAnswersToEndTxn"},              // an unclear commit is followed by an abort
}
