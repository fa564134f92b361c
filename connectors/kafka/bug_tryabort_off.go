//go:build !bug_tryabort

package kafka

const bugTryAbort = false
