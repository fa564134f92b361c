// Package secret owns which option values may never be printed. It is pure and imports
// nothing; everything that prints options or statement text goes through it.
package secret

import (
	"regexp"
	"strings"
)

// Mask is what is printed instead of a secret.
const Mask = "******"

// words make a key's value a secret when the key contains one of them, in any case. The
// first group is Flink's GlobalConfiguration.SENSITIVE_KEYS.
var words = []string{
	"password", "secret", "fs.azure.account.key", "apikey", "api-key", "auth-params", "service-key", "token", "basic-auth", "jaas.config", "http-headers",
	"passwd", "credential", "access-key", "accesskey", "access.key", "private-key", "private.key", "keystore.key", "sas-key", "authorization", "basic.auth.user.info",
}

// Key reports whether the value of an option called key is a secret.
func Key(key string) bool {
	k := strings.ToLower(key)
	for _, w := range words {
		if strings.Contains(k, w) {
			return true
		}
	}
	return false
}

// userinfo is the password of a URL: scheme://user:password@host.
var userinfo = regexp.MustCompile(`(://[^\s/:@']+):[^\s/@']+@`)

// Value returns the text to print for the value of an option: the mask for a secret one,
// the value with the passwords of its URLs masked otherwise.
func Value(key, value string) string {
	if Key(key) {
		return Mask
	}
	return userinfo.ReplaceAllString(value, "$1:"+Mask+"@")
}

// pair is 'key' = 'value' in SQL text; a quote inside a string is doubled.
var pair = regexp.MustCompile(`'((?:[^']|'')*)'(\s*=\s*)'((?:[^']|'')*)'`)

// SQL masks the secrets of every 'key' = 'value' in statement text.
func SQL(text string) string {
	return pair.ReplaceAllStringFunc(text, func(m string) string {
		p := pair.FindStringSubmatch(m)
		return "'" + p[1] + "'" + p[2] + "'" + Value(p[1], p[3]) + "'"
	})
}
