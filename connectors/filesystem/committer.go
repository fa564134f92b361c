package filesystem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// committer makes the parts of all sinks of a job on one folder appear. Its transaction is a
// list of parts; committing is renaming them, which can be done again as often as needed. A
// small hidden file, the ledger, holds the newest committed epoch: it tells a part that a
// reader took away after the commit from one that was lost before.
type committer struct {
	path string
	job  string
	hook func(string) // fail points; nil outside of tests

	mu     sync.Mutex
	root   *os.Root
	sealed map[string]state.Epoch // parts that wait for a checkpoint
	ledger state.Epoch            // as last read or written
}

// token is what the manifest keeps of an epoch.
type token struct {
	Parts  []string    `json:"parts"`
	Ledger state.Epoch `json:"ledger"` // the ledger when it was prepared, 0 when there was none
}

func newCommitter(path string, env connectors.Env) *committer {
	return &committer{path: path, job: safeName(env.JobID), hook: env.FailPoint, sealed: map[string]state.Epoch{}}
}

// safeName keeps what is harmless in a file name.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, s)
}

// partPrefix begins the names of this job's parts; no other job's begin with it.
func (c *committer) partPrefix() string { return "part-" + c.job + "-" }

func (c *committer) ledgerName() string { return ".sqlstream-" + c.job + ".ledger" }

func inProgress(part string) string { return "." + part + ".inprogress" }

// Name implements exec.Committer.
func (c *committer) Name() string { return committerName(c.path) }

func (c *committer) point(name string) {
	if c.hook != nil {
		c.hook("filesystem." + name)
	}
}

// dir opens the folder, making it when it is not there.
func (c *committer) dir() (*os.Root, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root != nil {
		return c.root, nil
	}
	if err := os.MkdirAll(c.path, 0o755); err != nil {
		return nil, exec.Userf("sink folder '%s': %w", c.path, err)
	}
	root, err := os.OpenRoot(c.path)
	if err != nil {
		return nil, exec.Userf("sink folder '%s': %w", c.path, err)
	}
	c.root = root
	return root, nil
}

// seal adds parts that a writer's Barrier(e) made durable.
func (c *committer) seal(e state.Epoch, parts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range parts {
		c.sealed[p] = e
	}
}

// Recover implements exec.Committer.
func (c *committer) Recover(ctx context.Context, e state.Epoch, t exec.Token) (exec.Recovery, error) {
	root, err := c.dir()
	if err != nil {
		return exec.Recovery{}, err
	}
	r := exec.Recovery{}
	if r.Ledger, err = c.readLedger(root); err != nil {
		return r, err
	}
	if t != nil {
		tok, err := c.decode(t)
		if err != nil {
			return r, err
		}
		r.LedgerMissing = r.Ledger == 0 && tok.Ledger > 0
		lost, err := c.lost(root, tok)
		if err != nil {
			return r, err
		}
		if len(lost) > 0 && r.Ledger < e {
			r.Outcome = exec.OutcomeUnknown
			r.Detail = fmt.Sprintf("folder '%s' has neither '%s' nor '%s' (%d of %d parts of epoch %d are missing), and the ledger does not say that they were committed", c.path, inProgress(lost[0]), lost[0], len(lost), len(tok.Parts), e)
			return r, nil
		}
		if r.Ledger < e {
			if err := c.Commit(ctx, e, t); err != nil {
				return r, err
			}
			r.Ledger = e
		}
		r.Outcome = exec.OutcomeCommitted
		r.Detail = fmt.Sprintf("folder '%s': %d parts of epoch %d are committed", c.path, len(tok.Parts), e)
	}
	if r.Ledger > e {
		return r, nil // a newer checkpoint was committed; its successor's parts may still be wanted
	}
	return r, c.removeLeft(root)
}

// Adopt implements exec.Committer: the ledger of this job says nothing about the other's parts.
func (c *committer) Adopt(ctx context.Context, e state.Epoch, t exec.Token) (exec.Recovery, error) {
	tok, err := c.decode(t)
	if err != nil {
		return exec.Recovery{}, err
	}
	root, err := c.dir()
	if err != nil {
		return exec.Recovery{}, err
	}
	lost, err := c.lost(root, tok)
	if err != nil {
		return exec.Recovery{}, err
	}
	if len(lost) > 0 {
		return exec.Recovery{Outcome: exec.OutcomeUnknown, Detail: fmt.Sprintf("folder '%s' has neither '%s' nor '%s' (%d of %d parts of epoch %d are missing)", c.path, inProgress(lost[0]), lost[0], len(lost), len(tok.Parts), e)}, nil
	}
	if err := c.reveal(ctx, root, tok); err != nil {
		return exec.Recovery{}, err
	}
	return exec.Recovery{Outcome: exec.OutcomeCommitted, Detail: fmt.Sprintf("folder '%s': %d parts of epoch %d are committed", c.path, len(tok.Parts), e)}, nil
}

// lost returns the parts of which there is no file, hidden or not.
func (c *committer) lost(root *os.Root, tok token) (lost []string, err error) {
	for _, p := range tok.Parts {
		there, err := exists(root, inProgress(p))
		if err == nil && !there {
			there, err = exists(root, p)
		}
		if err != nil {
			return nil, err
		}
		if !there {
			lost = append(lost, p)
		}
	}
	return lost, nil
}

