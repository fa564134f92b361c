//go:build !bug_noledger

package kafka

const bugNoLedger = false
