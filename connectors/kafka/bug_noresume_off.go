//go:build !bug_noresume

package kafka

const bugNoResume = false
