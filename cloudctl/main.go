// Command cloudctl is the cloud controller: the one place where users' wishes
// are true.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"karri/cloudctl/daemon"
	"karri/shared/service"
)

func main() {
	done, err := daemon.Command(context.Background(), os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "cloudctl:", err)
		os.Exit(1)
	case done:
		return
	}
	var c daemon.Config
	service.Main(daemon.Spec(&c), &c)
}
