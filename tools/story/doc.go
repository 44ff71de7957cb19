// Package story tells, as tests, what users do with a whole Karri cloud.
//
// Every story runs the real daemons, a real libvirt and real guests, and
// touches them only as users do: with the aws command line, ssh and karri. The
// stories run under the build tag real, as root (see tools/test).
package story
