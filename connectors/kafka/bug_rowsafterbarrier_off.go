//go:build !bug_rowsafterbarrier

package kafka

const bugRowsAfterBarrier = false
