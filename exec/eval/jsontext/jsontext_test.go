package jsontext

import (
	"encoding/json"
	"testing"
)

const doc = ` {"a":1, "b":[1,2,{"c":"x\"]"}], "d":null, "k\u0041":true, "f":1.50, "a":{"z":1e3,"y":[]}} `

func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		"$.a.z": "1e3", "$.b[2].c": `"x\"]"`, "$.b[-1].c": `"x\"]"`, "$.kA": "true", "$['f']": "1.50", "lax $.d": "null", "strict $.b[0]": "1",
		"$.b[*]": `[1,2,{"c":"x\"]"}]`, "$.a.*": "[1e3,[]]", "$.b[*].c": `["x\"]"]`, "$.zz": "", "$.b[7]": "", "$.f.x": "", "$[0]": "",
	} {
		p, err := Compile(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got, ok := p.Find([]byte(doc))
		if ok != (want != "") || string(got) != want {
			t.Errorf("%s leads to %s %v, want %s", path, got, ok, want)
		}
	}
	for _, bad := range []string{"", "a", "$.", "$x", "$[", "$[a]", "$..a", "$[?(@.a)]"} {
		if _, err := Compile(bad); err == nil {
			t.Errorf("%q compiles", bad)
		}
	}
}

func TestCanonical(t *testing.T) {
	want := `{"a":{"y":[],"z":1E+3},"b":[1,2,{"c":"x\"]"}],"d":null,"f":1.50,"kA":true}`
	if got := string(AppendCanonical(nil, []byte(doc))); got != want {
		t.Errorf("canonical form %s, want %s", got, want)
	}
}

func TestNumbersAsBigDecimalPrintsThem(t *testing.T) {
	for in, want := range map[string]string{"1": "1", "-0": "-0", "1.50": "1.50", "1e3": "1E+3", "1.25e1": "12.5", "1e-7": "1E-7", "0.0000001": "1E-7",
		"12345e-2": "123.45", "1.5E+10": "1.5E+10", "-2.5e-1": "-0.25", "0.000001": "0.000001"} {
		if got := string(appendNumber(nil, []byte(in))); got != want {
			t.Errorf("%s prints as %s, want %s", in, got, want)
		}
	}
}

func FuzzDocuments(f *testing.F) {
	f.Add(doc, "$.b[*].c")
	f.Fuzz(func(t *testing.T, doc, path string) {
		if KindOf([]byte(doc)) == Invalid {
			return
		}
		out := AppendCanonical(nil, []byte(doc))
		if !json.Valid(out) {
			t.Fatalf("%q gives %q, which is no JSON", doc, out)
		}
		if again := AppendCanonical(nil, out); string(again) != string(out) {
			t.Fatalf("%q, then %q", out, again)
		}
		p, err := Compile(path)
		if err != nil {
			return
		}
		if v, ok := p.Find([]byte(doc)); ok && !json.Valid(v) {
			t.Fatalf("%s in %q leads to %q", path, doc, v)
		}
	})
}
