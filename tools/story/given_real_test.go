//go:build real

package story

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"karri/shared/sign"
)

// caller is a user of a cloud on this machine, without a command line.
type caller struct {
	*cloud
	keys sign.Credentials
}

func (c *cloud) caller(accessKey, secret, token string) *caller {
	return &caller{c, sign.Credentials{AccessKey: accessKey, Secret: secret, Token: token}}
}

// admin is the administrator, by admin.env.
func (c *cloud) admin() *caller {
	var keys sign.Credentials
	for _, kv := range c.env {
		if v, ok := strings.CutPrefix(kv, "AWS_ACCESS_KEY_ID="); ok {
			keys.AccessKey = v
		}
		if v, ok := strings.CutPrefix(kv, "AWS_SECRET_ACCESS_KEY="); ok {
			keys.Secret = v
		}
	}
	return &caller{c, keys}
}

// ask asks a service for an action and returns a member of the answer, "" for
// none. A refusal is kept, and fails the test unless it is wanted.
func (u *caller) ask(refused bool, service, action string, in map[string]any, path ...string) string {
	u.t.Helper()
	if in == nil {
		in = map[string]any{}
	}
	body, err := json.Marshal(in)
	if err != nil {
		u.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, u.EC2URL()+"/", bytes.NewReader(body))
	if err != nil {
		u.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", service+"."+action)
	status, b := u.send(r, service)
	if (status != http.StatusOK) != refused {
		u.t.Fatalf("%s:%s: %d %s", service, action, status, b)
	}
	var v any
	if json.Unmarshal(b, &v) != nil {
		return ""
	}
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	text, _ := v.(string)
	if len(path) > 0 && len(text) < 8 {
		u.t.Fatalf("%s:%s answers no %v: %s", service, action, path, b)
	}
	return text
}

func (u *caller) send(r *http.Request, service string) (status int, body []byte) {
	u.t.Helper()
	payload := ""
	if service == "s3" {
		payload = "UNSIGNED-PAYLOAD"
	}
	if u.keys.AccessKey != "" {
		if err := sign.Request(r, u.keys, sign.Scope{Region: u.Region, Service: service, At: time.Now()}, payload); err != nil {
			u.t.Fatal(err)
		}
	}
	res, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		u.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	if res.StatusCode/100 != 2 {
		u.refused(fmt.Sprint(res.Status, res.Header, string(body)))
	}
	return res.StatusCode, body
}

// object asks walrus for an object, with headers in pairs.
func (u *caller) object(want int, method, key, body string, headers ...string) {
	u.t.Helper()
	r, err := http.NewRequest(method, u.S3URL()+"/secretive/"+key, strings.NewReader(body))
	if err != nil {
		u.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if status, b := u.send(r, "s3"); status != want {
		u.t.Errorf("%s %s: %d %s", method, key, status, b)
	}
}

// userData is what an instance is given at its start. It is at home where
// orders are.
func (c *cloud) userData() string {
	text := "user-data-" + rand.Text()
	c.secret("the user data", text, "cloud.db*", "clusterctl/orders/*", "node*/orders/*")
	return text
}

// givesOutSecrets makes the cloud give out secrets of all kinds, and uses them,
// rightly and wrongly.
func (c *cloud) givesOutSecrets() {
	c.t.Helper()
	admin := c.admin()
	type in = map[string]any
	name := in{"UserName": "ann"}
	admin.ask(false, "iam", "CreateUser", name)
	password := "Long-Enough-" + rand.Text()
	c.secret("a password", password)
	admin.ask(false, "iam", "CreateLoginProfile", in{"UserName": "ann", "Password": password})
	admin.ask(true, "iam", "CreateLoginProfile", in{"UserName": "ann", "Password": password})
	admin.ask(true, "iam", "UpdateLoginProfile", in{"UserName": "nobody", "Password": password})
	admin.ask(false, "iam", "CreateAccessKey", name) // its secret is found in the vault
	seed := admin.ask(false, "iam", "CreateVirtualMFADevice", in{"VirtualMFADeviceName": "phone"}, "VirtualMFADevice", "Base32StringSeed")
	if raw, err := base64.StdEncoding.DecodeString(seed); err == nil {
		c.secret("the seed of a device", string(raw))
	}
	c.sessions(admin)
	admin.ask(false, "karri", "CreateWebhook", in{"Url": "http://127.0.0.1:9/", "Subject": ">"})
	join := admin.ask(false, "karri", "CreateJoinToken", in{"Role": "blockstore", "Zone": "us-east-1z"}, "Token")
	c.secret("a join token", join[strings.LastIndexAny(join, ".:/")+1:])
	pem := admin.ask(false, "ec2", "CreateKeyPair", in{"KeyName": "secretive", "KeyType": "rsa"}, "KeyMaterial")
	c.secret("the private key of a key pair", pem)
	admin.ask(true, "ec2", "CreateKeyPair", in{"KeyName": "secretive", "KeyType": "rsa"})
	admin.ask(true, "iam", "UploadServerCertificate", in{"ServerCertificateName": "x", "CertificateBody": "none", "PrivateKey": pem})
	admin.ask(true, "ec2", "RunInstances", in{"ImageId": "ami-00000000000000000", "MinCount": 1, "MaxCount": 1, "UserData": base64.StdEncoding.EncodeToString([]byte(c.userData()))})
	c.sealedByKeysOfUsers(admin)
}

// sessions are given out, and used with a word changed.
func (c *cloud) sessions(admin *caller) {
	c.t.Helper()
	var out struct {
		Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	text, err := c.command(time.Minute, "aws", "sts", "get-session-token", "--output", "json")
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		c.t.Fatal(err)
	}
	s := out.Credentials
	c.secret("the secret of a session", s.SecretAccessKey)
	c.secret("the token of a session", s.SessionToken)
	c.caller(s.AccessKeyID, s.SecretAccessKey, s.SessionToken).ask(false, "ec2", "DescribeInstances", nil)
	c.caller(s.AccessKeyID, s.SecretAccessKey, s.SessionToken+"x").ask(true, "ec2", "DescribeInstances", nil)
	c.caller(s.AccessKeyID, "x"+s.SecretAccessKey, s.SessionToken).ask(true, "ec2", "DescribeInstances", nil)
	c.caller(admin.keys.AccessKey, s.SecretAccessKey, "").ask(true, "ec2", "DescribeInstances", nil)
	token := "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://login.example.com","sub":"`+rand.Text()+`"}`)) + ".c2lnbmF0dXJl"
	c.secret("the token of an issuer", token)
	c.caller("", "", "").ask(true, "sts", "AssumeRoleWithWebIdentity", map[string]any{"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "x-1", "WebIdentityToken": token})
}

// sealedByKeysOfUsers puts objects under a key that walrus must forget, and
// shares one by a URL that is as good as a key.
func (c *cloud) sealedByKeysOfUsers(admin *caller) {
	c.t.Helper()
	c.aws("s3", "mb", "s3://secretive")
	key, other := []byte(rand.Text() + rand.Text())[:32], []byte(rand.Text() + rand.Text())[:32]
	c.secret("a customer's key", string(key))
	headers := func(k []byte) []string {
		sum := md5.Sum(k)
		return []string{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256", "X-Amz-Server-Side-Encryption-Customer-Key", base64.StdEncoding.EncodeToString(k),
			"X-Amz-Server-Side-Encryption-Customer-Key-Md5", base64.StdEncoding.EncodeToString(sum[:])}
	}
	admin.object(200, http.MethodPut, "sealed", "carp", headers(key)...)
	admin.object(200, http.MethodGet, "sealed", "", headers(key)...)
	admin.object(403, http.MethodGet, "sealed", "", headers(other)...)
	wrong := headers(key)
	wrong[5] = "AAAAAAAAAAAAAAAAAAAAAA=="
	admin.object(400, http.MethodPut, "sealed", "carp", wrong...)
	admin.object(200, http.MethodPut, "master", "carp", "X-Amz-Server-Side-Encryption", "AES256")

	r, err := http.NewRequest(http.MethodGet, c.S3URL()+"/secretive/master", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	shared, err := sign.Presign(r, admin.keys, sign.Scope{Region: c.Region, Service: "s3", At: time.Now()}, time.Hour)
	if err != nil {
		c.t.Fatal(err)
	}
	_, signature, _ := strings.Cut(shared, "X-Amz-Signature=")
	c.secret("the signature of a shared URL", signature)
	digit := "0"
	if strings.HasSuffix(shared, digit) {
		digit = "1"
	}
	for url, want := range map[string]int{shared: 200, shared[:len(shared)-1] + digit: 403} {
		res, err := http.Get(url)
		if err != nil {
			c.t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want {
			c.t.Errorf("a shared URL: %s %s", res.Status, b)
		}
	}
}
