package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/sqlstream/sqlstream/exec"
)

var securityProtocols = []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}

var saslMechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// security reads how to connect: TLS settings (nil: plain) and SASL mechanism (nil: none).
func (r *optionReader) security() (*tls.Config, sasl.Mechanism) {
	protocol := r.enum(propPrefix+"security.protocol", "PLAINTEXT", securityProtocols...)
	var conf *tls.Config
	var mech sasl.Mechanism
	if strings.HasSuffix(protocol, "SSL") {
		conf = r.tls()
	} else {
		r.refuseWithout("ssl.", protocol, "SSL or SASL_SSL")
	}
	if strings.HasPrefix(protocol, "SASL") {
		mech = r.sasl()
	} else {
		r.refuseWithout("sasl.", protocol, "SASL_PLAINTEXT or SASL_SSL")
	}
	return conf, mech
}

// refuseWithout reports a security property that has no effect under the protocol: most
// likely the protocol was forgotten.
func (r *optionReader) refuseWithout(prefix, protocol, needs string) {
	for _, k := range r.opts.Keys() {
		if strings.HasPrefix(k, propPrefix+prefix) {
			r.fail("option '%s' has no effect with security.protocol %s; set 'properties.security.protocol' to %s", k, protocol, needs)
		}
	}
}

func (r *optionReader) tls() *tls.Config {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if roots := r.pemOption("truststore", "certificates"); roots != nil {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(roots) {
			r.fail("options 'properties.ssl.truststore.*': there is no PEM certificate in it")
		}
	}
	r.clientCertificate(conf)
	switch alg := strings.ToLower(r.text(propPrefix+"ssl.endpoint.identification.algorithm", "https")); alg {
	case "https":
	case "":
		// The chain is still checked, only the host name is not, as in Java.
		roots := conf.RootCAs
		conf.InsecureSkipVerify = true
		conf.VerifyConnection = func(cs tls.ConnectionState) error { return verifyChain(cs, roots) }
	default:
		r.fail("option 'properties.ssl.endpoint.identification.algorithm' = '%s': expected 'https', or '' to accept any host name", alg)
	}
	if r.text(propPrefix+"ssl.key.password", "") != "" {
		r.fail("option 'properties.ssl.key.password': encrypted keys are not supported; decrypt the key and protect the file")
	}
	return conf
}

// verifyChain checks the server's certificate against the roots without its host name.
func verifyChain(cs tls.ConnectionState, roots *x509.CertPool) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the broker sent no certificate")
	}
	inter := x509.NewCertPool()
	for _, c := range cs.PeerCertificates[1:] {
		inter.AddCert(c)
	}
	_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: inter})
	return err
}

// pemOption returns the PEM text of the truststore or keystore, from the option itself or
// the file it names; nil when there is neither.
func (r *optionReader) pemOption(store, inline string) []byte {
	typeKey, locKey, inKey := propPrefix+"ssl."+store+".type", propPrefix+"ssl."+store+".location", propPrefix+"ssl."+store+"."+inline
	text, loc := r.text(inKey, ""), r.text(locKey, "")
	if text == "" && loc == "" {
		return nil
	}
	// Java's default is JKS, so a location without a type names a Java key store.
	if t := strings.ToUpper(r.text(typeKey, "JKS")); t != "PEM" && (loc != "" || r.opts[typeKey] != "") {
		r.fail("option '%s' is %s: only PEM is supported; export the store (keytool -importkeystore -deststoretype PKCS12, then openssl pkcs12 -nodes) and set '%s' = 'PEM'", typeKey, t, typeKey)
		return nil
	}
	if text != "" {
		return []byte(text)
	}
	b, err := os.ReadFile(loc)
	if err != nil {
		r.fail("option '%s': %w", locKey, err)
	}
	return b
}

