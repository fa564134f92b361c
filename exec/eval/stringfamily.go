package eval

import (
	"bytes"
	"unicode"

	"github.com/sqlstream/sqlstream/sql/types"
)

// pSeparator is a string or the code of a character.
var pSeparator = param{want: "STRING or INT", accept: func(t types.Type) (types.Type, bool) {
	if t.Kind == types.TinyInt || t.Kind == types.SmallInt {
		return types.IntT.WithNull(!t.NotNull), true
	}
	return t, t.IsString() || t.Kind == types.Int
}}

func overlayType(a []types.Type) types.Type {
	n := a[0].Length + a[1].Length
	if n < 0 || n > types.MaxLength {
		n = types.MaxLength
	}
	return types.VarCharT(n)
}

var stringFamily = Family{"String functions", []Function{
	{Name: "LOWER", Signature: "LOWER(s STRING)", Doc: "s in lower case.",
		Example: "LOWER('ABC')", Result: "abc", Type: fn(retArg(0), pStr), Bind: text1(lower)},
	{Name: "UPPER", Signature: "UPPER(s STRING)", Doc: "s in upper case.",
		Example: "UPPER('abc')", Result: "ABC", Type: fn(retArg(0), pStr), Bind: text1(upper)},
	{Name: "INITCAP", Signature: "INITCAP(s STRING)", Doc: "s with the first letter of each word in upper case; ASCII only.",
		Example: "INITCAP('ab cD')", Result: "Ab Cd", Type: fn(retArg(0), pStr), Bind: text1(initcap)},
	{Name: "CHAR_LENGTH", Aliases: []string{"CHARACTER_LENGTH"}, Signature: "CHAR_LENGTH(s STRING)", Doc: "The number of characters.",
		Example: "CHAR_LENGTH('abc')", Result: "3", Type: fn(ret(types.IntT), pStr), Bind: bindCharLength},
	{Name: "SUBSTRING", Aliases: []string{"SUBSTR"}, Signature: "SUBSTRING(s STRING, start INT [, length INT])", Doc: "Part of s from a position on, counted from 1, or from the end if negative.",
		Example: "SUBSTRING('hello', 2, 3)", Result: "ell", Type: fn(varying(0), pStr, pInt, opt(pInt)), Bind: bindSubstring},
	{Name: "LEFT", Signature: "LEFT(s STRING, n INT)", Doc: "The first n characters.",
		Example: "LEFT('hello', 2)", Result: "he", Type: fn(varying(0), pStr, pInt), Bind: textInt(left)},
	{Name: "RIGHT", Signature: "RIGHT(s STRING, n INT)", Doc: "The last n characters.",
		Example: "RIGHT('hello', 2)", Result: "lo", Type: fn(varying(0), pStr, pInt), Bind: textInt(right)},
	{Name: "REPEAT", Signature: "REPEAT(s STRING, n INT)", Doc: "s n times.",
		Example: "REPEAT('ab', 2)", Result: "abab", Type: fn(textResult, pStr, pInt), Bind: bindRepeat},
	{Name: "LPAD", Signature: "LPAD(s STRING, length INT, pad STRING)", Doc: "s filled up or cut to a length from the left.",
		Example: "LPAD('7', 3, '0')", Result: "007", Type: fnNull(textResult, pStr, pInt, pStr), Bind: bindPad(true)},
	{Name: "RPAD", Signature: "RPAD(s STRING, length INT, pad STRING)", Doc: "s filled up or cut to a length on the right.",
		Example: "RPAD('7', 3, '0')", Result: "700", Type: fnNull(textResult, pStr, pInt, pStr), Bind: bindPad(false)},
	{Name: "TRIM", Signature: "TRIM([BOTH | LEADING | TRAILING] [characters] FROM s)", Doc: "s without blanks, or the given characters, at its ends.",
		Example: "TRIM('  a ')", Result: "a", Type: trimRule, Bind: bindTrim},
	{Name: "LTRIM", Signature: "LTRIM(s STRING [, characters STRING])", Doc: "s without blanks or the given characters in front.",
		Example: "LTRIM('  a')", Result: "a", Type: fn(varying(0), pStr, opt(pStr)), Bind: bindTrimEnd(true, false)},
	{Name: "RTRIM", Signature: "RTRIM(s STRING [, characters STRING])", Doc: "s without blanks or the given characters behind.",
		Example: "RTRIM('a  ')", Result: "a", Type: fn(varying(0), pStr, opt(pStr)), Bind: bindTrimEnd(false, true)},
	{Name: "BTRIM", Signature: "BTRIM(s STRING [, characters STRING])", Doc: "s without blanks or the given characters at both ends.",
		Example: "BTRIM('  a ')", Result: "a", Type: fn(varying(0), pStr, opt(pStr)), Bind: bindTrimEnd(true, true)},
	{Name: "POSITION", Signature: "POSITION(part IN s)", Doc: "Where part begins in s, counted from 1; 0 when it does not occur.",
		Example: "POSITION('l' IN 'hello')", Result: "3", Type: fn(ret(types.IntT), pStr, pStr), Bind: int32Of(locate)},
	{Name: "LOCATE", Signature: "LOCATE(part STRING, s STRING [, from INT])", Doc: "Where part begins in s from a position on; 0 when it does not occur.",
		Example: "LOCATE('l', 'hello', 4)", Result: "4", Type: fn(ret(types.IntT), pStr, pStr, opt(pInt)), Bind: int32Of(locate)},
	{Name: "INSTR", Signature: "INSTR(s STRING, part STRING [, from INT [, occurrence INT]])", Doc: "Where part begins in s; 0 when it does not occur.",
		Example: "INSTR('hello', 'l')", Result: "3", Type: fn(ret(types.IntT), pStr, pStr, opt(pInt), opt(pInt)), Bind: bindInstr},
	{Name: "REPLACE", Signature: "REPLACE(s STRING, old STRING, new STRING)", Doc: "s with every old replaced by new.",
		Example: "REPLACE('hello', 'l', 'L')", Result: "heLLo", Type: fn(textResult, pStr, pStr, pStr), Bind: bindReplace},
	{Name: "OVERLAY", Signature: "OVERLAY(s PLACING new FROM start [FOR length])", Doc: "s with a part replaced by new.",
		Example: "OVERLAY('hello' PLACING 'XX' FROM 2)", Result: "hXXlo", Type: fn(overlayType, pStr, pStr, pInt, opt(pInt)), Bind: bindOverlay},
	{Name: "TRANSLATE", Aliases: []string{"TRANSLATE3"}, Signature: "TRANSLATE(s STRING, from STRING, to STRING)", Doc: "s with each character of from replaced by the one at the same place in to.",
		Example: "TRANSLATE('hello', 'el', 'ip')", Result: "hippo", Type: fn(textResult, pStr, pStr, pStr), Bind: bindTranslate},
	{Name: "REVERSE", Signature: "REVERSE(s STRING)", Doc: "s backwards.",
		Example: "REVERSE('abc')", Result: "cba", Type: fnNull(textResult, pStr), Bind: text1(reverse)},
	{Name: "CONCAT", Signature: "CONCAT(a STRING, b STRING, ...)", Doc: "All arguments joined; NULL if one is NULL.",
		Example: "CONCAT('a', 'b')", Result: "ab", Type: fn(textResult, rest(pStr)), Bind: bindConcatAll},
	{Name: "CONCAT_WS", Signature: "CONCAT_WS(separator STRING, a STRING, ...)", Doc: "The arguments that are not NULL, joined by a separator.",
		Example: "CONCAT_WS('-', 'a', 'b')", Result: "a-b", Type: fn(textResult, pStr, opt(rest(pStr))), Nulls: Custom, Bind: bindConcatWS},
	{Name: "SPLIT_INDEX", Signature: "SPLIT_INDEX(s STRING, separator STRING, index INT)", Doc: "The part of s with an index, counted from 0; NULL when there is none.",
		Example: "SPLIT_INDEX('a,b,c', ',', 1)", Result: "b",
		Type: fnNull(textResult, pStr, pSeparator, pInt), Bind: bindSplitIndex},
	{Name: "STARTSWITH", Signature: "STARTSWITH(s STRING, start STRING)", Doc: "Whether s begins with start.",
		Example: "STARTSWITH('hello', 'he')", Result: "TRUE", Type: fn(ret(types.BooleanT), pStrOrBin, pStrOrBin), Bind: bindTextPredicate(bytes.HasPrefix)},
	{Name: "ENDSWITH", Signature: "ENDSWITH(s STRING, end STRING)", Doc: "Whether s ends with end.",
		Example: "ENDSWITH('hello', 'lo')", Result: "TRUE", Type: fn(ret(types.BooleanT), pStrOrBin, pStrOrBin), Bind: bindTextPredicate(bytes.HasSuffix)},
	{Name: "IS_ALPHA", Signature: "IS_ALPHA(s STRING)", Doc: "Whether s consists of letters.",
		Example: "IS_ALPHA('ab')", Result: "TRUE", Type: fnNotNull(ret(types.BooleanT), pStr), Nulls: Custom, Bind: allRunes(unicode.IsLetter)},
	{Name: "IS_DIGIT", Signature: "IS_DIGIT(s STRING)", Doc: "Whether s consists of digits.",
		Example: "IS_DIGIT('12')", Result: "TRUE", Type: fnNotNull(ret(types.BooleanT), pStr), Nulls: Custom, Bind: allRunes(unicode.IsDigit)},
	{Name: "IS_DECIMAL", Signature: "IS_DECIMAL(s STRING)", Doc: "Whether s can be read as a number.",
		Example: "IS_DECIMAL('1.5')", Result: "TRUE", Type: fnNotNull(ret(types.BooleanT), pStr), Nulls: Custom, Bind: bindIsDecimal},
}}
