package pretend

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/audit"
	"karri/shared/sign"
)

// logged is all that the daemons wrote into their logs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// given are the secrets that a cloud gave out, by what they are.
type given struct {
	t    *testing.T
	all  map[string]string
	says map[string]string // what users say that is no key: it is kept, but not in logs
	told []string          // what was answered when something was wrong
}

func (g *given) keep(what string, out map[string]any, path ...string) string {
	g.t.Helper()
	var v any = out
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	s, _ := v.(string)
	if len(s) < 16 {
		g.t.Fatalf("%s: %v", what, out)
	}
	g.all[what] = s
	return s
}

func (g *given) ask(u *Client, service, action string, in params) map[string]any {
	g.t.Helper()
	out, err := u.Call(g.t.Context(), service, action, in)
	if err != nil {
		g.t.Fatalf("%s:%s: %v", service, action, err)
	}
	return out
}

// wrong asks what must be refused, and keeps the answer.
func (g *given) wrong(u *Client, service, action string, in params) {
	g.t.Helper()
	_, err := u.Call(g.t.Context(), service, action, in)
	if err == nil {
		g.t.Fatalf("%s:%s is done", service, action)
	}
	g.told = append(g.told, err.Error())
}

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"ACCOUNT"},"Action":"sts:AssumeRole"}]}`

// live makes a cloud give out secrets of every kind, and uses them, rightly and
// wrongly.
func (g *given) live(c *Cloud) {
	t := g.t
	out := g.ask(c.Admin, "karri", "CreateAccount", params{"Name": "first"})
	id := out["AccountId"].(string)
	root := c.As(sign.Credentials{AccessKey: out["AccessKeyId"].(string), Secret: g.keep("root key", out, "SecretAccessKey")})
	defer root.Close()
	g.ask(root, "iam", "CreateUser", params{"UserName": "ann"})
	g.all["password"] = "A-very-long-Passw0rd!"
	g.ask(root, "iam", "CreateLoginProfile", params{"UserName": "ann", "Password": g.all["password"]})
	g.wrong(root, "iam", "CreateLoginProfile", params{"UserName": "ann", "Password": g.all["password"]})
	out = g.ask(root, "iam", "CreateAccessKey", params{"UserName": "ann"})
	user := c.As(sign.Credentials{AccessKey: out["AccessKey"].(params)["AccessKeyId"].(string), Secret: g.keep("user's key", out, "AccessKey", "SecretAccessKey")})
	defer user.Close()
	g.wrong(user, "ec2", "DescribeInstances", params{})
	if err := user.Put(t.Context(), "first-pond", "x", nil); err == nil {
		t.Error("a user without a policy put an object")
	} else {
		g.told = append(g.told, err.Error())
	}
	if err := root.Put(t.Context(), "first-pond", "x", nil); err != nil {
		t.Fatal(err)
	}
	out = g.ask(root, "iam", "CreateVirtualMFADevice", params{"VirtualMFADeviceName": "phone"})
	seed, err := base64.StdEncoding.DecodeString(g.keep("seed", out, "VirtualMFADevice", "Base32StringSeed"))
	if err != nil {
		t.Fatal(err)
	}
	g.all["seed in base32"] = string(seed)
	g.ask(root, "iam", "CreateRole", params{"RoleName": "r", "AssumeRolePolicyDocument": strings.ReplaceAll(trust, "ACCOUNT", id)})
	g.wrong(root, "iam", "CreateRole", params{"RoleName": "r", "AssumeRolePolicyDocument": strings.ReplaceAll(trust, "ACCOUNT", id)})
	out = g.ask(user.cloud.Admin, "sts", "GetSessionToken", nil)
	g.keep("session", out, "Credentials", "SecretAccessKey")
	g.keep("token", out, "Credentials", "SessionToken")
	out = g.ask(root, "ec2", "CreateKeyPair", params{"KeyName": "k", "KeyType": "ed25519"})
	pem := strings.Split(g.keep("private key", out, "KeyMaterial"), "\n")
	g.all["private key"] = pem[len(pem)/2]
	out = g.ask(c.Admin, "karri", "CreateWebhook", params{"Url": "http://127.0.0.1:9/", "Subject": ">"})
	g.keep("webhook", out, "Secret")
	out = g.ask(c.Admin, "karri", "CreateJoinToken", params{"Role": "blockstore", "Zone": "us-east-1z"})
	token := g.keep("join token", out, "Token")
	g.all["join token"] = token[strings.LastIndexAny(token, ".:/")+1:]
	g.speak(c, root, id)
	bad := c.As(sign.Credentials{AccessKey: root.keys.AccessKey, Secret: g.all["user's key"]})
	defer bad.Close()
	g.wrong(bad, "ec2", "DescribeInstances", params{})
	g.wrong(bad, "karri", "CreateAccount", params{"Name": "x"})
	g.all["administrator's key"] = c.Keys.Secret
}

// speak has users say what the audit log tells of, but for the secrets in it.
func (g *given) speak(c *Cloud, root *Client, id string) {
	g.says = map[string]string{"user data": "user-data-of-an-instance", "other user data": "user-data-that-was-changed", "code": "917263", "identity token": "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl",
		"private key of a certificate": "MC4CAQAwBQYDK2VwBCIEIMadeUp", "password that is refused": "Another-very-long-Passw0rd!", "path of a webhook": "services-T000-B000", "secret of a webhook": "a-secret-that-a-user-chose"}
	data := func(name string) string { return base64.StdEncoding.EncodeToString([]byte(g.says[name])) }
	g.says["user data in base64"] = data("user data")
	g.wrong(root, "ec2", "RunInstances", params{"ImageId": "ami-00000000000000000", "MinCount": 1, "MaxCount": 1, "UserData": data("user data")})
	g.wrong(root, "ec2", "ModifyInstanceAttribute", params{"InstanceId": "i-00000000000000000", "UserData": params{"Value": data("other user data")}})
	g.wrong(root, "ec2", "ModifyInstanceAttribute", params{"InstanceId": "i-00000000000000000", "Attribute": "userData", "Value": data("other user data")})
	g.wrong(root, "ec2", "RunInstances", params{"ImageId": "ami-00000000000000000", "MinCount": 1, "MaxCount": 1, "UserData": g.says["user data"] + "!"})
	g.wrong(root, "sts", "AssumeRole", params{"RoleArn": "arn:aws:iam::" + id + ":role/r", "RoleSessionName": "session", "SerialNumber": "arn:aws:iam::" + id + ":mfa/phone", "TokenCode": g.says["code"]})
	g.wrong(root, "sts", "AssumeRoleWithWebIdentity", params{"RoleArn": "arn:aws:iam::" + id + ":role/r", "RoleSessionName": "session", "WebIdentityToken": g.says["identity token"]})
	g.wrong(root, "iam", "UploadServerCertificate", params{"ServerCertificateName": "c", "CertificateBody": "x", "PrivateKey": g.says["private key of a certificate"]})
	g.wrong(root, "iam", "UpdateLoginProfile", params{"UserName": "nobody", "Password": g.says["password that is refused"]})
	g.ask(c.Admin, "karri", "CreateWebhook", params{"Url": "http://127.0.0.1:9/" + g.says["path of a webhook"], "Subject": ">", "Secret": g.says["secret of a webhook"]})
}

// audited looks into the audit logs for what users said, once all is there, and
// sees that the lines that could have it are.
func (g *given) audited(c *Cloud) {
	t := g.t
	t.Helper()
	hidden := 0
	err := c.Until(t.Context(), time.Minute, func() (bool, error) {
		hidden = 0
		err := filepath.WalkDir(c.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !strings.Contains(path, "/audit") {
				return err
			}
			b, err := os.ReadFile(path)
			for what, text := range g.says {
				if bytes.Contains(b, []byte(text)) {
					t.Fatalf("the %s is in %s", what, path)
				}
			}
			hidden += bytes.Count(b, []byte(audit.Hidden))
			return err
		})
		return hidden >= 2*10, err // in the log itself, and in the index
	})
	if err != nil {
		t.Errorf("%d values are hidden in the audit logs: %v", hidden, err)
	}
}

// hunt looks for the secrets in a text, as they are and in hexadecimal.
func (g *given) hunt(where string, text []byte) {
	g.t.Helper()
	for what, secret := range g.all {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if bytes.Contains(text, []byte(form)) {
				g.t.Errorf("the %s is in %s", what, where)
			}
		}
	}
}

// metrics looks into those of all daemons.
func (g *given) metrics(c *Cloud) {
	t := g.t
	t.Helper()
	for _, name := range c.Names() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.addrs[name+"-admin"]+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || len(b) == 0 {
			t.Fatal(err)
		}
		g.hunt("the metrics of "+name, b)
	}
}

// No secret that was given out is in a state folder, a log, a metric, the
// arguments of the process or the answer to a request that failed.
func TestSecretsLieNowhere(t *testing.T) {
	var log logged
	c := small(t, func(conf *Config) {
		conf.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		conf.Keys = nil
	})
	g := &given{t: t, all: map[string]string{}}
	g.live(c)
	g.metrics(c)
	for what, text := range g.says {
		g.all[what+" (in answers)"] = text
	}
	g.hunt("the answers to what was wrong", []byte(strings.Join(g.told, "\n")))
	for what := range g.says {
		delete(g.all, what+" (in answers)")
	}
	args, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	g.hunt("the arguments of the process", args)
	g.audited(c)
	log.mu.Lock()
	g.hunt("the log", log.b.Bytes())
	for what, text := range g.says {
		if bytes.Contains(log.b.Bytes(), []byte(text)) {
			t.Errorf("the %s is in the log", what)
		}
	}
	if log.b.Len() < 10_000 {
		t.Errorf("the log has %d bytes only", log.b.Len())
	}
	log.mu.Unlock()
	files, seen := 0, 0
	err = filepath.WalkDir(c.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		files++
		if bytes.Contains(b, []byte(c.Keys.AccessKey)) { // which is no secret
			seen++
		}
		g.hunt(path, b)
		return nil
	})
	if err != nil || files < 30 || seen < 2 {
		t.Errorf("%d files, of which %d name the administrator's key, %v", files, seen, err)
	}
}