// removeLeft removes the hidden parts that earlier incarnations of this job left.
func (c *committer) removeLeft(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return exec.Externalf("sink folder '%s': %w", c.path, err)
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(1024)
		for _, name := range names {
			if !strings.HasPrefix(name, "."+c.partPrefix()) || !strings.HasSuffix(name, ".inprogress") {
				continue
			}
			c.point("remove")
			if err := root.Remove(name); err != nil && !os.IsNotExist(err) {
				return exec.Externalf("sink folder '%s': removing a part of an unfinished checkpoint: %w", c.path, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return exec.Externalf("sink folder '%s': %w", c.path, err)
		}
	}
}

// Begin implements exec.Committer.
func (c *committer) Begin(context.Context) error { return nil }

// Prepare implements exec.Committer: the parts of all barriers up to e.
func (c *committer) Prepare(_ context.Context, e state.Epoch) (exec.Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tok := token{Ledger: c.ledger}
	for p, sealed := range c.sealed {
		if sealed <= e {
			tok.Parts = append(tok.Parts, p)
		}
	}
	if len(tok.Parts) == 0 {
		return nil, nil
	}
	c.point("prepare")
	return json.Marshal(tok)
}

// Decided implements exec.Committer. Parts of a failed checkpoint wait for the next one.
func (c *committer) Decided(e state.Epoch, ok bool) error {
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, sealed := range c.sealed {
		if sealed <= e {
			delete(c.sealed, p)
		}
	}
	return nil
}

// Commit implements exec.Committer.
func (c *committer) Commit(ctx context.Context, e state.Epoch, t exec.Token) error {
	if t == nil {
		return nil
	}
	tok, err := c.decode(t)
	if err != nil {
		return err
	}
	root, err := c.dir()
	if err != nil {
		return err
	}
	if err := c.reveal(ctx, root, tok); err != nil {
		return err
	}
	c.point("before_ledger")
	if err := c.writeLedger(root, e); err != nil {
		return err
	}
	c.point("committed")
	return nil
}

// reveal renames the parts of a decided epoch, durably.
func (c *committer) reveal(ctx context.Context, root *os.Root, tok token) error {
	for _, p := range tok.Parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.point("rename")
		if err := c.publish(root, p); err != nil {
			return err
		}
	}
	c.point("renamed")
	if err := syncDir(root); err != nil {
		return exec.Externalf("sink folder '%s': %w", c.path, err)
	}
	return nil
}

// publish renames a part unless that was done before.
func (c *committer) publish(root *os.Root, part string) error {
	hiddenThere, err := exists(root, inProgress(part))
	if err != nil {
		return exec.Externalf("sink folder '%s': %w", c.path, err)
	}
	if hiddenThere {
		if err := root.Rename(inProgress(part), part); err != nil {
			return exec.Externalf("sink folder '%s': committing '%s': %w", c.path, part, err)
		}
		return nil
	}
	if there, err := exists(root, part); err != nil || !there {
		return errors.Join(exec.Userf("sink folder '%s' has neither '%s' nor '%s': somebody took a part away before it was committed; restore it", c.path, inProgress(part), part), err)
	}
	return nil
}

func (c *committer) decode(t exec.Token) (tok token, err error) {
	if err := json.Unmarshal(t, &tok); err != nil {
		return tok, fmt.Errorf("token of committer '%s': %w", c.Name(), err)
	}
	for _, p := range tok.Parts {
		if !strings.HasPrefix(p, "part-") || strings.ContainsAny(p, `/\`) {
			return tok, fmt.Errorf("token of committer '%s': '%s' is no name of a part", c.Name(), p)
		}
	}
	return tok, nil
}

// ledgerFile is the content of the ledger.
type ledgerFile struct {
	Committed state.Epoch `json:"committed"`
}

func (c *committer) readLedger(root *os.Root) (state.Epoch, error) {
	text, err := root.ReadFile(c.ledgerName())
	if os.IsNotExist(err) {
		return 0, nil
	}
	var l ledgerFile
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		return 0, exec.Externalf("sink folder '%s': reading the ledger '%s': %w", c.path, c.ledgerName(), err)
	}
	c.mu.Lock()
	c.ledger = l.Committed
	c.mu.Unlock()
	return l.Committed, nil
}

// writeLedger replaces the ledger: written beside, synced, renamed.
func (c *committer) writeLedger(root *os.Root, e state.Epoch) error {
	text, err := json.Marshal(ledgerFile{e})
	if err != nil {
		return err
	}
	name := c.ledgerName()
	f, err := root.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = root.Rename(name+".new", name)
	}
	if err == nil {
		err = syncDir(root)
	}
	if err != nil {
		return exec.Externalf("sink folder '%s': writing the ledger: %w", c.path, err)
	}
	c.mu.Lock()
	c.ledger = e
	c.mu.Unlock()
	return nil
}

// Close implements exec.Committer.
func (c *committer) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root == nil {
		return nil
	}
	err := c.root.Close()
	c.root = nil
	return err
}
