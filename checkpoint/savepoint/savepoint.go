// Package savepoint owns the format of savepoints: a directory that needs nothing outside of
// itself, with manifest.json and, beside it, files of state. It writes, reads, verifies, copies,
// exports and deletes them. exec/job and the command line import it; it imports checkpoint,
// state and sql/types.
//
// # Layout
//
//	manifest.json         the manifest (checkpoint.EncodeSavepoint), written last
//	<operator>.arrow      canonical: an Arrow IPC file per table of state, one row per entry
//	<...>.stf             native: a full state file, as checkpoints have them
//
// A directory without manifest.json is no savepoint: it is being written, or its writer died.
// Names are base names; nothing says where the directory lies.
//
// # Canonical files
//
// The rows of a file are the entries of one table, ordered by key group and then by the bytes
// of their key. Columns are, in this order:
//
//	key_group     UINT16, what the engine distributes state by
//	the key       a column for every part of the key, as the query names it
//	the state     a column for every field of every slot, as the query names it
//	last_changed  where the table's entries have a time to live
//	raw_key       only in files that need them: the bytes of those entries that the columns
//	raw_value     above cannot say, NULL for all others (see shape)
//
// Reading a file gives back the bytes it was written from: what no column holds (hashes in
// keys, offsets of values of variable length, whether there is a value) follows from the
// columns; where it does not, the entry's bytes are in raw_key and raw_value.
package savepoint

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// ManifestName is the name of the manifest in a savepoint.
const ManifestName = "manifest.json"

// ErrNone is wrapped by errors about places that hold no complete savepoint.
var ErrNone = errors.New("no savepoint")

// errIncomplete is ErrNone about a place with files of state.
var errIncomplete = fmt.Errorf("%w", ErrNone)

// Read reads and checks the manifest of a savepoint.
func Read(place checkpoint.Place) (*checkpoint.Manifest, error) {
	path := place.Location() + "/" + ManifestName
	r, err := place.Open(ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(place)
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Size() > checkpoint.MaxManifest {
		return nil, fmt.Errorf("%s: %w: it has %d bytes, the limit is %d", path, checkpoint.ErrCorrupt, r.Size(), checkpoint.MaxManifest)
	}
	b := make([]byte, r.Size())
	if n, err := r.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return checkpoint.DecodeSavepoint(b, path)
}

// missing says why a place without manifest is no savepoint.
func missing(place checkpoint.Place) error {
	names, err := place.Names()
	switch {
	case err != nil:
		return err
	case len(names) == 0:
		return fmt.Errorf("%w in %s: it is empty or does not exist", ErrNone, place.Location())
	}
	for _, n := range names {
		if dataName.MatchString(n) {
			return fmt.Errorf("%w in %s: it has files of state but no %s, so it was never completed; take another one and delete this", errIncomplete, place.Location(), ManifestName)
		}
	}
	return fmt.Errorf("%w in %s: it has no %s; expected the directory of a savepoint", ErrNone, place.Location(), ManifestName)
}
