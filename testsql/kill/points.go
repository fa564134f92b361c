package kill

// Points are the steps at which the job is killed; "" is a random moment.
var Points = append([]string{
	"", "", "",
	// A transaction.
	"open_txn", "first_ack", "before_flush", "after_flush", "before_ledger", "after_ledger",
	// A checkpoint: state files and the manifest.
	"snap_begin", "mid_state_write", "before_fsync", "before_rename", "after_rename", "before_dirsync",
	// After the decision.
	"before_endtxn", "after_endtxn", "after_resync", "before_gc", "mid_gc",
}, recoveryPoints...)

// recoveryPoints are passed once in a start, before any row is read.
var recoveryPoints = []string{
	"rec_lock", "rec_before_commit", "rec_after_commit", "rec_mid_abort", "rec_before_restore", "rec_mid_restore", "rec_before_first_poll",
}

// leaves are the steps after which a recovery has the most to do: a transaction that is
// decided and not committed, with and without markers on their way, or one that is prepared.
var leaves = []string{"before_endtxn", "before_endtxn", "after_endtxn", "after_ledger"}
