package eval

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/eval/jsontext"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// isJSON binds IS [NOT] JSON VALUE, OBJECT, ARRAY, SCALAR: never NULL.
func isJSON(not bool, ok func(k jsontext.Kind) bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fillBool(f, func(i int) (bool, bool) {
				is := !f.Args[0].null(i) && ok(jsontext.KindOf(f.Args[0].bytes(i)))
				return is != not, true
			})
		}, nil
	}
}

func jsonTest(name string, not bool, ok func(k jsontext.Kind) bool, example, result string) Function {
	return Function{Name: name, Signature: "s " + name, Doc: "Whether s is JSON text of a kind; never NULL.", Example: example, Result: result,
		Type: fnNotNull(ret(types.BooleanT), pStr), Nulls: Custom, Bind: isJSON(not, ok)}
}

// paths compiles the paths of a call. A path that is none gives the function's answer to
// errors, as in Flink; one that is not supported is an error.
func paths(s *Site) (*patterns[*jsontext.Path], error) {
	ps := newPatterns(s, 1, 0, func(text, _ string) (*jsontext.Path, error) { return jsontext.Compile(text) })
	if ps.fixed != nil && errors.Is(ps.fixed.err, jsontext.ErrUnsupported) {
		return nil, s.errorf("%v", ps.fixed.err)
	}
	return ps, nil
}

// find follows the path of row i; ok is false for an invalid document or path, or one that
// leads nowhere.
func find(f *Frame, ps *patterns[*jsontext.Path], i int) (value []byte, ok bool) {
	p, err := ps.at(f.Args[1], nil, i)
	if errors.Is(err, jsontext.ErrUnsupported) {
		f.fail(i, "%v", err)
	}
	doc := f.Args[0].bytes(i)
	if err != nil || jsontext.KindOf(doc) == jsontext.Invalid {
		return nil, false
	}
	return p.Find(doc)
}

func bindJSONExists(s *Site) (Kernel, error) {
	ps, err := paths(s)
	return func(f *Frame) error {
		return fillBool(f, func(i int) (bool, bool) { v, ok := find(f, ps, i); return ok && string(v) != "null", true })
	}, err
}

func bindJSONValue(s *Site) (Kernel, error) {
	ps, err := paths(s)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			v, ok := find(f, ps, i)
			if !ok {
				return dst, false
			}
			return jsontext.AppendScalar(dst, v)
		})
	}, err
}

func bindJSONQuery(s *Site) (Kernel, error) {
	ps, err := paths(s)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			v, ok := find(f, ps, i)
			if !ok || v[0] != '{' && v[0] != '[' {
				return dst, false
			}
			return jsontext.AppendCanonical(dst, v), true
		})
	}, err
}

// jsonOf returns the writer of a type's values as JSON; an error for those that have none.
func jsonOf(t types.Type) (appender, error) {
	text := textOf(t, datetime.NewZone(nil))
	units := t.UnitsPerSecond()
	switch {
	case t.Kind == types.Null:
		return func(dst []byte, _ *vec.Vec, _ int) []byte { return append(dst, "null"...) }, nil
	case t.Kind == types.Boolean:
		return func(dst []byte, v *vec.Vec, i int) []byte { return fmt.Append(dst, v.Bool(i)) }, nil
	case t.IsString():
		return func(dst []byte, v *vec.Vec, i int) []byte { return jsontext.AppendString(dst, v.Bytes(i)) }, nil
	case t.IsBinary():
		return func(dst []byte, v *vec.Vec, i int) []byte {
			return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes(i)), '"')
		}, nil
	case t.IsExact():
		return text, nil
	case t.IsApprox():
		return func(dst []byte, v *vec.Vec, i int) []byte {
			s := text(nil, v, i)
			if c := s[len(s)-1]; c < '0' || c > '9' { // NaN, Infinity
				return jsontext.AppendString(dst, s)
			}
			return append(dst, s...)
		}, nil
	case t.IsTimestamp():
		return func(dst []byte, v *vec.Vec, i int) []byte {
			dst = append(dst, '"')
			x := vec.Values[int64](v)[i]
			digits := 9
			for frac := datetime.FloorMod(x, units) * (1_000_000_000 / units); digits > 0 && frac%10 == 0; digits-- {
				frac /= 10
			}
			dst = datetime.AppendTimestamp(dst, x, units, digits, 'T')
			if t.Kind == types.TimestampLTZ {
				dst = append(dst, 'Z')
			}
			return append(dst, '"')
		}, nil
	case t.IsNested():
		return nestedJSON(t)
	}
	return nil, fmt.Errorf("%s has no JSON form; convert it to STRING", t.Nullable())
}

