//go:build bug_ignorepromise

package kafka

// bugIgnorePromise: an error of a record is not looked at; the checkpoint completes without the record.
const bugIgnorePromise = true
