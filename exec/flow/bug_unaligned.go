//go:build bug_unaligned

package flow

// bugUnaligned: a task answers a checkpoint at the first of its barriers, so that rows of the
// other inputs which belong to it come into the state after it was sealed.
const bugUnaligned = true
