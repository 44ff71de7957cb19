package daemon_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/shared/sign"
	"karri/walrus/access"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// An act is one of the things that are tried on a bucket. What is sent is such
// that nothing changes that another act depends on: a document that is not
// read further than to be found bad, a key that is not there.
type act struct {
	letter byte
	name   string
	method string
	path   string // after the bucket
	body   string
	header string
	done   int // the status when it was allowed
}

var acts = []act{
	{'G', "GetObject", "GET", "/key", "", "", 200},
	{'X', "GetObject of a missing key", "GET", "/missing", "", "", 404},
	{'P', "PutObject", "PUT", "/new", "hello", "", 200},
	{'D', "DeleteObject", "DELETE", "/missing", "", "", 204},
	{'L', "ListObjectsV2", "GET", "?list-type=2", "", "", 200},
	{'V', "ListObjectVersions", "GET", "?versions", "", "", 200},
	{'A', "GetObjectAcl", "GET", "/key?acl", "", "", 200},
	{'B', "GetBucketAcl", "GET", "?acl", "", "", 200},
	{'W', "PutBucketAcl", "PUT", "?acl", "<x/>", "", 400},
	{'S', "PutBucketPolicy", "PUT", "?policy", "{}", "", 400},
	{'M', "CreateMultipartUpload", "POST", "/upload?uploads", "", "", 200},
	{'C', "CopyObject", "PUT", "/copy", "", "x-amz-copy-source: /%s/key", 200},
	{'R', "GetBucketLocation", "GET", "?location", "", "", 200},
}

const all = "GXPDLVABWSMCR"

// A scene is a bucket of Ann's, with what makes it less private, and the acts
// that then are allowed to her, to Bob and to nobody in particular.
type scene struct {
	name   string
	policy []string // statements
	steps  []ask    // before the policy; paths have %s for the bucket
	ann    string
	bob    string
	nobody string
}

func statement(effect, principal, actions, rest string) string {
	return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":[%s],"Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"]%s}`, effect, principal, actions, rest)
}

const (
	toBob  = `{"AWS":"arn:aws:iam::222222222222:root"}`
	toAll  = `"*"`
	block  = `<PublicAccessBlockConfiguration><%[1]s>true</%[1]s></PublicAccessBlockConfiguration>`
	owning = `<OwnershipControls><Rule><ObjectOwnership>%s</ObjectOwnership></Rule></OwnershipControls>`
)

func setACL(path, name string) ask {
	return ask{method: "PUT", path: path + "?acl", headers: []string{"x-amz-acl: " + name}, status: 200}
}

func setBlock(what string) ask {
	return ask{method: "PUT", path: "/%s?publicAccessBlock", body: fmt.Sprintf(block, what), status: 200}
}

func setOwner(what string) ask {
	return ask{method: "PUT", path: "/%s?ownershipControls", body: fmt.Sprintf(owning, what), status: 200}
}

// byBob puts the key as Bob, who may because everybody may.
func byBob(headers ...string) []ask {
	return []ask{setACL("/%s", "public-read-write"), {who: bob, method: "PUT", path: "/%s/key", body: "his", headers: headers, status: 200}}
}

var (
	grantBob  = "id=" + access.Canonical(bob.Account)
	bobOwns   = "PLVMX" // what a bucket that is public-read-write allows to all
	grantFull = ask{method: "PUT", path: "/%s?acl", headers: []string{"x-amz-grant-full-control: " + grantBob}, status: 200}
)

