package format_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/csv"
	"github.com/sqlstream/sqlstream/connectors/format/json"
)

func TestLookup(t *testing.T) {
	s := format.Set{json.New(), csv.New()}
	if f, err := s.Lookup("format", "csv"); err != nil || f.Name() != "csv" {
		t.Error(f, err)
	}
	for name, want := range map[string]string{
		"jason": "option 'value.format' = 'jason': no such format; did you mean json?; there are json, csv",
		"":      "option 'value.format' is missing, expected one of json, csv",
	} {
		if _, err := s.Lookup("value.format", name); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestOptionsHaveTheirPrefix(t *testing.T) {
	for _, d := range format.Options("key.", csv.New()) {
		if !strings.HasPrefix(d.Key, "key.csv.") {
			t.Errorf("option %s", d.Key)
		}
	}
	if csv.New().Options()[0].Key != "field-delimiter" {
		t.Error("Options changed the format's own list")
	}
}

func TestFieldsByName(t *testing.T) {
	if !format.FieldsByName(json.New()) || format.FieldsByName(csv.New()) {
		t.Error("json finds fields by name, csv by position")
	}
}

func TestBadRecord(t *testing.T) {
	cause := errors.New("no INT")
	err := error(&format.BadRecord{Field: "a.b", At: 7, Err: cause})
	if got, want := err.Error(), "field a.b: no INT (byte 7 of the record)"; got != want || !errors.Is(err, cause) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (&format.BadRecord{At: -1, Err: cause}).Error(); got != "no INT" {
		t.Errorf("got %s", got)
	}
}
