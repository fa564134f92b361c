package connectors

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var testDefs = []OptionDef{
	{Key: "connector", Required: true},
	{Key: "path", Type: "String", Required: true, Doc: "File or folder."},
	{Key: "format", Type: "String"},
	{Key: "source.monitor-interval", Type: "Duration"},
	{Key: "sink.rolling-policy.file-size", Type: "MemorySize"},
	{Key: "json.ignore-parse-errors", Type: "Boolean"},
	{Key: "mode", Type: "Enum", Enum: []string{"earliest-offset", "latest-offset"}},
	{Key: "properties.*", Type: "Map"},
	{Key: "n", Type: "Int"},
	{Key: "share", Type: "Double"},
}

func TestCheckOptions(t *testing.T) {
	for _, tc := range []struct {
		options Options
		want    string // "" no error
	}{
		{Options{"path": "x"}, ""},
		{Options{"path": "x", "source.monitor-interval": "10 s", "sink.rolling-policy.file-size": "64mb", "mode": "Earliest_Offset", "properties.a.b": "c"}, ""},
		{Options{}, "table t: option 'path' is missing: connector 'files' needs it (File or folder)"},
		{Options{"path": "x", "fromat": "json"}, "table t: unknown option 'fromat' of connector 'files'; did you mean format?"},
		{Options{"path": "x", "properties.": "c"}, "table t: unknown option 'properties.' of connector 'files'; did you mean properties.*?"},
		{Options{"path": "x", "source.monitor-interval": "10"}, "table t: option 'source.monitor-interval': '10' has no unit: write '10 s', or '10 ms' for milliseconds"},
		{Options{"path": "x", "source.monitor-interval": "10 parsecs"}, "unknown unit 'parsecs'"},
		{Options{"path": "x", "sink.rolling-policy.file-size": "64 s"}, "unknown unit 's', expected b, kb, mb, gb or tb"},
		{Options{"path": "x", "json.ignore-parse-errors": "yes"}, "table t: option 'json.ignore-parse-errors' = 'yes': expected true or false"},
		{Options{"path": "x", "mode": "earlyest-offset"}, "expected one of earliest-offset, latest-offset; did you mean earliest-offset?"},
		{Options{"path": "x", "n": "1.5"}, "option 'n' = '1.5': expected a whole number"},
		{Options{"path": "x", "n": "3000000000"}, "expected -2147483648 to 2147483647"},
		{Options{"path": "x", "share": "a"}, "expected a number"},
	} {
		tc.options["connector"] = "files"
		err := CheckOptions(Table{Name: "t", Options: tc.options}, testDefs)
		if tc.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v\n got %v\nwant %s", tc.options, err, tc.want)
		}
	}
}

func TestAccessors(t *testing.T) {
	o := Options{"d": "5min", "s": "64 mb", "b": " TRUE ", "f": "0.5", "l": "a; b;;c", "i": "7"}
	d, err1 := o.Duration("d", 0)
	s, err2 := o.Size("s", 0)
	b, err3 := o.Bool("b", false)
	f, err4 := o.Float("f", 0)
	i, err5 := o.Int("i", 0, 0, 10)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got := fmt.Sprint(d, s, b, f, i, strings.Join(o.List("l"), "|"))
	if want := fmt.Sprint(5*time.Minute, 64<<20, true, 0.5, 7, "a|b|c"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if d, _ := o.Duration("absent", time.Second); d != time.Second {
		t.Errorf("default of a duration: got %v", d)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	o := Options{"password": "hunter2", "path": "it's"}
	for _, text := range []string{o.String(), fmt.Sprintf("%v %+v %#v %s", o, o, o, o)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the secret is printed: %s", text)
		}
	}
	if got, want := o.String(), "'password' = '******', 'path' = 'it''s'"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err := Options{"password": "hunter2"}.Bool("password", false)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the secret is in the error: %v", err)
	}
}

func TestOptionsBelowAPrefix(t *testing.T) {
	o := Options{"json.a": "1", "json.": "2", "x": "3"}
	if sub := o.Under("json."); len(sub) != 1 || sub["a"] != "1" {
		t.Errorf("Under: %v", sub)
	}
}