var scenes = []scene{
	{"nothing", nil, nil, all, "", ""},
	{"policy: all may read", []string{statement("Allow", toAll, `"s3:GetObject"`, "")}, nil, all, "G", "G"},
	{"policy: all may read and list", []string{statement("Allow", toAll, `"s3:GetObject","s3:ListBucket"`, "")}, nil, all, "GXL", "GXL"},
	{"policy: bob may read and write", []string{statement("Allow", toBob, `"s3:GetObject","s3:PutObject"`, "")}, nil, all, "GPMC", ""},
	{"policy: all may do all", []string{statement("Allow", toAll, `"s3:*"`, "")}, nil, all, all, all},
	{"policy: nobody may read", []string{statement("Deny", toAll, `"s3:GetObject"`, "")}, nil, "PDLVABWSMR", "", ""},
	{"policy: nobody may do anything", []string{statement("Deny", toAll, `"s3:*"`, "")}, nil, "S", "", ""},
	{"policy: all but bob", []string{statement("Allow", toAll, `"s3:*"`, ""), statement("Deny", toBob, `"s3:*"`, "")}, nil, all, "", all},
	{"policy: from here", []string{statement("Allow", toAll, `"s3:GetObject"`, `,"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`)}, nil, all, "G", "G"},
	{"policy: from elsewhere", []string{statement("Allow", toAll, `"s3:GetObject"`, `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`)}, nil, all, "", ""},
	{"policy: only by TLS", []string{statement("Deny", toAll, `"s3:*"`, `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`)}, nil, "S", "", ""},
	{"policy: all may do all, restricted", []string{statement("Allow", toAll, `"s3:*"`, "")}, []ask{setBlock("RestrictPublicBuckets")}, all, "", ""},
	{"policy: bob, restricted", []string{statement("Allow", toBob, `"s3:GetObject"`, "")}, []ask{setBlock("RestrictPublicBuckets")}, all, "G", ""},

	{"bucket public-read", nil, []ask{setACL("/%s", "public-read")}, all, "LVX", "LVX"},
	{"bucket public-read-write", nil, []ask{setACL("/%s", "public-read-write")}, all, bobOwns, bobOwns},
	{"bucket authenticated-read", nil, []ask{setACL("/%s", "authenticated-read")}, all, "LVX", ""},
	{"bucket to bob", nil, []ask{grantFull}, all, "XPLVBWM", ""},
	{"bucket public-read-write, ignored", nil, []ask{setACL("/%s", "public-read-write"), setBlock("IgnorePublicAcls")}, all, "", ""},
	{"bucket to bob, public ignored", nil, []ask{grantFull, setBlock("IgnorePublicAcls")}, all, "XPLVBWM", ""},
	{"bucket public-read-write, then private", nil, []ask{setACL("/%s", "public-read-write"), setACL("/%s", "private"), setOwner("BucketOwnerEnforced")}, all, "", ""},
	{"bucket public-read-write, denied", []string{statement("Deny", toAll, `"s3:ListBucket"`, "")}, []ask{setACL("/%s", "public-read-write")}, "GPDVABWSMCR", "PVM", "PVM"},

	{"object public-read", nil, []ask{setACL("/%s/key", "public-read")}, all, "G", "G"},
	{"object authenticated-read", nil, []ask{setACL("/%s/key", "authenticated-read")}, all, "G", ""},
	{"object to bob", nil, []ask{{method: "PUT", path: "/%s/key?acl", headers: []string{"x-amz-grant-read: " + grantBob, "x-amz-grant-read-acp: " + grantBob}, status: 200}}, all, "GA", ""},
	{"object public-read, ignored", nil, []ask{setACL("/%s/key", "public-read"), setBlock("IgnorePublicAcls")}, all, "", ""},
	{"object public-read, enforced", nil, []ask{setACL("/%s/key", "public-read"), setOwner("BucketOwnerEnforced")}, all, "", ""},
	{"object public-read, denied", []string{statement("Deny", toBob, `"s3:GetObject"`, "")}, []ask{setACL("/%s/key", "public-read")}, all, "", "G"},

	{"object of bob's", nil, byBob(), "XPDLVBWSMR", bobOwns + "GAC", bobOwns},
	{"object of bob's, policy for all", []string{statement("Allow", toAll, `"s3:GetObject"`, "")}, byBob(), "XPDLVBWSMR", bobOwns + "GAC", bobOwns},
	{"object of bob's, to the owner", nil, byBob("x-amz-acl: bucket-owner-full-control"), all, bobOwns + "GAC", bobOwns},
	{"object of bob's, denied", []string{statement("Deny", toBob, `"s3:GetObject"`, "")}, byBob(), "XPDLVBWSMR", "PLVMA", bobOwns},
	{"object of bob's, preferred", nil, append([]ask{setOwner("BucketOwnerPreferred")}, byBob("x-amz-acl: bucket-owner-full-control")...), all, bobOwns, bobOwns},
	{"object of bob's, enforced", nil, append(byBob(), setACL("/%s", "private"), setOwner("BucketOwnerEnforced")), all, "", ""},
}

// A caller is one of the ways to ask.
type caller struct {
	name string
	who  walrustest.User // zero: nobody
	send func(t *testing.T, w *walrustest.Walrus, u walrustest.User, a act, bucket string) walrustest.Answer
}

var callers = []caller{
	{"SigV4", ann, bySignature}, {"presigned", ann, presigned}, {"SigV2", ann, bySigV2},
	{"SigV4", bob, bySignature}, {"presigned", bob, presigned}, {"SigV2", bob, bySigV2},
	{"anonymous", walrustest.User{}, unsigned},
}

func request(t *testing.T, w *walrustest.Walrus, a act, bucket string) *http.Request {
	var headers []string
	if a.header != "" {
		headers = []string{fmt.Sprintf(a.header, bucket)}
	}
	return w.Request(t, a.method, "/"+bucket+a.path, a.body, headers...)
}

