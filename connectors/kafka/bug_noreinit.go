//go:build bug_noreinit

package kafka

// bugNoReinit: under transaction.version 1 a slot is used again without a new producer
// epoch; a late EndTxn of one transaction then ends the next (KAFKA-17754).
const bugNoReinit = true
