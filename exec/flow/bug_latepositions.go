//go:build bug_latepositions

package flow

// bugLatePositions: a barrier that arrives during a read goes out before the rows that were
// read, while the positions recorded with it are behind them: a restart skips these rows.
const bugLatePositions = true
