// Package cleanenv takes variables out of the environment that libraries would act on. Package
// main imports it and nobody else.
//
// The TiDB parser brings github.com/pingcap/failpoint along, whose init function opens a port
// without authentication when GO_FAILPOINTS_HTTP is set, and ends the process when
// GO_FAILPOINTS is not to its liking. Nothing in sqlstream uses it.
//
// main would be too late for this. Go initialises packages in the order of their import paths,
// each as soon as everything that it imports is ready. This one imports os only, so it comes
// before net/http, and failpoint, which needs net/http, after that. It must not import more.
package cleanenv

import "os"

var _ = unset("GO_FAILPOINTS", "GO_FAILPOINTS_HTTP")

func unset(names ...string) bool {
	for _, n := range names {
		_ = os.Unsetenv(n) // fails only for what cannot be a name
	}
	return true
}
