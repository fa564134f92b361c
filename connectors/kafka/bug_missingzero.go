//go:build bug_missingzero

package kafka

// bugMissingZero: a missing ledger reads as epoch 0; committed output looks aborted and is repeated.
const bugMissingZero = true
