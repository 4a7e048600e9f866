package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/robot"
)

// version is set by the linker (make build).
var version = "unversioned"

// Exit statuses.
const (
	exitFailed      = 1 // something did not work; the line on standard error says what
	exitInput       = 2 // what was asked for makes no sense
	exitUnreachable = 3 // the robot does not answer
	exitRefused     = 4 // the robot refused
	exitGaveUp      = 5 // the robot tried and did not succeed
	exitInterrupted = 130
)

// exitError is an error with the status that it ends the program with.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exitf makes an exitError.
func exitf(status int, format string, args ...any) error {
	return &exitError{status, fmt.Errorf(format, args...)}
}

// app is what every command shares.
type app struct {
	in     io.Reader
	out    *terminal
	errors *terminal
	env    func(string) string
	clock  robot.Clock

	configPath string
	json       bool
	link       linkFlags
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once, whatever it waits for.
	context.AfterFunc(ctx, stop)
	a := &app{
		in: os.Stdin, out: newTerminal(os.Stdout, os.Getenv), errors: newTerminal(os.Stderr, os.Getenv),
		env: os.Getenv, clock: robot.NewSystemClock(),
	}
	os.Exit(a.execute(ctx, os.Args[1:]))
}

// execute runs one command line and gives the exit status.
func (a *app) execute(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.errors)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	a.errors.clearLine()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	fmt.Fprintln(a.errors, a.errors.red("kuai: ")+err.Error())
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.status
	}
	return exitFailed
}

func (a *app) rootCommand() *cobra.Command {
	cobra.EnableCommandSorting = false // the order below is that of use
	root := &cobra.Command{
		Use:   "kuai",
		Short: "A robot that understands what you say, in one program",
		Long: "kuai lets a robot hear, see, think and act. `kuai run` starts it (in simulation, unless a\n" +
			"configuration says otherwise); the other commands talk to it or look after this machine.",
		Example: "  kuai run\n  kuai say \"put the red block in the blue bowl\"\n  kuai stop",
		Version: version, SilenceErrors: true, SilenceUsage: true,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("kuai {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return exitf(exitInput, "%w (see %s --help)", err, c.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&a.configPath, "config", "c", a.env("KUAI_CONFIG"), "configuration `FILE`; none: the built-in one (also KUAI_CONFIG)")
	flags.BoolVar(&a.json, "json", false, "print JSON, one object a line")
	root.AddGroup(&cobra.Group{ID: "robot", Title: "The robot:"}, &cobra.Group{ID: "recordings", Title: "Recordings:"}, &cobra.Group{ID: "machine", Title: "This machine:"})
	for _, group := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{"robot", []*cobra.Command{a.runCommand(), a.sayCommand(), a.skillCommand(), a.stopCommand(), a.resetCommand(), a.releaseCommand(), a.engageCommand(), a.statusCommand(), a.memoryCommand()}},
		{"recordings", []*cobra.Command{a.recordCommand(), a.inspectCommand(), a.replayCommand(), a.datasetCommand(), a.demosCommand(), a.scenesCommand(), a.learnCommand()}},
		{"machine", []*cobra.Command{a.initCommand(), a.doctorCommand(), a.calibrateCommand(), a.configCommand(), a.modelsCommand(), a.encodeCommand(), a.queryCommand(), a.listenCommand(), a.transcribeCommand(), a.quantizeCommand(), a.evalCommand(), a.benchCommand()}},
	} {
		for _, c := range group.commands {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	root.AddCommand(a.manCommand(), &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  kuai version", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(map[string]string{"version": version})
			}
			fmt.Fprintln(a.out, "kuai "+version)
			return nil
		},
	})
	return root
}

// knownCommand refuses what is no subcommand, and names the nearest.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return exitf(exitInput, "unknown command %q (did you mean %s %s?)", shorten(args[0], 60), c.CommandPath(), robot.Nearest(args[0], names))
}

// noArguments refuses arguments as wrong input.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return exitf(exitInput, "%s takes no argument, got %q", c.CommandPath(), shorten(args[0], 60))
	}
	return nil
}
