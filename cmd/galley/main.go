package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes, the same for every command.
const (
	exitOK     = 0 // done, and nothing is wrong
	exitFaults = 1 // done, and what was looked at has faults
	exitFailed = 2 // the words were wrong, or the command could not do its work
)

// errFaults ends a command that has already told what is wrong with what it
// was asked to look at.
var errFaults = errors.New("faults found")

// cli is every command with its flags. A command is a struct with a method
// Run(*env) error.
type cli struct {
	Config string `short:"c" default:"galley.toml" env:"GALLEY_CONFIG" placeholder:"FILE" help:"The configuration (${default})."`

	Init    initCmd    `cmd:"" help:"Write a configuration and keys, and show the records for the DNS."`
	Serve   serveCmd   `cmd:"" help:"Run the daemon: take mail in, answer, send."`
	Unit    unitCmd    `cmd:"" help:"Show the daemon's service for systemd."`
	Preview previewCmd `cmd:"" help:"Make an issue of a draft, without network or database."`
	Inspect inspectCmd `cmd:"" help:"Say what the inbox makes of mail files, as JSON."`
	Demo    demoCmd    `cmd:"" help:"See a newsletter being made by mail, on this machine alone."`
	Issue   issueCmd   `cmd:"" help:"Speak with the desk: an editor's words, where issues stand, the import of past ones."`
	Queue   queueCmd   `cmd:"" help:"What waits to leave, and who did not get an issue."`
	Check   checkCmd   `cmd:"" help:"Look at everything that Galley depends on, and name each fault with its remedy."`
	List    listCmd    `cmd:"" help:"The people on the list."`
	Looks   looksCmd   `cmd:"" help:"Show every look on one draft, light and dark."`
	Bench   benchCmd   `cmd:"" help:"Measure how fast issues leave, and what it takes to lose one."`
	Help    helpCmd    `cmd:"" help:"Read about a topic: galley help lists them."`
	Support supportCmd `cmd:"" hidden:"" help:"For builders of Galley: refresh the table of what mail programs show."`
	Version versionCmd `cmd:"" help:"Say which Galley this is."`
}

// env is what a command gets from outside, so that tests can be outside too.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	config string // path of the configuration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program: it reads the words, does what they ask and gives
// the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	asked := false // for help: kong would exit
	parser, err := kong.New(&c,
		kong.Name("galley"),
		kong.Description("An email-first newsletter press. Exit codes: 0 done, 1 faults were found, 2 it could not be done."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { asked = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		return fail(stderr, err)
	}
	words, err := parser.Parse(args)
	if asked {
		return exitOK
	}
	if err != nil {
		return fail(stderr, fmt.Errorf("%w; %s", err, whereHelpIs(err)))
	}
	return fail(stderr, words.Run(&env{ctx, stdin, stdout, stderr, c.Config}))
}

// whereHelpIs names the help of the command that was begun.
func whereHelpIs(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Selected() != nil {
		return wrong.Context.Selected().FullPath() + " --help shows how"
	}
	return "galley --help lists the commands"
}

// fail tells an error to a person and turns it into an exit code.
func fail(stderr io.Writer, err error) int {
	var faults Faults
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFaults):
		return exitFaults
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, faults)
	default:
		fmt.Fprintln(stderr, "galley:", err)
	}
	return exitFailed
}

// versionCmd says which Galley this is.
type versionCmd struct{}

// Run prints the module's version and the commit it was built from.
func (versionCmd) Run(e *env) error {
	version, commit := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(e.stdout, "galley %s%s\n", version, commit)
	return err
}

// configured tells whether there is a configuration: most commands need one,
// preview and inspect only use it.
func (e *env) configured() bool {
	_, err := os.Stat(e.config)
	return err == nil
}