func nestedJSON(t types.Type) (appender, error) {
	shape := vec.New(t)
	kids := make([]appender, len(shape.Kids))
	for k := range kids {
		w, err := jsonOf(shape.Kids[k].Type)
		if err != nil {
			return nil, err
		}
		kids[k] = w
	}
	one := func(dst []byte, v *vec.Vec, k, i int) []byte {
		if v.Kids[k].IsNull(i) {
			return append(dst, "null"...)
		}
		return kids[k](dst, &v.Kids[k], i)
	}
	switch {
	case t.Kind == types.Array:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			dst = append(dst, '[')
			for e := v.Off[i]; e < v.Off[i+1]; e++ {
				if e > v.Off[i] {
					dst = append(dst, ',')
				}
				dst = one(dst, v, 0, int(e))
			}
			return append(dst, ']')
		}, nil
	case t.Kind == types.Row:
		return func(dst []byte, v *vec.Vec, i int) []byte {
			var ms []jsontext.Member
			for k, f := range t.Fields {
				ms = append(ms, jsontext.Member{Key: f.Name, Value: one(nil, v, k, i)})
			}
			return jsontext.AppendObject(dst, ms)
		}, nil
	case shape.Kids[0].Type.IsString():
		return func(dst []byte, v *vec.Vec, i int) []byte {
			var ms []jsontext.Member
			for e := int(v.Off[i]); e < int(v.Off[i+1]); e++ {
				ms = append(ms, jsontext.Member{Key: string(v.Kids[0].Bytes(e)), Value: one(nil, v, 1, e)})
			}
			return jsontext.AppendObject(dst, ms)
		}, nil
	}
	return nil, fmt.Errorf("the keys of %s are no strings", t.Nullable())
}

func jsonStringRule(args []expr.Arg) (Sig, error) {
	sig, err := fn(ret(types.StringT), pAny)(args)
	if err == nil {
		_, err = jsonOf(args[0].Type)
	}
	return sig, err
}

func bindJSONString(s *Site) (Kernel, error) {
	write, err := jsonOf(s.Args[0])
	if err != nil {
		return nil, s.errorf("%v", err)
	}
	return func(f *Frame) error {
		a := f.Args[0]
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) { return write(dst, a.Vec, a.at(i)), true })
	}, nil
}

// jsonArgsRule is the rule of JSON_OBJECT (keys: every other argument) and JSON_ARRAY.
func jsonArgsRule(keys bool) Rule {
	return func(args []expr.Arg) (Sig, error) {
		if keys && len(args)%2 != 0 {
			return Sig{}, fmt.Errorf("a key without a value")
		}
		for i, a := range args {
			if a.Type.Kind == types.Null {
				return Sig{}, fmt.Errorf("argument %d is a NULL of no type; write CAST(NULL AS type)", i+1)
			}
			if keys && i%2 == 0 && !a.Type.IsString() {
				return Sig{}, fmt.Errorf("a key is a STRING, not %s", a.Type.Nullable())
			}
			if _, err := jsonOf(a.Type); err != nil {
				return Sig{}, err
			}
		}
		return Sig{Args: argTypes(args), Result: types.StringT.NotNullable()}, nil
	}
}

