package main

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// asProgram makes the test binary behave as sqlstream.
const asProgram = "SQLSTREAM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// The environment opens no port and does not end the process: github.com/pingcap/failpoint,
// which the SQL parser brings along, would do both before main.
func TestFailpointVariablesHaveNoEffect(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, variable := range []string{
		"GO_FAILPOINTS=nonsense",
		"GO_FAILPOINTS_HTTP=" + taken.Addr().String(), // to open this port fails
	} {
		cmd := exec.Command(os.Args[0], "version")
		cmd.Env = append(os.Environ(), asProgram+"=1", variable)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", variable, err, out)
		}
	}
}
