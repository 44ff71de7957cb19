//go:build real

package daemon_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// awsCLI is Debian's; KARRI_AWS names another to try.
var awsCLI = cmp.Or(os.Getenv("KARRI_AWS"), "/usr/bin/aws")

// A shell runs other people's programs against a walrus.
type shell struct {
	t   *testing.T
	w   *walrustest.Walrus
	dir string
	env []string
}

func newShell(t *testing.T) *shell {
	return shellOn(t, walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{Domains: []string{"s3.test"}}))
}

func shellOn(t *testing.T, w *walrustest.Walrus) *shell {
	s := &shell{t: t, w: w, dir: t.TempDir()}
	s.env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+walrustest.Ann.AccessKey, "AWS_SECRET_ACCESS_KEY="+walrustest.Ann.Secret,
		"AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_CA_BUNDLE=", "HOME="+s.dir, "PYTHONWARNINGS=ignore")
	return s
}

// try runs a program in the folder of the test.
func (s *shell) try(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *shell) run(name string, args ...string) string {
	s.t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (s *shell) aws(args ...string) string {
	s.t.Helper()
	return s.run(awsCLI, append([]string{"--endpoint-url", s.w.Endpoint}, args...)...)
}

func (s *shell) file(name string, size int) []byte {
	s.t.Helper()
	data := make([]byte, size)
	_, _ = rand.Read(data)
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return data
}

func (s *shell) same(name string, want []byte) {
	s.t.Helper()
	got, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil || !bytes.Equal(got, want) {
		s.t.Errorf("%s: %d bytes differ from the %d that were stored: %v", name, len(got), len(want), err)
	}
}

func (s *shell) says(out, want string) {
	s.t.Helper()
	if !strings.Contains(out, want) {
		s.t.Errorf("%q is not in:\n%s", want, out)
	}
}

func TestAWS(t *testing.T) {
	s := newShell(t)
	s.aws("s3", "mb", "s3://pond")
	small, large := s.file("up/small", 1000), s.file("up/dir/large", 30<<20+7)
	s.file("up/ü b+c%2F", 5)
	s.aws("s3", "cp", "up/small", "s3://pond/small")
	s.aws("s3", "cp", "up/dir/large", "s3://pond/a//../large")
	s.aws("s3", "cp", "s3://pond/small", "back-small")
	s.aws("s3", "cp", "s3://pond/a//../large", "back-large")
	s.same("back-small", small)
	s.same("back-large", large)
	s.says(s.aws("s3", "sync", "up", "s3://pond/tree/"), "upload: ")
	if out := s.aws("s3", "sync", "up", "s3://pond/tree/"); out != "" {
		t.Errorf("the second sync did: %s", out)
	}
	s.aws("s3", "sync", "s3://pond/tree/", "down")
	s.same("down/dir/large", large)
	s.says(s.aws("s3", "ls", "s3://pond/tree/"), "PRE dir/")
	s.says(s.aws("s3", "ls", "--recursive", "s3://pond/"), "tree/ü b+c%2F")
	s.aws("s3", "cp", "s3://pond/a//../large", "s3://pond/copied")
	s.aws("s3", "cp", "s3://pond/copied", "back-copied")
	s.same("back-copied", large)
	s.aws("s3", "mv", "s3://pond/small", "s3://pond/moved")
	url := strings.TrimSpace(s.aws("s3", "presign", "s3://pond/moved"))
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, _ := io.ReadAll(res.Body); !bytes.Equal(got, small) {
		t.Errorf("presigned: %s, %d bytes", res.Status, len(got))
	}
	if out, err := s.try(awsCLI, "--endpoint-url", s.w.Endpoint, "s3", "rb", "s3://pond"); err == nil || !strings.Contains(out, "BucketNotEmpty") {
		t.Errorf("rb of a full bucket: %v %s", err, out)
	}
	s.aws("s3", "rm", "--recursive", "s3://pond/tree/")
	s.says(s.aws("s3api", "list-objects", "--bucket", "pond"), "moved")
	s.aws("s3", "rb", "--force", "s3://pond")
	if out := s.aws("s3", "ls"); out != "" {
		t.Errorf("left: %s", out)
	}
}

func TestAWSParts(t *testing.T) {
	s := newShell(t)
	s.aws("s3", "mb", "s3://pond")
	s.file("five", 5<<20)
	id := strings.TrimSpace(s.aws("s3api", "create-multipart-upload", "--bucket", "pond", "--key", "k", "--query", "UploadId", "--output", "text"))
	tag := func(n string) string {
		return strings.TrimSpace(s.aws("s3api", "upload-part", "--bucket", "pond", "--key", "k", "--upload-id", id, "--part-number", n, "--body", "five", "--query", "ETag", "--output", "text"))
	}
	one := tag("1")
	s.says(s.aws("s3api", "list-multipart-uploads", "--bucket", "pond"), id)
	s.says(s.aws("s3api", "list-parts", "--bucket", "pond", "--key", "k", "--upload-id", id), `"PartNumber": 1`)
	s.aws("s3api", "put-object", "--bucket", "pond", "--key", "source", "--body", "five")
	two := strings.TrimSpace(s.aws("s3api", "upload-part-copy", "--bucket", "pond", "--key", "k", "--upload-id", id, "--part-number", "2",
		"--copy-source", "pond/source", "--copy-source-range", "bytes=1-1000", "--query", "CopyPartResult.ETag", "--output", "text"))
	parts := fmt.Sprintf(`{"Parts":[{"PartNumber":1,"ETag":%s},{"PartNumber":2,"ETag":%s}]}`, one, two)
	s.says(s.aws("s3api", "complete-multipart-upload", "--bucket", "pond", "--key", "k", "--upload-id", id, "--multipart-upload", parts), `-2\"`)
	s.aws("s3api", "get-object", "--bucket", "pond", "--key", "k", "--range", "bytes=5242879-5242881", "out")
	five, _ := os.ReadFile(filepath.Join(s.dir, "five"))
	s.same("out", append(bytes.Clone(five[len(five)-1:]), five[1:3]...))
	for _, ask := range []string{"get-bucket-acl", "get-bucket-versioning", "get-bucket-location", "get-bucket-logging", "get-bucket-request-payment", "get-bucket-notification-configuration"} {
		s.aws("s3api", ask, "--bucket", "pond")
	}
	s.says(s.aws("s3api", "get-object-tagging", "--bucket", "pond", "--key", "k"), `"TagSet": []`)
}

func TestS3cmd(t *testing.T) {
	for name, flag := range map[string]string{"v4": "--no-check-certificate", "v2": "--signature-v2"} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			run := func(args ...string) string {
				return s.run("s3cmd", append([]string{flag, "--no-ssl", "--host", s.w.Host, "--host-bucket", s.w.Host,
					"--access_key", walrustest.Ann.AccessKey, "--secret_key", walrustest.Ann.Secret, "--region", "us-east-1", "--no-progress"}, args...)...)
			}
			small, large := s.file("small", 1000), s.file("large", 20<<20)
			run("mb", "s3://pond")
			run("put", "small", "s3://pond/dir/sm all")
			run("put", "--multipart-chunk-size-mb=5", "large", "s3://pond/large")
			run("get", "s3://pond/dir/sm all", "back-small")
			run("get", "s3://pond/large", "back-large")
			s.same("back-small", small)
			s.same("back-large", large)
			s.says(run("ls", "s3://pond"), "DIR")
			s.says(run("info", "s3://pond/large"), "MD5")
			s.says(run("info", "s3://pond"), "Location")
			run("cp", "s3://pond/large", "s3://pond/copy")
			run("mv", "s3://pond/copy", "s3://pond/moved")
			s.file("tree/a", 10)
			s.file("tree/b/c", 10)
			run("sync", "tree/", "s3://pond/tree/")
			run("sync", "s3://pond/tree/", "down/")
			run("del", "--recursive", "--force", "s3://pond")
			run("rb", "s3://pond")
		})
	}
}