// jsonBuilder compiles JSON_OBJECT and JSON_ARRAY. What these functions themselves return is
// put in as it is, other strings are quoted.
func jsonBuilder(keys bool) func(c *compiler, e *expr.Call) (*node, error) {
	return func(c *compiler, e *expr.Call) (*node, error) {
		args := make([]*node, len(e.Args))
		write := make([]appender, len(args))
		for i, a := range e.Args {
			var err error
			if write[i], err = jsonOf(a.Type()); err != nil {
				return nil, err
			}
			call, ok := a.(*expr.Call)
			switch {
			case ok && call.Name == "JSON": // elsewhere it is refused
				args[i], err = c.rawJSON(call)
				write[i] = asItIs
			case ok && (call.Name == "JSON_OBJECT" || call.Name == "JSON_ARRAY"):
				args[i], err = c.compile(a)
				write[i] = asItIs
			default:
				args[i], err = c.compile(a)
			}
			if err != nil {
				return nil, err
			}
		}
		kernel := func(*Site) (Kernel, error) {
			if keys {
				return jsonObject(write), nil
			}
			return jsonArray(write), nil
		}
		return c.bind(&Site{Name: e.Name, Pos: e.Offset, Env: c.env, Result: e.Typ}, Custom, e.Volatile, kernel, args)
	}
}

func asItIs(dst []byte, v *vec.Vec, i int) []byte { return append(dst, v.Bytes(i)...) }

// rawJSON compiles JSON(s): the canonical form of a document, null for the empty string.
func (c *compiler) rawJSON(e *expr.Call) (*node, error) {
	args, err := c.compileAll(e.Args)
	if err != nil {
		return nil, err
	}
	bind := func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
				doc := f.Args[0].bytes(i)
				switch {
				case len(doc) == 0:
					return append(dst, "null"...), true
				case jsontext.KindOf(doc) == jsontext.Invalid:
					f.fail(i, "%q is not JSON", clip(doc))
					return dst, true
				}
				return jsontext.AppendCanonical(dst, doc), true
			})
		}, nil
	}
	return c.bind(&Site{Name: e.Name, Pos: e.Offset, Env: c.env, Result: e.Typ}, Strict, e.Volatile, bind, args)
}

func refuseJSON(c *compiler, e *expr.Call) (*node, error) {
	return nil, (&Site{Name: e.Name, Pos: e.Offset}).errorf("stands only as a value in JSON_OBJECT and JSON_ARRAY")
}

func jsonObject(write []appender) Kernel {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			var ms []jsontext.Member
			for k := 0; k < len(f.Args); k += 2 {
				if f.Args[k].null(i) {
					f.fail(i, "the key is NULL")
					return dst, true
				}
				m := jsontext.Member{Key: string(f.Args[k].bytes(i)), Value: []byte("null")}
				if v := f.Args[k+1]; !v.null(i) {
					m.Value = write[k+1](nil, v.Vec, v.at(i))
				}
				ms = append(ms, m)
			}
			return jsontext.AppendObject(dst, ms), true
		})
	}
}

// jsonArray leaves NULLs out.
func jsonArray(write []appender) Kernel {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			dst = append(dst, '[')
			first := true
			for k, a := range f.Args {
				if a.null(i) {
					continue
				}
				if !first {
					dst = append(dst, ',')
				}
				dst, first = write[k](dst, a.Vec, a.at(i)), false
			}
			return append(dst, ']'), true
		})
	}
}

func isKind(ks ...jsontext.Kind) func(jsontext.Kind) bool {
	return func(k jsontext.Kind) bool {
		for _, x := range ks {
			if k == x {
				return true
			}
		}
		return false
	}
}

var anyJSON = isKind(jsontext.Object, jsontext.Array, jsontext.Scalar)

