// Command karri is the command line of a Karri cloud, for users and
// administrators.
//
// It knows no action by itself: it asks the cloud for its catalog and makes a
// command of each action (RunInstances is karri instance run), so that it
// serves whatever the cloud serves. On top of that it can wait, explain why a
// thing is in its state, and examine a host (doctor). It keeps nothing but the
// profiles that it is given, and may be killed at any point.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes besides 0 and 1.
const (
	exitUsage   = 2
	exitMissing = 4
	exitDenied  = 5
	exitTimeout = 124
)

// settings are the flags that every command has.
type settings struct {
	profile  string
	endpoint string
	output   string
	field    string
	idOnly   bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := execute(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "karri:", err)
	}
	os.Exit(exitCode(err))
}

func execute(ctx context.Context, args []string) error {
	var set settings
	root := &cobra.Command{
		Use:   "karri",
		Short: "Work with a Karri cloud",
		Long: `karri is the command line of a Karri cloud.

The commands below come from the cloud itself: each action of its API is a verb
of a noun, with a flag for each parameter. Lists are read whole, page by page.

Where the cloud is and who you are comes from the environment (source the
cloud's admin.env), or from a profile (karri profile add).

Exit codes: 0 done, 1 failed, 2 wrong usage, 4 no such thing, 5 not allowed,
124 waited too long.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	pf := root.PersistentFlags()
	pf.StringVar(&set.profile, "profile", os.Getenv("KARRI_PROFILE"), "settings to use (see karri profile)")
	pf.StringVar(&set.endpoint, "endpoint", "", "URL of the cloud, instead of the profile's")
	pf.StringVarP(&set.output, "output", "o", "table", "table, json, or env for new credentials")
	pf.StringVar(&set.field, "field", "", "print only this member of each row: PublicIpAddress, State.Name")
	pf.BoolVar(&set.idOnly, "id-only", false, "print only the ids, one a line")
	root.AddCommand(profileCommand(), doctorCommand(), explainCommand(&set), walrusCommand(&set))
	if !offline(args) {
		if err := addActions(ctx, root, &set, args); err != nil {
			return err
		}
	}
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && cmd != nil && isUsage(err) {
		return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
	}
	return err
}

// offline reports whether the command needs no cloud.
func offline(args []string) bool {
	for _, a := range args {
		switch a {
		case "profile", "doctor", "walrus":
			return true
		}
	}
	return false
}

// connect returns a client by the settings.
func (s *settings) connect() (*client, error) {
	p, err := loadProfile(s.profile)
	if s.endpoint != "" && p.keys.AccessKey != "" && p.keys.Secret != "" {
		p.endpoint, err = s.endpoint, nil
	}
	if err != nil {
		return nil, err
	}
	return newClient(p)
}

// usageError is a command that was written wrong.
type usageError struct{ error }

func isUsage(err error) bool {
	if _, ok := errors.AsType[*refusal](err); ok {
		return false
	}
	_, ok := errors.AsType[usageError](err)
	return ok
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		switch {
		case isMissing(r.Code):
			return exitMissing
		case r.Code == "UnauthorizedOperation" || r.Code == "AccessDenied" || r.Code == "AuthFailure" || r.Code == "SignatureDoesNotMatch":
			return exitDenied
		}
		return 1
	}
	switch {
	case isUsage(err):
		return exitUsage
	case errors.Is(err, errTooLong):
		return exitTimeout
	}
	return 1
}
