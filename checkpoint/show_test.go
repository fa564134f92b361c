package checkpoint

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/state"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// hex6 are the random digits of file names.
var hex6 = regexp.MustCompile(`-[0-9a-f]{12}\.stf`)

func golden(t *testing.T, name, got string) {
	t.Helper()
	got = hex6.ReplaceAllString(got, "-xxxxxxxxxxxx.stf")
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nexpected\n%s", path, got, want)
	}
}

func TestShowGoldens(t *testing.T) {
	d := openTest(t, newCrashFS())
	var m *Manifest
	var err error
	for e := state.Epoch(1); e <= 5; e++ {
		if m, err = take(d, e, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.SetAside(5, "its output was aborted by the broker and never happened"); err != nil {
		t.Fatal(err)
	}
	damage(t, d, manifestName(2), func(b []byte) []byte { return b[:100] })
	damage(t, d, "shared/"+m.Files[2].Name, func(b []byte) []byte { b[30] ^= 1; return b })
	now := day.Add(26 * time.Hour)

	lines, err := List(d, testJob, now)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteList(&b, lines); err != nil {
		t.Fatal(err)
	}
	golden(t, "ls.txt", b.String())
	b.Reset()
	if err := WriteJSON(&b, lines); err != nil {
		t.Fatal(err)
	}
	golden(t, "ls.json", b.String())

	desc, err := Describe(d, 4, testJob, now)
	if err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := desc.Write(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "show.txt", b.String())
	b.Reset()
	if err := WriteJSON(&b, desc); err != nil {
		t.Fatal(err)
	}
	golden(t, "show.json", b.String())

	b.Reset()
	for _, e := range []state.Epoch{5, 4, 2, 1, 9} {
		r, err := Verify(t.Context(), d, e, testJob)
		if err != nil {
			t.Fatal(err)
		}
		if bad := r.Problem() != nil; bad != (e != 1) {
			t.Errorf("checkpoint %d: %v", e, r.Problem())
		}
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "verify.txt", b.String())
}

func TestListOfNothing(t *testing.T) {
	var b strings.Builder
	if err := WriteList(&b, nil); err != nil || b.String() != "no checkpoints\n" {
		t.Fatal(b.String(), err)
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{-5: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m1s", 3*time.Hour + 125*time.Second: "3h2m", 49 * time.Hour: "2d1h"} {
		if got := age(d); got != want {
			t.Errorf("%v is %s, expected %s", d, got, want)
		}
	}
}

func TestSwappedFilesAreDetectedAndNamed(t *testing.T) {
	d, ms := three(t)
	a, b := "shared/"+ms[2].Files[1].Name, "shared/"+ms[2].Files[2].Name
	x, err := d.get(a, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	damage(t, d, b, func([]byte) []byte { return x })
	r, err := Verify(t.Context(), d, 3, testJob)
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Problem(); p == nil || !strings.Contains(p.Error(), ms[2].Files[2].Name) {
		t.Fatal(p)
	}
	if err := d.Remove(ms[2].Files[0].Name); err != nil {
		t.Fatal(err)
	}
	r, err = Verify(t.Context(), d, 1, testJob)
	if err != nil || r.Problem() == nil || errors.Is(r.Err, ErrCorrupt) {
		t.Fatal(err, r.Problem())
	}
	// All of them share the missing file: nothing can be restored, and every one is named.
	found, dec := decideOn(t, d)
	if dec.Action != Refuse || len(found) != 3 || len(dec.Reasons) != 4 {
		t.Fatal(dec)
	}
}

func TestTheRestartStrategyInForceIsShown(t *testing.T) {
	for _, tc := range []struct {
		options map[string]string
		want    string
	}{
		{map[string]string{"restart-strategy.fixed-delay.attempts": "1", "restart-strategy.exponential-delay.max-backoff": "1m0s"}, "[]"},
		{map[string]string{"restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": "1", "restart-strategy.exponential-delay.max-backoff": "1m0s"},
			"[restart-strategy.fixed-delay.attempts restart-strategy.type]"},
		{map[string]string{"execution.checkpointing.interval": "1s", "restart-strategy.fixed-delay.attempts": "1", "restart-strategy.exponential-delay.max-backoff": "1m0s"},
			"[execution.checkpointing.interval restart-strategy.exponential-delay.max-backoff]"},
		{map[string]string{"table.dml-sync": "true", "pipeline.name": "etl", "statement": "x"}, "[]"},
	} {
		if got := fmt.Sprint(inForce(tc.options)); got != tc.want {
			t.Errorf("of %v: %s, want %s", tc.options, got, tc.want)
		}
	}
}
