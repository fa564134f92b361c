package demo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/exec/job"
)

// child makes a command in a process group of its own: Ctrl-C of the terminal goes to the
// demo, which ends its children in the right order.
func child(c Config, log io.Writer, args ...string) *exec.Cmd {
	cmd := exec.Command(c.Binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = log
	return cmd
}

func openLog(c Config, name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(string(c.Home), name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// stopTimeout is how long a child gets to end after SIGTERM.
const stopTimeout = 30 * time.Second

// terminate asks a child to end and waits for it.
func terminate(cmd *exec.Cmd, exited <-chan error) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case err := <-exited:
		return err
	case <-timer.C:
		_ = cmd.Process.Kill()
		return fmt.Errorf("%s did not end within %s and was killed", strings.Join(cmd.Args[:2], " "), stopTimeout)
	}
}

// wait makes a channel of a child's end.
func wait(cmd *exec.Cmd, log io.Closer) <-chan error {
	exited := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		log.Close()
		exited <- err
	}()
	return exited
}

// brokerProcess is the broker.
type brokerProcess struct {
	cmd    *exec.Cmd
	exited <-chan error
	addr   string
}

func startBroker(c Config) (*brokerProcess, error) {
	log, err := openLog(c, "broker.log")
	if err != nil {
		return nil, err
	}
	var specs []string
	for _, t := range topicNames {
		specs = append(specs, fmt.Sprintf("%s:%d", t, partitions))
	}
	cmd := child(c, log, "dev-broker", "--dir", c.Home.Broker(), "--port", strconv.Itoa(c.Port), "--topics", strings.Join(specs, ","))
	out, err := cmd.StdoutPipe()
	if err != nil {
		log.Close()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		log.Close()
		return nil, err
	}
	line, rerr := bufio.NewReader(out).ReadString('\n')
	b := &brokerProcess{cmd: cmd, exited: wait(cmd, log)}
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		err := errors.Join(rerr, <-b.exited)
		code := exitcode.Temporary
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		}
		return nil, exitcode.With(code, fmt.Errorf("the broker did not start (is another demo running? --port chooses another port); its log is %s", log.Name()))
	}
	b.addr = addr
	return b, nil
}

func (b *brokerProcess) stop() error { return terminate(b.cmd, b.exited) }

// runningJob is the process of the job.
type runningJob struct {
	cfg    Config
	file   string
	cmd    *exec.Cmd
	exited <-chan error
	ended  bool

	mu   sync.Mutex
	last job.Status
}

func (r *runningJob) logFile() string { return filepath.Join(string(r.cfg.Home), "job.log") }

func (r *runningJob) start() error {
	log, err := openLog(r.cfg, "job.log")
	if err != nil {
		return err
	}
	cmd := child(r.cfg, log, "--home", string(r.cfg.Home), "run", r.file)
	if err := cmd.Start(); err != nil {
		log.Close()
		return err
	}
	r.cmd, r.exited, r.ended = cmd, wait(cmd, log), false
	return nil
}

// killAndRestart is the point of the demo.
func (r *runningJob) killAndRestart() error {
	r.cfg.Say("kill -9 %d: the job is gone in the middle of its work, transactions open. Starting it again ...", r.cmd.Process.Pid)
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-r.exited
	return r.start()
}

// stop ends the job after a last checkpoint; a second call does nothing.
func (r *runningJob) stop() error {
	if r.ended {
		return nil
	}
	r.ended = true
	if err := terminate(r.cmd, r.exited); err != nil {
		return fmt.Errorf("the job: %w; its log is %s", err, r.logFile())
	}
	return nil
}
