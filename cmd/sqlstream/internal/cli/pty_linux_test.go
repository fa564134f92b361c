package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a process on a pseudo-terminal.
type terminal struct {
	t    *testing.T
	ptmx *os.File
	cmd  *exec.Cmd
	done chan error

	mu   sync.Mutex
	cond *sync.Cond
	out  bytes.Buffer
	read int // how much of out was expected already
	eof  bool
}

// startTerminal runs sqlstream on a terminal of 100 columns.
func startTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	ptmx, tty := openPTY(t)
	defer tty.Close()
	cmd := exec.Command(os.Args[0], args...)
	home := t.TempDir()
	cmd.Dir = home
	cmd.Env = []string{asProgram + "=1", "SQLSTREAM_HOME=" + filepath.Join(home, "home"), "HOME=" + home, "TERM=xterm"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, ptmx: ptmx, cmd: cmd, done: make(chan error, 1)}
	term.cond = sync.NewCond(&term.mu)
	go term.pump()
	go func() { term.done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		ptmx.Close()
	})
	return term
}

func openPTY(t *testing.T) (ptmx, tty *os.File) {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	fd := int(ptmx.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 100})
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		ptmx.Close()
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	return ptmx, tty
}

// pump collects what the process prints.
func (p *terminal) pump() {
	buf := make([]byte, 4096)
	for {
		n, err := p.ptmx.Read(buf)
		p.mu.Lock()
		p.out.Write(buf[:n])
		p.eof = err != nil
		p.cond.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *terminal) send(keys string) {
	p.t.Helper()
	if _, err := p.ptmx.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// expectTimeout is never reached by a test that passes.
const expectTimeout = 30 * time.Second

// expect waits until text is printed, after what was expected before.
func (p *terminal) expect(text string) {
	p.t.Helper()
	late := false
	timer := time.AfterFunc(expectTimeout, func() {
		p.mu.Lock()
		late = true
		p.cond.Broadcast()
		p.mu.Unlock()
	})
	defer timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if i := strings.Index(p.out.String()[p.read:], text); i >= 0 {
			p.read += i + len(text)
			return
		}
		if late || p.eof {
			p.t.Fatalf("waiting for %q; since the last one it printed\n%q", text, p.out.String()[p.read:])
		}
		p.cond.Wait()
	}
}

func (p *terminal) exitCode() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(expectTimeout):
		p.t.Fatal("the process does not end")
	}
	return -1
}

const (
	enter = "\r"
	ctrlC = "\x03"
	ctrlD = "\x04"
	up    = "\x1b[A"
)

func TestShell(t *testing.T) {
	t.Parallel()
	p := startTerminal(t)
	p.expect("sqlstream> ")

	// A statement of several lines, typed ahead of the prompt.
	p.send("CREATE TABLE t (a INT) WITH ('connector' = 'datagen'," + enter + "'rows-per-second' = '50');" + enter)
	p.expect("table t created")
	p.expect("sqlstream> ")

	// Ctrl-C ends the query and not the shell.
	p.send("SELECT a FROM t;" + enter)
	p.expect("| +I |")
	p.send(ctrlC)
	p.expect("Query stopped.")
	p.expect("sqlstream> ")

	// An error shows its place, and nothing ends.
	p.send("SELECT nope FROM t;" + enter)
	p.expect("1:8: there is no column nope")
	p.expect("^")
	p.expect("sqlstream> ")

	// Ctrl-C drops what is typed.
	p.send("SELECT garbage")
	p.expect("garbage")
	p.send(ctrlC)
	p.expect("\n")
	p.expect("sqlstream> ")
	p.send(`\d` + enter)
	p.expect("| t ")
	p.expect("sqlstream> ")

	// History brings back the whole statement.
	p.send("SELECT 'once' AS c," + enter + "2 AS d;" + enter)
	p.expect("| once | 2 |")
	p.expect("sqlstream> ")
	p.send(up + enter)
	p.expect("| once | 2 |")
	p.expect("sqlstream> ")

	// A job of the shell ends with it, cleanly.
	p.send("CREATE TABLE b (a INT) WITH ('connector' = 'blackhole'); INSERT INTO b SELECT a FROM t;" + enter)
	p.expect("table b created")
	p.expect("sqlstream> ")
	p.send("SHOW JOBS;" + enter)
	p.expect("RUNNING")
	p.expect("sqlstream> ")
	p.send(ctrlD)
	p.expect("Ending 1 job of this session")
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Live lines are drawn again and again; the first Ctrl-C ends the job after a checkpoint.
func TestRunOnATerminal(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "live.sql")
	text := `SET 'execution.checkpointing.interval' = '100 ms';
CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TABLE b (a INT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT a FROM t;`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startTerminal(t, "run", file)
	p.expect("job started")
	p.expect("live  RUNNING")
	p.expect("checkpoint ")
	p.expect("\x1b[2A") // the two live lines are drawn again
	p.expect("live  RUNNING")
	p.send(ctrlC)
	p.expect("ending after a last checkpoint")
	p.expect("live  CANCELED")
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d, want 0: it ended as it was asked to", code)
	}
}
