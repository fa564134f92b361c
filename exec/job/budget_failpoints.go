//go:build failpoints

package job

import (
	"os"
	"strconv"
)

// testBudget is a memory budget so small that the kill tests have their state in the local
// database: SQLSTREAM_STATE_BYTES for each subtask.
func testBudget() int64 {
	n, _ := strconv.ParseInt(os.Getenv("SQLSTREAM_STATE_BYTES"), 10, 64)
	return n
}