func unsigned(t *testing.T, w *walrustest.Walrus, _ walrustest.User, a act, bucket string) walrustest.Answer {
	return w.Send(t, request(t, w, a, bucket))
}

func bySignature(t *testing.T, w *walrustest.Walrus, u walrustest.User, a act, bucket string) walrustest.Answer {
	var headers []string
	if a.header != "" {
		headers = []string{fmt.Sprintf(a.header, bucket)}
	}
	return w.Do(t, u, a.method, "/"+bucket+a.path, a.body, headers...)
}

func presigned(t *testing.T, w *walrustest.Walrus, u walrustest.User, a act, bucket string) walrustest.Answer {
	r := request(t, w, a, bucket)
	if _, err := sign.Presign(r, sign.Credentials{AccessKey: u.AccessKey, Secret: u.Secret}, sign.Scope{Region: "us-east-1", Service: "s3", At: time.Now()}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return w.Send(t, r)
}

func bySigV2(t *testing.T, w *walrustest.Walrus, u walrustest.User, a act, bucket string) walrustest.Answer {
	r := request(t, w, a, bucket)
	r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	resource, query, _ := strings.Cut("/"+bucket+a.path, "?")
	if query != "" && !strings.Contains(query, "=") {
		resource += "?" + query
	}
	amz := ""
	if a.header != "" {
		amz = strings.Replace(fmt.Sprintf(a.header, bucket), ": ", ":", 1) + "\n"
	}
	h := hmac.New(sha1.New, []byte(u.Secret))
	fmt.Fprintf(h, "%s\n\n\n%s\n%s%s", a.method, r.Header.Get("Date"), amz, resource)
	r.Header.Set("Authorization", "AWS "+u.AccessKey+":"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	return w.Send(t, r)
}

// TestOldLinksAreRefusedByPolicy: s3:signatureAge is how many milliseconds ago a
// presigned URL was made.
func TestOldLinksAreRefusedByPolicy(t *testing.T) {
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{})
	old := statement("Deny", toAll, `"s3:GetObject"`, `,"Condition":{"NumericGreaterThan":{"s3:signatureAge":"60000"}}`)
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/k", body: "hello", status: 200},
		{method: "PUT", path: "/pond?policy", body: `{"Version":"2012-10-17","Statement":[` + strings.ReplaceAll(old, "BUCKET", "pond") + `]}`, status: 204},
		{method: "GET", path: "/pond/k", status: 200},
	})
	for age, want := range map[time.Duration]int{0: 200, 2 * time.Minute: 403} {
		r := w.Request(t, "GET", "/pond/k", "")
		at := sign.Scope{Region: "us-east-1", Service: "s3", At: time.Now().Add(-age)}
		if _, err := sign.Presign(r, sign.Credentials{AccessKey: ann.AccessKey, Secret: ann.Secret}, at, time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := w.Send(t, r); got.Status != want {
			t.Errorf("a link of %s ago: %d, want %d", age, got.Status, want)
		}
	}
}

func TestAPrivateBucketStaysPrivate(t *testing.T) {
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{})
	for i, s := range scenes {
		name := fmt.Sprintf("scene-%02d", i)
		stage(t, w, s, name)
		for _, c := range callers {
			want := s.nobody
			switch c.who {
			case ann:
				want = s.ann
			case bob:
				want = s.bob
			}
			for _, a := range acts {
				got := c.send(t, w, c.who, a, name)
				switch allowed := strings.IndexByte(want, a.letter) >= 0; {
				case allowed && got.Status != a.done, !allowed && (got.Status != 403 || got.Code() != "AccessDenied"):
					t.Errorf("%s: %s by %s (%s): got %d, want allowed=%v\n%s", s.name, a.name, c.who.Account, c.name, got.Status, allowed, got.Body)
				case !allowed && strings.Contains(got.Body, "hello"):
					t.Errorf("%s: %s by %s shows the object", s.name, a.name, c.who.Account)
				}
			}
		}
	}
}

// stage makes the bucket of a scene.
func stage(t *testing.T, w *walrustest.Walrus, s scene, name string) {
	t.Helper()
	steps := slices.Concat([]ask{{method: "PUT", path: "/%s", status: 200}, {method: "PUT", path: "/%s/key", body: "hello", status: 200}}, s.steps)
	if s.policy != nil {
		steps = append(steps, ask{method: "PUT", path: "/%s?policy", body: `{"Version":"2012-10-17","Statement":[` + strings.Join(s.policy, ",") + `]}`, status: 204})
	}
	for i := range steps {
		steps[i].path = fmt.Sprintf(steps[i].path, name)
		steps[i].body = strings.ReplaceAll(steps[i].body, "BUCKET", name)
	}
	play(t, w, steps)
}
