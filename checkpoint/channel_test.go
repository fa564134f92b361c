package checkpoint

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/state"
)

// takeUnaligned takes a checkpoint with rows in flight.
func takeUnaligned(t *testing.T, d *Dir, e state.Epoch, before *Manifest) *Manifest {
	t.Helper()
	f, err := writeFile(d, e)
	if err != nil {
		t.Fatal(err)
	}
	m := manifestOf(e, 0)
	if before != nil {
		m.Previous, m.Files = before.Epoch, slices.Clone(before.Files)
	}
	m.Files = append(m.Files, f)
	for sub := range 2 {
		c, err := WriteChannel(d, e, Channel{UID: m.Operators[0].UID, Subtask: sub, Parallelism: 2, Rows: 100}, []byte("rows in flight"))
		if err != nil {
			t.Fatal(err)
		}
		m.Channels = append(m.Channels, c)
	}
	if err := Publish(d, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRowsInFlightLiveAsLongAsTheirCheckpoint(t *testing.T) {
	d := openTest(t, newCrashFS())
	var m *Manifest
	for e := state.Epoch(1); e <= 2; e++ {
		m = takeUnaligned(t, d, e, m)
		if r, err := Verify(t.Context(), d, e, testJob); err != nil || r.Problem() != nil || len(r.Files) != int(e)+2 {
			t.Fatal(err, r.Problem(), len(r.Files))
		}
	}
	found, err := Find(t.Context(), d, testJob)
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.Names()
	if err != nil || len(all) != 6 {
		t.Fatal(all, err)
	}
	if o := Orphans(all, found); o != nil {
		t.Errorf("orphans %q", o)
	}
	if o := Orphans(all, found[:1]); len(o) != 2 { // the newest alone: the state file is shared
		t.Errorf("orphans %q", o)
	}
	g, err := Collect(d, testJob, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Delete(d); err != nil {
		t.Fatal(err)
	}
	left, err := d.Names()
	if err != nil || len(left) != 4 {
		t.Errorf("%q, %v", left, err)
	}
	if r, err := Verify(t.Context(), d, 2, testJob); err != nil || r.Problem() != nil {
		t.Error(err, r.Problem())
	}
	back, err := Read(d, 2, testJob)
	if err != nil || !slices.Equal(back.Channels, m.Channels) {
		t.Errorf("%+v, %v", back, err)
	}
	if b, err := ReadChannel(d, back.Channels[1]); err != nil || string(b) != "rows in flight" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestDamagedRowsInFlightMakeTheStartUseTheCheckpointBefore(t *testing.T) {
	for name, f := range map[string]func(b []byte) []byte{
		"a flipped bit": func(b []byte) []byte { b[3] ^= 1; return b },
		"cut":           func(b []byte) []byte { return b[:5] },
	} {
		t.Run(name, func(t *testing.T) {
			d := openTest(t, newCrashFS())
			first := takeUnaligned(t, d, 1, nil)
			m := takeUnaligned(t, d, 2, first)
			damage(t, d, "shared/"+m.Channels[1].Name, f)
			if _, err := ReadChannel(d, m.Channels[1]); err == nil || !strings.Contains(err.Error(), m.Channels[1].Name) {
				t.Error(err)
			}
			_, dec := decideOn(t, d)
			if dec.From != 1 {
				t.Errorf("%+v", dec)
			}
		})
	}
}

func TestChannelsThatMakeNoSense(t *testing.T) {
	ok := Channel{UID: "u", Parallelism: 1, Name: "0000000001-aa.flt", Size: 1, Rows: 1}
	if err := ok.check(); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*Channel){
		func(c *Channel) { c.Name = "a.stf" }, func(c *Channel) { c.Name = "../a.flt" }, func(c *Channel) { c.UID = "" },
		func(c *Channel) { c.Port = -1 }, func(c *Channel) { c.Subtask = 1 }, func(c *Channel) { c.Parallelism = 0 },
		func(c *Channel) { c.Size = 0 }, func(c *Channel) { c.Size = maxChannel + 1 }, func(c *Channel) { c.Rows = 0 },
		func(c *Channel) { c.Split = strings.Repeat("x", maxName+1) },
	} {
		c := ok
		change(&c)
		m := manifestOf(1, 0)
		m.Channels = []Channel{c}
		if _, err := Encode(m); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	m := manifestOf(1, 0)
	m.Channels = []Channel{ok, ok}
	if _, err := Encode(m); err == nil {
		t.Error("a file is listed twice")
	}
}

func TestShowNamesRowsInFlight(t *testing.T) {
	d := openTest(t, newCrashFS())
	takeUnaligned(t, d, 1, nil)
	desc, err := Describe(d, 1, testJob, day.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := desc.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "inflight.txt", regexp.MustCompile(`-[0-9a-f]{16}\.flt`).ReplaceAllString(b.String(), "-xxxxxxxxxxxxxxxx.flt"))
}
