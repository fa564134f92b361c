//go:build !bug_unaligned

package flow

const bugUnaligned = false
