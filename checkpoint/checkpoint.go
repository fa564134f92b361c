// Package checkpoint owns what makes a checkpoint: the manifest, where manifests and state
// files lie (Storage), the job directory with its lock and incarnation, and the decisions of
// a restart as pure functions (Decide, Retain, NextEpoch), and what a snapshot holds (OpenFiles). It runs nothing: the coordinator of
// exec/job calls it. It imports state and state/stf only.
//
// # Layout
//
//	<dir>/<job id>/chk-<epoch>/MANIFEST   the decision point of a checkpoint
//	<dir>/<job id>/chk-<epoch>/SET-ASIDE  why it must not be used again (lost output, damage)
//	<dir>/<job id>/shared/<name>.stf      state files, shared by the checkpoints that list them
//	*.tmp                                 being written, or left over by a crash
//
// Everything is written to a .tmp name, fsynced, renamed, and the directory fsynced. A manifest
// is written once and never changed. What no manifest lists is garbage; names that are not of
// this form are left alone. In an object store the same names are keys: a manifest is a
// create-only PUT.
package checkpoint

import (
	"errors"

	"github.com/sqlstream/sqlstream/state"
)

// Format is the format version of manifests that this package writes and reads.
const Format = 1

var (
	// ErrCorrupt is wrapped by errors about manifests that are damaged or make no sense.
	ErrCorrupt = errors.New("damaged")
	// ErrVersion is wrapped by errors about manifests of another format version.
	ErrVersion = errors.New("other format version")
	// ErrUndecided is wrapped by errors of Put after which the manifest may or may not be
	// there. The job must stop and start again: a restart finds out which. Going on as if
	// the checkpoint had failed would put later output into a transaction that the manifest,
	// should it be there after all, commits.
	ErrUndecided = errors.New("it is not known whether the file is durable")
	// ErrUnavailable is wrapped by errors of a store on other machines that did not serve a call,
	// though it was tried several times: later it may.
	ErrUnavailable = errors.New("the store does not serve")
	// ErrForeign is wrapped by errors about manifests of another job.
	ErrForeign = errors.New("other job")
)

// Storage is where the checkpoints of one job lie. Implementations: Dir; an object store's
// prefix. Methods may be called from several goroutines.
type Storage interface {
	// Files is where the state files lie.
	state.Files
	// Names lists the state files, in no order.
	Names() ([]string, error)

	// Epochs lists the epochs that have a name, with or without a valid manifest, newest first.
	Epochs() ([]state.Epoch, error)
	// Put makes the manifest of an epoch durable. It fails with fs.ErrExist when there is one,
	// and with ErrUndecided when it cannot tell.
	Put(e state.Epoch, manifest []byte) error
	// Get reads a manifest, at most MaxManifest bytes.
	Get(e state.Epoch) ([]byte, error)
	// Delete removes a checkpoint's names, its manifest first. State files stay.
	Delete(e state.Epoch) error

	// SetAside marks a checkpoint as one that must not be used any more, durably; it stays
	// for people to look at.
	SetAside(e state.Epoch, reason string) error
	// Reason tells why a checkpoint is set aside; "" when it is not.
	Reason(e state.Epoch) (string, error)

	// Location is the place as people know it: a path, a URL without secrets.
	Location() string
	Close() error
}

// Points are the names of the fail points that the kill tests use, in the order in which a
// checkpoint passes them. State files and manifests pass all but the first.
var Points = []string{"mid_state_write", "before_fsync", "before_rename", "after_rename", "before_dirsync"}
