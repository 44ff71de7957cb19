// Command walrus is the bucket store of a cloud: S3 for users, the same
// operations over mutual TLS for the other components.
package main

import "karri/walrus/daemon"

func main() { daemon.Main() }
