package checkpoint

import (
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/state"
)

func TestAStartThatNamesASnapshot(t *testing.T) {
	const mine, other = "11111111111111111111111111111111", "22222222222222222222222222222222"
	snap := &Manifest{JobID: other, Epoch: 7, Kind: Savepoint}
	mySnap := &Manifest{JobID: mine, Epoch: 7, Kind: Savepoint}
	myCheckpoint := &Manifest{JobID: mine, Epoch: 7, Kind: Checkpoint}
	begun := BegunWith("sp", snap, false)
	found := func(b *Begun, epochs ...state.Epoch) (out []Found) {
		for _, e := range epochs {
			out = append(out, Found{Epoch: e, Manifest: &Manifest{JobID: mine, Epoch: e, Kind: Checkpoint, Begun: b}})
		}
		return out
	}
	damaged := []Found{{Epoch: 9, Manifest: myCheckpoint, Err: ErrCorrupt}}
	for name, c := range map[string]struct {
		facts  Facts
		snap   *Manifest
		own    bool
		use    bool
		aside  []state.Epoch
		refuse string
	}{
		"the first start":                              {Facts{}, snap, false, true, nil, ""},
		"the same command after a crash":               {Facts{Job: Job{ID: mine, Published: true}, Found: found(begun, 9, 8)}, snap, false, false, nil, ""},
		"a crash before the first manifest":            {Facts{Job: Job{ID: mine}}, snap, false, true, nil, ""},
		"a directory that is another job's":            {Facts{Job: Job{ID: mine, Published: true}, Found: found(nil, 9)}, snap, false, false, nil, "its newest checkpoint is 9, the snapshot is savepoint 7 of job " + other},
		"another snapshot than the one it began from":  {Facts{Job: Job{ID: mine, Published: true}, Found: found(BegunWith("x", &Manifest{JobID: other, Epoch: 6, Kind: Savepoint}, false), 9)}, snap, false, false, nil, "(it began from savepoint 6"},
		"begin again":                                  {Facts{Start: true, Job: Job{ID: mine, Published: true}, Found: found(nil, 9, 8)}, snap, false, true, []state.Epoch{9, 8}, ""},
		"stopped with this savepoint":                  {Facts{Job: Job{ID: mine, Published: true}, Found: found(nil, 7, 6)}, mySnap, false, true, nil, ""},
		"its checkpoint is gone":                       {Facts{Job: Job{ID: mine, Published: true}, Found: found(nil, 5)}, mySnap, false, true, nil, ""},
		"gone on since":                                {Facts{Job: Job{ID: mine, Published: true}, Found: found(nil, 8, 7)}, mySnap, false, false, nil, "start without -s"},
		"its own newest checkpoint":                    {Facts{Job: Job{ID: mine, Published: true}, Found: found(nil, 7, 6)}, myCheckpoint, true, false, nil, ""},
		"its own older checkpoint":                     {Facts{Job: Job{ID: mine, Published: true}, Found: found(nil, 8, 7)}, myCheckpoint, true, false, nil, "--fresh -s"},
		"back to its own older checkpoint":             {Facts{Start: true, Job: Job{ID: mine, Published: true}, Found: found(nil, 8, 7, 6)}, myCheckpoint, true, true, []state.Epoch{8}, ""},
		"its own checkpoints are damaged":              {Facts{Job: Job{ID: mine, Published: true}, Found: damaged}, snap, false, false, nil, "none of them can be used"},
		"its own checkpoints are damaged, begin again": {Facts{Start: true, Job: Job{ID: mine, Published: true}, Found: damaged}, snap, false, true, []state.Epoch{9}, ""},
	} {
		got := DecideStart(&c.facts, c.snap, c.own)
		if got.Use != c.use || !slices.Equal(got.SetAside, c.aside) || (len(got.Refuse) > 0) != (c.refuse != "") || !strings.Contains(strings.Join(got.Refuse, "\n"), c.refuse) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
