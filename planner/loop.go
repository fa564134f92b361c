package planner

import (
	"github.com/sqlstream/sqlstream/sql/settings"
)

// checkLoops refuses jobs that read what they write: one row in would become rows without
// end. Flink runs them; whoever means it says so.
func (b *builder) checkLoops() error {
	if b.Settings.Bool(settings.AllowLoop) {
		return nil
	}
	for _, sink := range b.facts {
		if sink.dest.Writes == "" {
			continue
		}
		for _, source := range b.facts {
			if reads := source.source.Reads; reads != nil && reads(sink.dest.Writes) {
				return b.errorf(sink.pos, "table %s writes to %s, which table %s of the same job reads: the job would feed itself without end; write somewhere else, or SET '%s' = 'true' when that is meant",
					sink.table.Path.Short(), sink.dest.Writes, source.table.Path.Short(), settings.AllowLoop)
			}
		}
	}
	return nil
}
