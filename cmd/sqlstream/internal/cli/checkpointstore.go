package cli

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/state"
)

// openRemote opens the checkpoints at an address in S3 or HDFS: that of
// 'execution.checkpointing.dir', with the job's id behind it or not, or of one checkpoint.
func (a *app) openRemote(cmd *cobra.Command, arg string) (s checkpoint.Storage, id string, epoch state.Epoch, err error) {
	opts, err := a.storeOptions(cmd)
	if err != nil {
		return nil, "", 0, err
	}
	ctx, stop := a.interruptible(cmd)
	defer stop()
	uri := strings.TrimRight(arg, "/")
	if m := chkName.FindStringSubmatch(lastName(uri)); m != nil {
		n, err := strconv.ParseUint(m[1], 10, 43)
		if err != nil {
			return nil, "", 0, err
		}
		epoch, uri = state.Epoch(n), above(uri)
	}
	if id = lastName(uri); jobIDName.MatchString(id) {
		uri = above(uri)
	} else if id, err = soleJob(cmd, uri, opts); err != nil {
		return nil, "", 0, err
	}
	s, err = stores.Open(ctx, uri, id, checkpoint.DirOptions{}, opts)
	if err != nil {
		return nil, "", 0, storeError(err)
	}
	return s, id, epoch, nil
}

// storeOptions are the options of -D, as a job would have them.
func (a *app) storeOptions(cmd *cobra.Command) (map[string]string, error) {
	s, err := a.newSession(cmd)
	if err != nil {
		return nil, err
	}
	return s.Settings.Runtime(), nil
}

// storeError gives an error that has no exit code that of what is not there or cannot be used: it
// is of an address, and no bug.
func storeError(err error) error {
	if exitcode.Of(err) == exitcode.Internal {
		return exitcode.With(exitcode.IO, err)
	}
	return err
}

// soleJob finds the one job whose checkpoints are beneath an address.
func soleJob(cmd *cobra.Command, uri string, opts map[string]string) (string, error) {
	names, err := stores.Names(cmd.Context(), uri, opts)
	if err != nil {
		return "", storeError(err)
	}
	id, err := onlyJob(uri, slices.DeleteFunc(names, func(n string) bool { return !jobIDName.MatchString(n) }))
	if err != nil {
		return "", exitcode.With(exitcode.IO, err)
	}
	return id, nil
}

func lastName(uri string) string { return uri[strings.LastIndexByte(uri, '/')+1:] }

// above is the address without its last name.
func above(uri string) string { return uri[:max(strings.LastIndexByte(uri, '/'), 0)] }
