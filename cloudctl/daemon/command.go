package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"karri/cloudctl/join"
	"karri/shared/pki"
)

// Command runs one of the commands that an administrator of the machine itself
// runs beside the daemon, or says that args begin with none.
func Command(ctx context.Context, args []string, out io.Writer) (bool, error) {
	if len(args) == 0 {
		return false, nil
	}
	switch args[0] {
	case "join-token":
		return true, joinToken(ctx, args[1:], out)
	case "root-key":
		return true, rootKey(ctx, args[1:], out)
	}
	return false, nil
}

// joinToken prints a token that lets one component in.
func joinToken(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("cloudctl join-token", flag.ContinueOnError)
	state := f.String("state", "", "state folder of cloudctl")
	role := f.String("role", "", "clusterctl, blockstore or walrus")
	zone := f.String("zone", "", "its zone; none for walrus")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *state == "" || f.NArg() > 0 {
		return errors.New("usage: cloudctl join-token --state DIR --role ROLE [--zone ZONE]")
	}
	if *role == pki.Walrus {
		*zone = ""
	}
	address, err := readAddress(*state)
	if err != nil {
		return err
	}
	root, err := pki.Load(filepath.Join(*state, "ca"))
	if err != nil {
		return err
	}
	st, _, err := open(ctx, *state)
	if err != nil {
		return err
	}
	defer st.Close()
	g := join.Gate{Store: st, Root: root, Address: address, Clock: time.Now}
	text, err := g.Issue(ctx, *role, *zone)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, text)
	return err
}

// rootKey prints a new access key of the administrator, in place of the old.
func rootKey(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("cloudctl root-key", flag.ContinueOnError)
	state := f.String("state", "", "state folder of cloudctl")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *state == "" || f.NArg() > 0 {
		return errors.New("usage: cloudctl root-key --state DIR")
	}
	st, book, err := open(ctx, *state)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := book.Found(ctx); err != nil {
		return err
	}
	key, err := book.RootKey(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(map[string]string{
		"Account": key.Account, "AccessKeyID": key.AccessKey, "SecretAccessKey": key.Secret,
	})
}
