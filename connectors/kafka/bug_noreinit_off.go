//go:build !bug_noreinit

package kafka

const bugNoReinit = false
