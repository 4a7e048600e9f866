package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/kuai-robot/kuai/internal/config"
)

var errNoDaemon = errors.New("this build carries no daemon")

func (a *app) runDaemon(ctx context.Context, c config.Config, log *slog.Logger) error {
	return errNoDaemon
}
func (a *app) runEval(ctx context.Context, o *evalFlags) error     { return errNoDaemon }
func (a *app) runBench(ctx context.Context, groups []string) error { return errNoDaemon }
