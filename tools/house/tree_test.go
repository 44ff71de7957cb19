package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rooms are what stands at the top; every other thing has its place in one.
var rooms = []string{
	".ci", ".gitignore", "LICENSE", "NOTICE", "README.md", "go.mod", "go.sum",
	"blockstore", "cloudctl", "clusterctl", "nodectl", "shared", "tools", "walrus",
}

// mostBytes is how large a file may be that is kept: what is made from others,
// programs above all, is not.
const mostBytes = 200_000

func TestOnlySourcesAreKept(t *testing.T) {
	out, err := exec.Command("git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Skip("this is no checkout of git's: ", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if top, _, _ := strings.Cut(name, "/"); !slices.Contains(rooms, top) {
			t.Errorf("%s stands at the top, where only %s have a place", name, strings.Join(rooms, ", "))
		}
		if fi, err := os.Lstat(filepath.Join(root, name)); err == nil && fi.Size() > mostBytes {
			t.Errorf("%s has %d bytes; a source has %d at most", name, fi.Size(), mostBytes)
		}
	}
}
