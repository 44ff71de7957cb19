// Package crashtest finds the places at which a daemon can be told to crash.
//
// The list comes from the source itself, so that a new place between two
// durable writes is crashed at by the tests without being named in them.
package crashtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var called = regexp.MustCompile(`crash\.Here\("([^"]+)"\)`)

// Points returns the names given to crash.Here in the sources below the
// folders, in order. The test fails when there are none.
func Points(t testing.TB, dirs ...string) []string {
	t.Helper()
	var names []string
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range called.FindAllStringSubmatch(string(b), -1) {
				names = append(names, m[1])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(names) == 0 {
		t.Fatalf("no place to crash at in %v", dirs)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
