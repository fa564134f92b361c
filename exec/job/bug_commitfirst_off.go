//go:build !bug_commitfirst

package job

const bugCommitFirst = false
