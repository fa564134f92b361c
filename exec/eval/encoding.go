package eval

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// digest is an entry of a hash function with a result in hexadecimal digits.
func digest(name string, bits int, example string, sum func([]byte) []byte) Function {
	return Function{Name: name, Signature: name + "(s STRING)", Doc: "The " + name + " hash in hexadecimal digits.",
		Example: "CHAR_LENGTH(" + name + "('" + example + "'))", Result: strconv.Itoa(bits / 4),
		Type: fn(ret(types.CharT(bits/4)), pStrOrBin), Bind: text1(func(dst, s []byte) []byte { return hex.AppendEncode(dst, sum(s)) })}
}

func sumMD5(b []byte) []byte    { s := md5.Sum(b); return s[:] }
func sumSHA1(b []byte) []byte   { s := sha1.Sum(b); return s[:] }
func sumSHA224(b []byte) []byte { s := sha256.Sum224(b); return s[:] }
func sumSHA256(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
func sumSHA384(b []byte) []byte { s := sha512.Sum384(b); return s[:] }
func sumSHA512(b []byte) []byte { s := sha512.Sum512(b); return s[:] }

// sha2 picks the member of the family; 1 is SHA-1, as in Flink.
func sha2(bits int32) func([]byte) []byte {
	switch bits {
	case 1:
		return sumSHA1
	case 224:
		return sumSHA224
	case 256:
		return sumSHA256
	case 384:
		return sumSHA384
	case 512:
		return sumSHA512
	}
	return nil
}

func bindSHA2(s *Site) (Kernel, error) {
	if c := s.Consts[1]; c != nil && !c.IsNull(0) {
		if n := value[int32](Operand{c, 0}, 0); n < 224 || sha2(n) == nil {
			return nil, s.errorf("there is no SHA-2 of %d bits; use 224, 256, 384 or 512", n)
		}
	}
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			sum := sha2(value[int32](f.Args[1], i))
			if sum == nil {
				f.fail(i, "there is no SHA-2 of %d bits; use 224, 256, 384 or 512", value[int32](f.Args[1], i))
				return dst, true
			}
			return hex.AppendEncode(dst, sum(f.Args[0].bytes(i))), true
		})
	}, nil
}

func bindFromBase64(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			s := f.Args[0].bytes(i)
			text := strings.TrimRight(string(s), "=")
			b, err := base64.RawStdEncoding.DecodeString(text)
			if err != nil || strings.ContainsAny(text, "\r\n") {
				f.fail(i, "%q is not base64", clip(s))
				return dst, true
			}
			return appendValid(dst, b), true
		})
	}, nil
}

// appendValid appends bytes as text, what is no UTF-8 as U+FFFD.
func appendValid(dst, b []byte) []byte {
	if utf8.Valid(b) {
		return append(dst, b...)
	}
	for len(b) > 0 {
		r, w := utf8.DecodeRune(b)
		dst = utf8.AppendRune(dst, r)
		b = b[w:]
	}
	return dst
}

// charset names the encodings of ENCODE and DECODE.
func charset(name []byte) string {
	switch c := strings.ToUpper(string(name)); c {
	case "UTF-8", "UTF8":
		return "UTF-8"
	case "US-ASCII", "ASCII":
		return "US-ASCII"
	case "ISO-8859-1", "LATIN1", "ISO8859_1":
		return "ISO-8859-1"
	case "UTF-16BE", "UTF-16LE", "UTF-16":
		return c
	}
	return ""
}

const noCharset = "there is no character set %q; use UTF-8, US-ASCII, ISO-8859-1, UTF-16BE, UTF-16LE or UTF-16"

func bindEncode(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			s, set := f.Args[0].bytes(i), charset(f.Args[1].bytes(i))
			switch set {
			case "":
				f.fail(i, noCharset, clip(f.Args[1].bytes(i)))
				return dst, true
			case "UTF-8":
				return append(dst, s...), true
			case "UTF-16BE", "UTF-16LE", "UTF-16":
				if set == "UTF-16" {
					dst = append(dst, 0xfe, 0xff)
				}
				for _, u := range utf16.Encode([]rune(string(s))) {
					if set == "UTF-16LE" {
						u = u>>8 | u<<8
					}
					dst = append(dst, byte(u>>8), byte(u))
				}
				return dst, true
			}
			limit := rune(0x80)
			if set == "ISO-8859-1" {
				limit = 0x100
			}
			for _, r := range string(s) {
				if r >= limit {
					r = '?'
				}
				dst = append(dst, byte(r))
			}
			return dst, true
		})
	}, nil
}

