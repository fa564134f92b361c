//go:build bug_commitfirst

package job

// bugCommitFirst: output is committed before the manifest is written. A crash in between
// repeats it.
const bugCommitFirst = true
