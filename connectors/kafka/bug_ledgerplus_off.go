//go:build !bug_ledgerplus

package kafka

const bugLedgerPlus = false
