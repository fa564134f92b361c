package doccheck

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// brokerAddr is where the pages find the development broker. The tests' brokers have
// addresses of their own, which are put in its place and back.
const brokerAddr = "127.0.0.1:9092"

// commandTimeout is for one command, and for what one in the background is to print.
const commandTimeout = 40 * time.Second

// substitutions are commands that the test carries out in another way.
var substitutions = []struct{ prefix, by string }{
	{"make build", "true"},
	{"make demo", "sqlstream demo --port 0 --events 160000 --rate 40000"},
	{"sqlstream dev-broker", "sqlstream dev-broker --port 0"},
}

// Shell is a bash that carries out the commands of one page in a directory of its own.
type Shell struct {
	dir    string
	broker string // its address, once one runs
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	done   chan string // what the last command returned
	last   string
	n      int
}

// NewShell starts a bash in dir with the program in its PATH under the name sqlstream.
func NewShell(bash, program, dir string) (*Shell, error) {
	s := &Shell{dir: dir, done: make(chan string, 1), last: "0"}
	s.cmd = exec.Command(bash, "--noprofile", "--norc")
	s.cmd.Dir = dir
	s.cmd.Env = []string{"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "HOME=" + dir, "SQLSTREAM_HOME=" + filepath.Join(dir, ".sqlstream")}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.stdin = stdin
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for sc := bufio.NewScanner(stdout); sc.Scan(); {
			s.done <- sc.Text()
		}
		close(s.done)
	}()
	return s, nil
}

// Close ends the shell and everything that it started.
func (s *Shell) Close() error {
	err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	for range s.done {
	}
	_ = s.cmd.Wait() // it was killed
	return err
}

// Run carries out the command of a step and compares what it prints.
func (s *Shell) Run(ctx context.Context, step Step) error {
	command := step.Command
	for _, sub := range substitutions {
		if rest, ok := strings.CutPrefix(command, sub.prefix); ok {
			command = sub.by + rest
			break
		}
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	background := strings.HasSuffix(command, "&")
	// What a page shows after a failure is the exit code, so it is not an error then.
	out, code, err := s.eval(ctx, s.there(command))
	if err != nil {
		return fmt.Errorf("%w; it has printed\n%s", err, out)
	}
	if background {
		return s.await(ctx, step)
	}
	if err := Match(step.Want, s.back(out), step.Numbers); err != nil {
		return fmt.Errorf("%w; the output is\n%s", err, s.back(out))
	}
	if s.last = code; code != "0" && len(step.Want) == 0 {
		return fmt.Errorf("exit code %s and the page shows no error; the output is\n%s", code, s.back(out))
	}
	return nil
}

// eval has the shell carry out a command, $? being what the one before returned.
func (s *Shell) eval(ctx context.Context, command string) (out, code string, err error) {
	s.n++
	quoted := "'" + strings.ReplaceAll(command, "'", `'\''`) + "'"
	if _, err := fmt.Fprintf(s.stdin, "(exit %s); eval %s >%s 2>&1 </dev/null; echo $?\n", s.last, quoted, s.output()); err != nil {
		return "", "", err
	}
	select {
	case c, ok := <-s.done:
		if code = c; !ok {
			err = errors.New("the shell has ended")
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	b, readErr := os.ReadFile(s.output())
	return obituary.ReplaceAllString(string(b), ""), code, errors.Join(err, readErr)
}

// obituary is what a shell without a terminal says of a job that was killed.
var obituary = regexp.MustCompile(`(?m)^\S*bash: line \d+: +\d+ Killed.*\n`)

func (s *Shell) output() string { return filepath.Join(s.dir, ".out."+strconv.Itoa(s.n)) }

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// await waits until a command in the background has printed what the page says; of a broker,
// until it can be reached.
func (s *Shell) await(ctx context.Context, step Step) error {
	isBroker := strings.HasPrefix(step.Command, "sqlstream dev-broker")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(s.output())
		if err != nil {
			return err
		}
		if m := listening.FindSubmatch(b); m != nil && isBroker {
			s.broker = string(m[1])
		}
		if !isBroker || s.broker != "" {
			if err = Match(step.Want, s.back(string(b)), step.Numbers); err == nil {
				break
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w; the output is\n%s", errors.Join(ctx.Err(), err), b)
		}
	}
	if !isBroker {
		return nil
	}
	_, _, err := s.eval(ctx, "export SQLSTREAM_BOOTSTRAP="+s.broker)
	return err
}

// there and back put the address of the test's broker in place of the pages' one.
func (s *Shell) there(text string) string {
	if s.broker == "" {
		return text
	}
	return strings.ReplaceAll(text, brokerAddr, s.broker)
}

func (s *Shell) back(text string) string {
	if s.broker == "" {
		return text
	}
	return strings.ReplaceAll(text, s.broker, brokerAddr)
}

// WriteFile puts a file into the shell's directory.
func (s *Shell) WriteFile(name, text string) error {
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(s.there(text)), 0o600)
}