func bindDecode(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			b, set := f.Args[0].bytes(i), charset(f.Args[1].bytes(i))
			switch set {
			case "":
				f.fail(i, noCharset, clip(f.Args[1].bytes(i)))
				return dst, true
			case "UTF-8":
				return appendValid(dst, b), true
			case "UTF-16BE", "UTF-16LE", "UTF-16":
				if set == "UTF-16" && len(b) >= 2 && (b[0] == 0xfe && b[1] == 0xff || b[0] == 0xff && b[1] == 0xfe) {
					if b[0] == 0xff {
						set = "UTF-16LE"
					}
					b = b[2:]
				}
				units := make([]uint16, len(b)/2)
				for k := range units {
					units[k] = uint16(b[2*k])<<8 | uint16(b[2*k+1])
					if set == "UTF-16LE" {
						units[k] = units[k]>>8 | units[k]<<8
					}
				}
				for _, r := range utf16.Decode(units) {
					dst = utf8.AppendRune(dst, r)
				}
				return dst, true
			}
			for _, c := range b {
				r := rune(c)
				if set == "US-ASCII" && c >= 0x80 {
					r = utf8.RuneError
				}
				dst = utf8.AppendRune(dst, r)
			}
			return dst, true
		})
	}, nil
}

func hexRule(args []expr.Arg) (Sig, error) {
	return oneOf(fn(ret(types.StringT), pBigInt), fn(ret(types.StringT), pStr))(args)
}

func bindHex(s *Site) (Kernel, error) {
	if s.Args[0].IsString() {
		return text1(func(dst, s []byte) []byte {
			const digits = "0123456789ABCDEF"
			for _, c := range s {
				dst = append(dst, digits[c>>4], digits[c&15])
			}
			return dst
		})(s)
	}
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			start := len(dst)
			dst = strconv.AppendUint(dst, uint64(value[int64](f.Args[0], i)), 16)
			for k, c := range dst[start:] {
				if c >= 'a' {
					dst[start+k] = c - 32
				}
			}
			return dst, true
		})
	}, nil
}

// bindUnhex reads pairs of digits.
func bindUnhex(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			s := f.Args[0].bytes(i)
			if len(s)%2 == 1 { // as Flink: a zero byte for the odd digit, whatever it is
				dst, s = append(dst, 0), s[1:]
			}
			d, err := hex.AppendDecode(dst, s)
			return d, err == nil
		})
	}, nil
}

func bindBin(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			return strconv.AppendUint(dst, uint64(value[int64](f.Args[0], i)), 2), true
		})
	}, nil
}

// ascii is the first byte, signed; 0 for the empty string.
func ascii(args []Operand, i int) int32 {
	if s := args[0].bytes(i); len(s) > 0 {
		return int32(int8(s[0]))
	}
	return 0
}

func bindChr(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			if n := value[int64](f.Args[0], i); n >= 0 {
				return utf8.AppendRune(dst, rune(n&0xff)), true
			}
			return dst, true
		})
	}, nil
}

// urlEncode is java.net.URLEncoder.
func urlEncode(dst, s []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range s {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z' || c-'0' < 10 || c == '.' || c == '-' || c == '*' || c == '_':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func bindURLDecode(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			t, err := url.QueryUnescape(string(f.Args[0].bytes(i)))
			return appendValid(dst, []byte(t)), err == nil
		})
	}, nil
}

// bindParseURL gives a part of a URL, or a parameter of its query.
func bindParseURL(*Site) (Kernel, error) {
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			u, err := url.Parse(string(f.Args[0].bytes(i)))
			if err != nil || u.Scheme == "" {
				return dst, false
			}
			part := string(f.Args[1].bytes(i))
			if len(f.Args) == 3 {
				if part != "QUERY" {
					return dst, false
				}
				return queryParameter(dst, u.RawQuery, string(f.Args[2].bytes(i)))
			}
			text, ok := urlPart(u, part)
			return append(dst, text...), ok
		})
	}, nil
}

func queryParameter(dst []byte, query, key string) ([]byte, bool) {
	for _, p := range strings.Split(query, "&") {
		if k, v, ok := strings.Cut(p, "="); ok && k == key {
			return append(dst, v...), true
		}
	}
	return dst, false
}

func urlPart(u *url.URL, part string) (string, bool) {
	if u.Opaque != "" {
		switch part {
		case "HOST":
			return "", true
		case "PATH", "FILE":
			return u.Opaque, true
		}
	}
	switch part {
	case "HOST":
		return u.Hostname(), u.Host != ""
	case "PATH":
		return u.EscapedPath(), true
	case "QUERY":
		return u.RawQuery, u.RawQuery != ""
	case "REF":
		return u.EscapedFragment(), u.Fragment != ""
	case "PROTOCOL":
		return u.Scheme, true
	case "FILE":
		if u.RawQuery != "" {
			return u.EscapedPath() + "?" + u.RawQuery, true
		}
		return u.EscapedPath(), true
	case "AUTHORITY":
		if u.User != nil {
			return u.User.String() + "@" + u.Host, true
		}
		return u.Host, u.Host != ""
	case "USERINFO":
		return u.User.String(), u.User != nil
	}
	return "", false
}