// TestMemoryStaysSmall moves a large file up and down, in parts and in one
// piece as far as that goes.
func TestMemoryStaysSmall(t *testing.T) {
	mib := 100
	if os.Getenv("KARRI_TEST") == "long" {
		mib = 3072
	}
	child := walrustest.NewChild(t, walrustest.StartCloud(t))
	child.Start(t, "")
	s := shellOn(t, child.Walrus)
	s.aws("s3", "mb", "s3://pond")
	s.run("sh", "-c", fmt.Sprintf("head -c %dM /dev/urandom > big && sha256sum < big > sum", mib))
	began := time.Now()
	s.aws("s3", "cp", "--no-progress", "big", "s3://pond/big")
	up := time.Since(began)
	began = time.Now()
	s.aws("s3", "cp", "--no-progress", "s3://pond/big", "back")
	down := time.Since(began)
	s.run("sh", "-c", "sha256sum < back | cmp - sum")
	url := strings.TrimSpace(s.aws("s3", "presign", "s3://pond/big"))
	began = time.Now()
	s.run("sh", "-c", "curl -sf '"+url+"' | sha256sum | cmp - sum")
	whole := time.Since(began)
	s.aws("s3api", "put-object", "--bucket", "pond", "--key", "one", "--body", "big")
	peak := child.PeakMiB(t)
	t.Logf("%d MiB: up %s, down %s, down in one stream %s, peak memory %d MiB", mib, up, down, whole, peak)
	if peak > 200 {
		t.Errorf("peak memory %d MiB", peak)
	}
}
