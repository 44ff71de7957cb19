// Package crash lets a test end a daemon between two durable writes.
//
// Code calls Here with the name of the place; the name is written out, so that
// the tests find every place by reading the source. When the environment has
// KARRI_CRASH_AT=name, the process ends there as if by kill -9: no deferred
// call runs, nothing is flushed. Without it Here costs one comparison.
package crash

import "os"

var at = os.Getenv("KARRI_CRASH_AT")

// Here ends the process with status 137 if it is told to crash at name.
func Here(name string) {
	if at != "" && at == name {
		os.Exit(137)
	}
}