var encodingFamily = Family{"Hashes and encodings", []Function{
	digest("MD5", 128, "a", sumMD5),
	digest("SHA1", 160, "a", sumSHA1),
	digest("SHA224", 224, "a", sumSHA224),
	digest("SHA256", 256, "a", sumSHA256),
	digest("SHA384", 384, "a", sumSHA384),
	digest("SHA512", 512, "a", sumSHA512),
	{Name: "SHA2", Signature: "SHA2(s STRING, bits INT)", Doc: "The SHA-2 hash of 224, 256, 384 or 512 bits in hexadecimal digits.",
		Example: "CHAR_LENGTH(SHA2('a', 256))", Result: "64", Type: fn(ret(types.VarCharT(128)), pStrOrBin, pInt), Bind: bindSHA2},
	{Name: "TO_BASE64", Signature: "TO_BASE64(s STRING)", Doc: "s in base64.",
		Example: "TO_BASE64('abc')", Result: "YWJj", Type: fn(ret(types.StringT), pStrOrBin), Bind: text1(func(dst, s []byte) []byte { return base64.StdEncoding.AppendEncode(dst, s) })},
	{Name: "FROM_BASE64", Signature: "FROM_BASE64(s STRING)", Doc: "The text that was encoded in base64.",
		Example: "FROM_BASE64('YWJj')", Result: "abc", Type: fn(ret(types.StringT), pStr), Bind: bindFromBase64},
	{Name: "ENCODE", Signature: "ENCODE(s STRING, charset STRING)", Doc: "The bytes of s in a character set.",
		Example: "ENCODE('ab', 'UTF-8')", Result: "ab", Type: fn(ret(types.BytesT), pStr, pStr), Bind: bindEncode},
	{Name: "DECODE", Signature: "DECODE(b BYTES, charset STRING)", Doc: "The text that bytes are in a character set.",
		Example: "DECODE(X'6162', 'UTF-8')", Result: "ab", Type: fn(ret(types.StringT), pBin, pStr), Bind: bindDecode},
	{Name: "HEX", Signature: "HEX(n BIGINT or s STRING)", Doc: "Hexadecimal digits of a number or of the bytes of a string.",
		Example: "HEX(255)", Result: "FF", Type: hexRule, Bind: bindHex},
	{Name: "UNHEX", Signature: "UNHEX(s STRING)", Doc: "The bytes that hexadecimal digits stand for; NULL for others.",
		Example: "UNHEX('6162')", Result: "ab", Type: fnNull(ret(types.BytesT), pStr), Bind: bindUnhex},
	{Name: "BIN", Signature: "BIN(n BIGINT)", Doc: "The binary digits of a number.",
		Example: "BIN(4)", Result: "100", Type: fn(ret(types.StringT), pBigInt), Bind: bindBin},
	{Name: "ASCII", Signature: "ASCII(s STRING)", Doc: "The first byte as a signed number.",
		Example: "ASCII('a')", Result: "97", Type: fn(ret(types.IntT), pStr), Bind: int32Of(ascii)},
	{Name: "CHR", Signature: "CHR(n BIGINT)", Doc: "The character with the code n modulo 256.",
		Example: "CHR(97)", Result: "a", Type: fnNull(ret(types.StringT), pBigInt), Bind: bindChr},
	{Name: "URL_ENCODE", Signature: "URL_ENCODE(s STRING)", Doc: "s for use in a URL.",
		Example: "URL_ENCODE('a b')", Result: "a+b", Type: fnNull(ret(types.StringT), pStr), Bind: text1(urlEncode)},
	{Name: "URL_DECODE", Signature: "URL_DECODE(s STRING)", Doc: "The text that was encoded for a URL; NULL when it is none.",
		Example: "URL_DECODE('a+b')", Result: "a b", Type: fnNull(ret(types.StringT), pStr), Bind: bindURLDecode},
	{Name: "PARSE_URL", Signature: "PARSE_URL(url STRING, part STRING [, key STRING])", Doc: "HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO of a URL, or a parameter of its query.",
		Example: "PARSE_URL('http://h/p?k=v', 'QUERY', 'k')", Result: "v", Type: fnNull(ret(types.StringT), pStr, pStr, opt(pStr)), Bind: bindParseURL},
}}
