//go:build real

package daemon_test

import (
	"net/http"
	"testing"

	"karri/walrus/daemon/walrustest"
)

// TestClientsOpenAndCloseBuckets lets aws and s3cmd change who may read, and
// asks as nobody in particular whether that is so.
func TestClientsOpenAndCloseBuckets(t *testing.T) {
	s := newShell(t)
	s.aws("s3", "mb", "s3://pond")
	s.file("f", 10)
	reads := func(path string, want int) {
		t.Helper()
		if got := s.w.Send(t, s.w.Request(t, http.MethodGet, path, "")); got.Status != want {
			t.Errorf("%s: got %d, want %d: %s", path, got.Status, want, got.Body)
		}
	}
	s.aws("s3", "cp", "f", "s3://pond/aws", "--acl", "public-read")
	reads("/pond/aws", 200)
	s.says(s.aws("s3api", "get-object-acl", "--bucket", "pond", "--key", "aws"), "global/AllUsers")
	s.aws("s3api", "put-object-acl", "--bucket", "pond", "--key", "aws", "--acl", "private")
	reads("/pond/aws", 403)
	s.aws("s3api", "put-bucket-acl", "--bucket", "pond", "--acl", "public-read")
	reads("/pond", 200)
	s.aws("s3api", "put-public-access-block", "--bucket", "pond", "--public-access-block-configuration", "IgnorePublicAcls=true")
	reads("/pond", 403)
	s.says(s.aws("s3api", "get-public-access-block", "--bucket", "pond"), `"IgnorePublicAcls": true`)
	s.aws("s3api", "delete-public-access-block", "--bucket", "pond")

	cmd := func(args ...string) string {
		t.Helper()
		return s.run("s3cmd", append([]string{"--no-ssl", "--host", s.w.Host, "--host-bucket", s.w.Host,
			"--access_key", walrustest.Ann.AccessKey, "--secret_key", walrustest.Ann.Secret}, args...)...)
	}
	cmd("put", "--acl-public", "f", "s3://pond/cmd")
	reads("/pond/cmd", 200)
	cmd("setacl", "--acl-private", "s3://pond/cmd")
	reads("/pond/cmd", 403)
	cmd("setacl", "--acl-public", "s3://pond/cmd")
	reads("/pond/cmd", 200)
	cmd("setacl", "--acl-grant=read:"+bobID, "s3://pond/cmd")
	if got := s.w.Do(t, bob, "GET", "/pond/cmd", ""); got.Status != 200 {
		t.Errorf("bob: %d", got.Status)
	}
	cmd("setacl", "--acl-private", "s3://pond")
	reads("/pond", 403)
	s.says(cmd("info", "s3://pond/cmd"), bobID)
	cmd("setpolicy", s.text("policy", publicPolicy), "s3://pond")
	reads("/pond/aws", 200)
	s.says(cmd("info", "s3://pond"), "s3:GetObject")
	s.says(s.aws("s3api", "get-bucket-policy-status", "--bucket", "pond"), `"IsPublic": true`)
	cmd("delpolicy", "s3://pond")
	reads("/pond/aws", 403)
	s.aws("s3api", "put-bucket-ownership-controls", "--bucket", "pond", "--ownership-controls", "Rules=[{ObjectOwnership=BucketOwnerEnforced}]")
	reads("/pond/cmd", 403)
}
