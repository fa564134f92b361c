//go:build bug_logandgoon

package kafka

// bugLogAndGoOn: a refused commit counts as done; Flink's: loses what the broker aborted.
const bugLogAndGoOn = true
