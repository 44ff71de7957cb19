package pretend

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/local"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/sign"
)

// rotate changes the master key under cloudctl, as its command does.
func (c *Cloud) rotate(t *testing.T) {
	t.Helper()
	dir := filepath.Join(c.Dir, "cloudctl")
	v, err := vault.Open(local.MasterKeyFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), local.DatabaseFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := local.Rotate(t.Context(), s, v, time.Now(), false); err != nil {
		t.Fatal(err)
	}
}

func (c *Cloud) explained(t *testing.T, id string) string {
	t.Helper()
	out, err := c.Admin.Call(t.Context(), "karri", "Explain", params{"Id": id})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The master key is changed while a session is used: the session goes on,
// explain says what is waited for, and when the longest session is over cloudctl
// drops the old key by itself.
func TestASessionGoesOnWhenTheMasterKeyIsChanged(t *testing.T) {
	c := small(t, nil)
	out, err := c.Admin.Call(t.Context(), "sts", "GetSessionToken", nil)
	if err != nil {
		t.Fatal(err)
	}
	given, _ := out["Credentials"].(params)
	user := c.As(sign.Credentials{AccessKey: text(given, "AccessKeyId"), Secret: text(given, "SecretAccessKey"), Token: text(given, "SessionToken")})
	defer user.Close()
	asks := func() error {
		_, err := user.Call(t.Context(), "ec2", "DescribeInstances", nil)
		return err
	}
	if err := asks(); err != nil {
		t.Fatal(err)
	}
	c.rotate(t)
	for range 2 { // also by a cloudctl that knows nothing of before
		if err := asks(); err != nil {
			t.Errorf("after the change: %v", err)
		}
		if err := user.Put(t.Context(), "pond", "fish", nil); err != nil {
			t.Errorf("walrus, after the change: %v", err)
		}
		if said := c.explained(t, "master-key"); !strings.Contains(said, "1 older ones are kept") || !strings.Contains(said, "all secrets that are kept are under the key that seals") {
			t.Error(said)
		}
		if err := c.Stop("cloudctl"); err != nil {
			t.Fatal(err)
		}
		if err := c.Start(t.Context(), "cloudctl"); err != nil {
			t.Fatal(err)
		}
		c.back(t)
	}
	if err := c.Stop("cloudctl"); err != nil {
		t.Fatal(err)
	}
	file := local.MasterKeyFile(filepath.Join(c.Dir, "cloudctl"))
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	until := regexp.MustCompile(`until \S+`)
	if at, err := time.Parse("until "+time.RFC3339, string(until.Find(b))); err != nil || time.Until(at) < 36*time.Hour || time.Until(at) > 37*time.Hour {
		t.Errorf("the old key is kept until %v, %v", at, err)
	}
	if err := os.WriteFile(file, until.ReplaceAll(b, []byte("until 2001-01-01T00:00:00Z")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context(), "cloudctl"); err != nil {
		t.Fatal(err)
	}
	c.back(t)
	err = c.Until(t.Context(), patience, func() (bool, error) {
		return strings.Contains(c.explained(t, "master-key"), "0 older ones are kept"), nil
	})
	if err != nil || asks() == nil {
		t.Errorf("the old key is there when all sessions have ended: %v", err)
	}
}

// back waits until cloudctl answers.
func (c *Cloud) back(t *testing.T) {
	t.Helper()
	if err := c.Until(t.Context(), patience, func() (bool, error) {
		_, err := c.Admin.Call(t.Context(), "sts", "GetCallerIdentity", nil)
		return err == nil, err
	}); err != nil {
		t.Fatal(err)
	}
}
