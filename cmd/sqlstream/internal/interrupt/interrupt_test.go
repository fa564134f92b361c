package interrupt

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
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

// start runs the test program and reads that it is ready.
func start(t *testing.T, mode string) (*exec.Cmd, func() string) {
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
	lines := bufio.NewReader(out)
	read := func() string {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	read()
	return cmd, read
}

func exitCode(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if !ok {
		t.Fatal("the program ended without an exit code")
	}
	return exit.ExitCode()
}

// A wrapper that passes the signal on as well does not make it the second one.
func TestFirstSignalCancels(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd, read := start(t, "clean")
		for range 2 {
			if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
		if line := read(); line != "ending\n" {
			t.Errorf("%v: it said %q", s, line)
		}
		if got := exitCode(t, cmd); got != 3 {
			t.Errorf("%v: exit code %d, want the program's own", s, got)
		}
	}
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	cmd, read := start(t, "hang")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	read()
	done := make(chan struct{})
	go func() { // the second counts only after the time for echoes
		tick := time.NewTicker(echo / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_ = cmd.Process.Signal(os.Interrupt)
			}
		}
	}()
	got := exitCode(t, cmd)
	close(done)
	if got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
}
