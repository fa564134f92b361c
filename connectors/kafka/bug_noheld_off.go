//go:build !bug_noheld

package kafka

const bugNoHeld = false
