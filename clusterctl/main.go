// Command clusterctl looks after the nodes of one availability zone.
package main

import "karri/clusterctl/daemon"

func main() { daemon.Main() }
