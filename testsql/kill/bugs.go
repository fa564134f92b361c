package kill

import "time"

// seededBug is a mistake in the commit protocol behind a build tag of connectors/kafka or
// exec/job, with what the loop has to do to meet it.
type seededBug struct {
	tag string
	set func(o *Options)
}

func short(o *Options) {
	o.Interval, o.TransactionTimeout, o.Down = 20*time.Millisecond, 300*time.Millisecond, 600*time.Millisecond
}

// seededBugs are the mistakes that the loop must find.
var seededBugs = []seededBug{
	{tag: "bug_noresume"},                                     // the restored checkpoint's transaction is not committed
	{tag: "bug_noabort"},                                      // what a dead incarnation left open is not aborted
	{tag: "bug_offsetplus"},                                   // positions are one too far
	{tag: "bug_rowsafterbarrier"},                             // rows after the barrier go into the prepared transaction
	{tag: "bug_commitfirst"},                                  // commit before the manifest is written
	{tag: "bug_sealearly"},                                    // state is sealed before the barrier has passed the operators
	{tag: "bug_logandgoon", set: short},                       // an aborted transaction is logged, and the job goes on
	{tag: "bug_noledger", set: short},                         // the ledger is not written
	{tag: "bug_ledgerplus", set: short},                       // the ledger names the next epoch
	{tag: "bug_missingzero", set: short},                      // a missing ledger is read as "nothing committed"
	{tag: "bug_noreinit", set: func(o *Options) { o.TV = 1 }}, // one producer epoch for several transactions
	{tag: "bug_tryabort"},                                     // an unclear commit is followed by an abort
}
