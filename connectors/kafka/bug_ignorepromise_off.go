//go:build !bug_ignorepromise

package kafka

const bugIgnorePromise = false