func (r *optionReader) clientCertificate(conf *tls.Config) {
	chain := r.pemOption("keystore", "certificate.chain")
	if chain == nil {
		return
	}
	key := []byte(r.text(propPrefix+"ssl.keystore.key", ""))
	if len(key) == 0 {
		key = chain // one file with key and chain
	}
	if block := findPEM(key, "ENCRYPTED PRIVATE KEY"); block {
		r.fail("options 'properties.ssl.keystore.*': the private key is encrypted, which is not supported; decrypt it (openssl pkey) and protect the file")
		return
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		r.fail("options 'properties.ssl.keystore.*': the certificate chain and key cannot be used: %w", err)
		return
	}
	conf.Certificates = []tls.Certificate{cert}
}

func findPEM(b []byte, kind string) bool {
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			return false
		}
		if block.Type == kind {
			return true
		}
		b = rest
	}
}

func (r *optionReader) sasl() sasl.Mechanism {
	name := strings.ToUpper(r.text(propPrefix+"sasl.mechanism", "GSSAPI"))
	found := false
	for _, m := range saslMechanisms {
		found = found || m == name
	}
	if !found {
		r.fail("option 'properties.sasl.mechanism' is %s: supported are %s", name, strings.Join(saslMechanisms, ", "))
		return nil
	}
	jaas, ok := r.opts[propPrefix+"sasl.jaas.config"]
	if !ok {
		r.fail("option 'properties.sasl.jaas.config' is missing: SASL needs a user; expected '<module> required username=\"...\" password=\"...\";'")
		return nil
	}
	user, pass, err := parseJAAS(jaas)
	if err != nil {
		r.fail("option 'properties.sasl.jaas.config': %w", err)
		return nil
	}
	switch name {
	case "PLAIN":
		return plain.Auth{User: user, Pass: pass}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: pass}.AsSha256Mechanism()
	}
	return scram.Auth{User: user, Pass: pass}.AsSha512Mechanism()
}

// parseJAAS reads username and password of a JAAS line such as
//
//	org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";
//
// Only the password login modules are known; errors never quote the text.
func parseJAAS(s string) (user, pass string, err error) {
	rest := strings.TrimSpace(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(s))
	module, rest, _ := strings.Cut(rest, " ")
	// Flink's shaded jar prefixes the class names.
	module = strings.TrimPrefix(module, "org.apache.flink.kafka.shaded.")
	switch module {
	case "org.apache.kafka.common.security.plain.PlainLoginModule", "org.apache.kafka.common.security.scram.ScramLoginModule":
	default:
		return "", "", exec.Userf("the login module must be org.apache.kafka.common.security.plain.PlainLoginModule or org.apache.kafka.common.security.scram.ScramLoginModule")
	}
	rest = strings.TrimSpace(rest)
	flag, rest, _ := strings.Cut(rest, " ")
	if flag != "required" && flag != "requisite" && flag != "sufficient" && flag != "optional" {
		return "", "", exec.Userf("expected 'required' after the login module")
	}
	values := map[string]string{}
	rest = strings.TrimSpace(rest)
	for rest != "" && rest != ";" {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			return "", "", exec.Userf("expected name=\"value\" pairs that end with ';'")
		}
		value, after, ok := jaasValue(strings.TrimSpace(after))
		if !ok {
			return "", "", exec.Userf("the value of %s has no closing quote", strings.TrimSpace(name))
		}
		values[strings.TrimSpace(name)] = value
		rest = strings.TrimSpace(after)
	}
	if rest != ";" {
		return "", "", exec.Userf("expected ';' at the end")
	}
	user, okU := values["username"]
	pass, okP := values["password"]
	if !okU || !okP {
		return "", "", exec.Userf("expected both username and password")
	}
	return user, pass, nil
}

// jaasValue reads one value, quoted with backslash escapes or bare, and returns the rest.
func jaasValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		end := strings.IndexAny(s, " ;")
		if end < 0 {
			return s, "", true
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == s[0]:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
