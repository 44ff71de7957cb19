// Package house holds the rules of this repository, as tests: who may import
// whom, which package is the door to each outside library, how long things may
// be, what must be said in comments, how actions are defined.
//
// The tests parse the sources themselves, since the test cache sees the files
// that a test opens but not those that its child processes open. A failure says
// what to do about it.
package house
