//go:build !bug_offsetplus

package kafka

const bugOffsetPlus = false
