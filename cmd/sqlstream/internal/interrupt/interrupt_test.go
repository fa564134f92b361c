package interrupt

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// The test program is its own subject: with this variable set it waits for signals.
const child = "SQLSTREAM_TEST_INTERRUPT"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := Context(context.Background(), func(os.Signal) { os.Stdout.WriteString("ending\n") })
	os.Stdout.WriteString("ready\n")
	<-ctx.Done()
	if os.Getenv(child) == "clean" {
		stop()
		os.Exit(3)
	}
	select {}
}

func run(t *testing.T, mode string, signals ...os.Signal) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), child+"="+mode)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	for _, s := range signals {
		if _, err := out.Read(buf); err != nil { // ready, then ending
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("%v, want an exit code", err)
	}
	return exit.ExitCode()
}

func TestFirstSignalCancels(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if code := run(t, "clean", s); code != 3 {
			t.Errorf("%v: exit code %d, want the program's own", s, code)
		}
	}
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	if got := run(t, "hang", os.Interrupt, os.Interrupt); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
}
