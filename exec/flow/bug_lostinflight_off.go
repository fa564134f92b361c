//go:build !bug_lostinflight

package flow

const bugLostInFlight = false
