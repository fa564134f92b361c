//go:build bug_latepositions

package flow

// bugLatePositions: a barrier goes out before the rows that were just read, while the positions
// recorded with it are behind them: a restart skips these rows.
const bugLatePositions = true
