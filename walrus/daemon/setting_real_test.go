//go:build real

package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"karri/walrus/daemon/walrustest"
)

func (s *shell) text(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// TestClientsSetBuckets lets aws and s3cmd write settings as they do and read
// them as they can.
func TestClientsSetBuckets(t *testing.T) {
	s := shellOn(t, startWithTargets(t))
	s.aws("s3", "mb", "s3://pond")
	has := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("no %q in %s", w, out)
			}
		}
	}
	api := func(args ...string) string {
		t.Helper()
		return s.aws(append([]string{"s3api", args[0], "--bucket", "pond"}, args[1:]...)...)
	}
	api("put-bucket-cors", "--cors-configuration", `{"CORSRules":[{"AllowedMethods":["GET"],"AllowedOrigins":["*"]}]}`)
	has(api("get-bucket-cors"), `"GET"`)
	api("put-bucket-lifecycle-configuration", "--lifecycle-configuration", `{"Rules":[{"ID":"r","Status":"Enabled","Filter":{"Prefix":"a"},"Expiration":{"Days":3}}]}`)
	has(api("get-bucket-lifecycle-configuration"), `"Days": 3`)
	api("put-bucket-tagging", "--tagging", `{"TagSet":[{"Key":"k","Value":"v"}]}`)
	has(api("get-bucket-tagging"), `"v"`)
	api("put-bucket-encryption", "--server-side-encryption-configuration", `{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}`)
	has(api("get-bucket-encryption"), "AES256")
	s.aws("s3", "website", "s3://pond", "--index-document", "index.html", "--error-document", "e.html")
	has(api("get-bucket-website"), "index.html", "e.html")
	api("put-bucket-logging", "--bucket-logging-status", `{"LoggingEnabled":{"TargetBucket":"pond","TargetPrefix":"l/"}}`)
	has(api("get-bucket-logging"), `"l/"`)
	api("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
	has(api("get-bucket-versioning"), "Enabled")
	api("put-object-lock-configuration", "--object-lock-configuration", `{"ObjectLockEnabled":"Enabled","Rule":{"DefaultRetention":{"Mode":"GOVERNANCE","Days":1}}}`)
	has(api("get-object-lock-configuration"), "GOVERNANCE")

	cmd := func(args ...string) string {
		t.Helper()
		return s.run("s3cmd", append([]string{"--no-ssl", "--host", s.w.Host, "--host-bucket", s.w.Host,
			"--access_key", walrustest.Ann.AccessKey, "--secret_key", walrustest.Ann.Secret}, args...)...)
	}
	cmd("setcors", s.text("cors.xml", settings[1].good), "s3://pond")
	cmd("delcors", "s3://pond")
	cmd("setlifecycle", s.text("life.xml", settings[2].good), "s3://pond")
	has(cmd("getlifecycle", "s3://pond"), "<Days>1</Days>")
	cmd("dellifecycle", "s3://pond")
	cmd("expire", "--expiry-days", "2", "s3://pond")
	has(api("get-bucket-lifecycle-configuration"), `"Days": 2`)
	cmd("ws-create", "--ws-index", "i.html", "s3://pond")
	has(cmd("ws-info", "s3://pond"), "i.html")
	cmd("ws-delete", "s3://pond")
	cmd("accesslog", "--access-logging-target-prefix", "s3://pond/x/", "s3://pond")
	has(api("get-bucket-logging"), `"x/"`)
	has(cmd("info", "s3://pond"), "Location:  us-east-1")
}
