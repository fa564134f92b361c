//go:build bug_unaligned

package flow

// bugUnaligned: barriers are not aligned, so that rows behind one come into the state sealed for
// it, and once more after a restart.
const bugUnaligned = true
