package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"testing"

	"karri/shared/fault"
)

// The published example of a form's signature.
const publishedPolicy = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"

func TestPublishedFormExample(t *testing.T) {
	fields := map[string]string{
		"policy": publishedPolicy, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": "20151229T000000Z",
		"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
		"x-amz-signature":  "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e",
	}
	at := func(stamp string) *Verifier { return s3Verifier(stamp) }
	if who, err := at("20151230T110000Z").VerifyForm(t.Context(), fields); err != nil || who.Account == "" || who.AccessKey != "AKIAIOSFODNN7EXAMPLE" {
		t.Fatal(who, err)
	}
	for _, c := range []struct{ what, field, value, stamp, want string }{
		{"policy changed", "policy", publishedPolicy[:100] + "A" + publishedPolicy[101:], "", "SignatureDoesNotMatch"},
		{"policy with a line break", "policy", publishedPolicy + "\n", "", "InvalidArgument"},
		{"string of a request", "policy", "AWS4-HMAC-SHA256\n20151229T000000Z\n", "", "InvalidArgument"},
		{"signature changed", "x-amz-signature", flip(fields["x-amz-signature"]), "", "SignatureDoesNotMatch"},
		{"no signature", "x-amz-signature", "", "", "InvalidArgument"},
		{"no date", "x-amz-date", "", "", "InvalidArgument"},
		{"other day", "x-amz-date", "20151228T000000Z", "", "AuthorizationHeaderMalformed"},
		{"other region", "x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-west-1/s3/aws4_request", "", "AuthorizationHeaderMalformed"},
		{"other service", "x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/ec2/aws4_request", "", "AuthorizationHeaderMalformed"},
		{"other key", "x-amz-credential", "AKIAOTHER/20151229/us-east-1/s3/aws4_request", "", "InvalidAccessKeyId"},
		{"algorithm", "x-amz-algorithm", "AWS4-HMAC-SHA1", "", "InvalidArgument"},
		{"both versions", "signature", "x", "", "InvalidArgument"},
		{"token", "x-amz-security-token", "x", "", "InvalidToken"},
		{"too old", "x-ignore", "", "20160106T000001Z", "AccessDenied"},
		{"of the future", "x-ignore", "", "20151228T230000Z", "AccessDenied"},
	} {
		f := maps.Clone(fields)
		f[c.field] = c.value
		stamp := c.stamp
		if stamp == "" {
			stamp = "20151229T010000Z"
		}
		if _, err := at(stamp).VerifyForm(t.Context(), f); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
	}
}

func TestFormsSignedWithVersion2(t *testing.T) {
	policy := base64.StdEncoding.EncodeToString([]byte(`{"expiration": "2026-08-30T13:00:00Z", "conditions": []}`))
	_, secret, err := published(t.Context(), "AKIAIOSFODNN7EXAMPLE", "")
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(policy))
	sig := base64.StdEncoding.EncodeToString(h.Sum(nil))
	v := atNoon()
	try := func(what, policy, key, sig, want string) {
		t.Helper()
		who, err := v.VerifyForm(t.Context(), map[string]string{"policy": policy, "awsaccesskeyid": key, "signature": sig})
		if want == "" && (err != nil || who.Version != 2 || who.Account == "") || want != "" && fault.CodeOf(err) != want {
			t.Errorf("%s: %v %v", what, who, err)
		}
	}
	try("honest", policy, "AKIAIOSFODNN7EXAMPLE", sig, "")
	try("other policy", policy[:8]+"AAAA"+policy[12:], "AKIAIOSFODNN7EXAMPLE", sig, "SignatureDoesNotMatch")
	try("other key", policy, "AKIAOTHER", sig, "InvalidAccessKeyId")
	try("no key", policy, "", sig, "InvalidArgument")
	try("no signature", policy, "AKIAIOSFODNN7EXAMPLE", "", "InvalidArgument")
}
