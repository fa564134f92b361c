package job

import (
	"os"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/exec/build"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// memoryBudget is the memory of one stateful subtask for its working set: together they get
// a quarter of the machine; what does not fit goes to local disk.
func memoryBudget(p *plan.Job) int64 {
	const least = 64 << 20
	chains, _ := build.Chains(p)
	n := int64(0)
	for _, c := range chains {
		if len(c.UIDs()) > 0 {
			n += int64(c.Parallelism())
		}
	}
	return max(MachineMemory()/4/max(n, 1), least)
}

// MachineMemory is the memory in bytes of the machine or of the container, 4 GiB when neither tells.
func MachineMemory() int64 {
	size := int64(4 << 30)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
				if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil {
					size = kb << 10
				}
			}
		}
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil {
			size = min(size, n)
		}
	}
	return size
}
