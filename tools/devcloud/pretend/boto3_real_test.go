//go:build real

package pretend

import (
	"path/filepath"
	"strings"
	"testing"
)

// What programs on boto3 do: paginators, waiters, filters, resources, large
// objects in parts.
func TestBoto3(t *testing.T) {
	if !apart(t) {
		return
	}
	s := openFront(t)
	image, err := s.cloud.Admin.Image(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	program, err := filepath.Abs("testdata/boto3_story.py")
	if err != nil {
		t.Fatal(err)
	}
	out := s.run("/usr/bin/python3", "-W", "ignore", program, s.cloud.EC2(), s.cloud.S3(), image)
	if n := strings.Count(out, " is told"); n != 4 {
		t.Errorf("%d of 4 stories are told:\n%s", n, out)
	}
	t.Log(out)
}
