//go:build !bug_noepochguard

package kafka

const bugNoEpochGuard = false
