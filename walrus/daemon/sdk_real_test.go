//go:build real

package daemon_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"karri/walrus/daemon/walrustest"
)

// TestBoto3 runs testdata/boto3_story.py under Debian's own python.
func TestBoto3(t *testing.T) {
	s := newShell(t)
	story, err := filepath.Abs("testdata/boto3_story.py")
	if err != nil {
		t.Fatal(err)
	}
	s.says(s.run("/usr/bin/python3", story, s.w.Endpoint), "told to the end")
}

// minioGo is whose functional tests TestMinioGo runs, each by itself; nothing
// of it is linked.
const minioGo = "github.com/minio/minio-go/v7@v7.0.100"

// notOurs are those of its tests that ask for what one store alone has.
var notOurs = map[string]string{
	"testGetObjectS3Zip":                     "reads files within a zip file by a header of its own",
	"testBucketNotification":                 "needs a queue that the test names in its environment",
	"testCors":                               "needs a bucket that the test's environment names",
	"testMakeBucketErrorV2":                  "makes buckets in regions that are not there",
	"testMakeBucketRegionsV2":                "makes buckets in regions that are not there",
	"testMakeBucketRegions":                  "makes buckets in regions that are not there",
	"testMakeBucketError":                    "makes buckets in regions that are not there",
	"testPutObjectPreconditionOnNonExistent": "wants If-None-Match of an ETag on a put, where S3 has it of * alone",
	"testGetObjectAttributesErrorCases":      "wants NoSuchVersion for what cannot be the id of a version",
	"testPutMultipartObjectWithChecksums":    "wants a copy to be read again for a checksum of the whole, where one that moves no byte keeps the source's",
	"testListMultipartUpload":                "wants neither owners nor classes of uploads, and those of the key that is the marker",
	"testGetObjectACLContext":                "wants every list to be private",
}

// TestMinioGo runs the functional tests that minio-go publishes for stores.
func TestMinioGo(t *testing.T) {
	s := newShell(t)
	s.run("sh", "-ec", `go mod download `+minioGo+` && cp -r "$(go env GOMODCACHE)/`+minioGo+`" m && chmod -R u+w m`)
	names := s.oneByOne("m/functional_tests.go")
	s.env = append(s.env, "HOME="+os.Getenv("HOME"), "SERVER_ENDPOINT="+s.w.Host, "ENABLE_HTTPS=0", "MINT_MODE=full", "GOFLAGS=-mod=mod -buildvcs=false",
		"ACCESS_KEY="+walrustest.Ann.AccessKey, "SECRET_KEY="+walrustest.Ann.Secret, "ENABLE_KMS=0")
	s.run("sh", "-ec", "cd m && go build -o ../functional functional_tests.go")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if why := notOurs[name]; why != "" {
				t.Skip(why)
			}
			// It passes over what a store answers NotImplemented to; we do not.
			if out, err := s.try("./functional", name); err != nil || strings.Contains(out, "status=NA") || strings.Contains(out, `"status":"NA"`) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// oneByOne rewrites the program of tests to run the one that is named, and
// returns their names.
func (s *shell) oneByOne(program string) (names []string) {
	s.t.Helper()
	text := string(s.read(program))
	begin := strings.Index(text, "\nfunc main() {")
	if begin < 0 {
		s.t.Fatal("the program of tests has another form")
	}
	var main strings.Builder
	main.WriteString("\nfunc main() {\n\tswitch os.Args[1] {\n")
	for _, m := range regexp.MustCompile(`\n\t+(test\w+)\(\)`).FindAllStringSubmatch(text[begin:], -1) {
		if !strings.Contains(main.String(), `"`+m[1]+`"`) {
			names = append(names, m[1])
			main.WriteString("\tcase \"" + m[1] + "\":\n\t\t" + m[1] + "()\n")
		}
	}
	main.WriteString("\t}\n}\n")
	if err := os.WriteFile(filepath.Join(s.dir, program), []byte(text[:begin]+main.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if len(names) < 100 {
		s.t.Fatalf("found %d tests", len(names))
	}
	return names
}