var jsonFamily = Family{"JSON functions", []Function{
	jsonTest("IS JSON VALUE", false, anyJSON, "'[1]' IS JSON", "TRUE"),
	jsonTest("IS NOT JSON VALUE", true, anyJSON, "'[1' IS NOT JSON", "TRUE"),
	jsonTest("IS JSON OBJECT", false, isKind(jsontext.Object), "'{}' IS JSON OBJECT", "TRUE"),
	jsonTest("IS NOT JSON OBJECT", true, isKind(jsontext.Object), "'{}' IS NOT JSON OBJECT", "FALSE"),
	jsonTest("IS JSON ARRAY", false, isKind(jsontext.Array), "'[1]' IS JSON ARRAY", "TRUE"),
	jsonTest("IS NOT JSON ARRAY", true, isKind(jsontext.Array), "'[1]' IS NOT JSON ARRAY", "FALSE"),
	jsonTest("IS JSON SCALAR", false, isKind(jsontext.Scalar), "'1' IS JSON SCALAR", "TRUE"),
	jsonTest("IS NOT JSON SCALAR", true, isKind(jsontext.Scalar), "'1' IS NOT JSON SCALAR", "FALSE"),
	{Name: "JSON_EXISTS", Signature: "JSON_EXISTS(json STRING, path STRING)", Doc: "Whether a path leads somewhere.",
		Example: "JSON_EXISTS('{\"a\":1}', '$.a')", Result: "TRUE", Type: fnNull(ret(types.BooleanT), pStr, pStr), Bind: bindJSONExists},
	{Name: "JSON_VALUE", Signature: "JSON_VALUE(json STRING, path STRING)", Doc: "The scalar a path leads to, as text; NULL when there is none.",
		Example: "JSON_VALUE('{\"a\":1}', '$.a')", Result: "1", Type: fnNull(ret(types.StringT), pStr, pStr), Bind: bindJSONValue},
	{Name: "JSON_QUERY", Signature: "JSON_QUERY(json STRING, path STRING)", Doc: "The object or array a path leads to, as JSON text; NULL when there is none.",
		Example: "JSON_QUERY('{\"a\":[1, 2]}', '$.a')", Result: "[1,2]", Type: fnNull(ret(types.StringT), pStr, pStr), Bind: bindJSONQuery},
	{Name: "JSON_STRING", Signature: "JSON_STRING(x)", Doc: "A value as JSON text.",
		Example: "JSON_STRING(ARRAY[1, 2])", Result: "[1,2]", Type: jsonStringRule, Bind: bindJSONString},
	{Name: "JSON_OBJECT", Signature: "JSON_OBJECT(KEY k VALUE v, ...)", Doc: "A JSON object, its members in the order of the keys.",
		Example: "JSON_OBJECT('a' VALUE 1)", Result: "{\"a\":1}", Type: jsonArgsRule(true), special: jsonBuilder(true)},
	{Name: "JSON_ARRAY", Signature: "JSON_ARRAY(a, b, ...)", Doc: "A JSON array of the values that are not NULL.",
		Example: "JSON_ARRAY(1, 'a')", Result: "[1,\"a\"]", Type: jsonArgsRule(false), special: jsonBuilder(false)},
	{Name: "JSON", Signature: "JSON(s STRING)", Doc: "Inside JSON_OBJECT and JSON_ARRAY: s is JSON and not a string to be quoted.",
		Example: "JSON_ARRAY(JSON('{\"x\": 1}'))", Result: "[{\"x\":1}]", Type: fn(ret(types.StringT), pStr), special: refuseJSON},
	{Name: "JSON_QUOTE", Signature: "JSON_QUOTE(s STRING)", Doc: "s as a JSON string.",
		Example: "JSON_QUOTE('a')", Result: "\"a\"", Type: fn(ret(types.StringT), pStr), Bind: text1(jsontext.Quote)},
	{Name: "JSON_UNQUOTE", Signature: "JSON_UNQUOTE(s STRING)", Doc: "The text of a JSON string; other texts stay as they are.",
		Example: "JSON_UNQUOTE('\"a\"')", Result: "a", Type: fn(ret(types.StringT), pStr), Bind: text1(jsontext.Unquote)},
}}
