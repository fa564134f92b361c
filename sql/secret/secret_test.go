package secret

import "testing"

func TestSQL(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{`SELECT 'a' = 'b'`, `SELECT 'a' = 'b'`},
		{`WITH ('connector' = 'kafka', 'properties.sasl.jaas.config'='x password="y"; ''z''')`, `WITH ('connector' = 'kafka', 'properties.sasl.jaas.config'='******')`},
		{"SET 'my.Password'\n=\n'p'", "SET 'my.Password'\n=\n'******'"},
		{`'url' = 'jdbc:mysql://root:hunter2@db:3306/x'`, `'url' = 'jdbc:mysql://root:******@db:3306/x'`},
		{`'schema-registry.basic-auth.user-info' = 'u:p'`, `'schema-registry.basic-auth.user-info' = '******'`},
		{`'key.format' = 'json'`, `'key.format' = 'json'`},
	} {
		if got := SQL(tc.in); got != tc.want {
			t.Errorf("SQL(%s)\n got %s\nwant %s", tc.in, got, tc.want)
		}
	}
}

func TestKey(t *testing.T) {
	for key, want := range map[string]bool{
		"properties.sasl.jaas.config": true, "properties.ssl.keystore.password": true, "aws.secret": true, "TOKEN": true,
		"properties.bootstrap.servers": false, "key.fields": false, "topic": false,
	} {
		if Key(key) != want {
			t.Errorf("Key(%q) = %t", key, !want)
		}
	}
}
