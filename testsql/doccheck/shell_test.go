package doccheck

import (
	"os/exec"
	"strings"
	"testing"
)

// The shell finds what a page has wrong, and keeps its state from command to command.
func TestShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	s, err := NewShell(bash, "/bin/sh", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	s.broker = "127.0.0.1:4711"
	for _, c := range []struct{ command, want, fails string }{
		{command: "export GREETING='it'\\''s me'"},
		{command: `echo "$GREETING"`, want: "it's me"},
		{command: `echo "$GREETING"`, want: "it's you", fails: "differs from the page"},
		{command: "false", fails: "exit code 1"},
		{command: "echo no; (exit 7)", want: "no"},
		{command: "echo $?", want: "7"},
		{command: "echo at 127.0.0.1:9092, $BROKER", want: "at 127.0.0.1:9092,"},
		{command: "test $(echo 127.0.0.1:9092) = 127.0.0.1:4711"},
		{command: "cat"}, // no input, so it ends
		{command: "{ echo ready; exec tail -f /dev/null; } &", want: "ready"},
		{command: "kill -9 %1"},
		{command: "printf 'a\\nb\\n' > f; cat f", want: "a\nb"},
	} {
		step := Step{Command: c.command}
		if c.want != "" {
			step.Want = strings.Split(c.want, "\n")
		}
		err := s.Run(t.Context(), step)
		if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s: %v, want %q", c.command, err, c.fails)
		}
	}
}
