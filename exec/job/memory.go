package job

import (
	"os"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/exec/build"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// budget is the memory of one stateful subtask for its working set, 0 for no bound: together
// they get state.backend.badger.memory, by default a quarter of the machine; what does not fit
// goes to local disk.
func (m *home) budget(p *plan.Job) int64 {
	const least = 64 << 20 // of a subtask, unless a person says less
	if n := testBudget(); n > 0 {
		return n
	}
	if m.h.opts.hashmap {
		return 0
	}
	if m.h.opts.memory > 0 {
		return max(m.h.opts.memory/stateful(p), 1)
	}
	return max(MachineMemory()/4/stateful(p), least)
}

// stateful is the number of subtasks that share the memory for state, at least 1.
func stateful(p *plan.Job) int64 {
	chains, _ := build.Chains(p)
	n := int64(0)
	for _, c := range chains {
		if len(c.UIDs()) > 0 {
			n += int64(c.Parallelism())
		}
	}
	return max(n, 1)
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
