//go:build bug_tryabort

package kafka

// bugTryAbort: an unclear answer to EndTxn is followed by an abort; loses a decided transaction.
const bugTryAbort = true
