//go:build bug_ledgerplus

package kafka

// bugLedgerPlus: the ledger says one epoch more than the transaction; an aborted transaction looks committed.
const bugLedgerPlus = true
