package kill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// process is one run of the binary.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer // both streams; read it after done
	done   chan struct{}
	err    error // of Wait, after done
}

// start runs the binary with the environment of the caller and more.
func start(binary string, env []string, args ...string) (*process, error) {
	return startIn("", binary, env, args...)
}

// startIn is start in a working directory.
func startIn(dir, binary string, env []string, args ...string) (*process, error) {
	p := &process{done: make(chan struct{})}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill is kill -9.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// stopLimit is how long a clean end may take on a busy machine.
const stopLimit = 60 * time.Second

// stop ends the process with SIGTERM and returns how it ended.
func (p *process) stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		err := p.kill()
		<-p.done
		return errors.Join(fmt.Errorf("did not end within %s of SIGTERM", stopLimit), err)
	}
}

// killed reports whether the process ended by SIGKILL.
func (p *process) killed() bool {
	var ee *exec.ExitError
	if !errors.As(p.err, &ee) {
		return false
	}
	ws, ok := ee.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

// races reports whether the race detector found something, in a program built with it.
func (p *process) races() bool { return bytes.Contains(p.output.Bytes(), []byte("WARNING: DATA RACE")) }

// text is what the process printed, its middle left out when it is long.
func (p *process) text() string {
	out := strings.TrimSpace(p.output.String())
	if len(out) > 4000 {
		out = out[:2000] + " ... " + out[len(out)-2000:]
	}
	return out
}

// startJob runs the job of the loop; point and hit say where it kills itself.
func (l *loop) startJob(o Options, point string, hit int) (*process, error) {
	return l.startWith(o, point, hit, l.ops.args...)
}

// startWith is startJob with more arguments.
func (l *loop) startWith(o Options, point string, hit int, args ...string) (*process, error) {
	if o.Parallelism == 0 {
		o.Parallelism = 1 + l.rng.IntN(3)
	}
	file := filepath.Join(o.Dir, "job.sql")
	text := l.topics.sql(l.broker.addr, o)
	if l.change != nil {
		text = l.change(text)
	}
	if o.Edit {
		text, args = edit(l.rng, text), append(slices.Clone(args), "-n") // an aggregate that goes takes its state along
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	env := l.environment(o)
	if point != "" && point != stopLife {
		env = append(env, fmt.Sprintf("SQLSTREAM_FAILPOINT=%s:%d", point, hit))
	}
	return start(o.Binary, env, append([]string{"run", file, "--dir", l.jobDir(), "--log-level", "warn"}, args...)...)
}

func (l *loop) environment(o Options) []string {
	env := []string{"SQLSTREAM_HOME=" + filepath.Join(o.Dir, "home")}
	if o.StateBytes > 0 {
		env = append(env, fmt.Sprintf("SQLSTREAM_STATE_BYTES=%d", o.StateBytes))
	}
	return env
}

func (l *loop) jobDir() string { return l.ops.dir }
