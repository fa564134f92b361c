package checkpoint

import (
	"fmt"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// OpenFiles opens state files as the content of a snapshot, for a checkpoint or a native
// savepoint: list is what its manifest lists, maxParallelism its number of key groups.
// Deltas are merged as they are read, and blocks are checked.
func OpenFiles(files state.Files, list []state.File, maxParallelism int) (Content, error) {
	if maxParallelism < 1 || maxParallelism > maxGroups {
		return nil, fmt.Errorf("state files of %d key groups, expected 1 to %d", maxParallelism, maxGroups)
	}
	c := &fileContent{groups: state.Range{Hi: state.KeyGroup(maxParallelism)}, has: map[stf.TableID]bool{}}
	m, err := stf.OpenMerge(files, list, c.groups)
	if err != nil {
		return nil, err
	}
	c.merge = m
	for _, t := range m.Tables() {
		c.has[stf.IDOf(t.UID, t.ID)] = true
	}
	return c, nil
}

// fileContent is a Content of state files.
type fileContent struct {
	merge  *stf.Merge
	groups state.Range
	has    map[stf.TableID]bool
}

func (c *fileContent) Table(uid string, id uint8) (Records, error) {
	t := stf.IDOf(uid, id)
	if !c.has[t] {
		return nil, nil
	}
	r := &fileRecords{MergeIter: c.merge.Iter(t, c.groups)}
	// The files may hold nothing but deletions of the table.
	if r.first = r.MergeIter.Next(); !r.first {
		return nil, r.Err()
	}
	return r, nil
}

func (c *fileContent) Close() error { return c.merge.Close() }

// fileRecords has moved to the first entry before its first Next.
type fileRecords struct {
	*stf.MergeIter
	first bool
}

func (r *fileRecords) Next() bool {
	if r.first {
		r.first = false
		return true
	}
	return r.MergeIter.Next()
}
