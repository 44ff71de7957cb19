package sign

import (
	"net/url"
	"strings"
	"testing"
)

func TestTheKeyThatIsClaimed(t *testing.T) {
	for _, c := range []struct{ auth, query, want string }{
		{"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0", "", "AKIAEXAMPLE"},
		{"AWS4-HMAC-SHA256 SignedHeaders=host,Credential=AKIAEXAMPLE,Signature=", "", "AKIAEXAMPLE"},
		{"AWS AKIAEXAMPLE:c2ln", "", "AKIAEXAMPLE"},
		{"", "X-Amz-Credential=AKIAEXAMPLE%2F2026&x=y", "AKIAEXAMPLE"},
		{"", "x-amz-credential=AKIAEXAMPLE", "AKIAEXAMPLE"},
		{"", "AWSAccessKeyId=AKIAEXAMPLE", "AKIAEXAMPLE"},
		{"", "", ""}, {"Bearer eyJ", "", ""}, {"AWS4-HMAC-SHA256", "", ""},
		{"AWS4-HMAC-SHA256 Credential=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY/x", "", Malformed}, // the secret in its place
		{"", "AWSAccessKeyId=correcthorsebattery", Malformed},
	} {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := Claimed(c.auth, nil, q); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.auth, c.query, got, c.want)
		}
	}
}

func FuzzClaimed(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/2026", "X-Amz-Credential=A")
	f.Add("AWS :", "awsaccesskeyid")
	f.Fuzz(func(t *testing.T, auth, query string) {
		q, _ := url.ParseQuery(query)
		key := Claimed(auth, q)
		if key != "" && key != Malformed && (!keyForm.MatchString(key) || !strings.Contains(auth, key) && !strings.Contains(query, key) && !strings.Contains(query, "%")) {
			t.Errorf("%q", key)
		}
	})
}
