// Command blockstore keeps the volumes and snapshots of one zone of a cloud.
package main

import "karri/blockstore/daemon"

func main() { daemon.Main() }
