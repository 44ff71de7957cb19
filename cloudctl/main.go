// Command cloudctl is the cloud controller: the one place where users' wishes
// are true.
package main

import (
	"os"

	"karri/cloudctl/daemon"
	"karri/cloudctl/local"
	"karri/shared/service"
)

func main() {
	if status, is := local.Main(os.Args[1:]); is {
		os.Exit(status)
	}
	var c daemon.Config
	service.Main(daemon.Spec(&c), &c)
}
