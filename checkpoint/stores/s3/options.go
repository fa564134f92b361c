package s3

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// The options. Where Flink has one, the name is Flink's.
const (
	Endpoint       = "s3.endpoint"
	PathStyle      = "s3.path.style.access"
	AccessKey      = "s3.access-key"
	SecretKey      = "s3.secret-key"
	Region         = "s3.region"
	ConditionalPut = "s3.conditional-put"
	EntropyKey     = "s3.entropy.key"
	EntropyLength  = "s3.entropy.length"
)

// Schemes are those of the addresses that Open takes; people write all of them in Flink.
var Schemes = []string{"s3", "s3a", "s3p"}

// address is bucket and prefix; the prefix is "" or ends with a slash.
type address struct{ bucket, prefix string }

func parseURI(uri string) (address, error) {
	u, err := url.Parse(uri)
	if err != nil {
		// Not the error of url.Parse: it repeats the address, which may hold a password.
		return address{}, errors.New("an address in S3 is s3://bucket/prefix; this one cannot be read as a URL")
	}
	switch {
	case u.User != nil:
		return address{}, fmt.Errorf("s3://%s: keys do not belong into an address; use '%s' and '%s', or the environment", u.Host, AccessKey, SecretKey)
	case u.Host == "":
		return address{}, fmt.Errorf("%s: there is no bucket; an address in S3 is s3://bucket/prefix", uri)
	case u.RawQuery != "" || u.Fragment != "":
		return address{}, fmt.Errorf("%s: an address in S3 has no ? and no #", uri)
	case strings.Contains(u.Path, "_entropy_"):
		return address{}, fmt.Errorf("%s: entropy injection (_entropy_) is not supported: S3 spreads its load by itself; leave it out", uri)
	}
	prefix := strings.Trim(u.Path, "/")
	if strings.Contains(prefix, "//") {
		return address{}, fmt.Errorf("%s: two slashes in a row", uri)
	}
	if prefix != "" {
		prefix += "/"
	}
	return address{bucket: u.Host, prefix: prefix}, nil
}

func (a address) String() string { return strings.TrimSuffix("s3://"+a.bucket+"/"+a.prefix, "/") }

// config is how to reach the server.
type config struct {
	host        string
	secure      bool
	region      string
	lookup      minio.BucketLookupType
	creds       *credentials.Credentials
	conditional bool
}

const amazon = "s3.amazonaws.com"

func readOptions(opts map[string]string) (*config, error) {
	for _, k := range []string{EntropyKey, EntropyLength} {
		if opts[k] != "" {
			return nil, fmt.Errorf("option '%s': entropy injection is not supported: S3 spreads its load by itself; leave the option out", k)
		}
	}
	c := &config{host: amazon, secure: true, lookup: minio.BucketLookupAuto, conditional: opts[ConditionalPut] != "false"}
	if err := c.setEndpoint(firstOf(opts[Endpoint], os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"))); err != nil {
		return nil, err
	}
	switch opts[PathStyle] {
	case "true":
		c.lookup = minio.BucketLookupPath
	case "false":
		c.lookup = minio.BucketLookupDNS
	}
	c.region = firstOf(opts[Region], os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
	if c.region == "" && c.host != amazon {
		c.region = "us-east-1" // what servers of one's own take
	}
	key, secret := opts[AccessKey], opts[SecretKey]
	switch {
	case key != "" && secret != "":
		c.creds = credentials.NewStaticV4(key, secret, "")
	case key != "" || secret != "":
		return nil, fmt.Errorf("options '%s' and '%s' are needed both, or none of them for the usual places of AWS credentials", AccessKey, SecretKey)
	default:
		chain := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
		if os.Getenv("AWS_EC2_METADATA_DISABLED") != "true" {
			chain = append(chain, &credentials.IAM{})
		}
		c.creds = credentials.New(&credentials.Chain{Providers: chain})
	}
	return c, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (c *config) setEndpoint(text string) error {
	if text == "" {
		return nil
	}
	full := text
	if !strings.Contains(full, "://") {
		full = "https://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("option '%s': expected a server as https://s3.eu-central-1.amazonaws.com or http://127.0.0.1:9000, without a path and without keys", Endpoint)
	}
	c.host, c.secure = u.Host, u.Scheme == "https"
	return nil
}

// endpoint is the server as people write it.
func (c *config) endpoint() string {
	if c.secure {
		return "https://" + c.host
	}
	return "http://" + c.host
}

// transport has a limit for each wait that has no other.
func transport() (*http.Transport, error) {
	t, err := minio.DefaultTransport(true)
	if err != nil {
		return nil, err
	}
	t.ResponseHeaderTimeout = time.Minute
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = 64
	return t, nil
}

// checkCredentials fails when there are none: a server would say no more than that access is denied.
func (c *config) checkCredentials() error {
	v, err := c.creds.GetWithContext(&credentials.CredContext{Client: &http.Client{Timeout: 5 * time.Second}, Endpoint: c.endpoint()})
	if err != nil {
		return fmt.Errorf("AWS credentials: %w", err)
	}
	if v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return fmt.Errorf("there are no AWS credentials: neither '%s' and '%s', nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor a profile in ~/.aws, nor a role of the machine", AccessKey, SecretKey)
	}
	return nil
}
