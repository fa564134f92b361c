package job

import (
	"io"
	"testing"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors/all"
)

// Two stateful chains of four subtasks each share the memory.
func TestSubtasksShareTheMemoryForState(t *testing.T) {
	results, err := engine.NewSession(all.Connectors(io.Discard, io.Discard).Lookup).Execute("job.sql", `
SET 'parallelism.default' = '4';
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'splits' = '4');
CREATE TABLE a (n BIGINT, c BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'blackhole');
CREATE TABLE b (n BIGINT, c BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO a SELECT n, COUNT(*) FROM numbers GROUP BY n;
INSERT INTO b SELECT MOD(n, 7), COUNT(*) FROM numbers GROUP BY MOD(n, 7);
END;`)
	if err != nil {
		t.Fatal(err)
	}
	p := results[len(results)-1].Job
	for _, tc := range []struct {
		name string
		opts options
		want func(int64) bool
	}{
		{"the option", options{memory: 80 << 20}, func(n int64) bool { return n == 10<<20 }},
		{"so little that nothing is left is still a bound", options{memory: 1}, func(n int64) bool { return n == 1 }},
		{"hashmap has no bound", options{hashmap: true}, func(n int64) bool { return n == 0 }},
		{"by default a part of the machine's", options{}, func(n int64) bool { return n >= 64<<20 && (n == 64<<20 || n == MachineMemory()/4/8) }},
	} {
		m := &home{h: &Handle{opts: &tc.opts}}
		if got := m.budget(p); !tc.want(got) {
			t.Errorf("%s: %d bytes", tc.name, got)
		}
	}
}
