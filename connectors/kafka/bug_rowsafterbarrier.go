//go:build bug_rowsafterbarrier

package kafka

// bugRowsAfterBarrier: rows after the barrier go into the same transaction; they are repeated when the checkpoint is restored.
const bugRowsAfterBarrier = true
