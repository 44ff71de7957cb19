// Package port finds TCP ports for listeners that are told their port before
// they listen, and again after they were killed.
//
// A port that the kernel chose for one socket it may give to the next outgoing
// connection, as soon as the socket is closed. Those found here are below the
// ones that it gives out, so that nobody comes to them by chance: what is free
// stays free, but for someone who asks for that very port.
package port

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// From first on, count ports are below those that Linux gives out (32768 on) and
// above those of common services.
const first, count = 16 << 10, 16 << 10

// Free returns the address host:port of a port of the IP address host on which
// nobody listens.
func Free(host string) (string, error) {
	err := errors.New("no port is free")
	for range 100 {
		ln, failed := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(first+rand.IntN(count))))
		if failed != nil {
			err = failed
			continue
		}
		return ln.Addr().String(), ln.Close()
	}
	return "", err
}
