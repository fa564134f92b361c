package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/failpoint"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/exec/job"
)

func main() {
	file, dir := os.Args[2], os.Args[4]
	text, _ := os.ReadFile(file)
	reg := all.Connectors(os.Stdout, os.Stderr)
	s := engine.NewSession(reg.Lookup)
	res, err := s.Execute(file, string(text))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(65)
	}
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	for _, r := range res {
		if r.Job == nil {
			continue
		}
		h, err := job.Run(ctx, r.Job, job.Config{Dir: dir, Connectors: reg.Lookup, FailPoint: failpoint.Hook(), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
		if err == nil {
			err = h.Wait()
		}
		if err != nil && err != job.ErrCancelled {
			fmt.Fprintln(os.Stderr, "ERR", err)
			os.Exit(1)
		}
	}
}
