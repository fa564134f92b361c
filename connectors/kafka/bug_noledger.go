//go:build bug_noledger

package kafka

// bugNoLedger: the ledger is not written; a committed transaction looks aborted, and is repeated.
const bugNoLedger = true
