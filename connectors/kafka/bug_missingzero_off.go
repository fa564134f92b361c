//go:build !bug_missingzero

package kafka

const bugMissingZero = false
