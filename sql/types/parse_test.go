package types

import (
	"strings"
	"testing"
)

func TestParseReadsWhatStringWrites(t *testing.T) {
	for _, c := range every {
		if c.t.Physical() == PhysNone {
			continue
		}
		for _, want := range []Type{c.t, c.t.NotNullable(), c.t.Nullable()} {
			if got, err := Parse(want.String()); err != nil || !got.Equal(want) {
				t.Errorf("%s: got %s, %v", want, got, err)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "expected the name of a type",
		"INTEGER":                       `expected the end of the type, found "EGER"`,
		"INT NULL":                      "expected the end of the type",
		"INVALID":                       "expected the name of a type",
		"DECIMAL":                       `expected "(", found ""`,
		"DECIMAL(39, 0)":                "expected a number from 1 to 38",
		"DECIMAL(3, 4)":                 "expected a number from 0 to 3",
		"DECIMAL(03, 1)":                "expected a number from 1 to 38",
		"VARCHAR(99999999999999999999)": "expected a number from 0",
		"TIMESTAMP(-1)":                 "expected a number from 0 to 9",
		"ARRAY<INT":                     `expected ">", found ""`,
		"MAP<INT>":                      `expected ", ", found ">"`,
		"ROW<a INT>":                    "expected \"`\"",
		"ROW<`a INT>":                   "expected a name that ends with a backquote",
		"ROW<`a` INT `b` INT>":          `expected ", "`,
		strings.Repeat("ARRAY<", 100) + "INT" + strings.Repeat(">", 100): "at most 64 types inside each other",
	} {
		if got, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range every {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(got.String())
		if err != nil || !again.Equal(got) {
			t.Fatalf("%q is read as %s and that as %s, %v", text, got, again, err)
		}
	})
}
