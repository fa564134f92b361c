//go:build !bug_latepositions

package flow

const bugLatePositions = false
