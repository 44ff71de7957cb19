// Command nodectl is the agent of one host: it keeps the host's instances as
// its clusterctl orders, and everything they need here, and goes on doing so
// while everything above it is down.
package main

import (
	"os"

	"karri/nodectl/daemon"
	"karri/shared/service"
)

func main() {
	if status, is := daemon.Command(os.Args[1:]); is {
		os.Exit(status)
	}
	var c daemon.Config
	service.Main(daemon.Spec(&c), &c)
}
