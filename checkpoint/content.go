package checkpoint

import "github.com/sqlstream/sqlstream/state"

// Content is the keyed state of a snapshot, open for reading: of a checkpoint or a savepoint of
// either layout. Not for concurrent use.
type Content interface {
	// Table returns the entries of one table in ascending order of (key group, key), nil when the
	// snapshot has no entry of it. Only one is read at a time.
	Table(uid string, id uint8) (Records, error)
	Close() error
}

// Records is a walk over the entries of a table. Key and Value are valid until the next Next.
type Records interface {
	Next() bool
	Group() state.KeyGroup
	Key() []byte
	Value() []byte
	// Stamp is when the entry was last changed, in milliseconds, 0 where tables have no time to live.
	Stamp() int64
	Err() error
}

// Place is a directory of files on a disk, or what has a prefix in an object store: where a
// savepoint lies. Names are base names; see state.Files for the rest.
type Place interface {
	state.Files
	// Names lists the files, in no order; a place that does not exist has none.
	Names() ([]string, error)
	// Delete removes the files that are there and the place itself if nothing else is in it.
	Delete() error
	// Location is the place as people know it: a path, a URL without secrets.
	Location() string
	Close() error
}
