//go:build bug_noabort

package kafka

// bugNoAbort: Recover leaves open transactions of dead incarnations; their records commit with the next transaction, or block readers.
const bugNoAbort = true
