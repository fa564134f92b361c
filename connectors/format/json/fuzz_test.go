package json

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/sql/types"
)

var fuzzSchema = types.Schema{
	col("i", types.IntT), col("s", types.StringT), col("skip", types.IntT), col("d", types.DoubleT), col("b", types.BooleanT),
	col("r", types.RowT(col("x", types.BigIntT), col("y", types.StringT))), col("a", types.ArrayT(types.IntT)),
}

var fuzzColumns = []int{0, 1, 3, 4, 5, 6}

// FuzzDecode compares the decoder with a slow reader made of encoding/json, on every path:
// the scan, the shape it taught, after another record, and ignoring errors.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"i":1,"s":"x","skip":[1,{"a":2}],"d":1.5,"b":true,"r":{"x":1,"y":"q"},"a":[1,null]}`, `{"i":"7","s":12,"d":"NaN","b":"true","r":null,"a":[]}`,
		`{"i":1,"i":2,"r":{"x":1},"r":{"y":"z"}}`, `{"i":1e400}`, `{"s":{"a":[1,2,{}],"a":"\u00e9\n"}}`, `{"s":"\"\\\/\b"} x`, ` { } `, `{"i":-0,"d":1e5,"a":[[1]]}`, "{\"i\":1\n,\t\"s\":\"\"}", `{"a":[1.5,"2",3e0]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got := decode(t, fuzzSchema, fuzzColumns, nil, string(in), string(in), `{"i":5,"s":"q","r":{"x":1,"y":"z"}}`, string(in))
		if got[0] != got[1] || got[0] != got[3] {
			t.Fatalf("%q reads as\n%s, then\n%s, after another record\n%s", in, got[0], got[1], got[3])
		}
		lax := decode(t, fuzzSchema, fuzzColumns, ignore, string(in), string(in))
		if lax[0] != lax[1] || !strings.HasPrefix(got[0], "bad") && lax[0] != got[0] {
			t.Fatalf("%q, ignoring errors, reads as\n%s, then\n%s", in, lax[0], lax[1])
		}
		if !comparable(in) {
			return
		}
		if want := reference(in); want != got[0] && !(want == "bad" && strings.HasPrefix(got[0], "bad: ")) {
			t.Fatalf("%q reads as\n%s, the reference says\n%s", in, got[0], want)
		}
	})
}

// comparable leaves out where encoding/json differs by intent: it refuses control characters
// and wrong escapes in strings nobody reads, and replaces text that is no UTF-8.
func comparable(in []byte) bool {
	if !utf8.Valid(in) || bytes.IndexByte(in, '\\') >= 0 && !stdjson.Valid(in) || bytes.Contains(bytes.ToLower(in), []byte(`\ud`)) {
		return false
	}
	for _, c := range in {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return bytes.IndexAny(in, "\n\t\r") < 0 || stdjson.Valid(in)
}

func reference(in []byte) string {
	in = bytes.TrimPrefix(in, []byte("\ufeff"))
	if len(bytes.Trim(in, " \n\t\r")) == 0 {
		return "none"
	}
	dec := stdjson.NewDecoder(bytes.NewReader(in))
	dec.UseNumber()
	var obj map[string]stdjson.RawMessage
	if !stdjson.Valid(in) || dec.Decode(&obj) != nil || obj == nil {
		return "bad"
	}
	if _, err := dec.Token(); err != io.EOF {
		return "bad"
	}
	var parts []string
	for _, c := range fuzzColumns {
		s, ok := referenceValue(fuzzSchema[c].Type, obj[fuzzSchema[c].Name])
		if !ok {
			return "bad"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func referenceValue(t types.Type, raw stdjson.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "null", true
	}
	var str string
	quoted := raw[0] == '"'
	text := string(raw)
	if quoted {
		if stdjson.Unmarshal(raw, &str) != nil {
			return "", false
		}
		text = str
	}
	switch t.Kind {
	case types.Row:
		var obj map[string]stdjson.RawMessage
		if raw[0] != '{' || stdjson.Unmarshal(raw, &obj) != nil {
			return "", false
		}
		var parts []string
		for _, f := range t.Fields {
			s, ok := referenceValue(f.Type, obj[f.Name])
			if !ok {
				return "", false
			}
			parts = append(parts, s)
		}
		return "(" + strings.Join(parts, ",") + ")", true
	case types.Array:
		var elems []stdjson.RawMessage
		if raw[0] != '[' || stdjson.Unmarshal(raw, &elems) != nil {
			return "", false
		}
		var parts []string
		for _, e := range elems {
			s, ok := referenceValue(*t.Elem, e)
			if !ok {
				return "", false
			}
			parts = append(parts, s)
		}
		return "[" + strings.Join(parts, ",") + "]", true
	case types.VarChar:
		if !quoted && (raw[0] == '{' || raw[0] == '[') {
			return fmt.Sprintf("%q", referenceText(raw)), true
		}
		return fmt.Sprintf("%q", text), true
	}
	if raw[0] == '{' || raw[0] == '[' {
		return "", false
	}
	if t.Kind == types.Boolean {
		return strconv.FormatBool(strings.EqualFold(trim(text), "true")), true
	}
	if !quoted && (text == "true" || text == "false") {
		return "", false
	}
	if t.Kind == types.Double {
		return referenceDouble(trim(text))
	}
	bits := 32
	if t.Kind == types.BigInt {
		bits = 64
	}
	if n, err := strconv.ParseInt(trim(text), 10, bits); quoted || err == nil {
		return strconv.FormatInt(n, 10), err == nil
	}
	if _, exp, _ := strings.Cut(strings.ToLower(text), "e"); len(exp) > 4 {
		text, _, _ = strings.Cut(text, "e") // out of reach of math/big: zero or too large
		return "0", strings.HasPrefix(exp, "-") || strings.Trim(text, "-0.") == ""
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", false
	}
	q := new(big.Int).Quo(r.Num(), r.Denom())
	if !q.IsInt64() || bits == 32 && q.Int64() != int64(int32(q.Int64())) {
		return "", false
	}
	return q.String(), true
}

func trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

func referenceDouble(s string) (string, bool) {
	bare := strings.TrimRight(s, "fFdD")
	if len(s)-len(bare) > 1 || strings.ContainsAny(strings.ToLower(bare), "_xpi") && !strings.HasSuffix(bare, "Infinity") || strings.Contains(strings.ToLower(bare), "nan") && !strings.HasSuffix(s, "NaN") {
		return "", false
	}
	if strings.HasSuffix(bare, "NaN") {
		return "NaN", s == "NaN" || s == "+NaN" || s == "-NaN"
	}
	f, err := strconv.ParseFloat(bare, 64)
	if err != nil && !math.IsInf(f, 0) {
		return "", false
	}
	return fmt.Sprint(f), true
}

// referenceText is compact JSON with the last of equal keys in the first one's place.
func referenceText(raw []byte) string {
	dec := stdjson.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var value func() string
	value = func() string {
		tok, _ := dec.Token()
		switch x := tok.(type) {
		case stdjson.Delim:
			var keys, vals []string
			for dec.More() {
				if x == '{' {
					k, _ := dec.Token()
					key := string(appendString(nil, []byte(k.(string))))
					v := value()
					if i := indexOf(keys, key); i >= 0 {
						vals[i] = v
						continue
					}
					keys, vals = append(keys, key), append(vals, v)
					continue
				}
				vals = append(vals, value())
			}
			end, _ := dec.Token()
			for i := range keys {
				vals[i] = keys[i] + ":" + vals[i]
			}
			return x.String() + strings.Join(vals, ",") + end.(stdjson.Delim).String()
		case string:
			return string(appendString(nil, []byte(x)))
		case nil:
			return "null"
		}
		return fmt.Sprint(tok)
	}
	return value()
}

func indexOf(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}
