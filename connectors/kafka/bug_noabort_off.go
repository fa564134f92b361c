//go:build !bug_noabort

package kafka

const bugNoAbort = false
