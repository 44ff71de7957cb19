// Command blockstore keeps the volumes and snapshots of one zone of a cloud.
package main

import (
	"os"

	"karri/blockstore/daemon"
)

func main() {
	if status, is := daemon.Command(os.Args[1:]); is {
		os.Exit(status)
	}
	daemon.Main()
}
