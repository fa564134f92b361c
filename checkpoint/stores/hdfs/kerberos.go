package hdfs

import (
	"fmt"
	"os"
	"os/user"
	"strings"

	krb "github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"
)

// login gets the identity for a cluster that asks for Kerberos: of a keytab, else of the ticket
// cache that kinit fills. Caches of the kernel (KEYRING:, KCM:) are not files, and not read.
func login(opts map[string]string) (*krb.Client, error) {
	file := opts[Krb5Conf]
	if file == "" {
		if file = os.Getenv("KRB5_CONFIG"); file == "" {
			file = "/etc/krb5.conf"
		}
	}
	conf, err := config.Load(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; '%s' names another file", file, err, Krb5Conf)
	}
	if opts[Keytab] != "" {
		return fromKeytab(conf, opts)
	}
	if opts[TicketCache] == "false" {
		return nil, fmt.Errorf("the cluster asks for it; set '%s' and '%s', or allow '%s'", Keytab, Principal, TicketCache)
	}
	return fromCache(conf)
}

func fromKeytab(conf *config.Config, opts map[string]string) (*krb.Client, error) {
	name, realm, _ := strings.Cut(opts[Principal], "@")
	if name == "" {
		return nil, fmt.Errorf("option '%s' needs '%s', as etl@EXAMPLE.COM", Keytab, Principal)
	}
	if realm == "" {
		realm = conf.LibDefaults.DefaultRealm
	}
	kt, err := keytab.Load(opts[Keytab])
	if err != nil {
		return nil, fmt.Errorf("keytab %s: %w", opts[Keytab], err)
	}
	c := krb.NewWithKeytab(name, realm, kt, conf, krb.DisablePAFXFAST(true))
	if err := c.Login(); err != nil {
		return nil, fmt.Errorf("login of %s@%s with keytab %s: %w", name, realm, opts[Keytab], err)
	}
	return c, nil
}

func fromCache(conf *config.Config) (*krb.Client, error) {
	file := strings.TrimPrefix(os.Getenv("KRB5CCNAME"), "FILE:")
	if file == "" {
		u, err := user.Current()
		if err != nil {
			return nil, err
		}
		file = "/tmp/krb5cc_" + u.Uid
	}
	if kind, _, ok := strings.Cut(file, ":"); ok {
		return nil, fmt.Errorf("KRB5CCNAME names a ticket cache of the kind %s, which is no file; use FILE:, or '%s'", kind, Keytab)
	}
	cache, err := credentials.LoadCCache(file)
	if err != nil {
		return nil, fmt.Errorf("ticket cache %s: %w; run kinit, or set '%s' and '%s'", file, err, Keytab, Principal)
	}
	return krb.NewFromCCache(cache, conf, krb.DisablePAFXFAST(true))
}
